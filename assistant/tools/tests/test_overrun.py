"""A running test past its end, and one that runs, through the assistant's tools."""

import pytest

from allocations.models import Allocation
from allocations.services import booking
from allocations.tests.world import allocation_of, day
from assistant import approvals
from assistant.conftest import context
from assistant.graph.calling import call
from assistant.models import Proposal
from dynosite.lib import clock

STILL = (
    "NPG 1 still runs 412W101 (Brake), which should have ended on 18 Nov 2026; extend or complete it first. "
    "Booked by scheduler."
)


@pytest.fixture
def overrun(world):
    """412W101 runs on NPG 1 and was to end on day 2; today is day 4."""
    with clock.day_is(day(0)):
        stay = allocation_of(world.book("412W101", "NPG 1", 0, 2))
        booking.start(stay.pk, actor=world.actor())
    with clock.day_is(day(4)):
        stay.refresh_from_db()
        yield stay


def ask(world, tool, **args):
    return call(tool, args, ctx=context(world), call_id="call-1")


def test_it_is_not_free_and_not_booked_over(world, overrun):
    span = {"start_date": f"{day(5)}", "end_date": f"{day(6)}"}
    result = ask(world, "find_available_dynos", test_type="brake", **span)
    reasons = {row["dyno"]: row["reasons"] for row in result["not_free"]}
    assert reasons["NPG 1"] == [STILL]
    assert [row["dyno"] for row in result["free"]] == ["NPG 21"]
    refused = ask(world, "book_allocation", vehicle="412W103", dyno="NPG 1", test_type="brake", **span)
    assert STILL in str(refused)
    assert not Proposal.objects.exists()


def test_the_vehicle_is_still_in_it(world, overrun):
    result = ask(world, "check_vehicle_allocation", vehicle="412W101")
    assert [(row["id"], row["overrun"]) for row in result["allocations"]] == [(overrun.pk, True)]


def test_it_is_in_conflict_with_what_was_booked_after_it(world, overrun):
    with clock.day_is(day(2)):
        world.book("412W103", "NPG 1", 4, 6)
    result = ask(world, "detect_conflicts")
    assert [(row["what"], row["first_day"], row["last_day"]) for row in result["conflicts"]] == [
        ("NPG 1", f"{day(4)}", f"{day(4)}")
    ]


def test_moving_what_runs_is_a_card_of_its_rest_and_carried_out_as_shown(world, overrun):
    with clock.day_is(day(1)):
        ask(world, "move_allocation", vehicle="412W101", dyno="NPG 21")
        proposal = Proposal.objects.get()
        assert proposal.card["title"] == "Move 412W101 to NPG 21, 17 – 18 Nov 2026"
        assert proposal.card["warnings"] == [
            "The test is running: NPG 1 keeps what ran, 16 Nov 2026, and only its rest moves."
        ]
        approvals.approve(proposal.pk, user=world.users["scheduler"])
    rows = Allocation.objects.filter(ground=world.north).order_by("pk")
    assert [(row.dyno.name, row.first_day, row.last_day, row.status) for row in rows] == [
        ("NPG 1", day(0), day(0), "completed"),
        ("NPG 21", day(1), day(2), "running"),
    ]


def test_cancelling_what_runs_says_what_has_run(world, overrun):
    with clock.day_is(day(1)):
        ask(world, "cancel_allocation", vehicle="412W101")
    assert Proposal.objects.get().card["warnings"] == [
        "The test is running: 1 of 3 days have run. Completing it instead, on its page, keeps them in the records."
    ]


def test_a_first_day_alone_keeps_the_days_worked(world):
    world.north.days_off = [5, 6]
    world.north.save()
    emission = world.tests["Emission"]
    emission.runs_through = False
    emission.save()
    with clock.day_is(day(0)):
        allocation_of(world.book("412W102", "NPG 3", 0, 2, test="Emission"))
        ask(world, "move_allocation", vehicle="412W102", start_date=f"{day(3)}")
    assert Proposal.objects.get().card["title"] == "Move 412W102 to NPG 3, 19 – 23 Nov 2026"
