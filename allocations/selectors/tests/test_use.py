"""The one definition of use: what counts as booked, what as bookable, and that every reader of it agrees."""

import datetime as dt

import pytest

from allocations.enums import AllocationStatus
from allocations.models import Allocation, Shutdown
from allocations.selectors.calendar import CalendarFilter, calendar
from allocations.selectors.reports import utilisation
from allocations.selectors.use import DayCount, count_states, states_of
from allocations.services.maintenance import set_maintenance
from allocations.tests.world import MONDAY, allocation_of, day
from dynosite.lib.days import DayRange

FORTNIGHT = DayRange(day(0), day(13))


@pytest.fixture(autouse=True)
def _today(monday):
    pass


def count(**changes) -> DayCount:
    usual = {"present": FORTNIGHT, "booked": [], "maintenance": [], "closed": ()}
    return count_states(states_of(FORTNIGHT, **usual | changes))


@pytest.mark.parametrize(
    ("changes", "expected", "percent"),
    [
        ({}, DayCount(free=14), 0),
        ({"booked": [DayRange(day(-3), day(6))]}, DayCount(booked=7, free=7), 50),
        ({"maintenance": [FORTNIGHT]}, DayCount(maintenance=14), None),
        (
            {"booked": [DayRange(day(0), day(6))], "maintenance": [DayRange(day(7), day(13))]},
            DayCount(booked=7, maintenance=7),
            100,
        ),
        (
            {"closed": [day(5), day(6), day(12), day(13)], "booked": [DayRange(day(0), day(4))]},
            DayCount(booked=5, free=5, off=4),
            50,
        ),
        ({"closed": [day(5), day(6)], "booked": [DayRange(day(0), day(6))]}, DayCount(booked=7, free=7), 50),
        ({"present": None}, DayCount(absent=14), None),
        ({"present": DayRange(day(4), day(9)), "closed": [day(0), day(5)]}, DayCount(free=5, off=1, absent=8), 0),
    ],
)
def test_use_is_booked_days_of_bookable_ones(changes, expected, percent):
    assert (count(**changes), count(**changes).percent) == (expected, percent)


def test_maintenance_is_no_use_anywhere(world):
    set_maintenance(
        world.dynos["NPG 3"].pk, first_day=day(0), last_day=day(13), kind="planned", actor=world.actor("admin")
    )
    world.book("412W101", "NPG 1", 0, 6)
    board = {row.name: row for row in calendar(world.north, FORTNIGHT, user=world.users["viewer"]).rows}
    assert (board["NPG 3"].use, board["NPG 3"].why_unused) == (None, "in maintenance")
    assert board["NPG 1"].use == 50


def test_calendar_and_reports_agree_on_each_dyno(world):
    Shutdown.objects.create(ground=world.north, first_day=day(9), last_day=day(10), name="Stocktaking")
    set_maintenance(
        world.dynos["NPG 2"].pk, first_day=day(4), last_day=day(8), kind="planned", actor=world.actor("admin")
    )
    world.book("412W101", "NPG 1", 0, 4)
    running = allocation_of(world.book("412W102", "NPG 2", 0, 1, test="4K Certification"))
    Allocation.objects.filter(pk=running.pk).update(
        status=AllocationStatus.RUNNING, first_day=day(-5), last_day=day(-2)
    )
    world.dynos["NPG 3"].available_to = day(3)
    world.dynos["NPG 3"].save()
    board = {row.name: row.use for row in calendar(world.north, FORTNIGHT, user=world.users["viewer"]).rows}
    report = {
        use.dyno.name: use.days.percent for use in utilisation(world.north, FORTNIGHT, user=world.users["viewer"])
    }
    assert board == report == {"NPG 1": 42, "NPG 2": 14, "NPG 3": 0, "NPG 21": 0}


def test_use_of_the_days_to_come_is_that_of_the_dynos_shown(world):
    world.book("412W101", "NPG 1", 0, 13)
    user = world.users["viewer"]

    def outlook(**chosen) -> int | None:
        return calendar(world.north, FORTNIGHT, user=user, chosen=CalendarFilter(**chosen)).outlook

    assert (outlook(), outlook(text="412W101"), outlook(text="nothing has this")) == (25, 100, None)


def test_running_test_is_dark_up_to_the_line_of_today(world):
    stay = allocation_of(world.book("412W101", "NPG 1", 0, 93))
    Allocation.objects.filter(pk=stay.pk).update(status=AllocationStatus.RUNNING)
    days = DayRange(MONDAY - dt.timedelta(days=7), day(100))
    (bar,) = [bar for row in calendar(world.north, days, user=world.users["viewer"]).rows for bar in row.bars]
    assert bar.done / 100 * bar.length == pytest.approx(0.5, abs=1e-3)
