"""Lanes alike in what the assistant looks up and in what it says of it."""

import re
from collections.abc import Iterator

import pytest

from allocations.tests.boards import add_lanes
from allocations.tests.world import World, day
from assistant.conftest import context
from assistant.graph.calling import call
from assistant.providers.offline.phrases import phrase
from dynosite.lib import clock


@pytest.fixture
def track(world: World) -> Iterator[World]:
    add_lanes(world, 12)
    with clock.day_is(day(0)):
        world.book("412W103", "Track 2", 0, 4)
        yield world


def ask(world: World, tool: str, **args) -> tuple[dict, list[str]]:
    """The result, and the lines of the answer without links."""
    result = call(tool, args, ctx=context(world), call_id="call-1")
    text, _ = phrase([(tool, result)])
    return result, re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", text).splitlines()


def test_free_lanes_are_all_looked_up_and_said_as_one(track):
    result, lines = ask(
        track, "find_available_dynos", test_type="brake", start_date=f"{day(1)}", end_date=f"{day(2)}"
    )
    names = [f"Track {number}" for number in range(1, 13) if number != 2]
    assert sorted(row["dyno"] for row in result["free"]) == sorted(["NPG 1", "NPG 21", *names])
    assert "- Track 1 and 10 more alike (Track)" in lines
    assert sum("Track" in line for line in lines) == 1
    assert {"- NPG 1 (NPG)", "- NPG 21 (Annex)"} <= set(lines)


def test_a_refusal_offers_one_of_the_lanes(track):
    result, lines = ask(
        track,
        "book_allocation",
        vehicle="412W101",
        dyno="Track 2",
        test_type="brake",
        start_date=f"{day(1)}",
        end_date=f"{day(2)}",
    )
    assert [(row["dyno"], row["more_alike"]) for row in result["places"]] == [
        ("NPG 21", None),
        ("Track 1", 10),
        ("NPG 1", None),
    ]
    assert f"- Track 1 and 10 more alike, {day(1)} to {day(2)}" in lines
