"""What was down before today, as the assistant reads it."""

from zoneinfo import ZoneInfo

import pytest

from allocations.models import MaintenanceWindow
from allocations.services import maintenance
from allocations.tests.world import day
from assistant.conftest import context
from assistant.graph.calling import call
from dynosite.lib import clock


@pytest.fixture
def windows(world):
    """Two windows of NPG 1, the later of which is lifted, one of NPG 21, and one that is still to come."""

    def shut(dyno, first, last, reason):
        change = maintenance.set_maintenance(
            world.dynos[dyno].pk,
            first_day=day(first),
            last_day=day(last),
            kind="planned",
            reason=reason,
            actor=world.actor("admin"),
        )
        return next(item["id"] for item in change.items if item["model"] == "maintenancewindow")

    shut("NPG 1", 0, 1, "Belt")
    lifted = shut("NPG 1", 3, 6, "Roller")
    shut("NPG 21", 2, 2, "Blower")
    shut("NPG 1", 20, 21, "Calibration")
    with clock.day_is(day(5)):
        maintenance.lift_maintenance(lifted, actor=world.actor("admin"))
        yield


def ask(world, **args):
    return call("list_maintenance_history", args, ctx=context(world, "viewer"), call_id="call-1")


def test_the_latest_comes_first_lifted_ones_too_and_none_that_is_to_come(world, windows):
    result = ask(world)
    assert [(row["dyno"], row["reason"]) for row in result["windows"]] == [
        ("NPG 1", "Roller"),
        ("NPG 21", "Blower"),
        ("NPG 1", "Belt"),
    ]
    lifted_at = MaintenanceWindow.objects.get(reason="Roller").lifted_at
    lifted_on = lifted_at.astimezone(ZoneInfo(world.north.time_zone)).date()
    assert [row["lifted_on"] for row in result["windows"]] == [f"{lifted_on}", None, None]
    assert result["count"] == 3


def test_of_one_dyno_and_on_the_days_given(world, windows):
    result = ask(world, dyno="npg 1", start_date=f"{day(1)}", end_date=f"{day(2)}")
    assert [row["reason"] for row in result["windows"]] == ["Belt"]
    assert ask(world, dyno="NPG 1", start_date=f"{day(7)}", end_date=f"{day(8)}")["count"] == 0
