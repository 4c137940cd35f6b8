"""What the calendar works out from the stays: load, use, lateness, ends outside of what is shown."""

import pytest

from allocations.enums import AllocationStatus
from allocations.exceptions import NotFound
from allocations.models import Allocation, ProvingGround
from allocations.selectors.calendar import calendar
from allocations.tests.boards import maintain
from allocations.tests.world import World, allocation_of, day
from dynosite.lib.days import DayRange

FORTNIGHT = DayRange(day(0), day(13))


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: day(7))


def board(world: World, days: DayRange = FORTNIGHT, **more):
    return calendar(world.north, days, user=world.users["viewer"], **more)


def row(world: World, name: str, days: DayRange = FORTNIGHT):
    return next(row for row in board(world, days).rows if row.name == name)


def test_stay_over_both_ends_is_shown_from_where_it_begins(world):
    world.book("412W101", "NPG 1", -3, 20)
    (bar,) = row(world, "NPG 1").bars
    assert (bar.start, bar.length, bar.first, bar.last) == (-3, 24, day(-3), day(20))


@pytest.mark.parametrize(("first", "last", "expected"), [(-5, -1, 0), (-5, 0, 1), (13, 20, 1), (14, 20, 0)])
def test_only_stays_that_touch_the_days_are_shown(world, first, last, expected):
    world.book("412W101", "NPG 1", first, last)
    assert len(row(world, "NPG 1").bars) == expected


def test_longest_stay_that_began_a_year_before_is_shown(world):
    world.book("412W101", "NPG 1", -365, 0)
    assert len(row(world, "NPG 1").bars) == 1


def test_cancelled_takes_no_place(world):
    allocation = allocation_of(world.book("412W101", "NPG 1", 0, 4))
    Allocation.objects.filter(pk=allocation.pk).update(status=AllocationStatus.CANCELLED)
    assert row(world, "NPG 1").bars == []


def test_load_and_use_count_bookable_days(world):
    world.book("412W101", "NPG 1", 0, 6)
    maintain(world.dynos["NPG 2"], day(5), day(20))
    schedule = board(world)
    assert schedule.load == [25] * 5 + [33] * 2 + [0] * 7
    assert schedule.outlook == 0
    use = {dyno_row.name: (dyno_row.use, dyno_row.weekly) for dyno_row in schedule.rows}
    assert use == {"NPG 21": (0, [0, 0]), "NPG 1": (50, [100, 0]), "NPG 2": (0, [0, 0]), "NPG 3": (0, [0, 0])}
    assert schedule.now_column == 1


def test_days_without_today_have_no_outlook(world):
    schedule = board(world, DayRange(day(8), day(20)))
    assert (schedule.outlook, schedule.now_column) == (None, None)


def test_progress_is_of_the_days_up_to_now(world):
    allocation = allocation_of(world.book("412W101", "NPG 1", 5, 9))
    Allocation.objects.filter(pk=allocation.pk).update(status=AllocationStatus.RUNNING)
    assert row(world, "NPG 1").bars[0].done == 50


def test_facilities_and_dynos_stand_in_their_order(world):
    schedule = board(world)
    assert [(group.facility, [row.name for row in group.rows]) for group in schedule.groups] == [
        ("Annex", ["NPG 21"]),
        ("NPG", ["NPG 1", "NPG 2", "NPG 3"]),
    ]
    assert schedule.test_types == [
        ("4k-certification", "4K Certification"),
        ("brake", "Brake"),
        ("emission", "Emission"),
    ]


def test_no_member_gets_no_board(world):
    with pytest.raises(NotFound):
        calendar(world.north, FORTNIGHT, user=world.users["outsider"])
