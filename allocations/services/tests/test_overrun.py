"""A running test past its end holds its dyno and its vehicle until somebody ends it."""

import pytest

from allocations.enums import AllocationStatus, Movable, RefusalCode
from allocations.exceptions import Refused
from allocations.models import Allocation, TestRequest
from allocations.planning import check, solve
from allocations.selectors import reports
from allocations.selectors.allocations import ahead, checks_of
from allocations.selectors.availability import find_places, query_for
from allocations.selectors.calendar import calendar
from allocations.selectors.dynos import coming_allocations, dyno_list
from allocations.selectors.fit import fits
from allocations.selectors.plan_problem import problem_of
from allocations.selectors.vehicles import vehicle_list
from allocations.services import booking
from allocations.services.maintenance import set_maintenance
from allocations.services.plans import ask_for_plan
from allocations.services.undo import undo
from allocations.tests.world import allocation_of, day
from dynosite.lib import clock
from dynosite.lib.days import DayRange

STILL = (
    "NPG 1 still runs 412W101 (Brake), which should have ended on 18 Nov 2026; extend or complete it first. "
    "Booked by scheduler."
)
VEHICLE = (
    "412W101 still runs on NPG 1 (Brake), which should have ended on 18 Nov 2026; extend or complete it first. "
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


def refused(call):
    with pytest.raises(Refused) as caught:
        call()
    return caught.value


def sentences(error):
    return [(refusal.code, refusal.sentence) for refusal in error.refusals]


@pytest.mark.parametrize("first", [3, 4, 5, 60])
def test_nothing_is_booked_over_it_however_far_ahead(world, overrun, first):
    error = refused(lambda: world.book("412W103", "NPG 1", first, first + 1))
    assert sentences(error) == [(RefusalCode.DYNO_TAKEN, STILL)]
    assert all(place.dyno != "NPG 1" for place in error.places)
    elsewhere = refused(lambda: world.book("412W101", "NPG 21", first, first + 1))
    assert sentences(elsewhere) == [(RefusalCode.VEHICLE_ELSEWHERE, VEHICLE)]


def test_before_it_the_dyno_is_free_and_after_its_completion_too(world, overrun):
    assert allocation_of(world.book("412W103", "NPG 1", -3, -1)).last_day == day(-1)
    booking.complete(overrun.pk, last_day=day(3), actor=world.actor())
    assert allocation_of(world.book("412W103", "NPG 1", 4, 5)).first_day == day(4)


def test_the_day_it_ends_is_no_overrun(world, overrun):
    with clock.day_is(day(2)):
        assert allocation_of(world.book("412W103", "NPG 1", 3, 5)).first_day == day(3)


def test_its_place_is_never_offered(world, overrun):
    query = query_for(world.vehicles["412W103"], world.tests["Brake"].pk, 2)
    assert find_places(query, first_day=day(3), latest=day(60), limit=9) == []
    own = query_for(world.vehicles["412W101"], world.tests["Brake"].pk, 2)
    assert find_places(own, first_day=day(3), latest=day(60), limit=9) == []
    itself = find_places(own, first_day=day(3), latest=day(3), limit=9, leaving_out=overrun.pk)
    assert {place.dyno for place in itself} == {"NPG 1", "NPG 21"}


def test_fits_says_so_and_shows_no_free_days(world, overrun):
    by_dyno = {
        fit.dyno.name: fit for fit in fits(world.north, user=world.users["viewer"], days=DayRange(day(4), day(6)))
    }
    assert [refusal.sentence for refusal in by_dyno["NPG 1"].refusals] == [STILL]
    assert by_dyno["NPG 1"].free == ()
    assert by_dyno["NPG 2"].free == (DayRange(day(4), day(6)),)


def test_lists_show_it_where_it_is(world, overrun):
    viewer = world.users["viewer"]
    row = dyno_list(world.north, user=viewer).get(name="NPG 1")
    assert (row.vehicle_now, row.until, row.next_free) == ("412W101", day(2), None)
    assert vehicle_list(world.north, user=viewer).get(tag="412W101").where == "NPG 1"
    assert coming_allocations(row) == [overrun]
    assert ahead(Allocation.objects.filter(ground=world.north), world.north) == [overrun]
    today = reports.allocations_between(world.north, user=viewer, days=DayRange(day(4), day(4)))
    assert list(today) == [overrun]


def test_the_calendar_draws_it_through_today(world, overrun):
    board = calendar(world.north, DayRange(day(3), day(9)), user=world.users["viewer"])
    (bar,) = [bar for row in board.rows for bar in row.bars]
    assert (bar.start, bar.length, bar.over, bar.held) == (-3, 3, 2, 5)
    assert (bar.late.sentence, board.load) == ("It should have ended on Wed 18 Nov.", [25, 25, 0, 0, 0, 0, 0])
    later = calendar(world.north, DayRange(day(5), day(9)), user=world.users["viewer"])
    assert [bar for row in later.rows for bar in row.bars] == []


def test_what_was_booked_after_it_may_be_put_off_but_not_started_or_brought_nearer(world, overrun):
    with clock.day_is(day(2)):
        after = allocation_of(world.book("412W103", "NPG 1", 4, 6))
    assert [check.sentence for check in checks_of(after) if not check.holds] == [STILL]
    assert sentences(refused(lambda: booking.start(after.pk, actor=world.actor()))) == [
        (RefusalCode.DYNO_TAKEN, STILL)
    ]
    assert sentences(refused(lambda: booking.move(after.pk, first_day=day(3), actor=world.actor()))) == [
        (RefusalCode.DYNO_TAKEN, STILL)
    ]
    booking.move(after.pk, last_day=day(5), actor=world.actor())
    change = booking.move(after.pk, first_day=day(5), actor=world.actor())
    after.refresh_from_db()
    assert (after.first_day, after.last_day) == (day(5), day(6))
    assert all(check.holds for check in checks_of(after))
    undo(change.pk, actor=world.actor())
    booking.complete(overrun.pk, actor=world.actor())
    booking.start(after.pk, actor=world.actor())
    after.refresh_from_db()
    assert (after.first_day, after.status) == (day(4), AllocationStatus.RUNNING)


def test_both_are_a_conflict_until_one_gives_way(world, overrun):
    with clock.day_is(day(2)):
        after = allocation_of(world.book("412W103", "NPG 1", 4, 6))
    (conflict,) = reports.conflicts(world.north, user=world.users["viewer"])
    assert (conflict.name, conflict.days) == ("NPG 1", DayRange(day(4), day(4)))
    booking.cancel(after.pk, actor=world.actor())
    assert reports.conflicts(world.north, user=world.users["viewer"]) == []


def test_maintenance_is_not_set_over_it(world, overrun):
    params = {"first_day": day(5), "last_day": day(6), "kind": "planned", "actor": world.actor("admin")}
    error = refused(lambda: set_maintenance(world.dynos["NPG 1"].pk, **params))
    assert sentences(error) == [(RefusalCode.DYNO_TAKEN, STILL)]
    booking.complete(overrun.pk, actor=world.actor())
    set_maintenance(world.dynos["NPG 1"].pk, **params)


def test_extending_is_one_call_to_today_or_by_days(world, overrun):
    world.dynos["NPG 1"].enabled = False
    world.dynos["NPG 1"].save()
    booking.extend(overrun.pk, actor=world.actor())
    overrun.refresh_from_db()
    assert (overrun.last_day, overrun.status) == (day(4), AllocationStatus.RUNNING)
    again = refused(lambda: booking.extend(overrun.pk, actor=world.actor()))
    assert again.sentence == "It is booked until 20 Nov 2026 already; say by how many days it is to go on."
    disabled = refused(lambda: booking.extend(overrun.pk, days=3, actor=world.actor()))
    assert [code for code, _ in sentences(disabled)] == [RefusalCode.DYNO_DISABLED]
    world.dynos["NPG 1"].enabled = True
    world.dynos["NPG 1"].save()
    booking.extend(overrun.pk, days=3, actor=world.actor())
    overrun.refresh_from_db()
    assert overrun.last_day == day(7)


def test_a_test_that_does_not_run_is_not_extended(world):
    stay = allocation_of(world.book("412W101", "NPG 1", 0, 2))
    error = refused(lambda: booking.extend(stay.pk, actor=world.actor()))
    assert sentences(error) == [(RefusalCode.WRONG_STATUS, "It is scheduled and cannot be extended.")]


def test_the_planner_puts_nothing_on_its_dyno_and_leaves_what_stands_there(world, overrun):
    with clock.day_is(day(2)):
        after = allocation_of(world.book("412W103", "NPG 1", 6, 7))
    TestRequest.objects.create(
        ground=world.north, vehicle=world.vehicles["412W102"], test_type=world.tests["Brake"], days=2
    )
    plan = ask_for_plan(
        world.north.pk, actor=world.actor(), first_day=day(4), last_day=day(20), seconds=5, movable=Movable.ALL
    )
    problem = problem_of(plan).problem
    dyno, vehicle = f"d{overrun.dyno_id}", f"v{overrun.vehicle_id}"
    assert sorted((o.first, o.last) for o in problem.occupied if o.dyno == dyno) == [(0, 1), (4, 16)]
    assert sorted((o.first, o.last) for o in problem.occupied if o.vehicle == vehicle) == [(0, 16)]
    assert [test.fixed for test in problem.tests if test.id == f"a{after.pk}"] == [True]
    solution = solve(problem, seconds=5, workers=1)
    assert check(problem, solution) == []
    assert len(solution.unplaced) == 1
