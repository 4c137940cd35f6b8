"""Days off and travel, through the services: what is refused, what is offered, what stays as it is."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from allocations.enums import AllocationStatus, DisplacedTo, Movable, RefusalCode
from allocations.exceptions import Invalid, NotAllowed, NotFound, Refused
from allocations.models import (
    Allocation,
    Displacement,
    Facility,
    MaintenanceWindow,
    ProvingGround,
    Shutdown,
    TestRequest,
    Travel,
)
from allocations.planning import check, solve
from allocations.selectors.allocations import checks_of
from allocations.selectors.availability import find_places, query_for
from allocations.selectors.fit import fits
from allocations.selectors.maintenance import Answer, fallout
from allocations.selectors.plan_problem import problem_of
from allocations.services import booking
from allocations.services.maintenance import lift_maintenance, set_maintenance
from allocations.services.members import change_ground
from allocations.services.plans import apply_plan, ask_for_plan, solve_and_store
from allocations.services.undo import undo
from allocations.services.working import ShutDays, Way
from allocations.tests.world import ANY_DRIVE, ANY_WEIGHT, allocation_of, day
from dynosite.lib.days import DayRange

pytestmark = pytest.mark.usefixtures("monday")


@pytest.fixture
def working(world):
    """North works from Monday to Friday, save Thanksgiving (day 10) and days 17 and 18; emission tests pause."""
    ProvingGround.objects.filter(pk=world.north.pk).update(days_off=[5, 6], holidays_country="US")
    Shutdown.objects.create(ground=world.north, name="Inventory", first_day=day(17), last_day=day(18))
    world.tests["Emission"].runs_through = False
    world.tests["Emission"].save()
    world.dyno("NPG 4", (world.tests["Emission"], ANY_DRIVE, ANY_WEIGHT))
    return world


@pytest.fixture
def apart(world):
    """Two days from NPG to the Annex, one day back; NPG 1 and NPG 21 run brake tests."""
    npg, annex = (Facility.objects.get(ground=world.north, name=name) for name in ("NPG", "Annex"))
    Travel.objects.create(ground=world.north, origin=npg, to=annex, days=2)
    Travel.objects.create(ground=world.north, origin=annex, to=npg, days=1)
    return world


def refused(call):
    with pytest.raises(Refused) as caught:
        call()
    return caught.value


def codes(error):
    return [refusal.code for refusal in error.refusals]


def spans(places):
    return [(place.dyno, (place.first_day - day(0)).days, (place.last_day - day(0)).days) for place in places]


def plain_row(world, vehicle, dyno, first, last, test="Brake", **more):
    """As an import leaves it: no rule was asked."""
    return Allocation.objects.create(
        ground=world.north,
        vehicle=world.vehicles[vehicle],
        dyno=world.dynos[dyno],
        test_type=world.tests[test],
        first_day=day(first),
        last_day=day(last),
        source="import",
        **more,
    )


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (5, "No test starts on 21 Nov 2026 (Saturday), which is a day off."),
        (10, "No test starts on 26 Nov 2026 (Thursday, Thanksgiving Day), which is a day off."),
        (17, "No test starts on 3 Dec 2026 (Thursday, Inventory), which is a day off."),
    ],
)
def test_no_test_starts_on_a_day_off_and_the_nearest_days_worked_are_offered(working, first, words):
    error = refused(lambda: working.book("412W101", "NPG 1", first, first + 1))
    assert (codes(error), error.sentence) == ([RefusalCode.STARTS_ON_DAY_OFF], words)
    assert error.places
    assert all(not first_day_off(place.first_day) for place in error.places)


def first_day_off(date):
    return date.weekday() > 4 or (date - day(0)).days in (10, 17, 18)


def test_a_test_that_runs_through_ends_on_any_day_and_takes_days_as_they_come(working):
    assert allocation_of(working.book("412W101", "NPG 1", 3, 6)).last_day == day(6)


def test_a_test_that_pauses_ends_on_a_day_worked(working):
    error = refused(lambda: working.book("412W102", "NPG 3", 3, 6, test="Emission"))
    assert (codes(error), error.sentence) == (
        [RefusalCode.ENDS_ON_DAY_OFF],
        "Emission pauses on days off and cannot end on one: 22 Nov 2026 (Sunday).",
    )
    # Two days worked are offered, not four days.
    assert [working_days(first, last) for _, first, last in spans(error.places)] == [2, 2]
    assert allocation_of(working.book("412W102", "NPG 3", 3, 7, test="Emission")).last_day == day(7)


def working_days(first, last):
    return sum(not first_day_off(day(n)) for n in range(first, last + 1))


def test_places_for_a_test_that_pauses_are_as_long_as_it_takes(working):
    query = query_for(working.vehicles["412W102"], working.tests["Emission"].pk, 4)
    places = find_places(query, first_day=day(5), latest=day(20), limit=9)
    # Mon 7 to Wed 9 is three days; Thursday is Thanksgiving; Friday 11 is the fourth.
    assert spans(places) == [("NPG 3", 7, 11), ("NPG 4", 7, 11)]
    later = find_places(query, first_day=day(16), latest=day(20), limit=9)
    assert spans(later) == [("NPG 3", 16, 23), ("NPG 4", 16, 23)]


def test_auto_booking_counts_days_worked(working):
    change = booking.auto_book(
        working.vehicles["412W102"].pk,
        test_type_id=working.tests["Emission"].pk,
        first_day=day(5),
        days=4,
        backup=True,
        actor=working.actor(),
    )
    booked = allocation_of(change)
    assert (booked.first_day, booked.last_day) == (day(7), day(11))


def test_moving_a_test_that_pauses_keeps_the_days_worked(working):
    stay = allocation_of(working.book("412W102", "NPG 3", 0, 3, test="Emission"))
    moved = allocation_of(booking.move(stay.pk, first_day=day(8), actor=working.actor()))
    assert (moved.first_day, moved.last_day) == (day(8), day(14))
    assert working_days(8, 14) == 4


def test_what_stands_on_a_day_off_already_is_left_alone_and_may_change_what_else_it_has(working):
    stay = plain_row(working, "412W101", "NPG 1", 5, 8)
    sentences = [check.sentence for check in checks_of(stay) if not check.holds]
    assert sentences == ["No test starts on 21 Nov 2026 (Saturday), which is a day off."]
    moved = allocation_of(booking.move(stay.pk, dyno_id=working.dynos["NPG 21"].pk, actor=working.actor()))
    assert (moved.dyno.name, moved.first_day) == ("NPG 21", day(5))
    error = refused(lambda: booking.move(stay.pk, first_day=day(6), actor=working.actor()))
    assert codes(error) == [RefusalCode.STARTS_ON_DAY_OFF]
    back = booking.move(stay.pk, first_day=day(7), actor=working.actor())
    assert allocation_of(back).last_day == day(10)
    undo(back.pk, actor=working.actor())
    stay.refresh_from_db()
    assert stay.first_day == day(5)


def test_a_test_may_be_completed_on_whatever_day_it_ended(working):
    today = working.north.today()
    sunday = today - dt.timedelta(days=today.weekday() + 1)
    stay = plain_row(
        working,
        "412W102",
        "NPG 3",
        (sunday - day(0)).days - 4,
        (sunday - day(0)).days + 3,
        test="Emission",
        status=AllocationStatus.RUNNING,
    )
    done = allocation_of(booking.complete(stay.pk, last_day=sunday, actor=working.actor()))
    assert (done.status, done.last_day) == (AllocationStatus.COMPLETED, sunday)


def test_maintenance_moves_and_cuts_a_test_that_pauses_by_days_worked(working):
    stay = allocation_of(working.book("412W102", "NPG 3", 2, 9, test="Emission"))
    (hit,) = fallout(working.dynos["NPG 3"].pk, DayRange(day(7), day(7)), user=working.users["admin"])
    assert spans([hit.place])[0][0] == "NPG 4"
    assert working_days(*spans([hit.place])[0][1:]) == 6
    set_maintenance(
        working.dynos["NPG 3"].pk,
        first_day=day(7),
        last_day=day(7),
        kind="planned",
        actor=working.actor("admin"),
        answers={stay.pk: Answer(DisplacedTo.SHORTEN)},
    )
    rest = TestRequest.objects.get()
    assert (rest.days, rest.earliest_start) == (3, day(7))


def test_what_stood_on_a_day_off_comes_back_there_when_the_window_is_gone(working):
    stay = plain_row(working, "412W101", "NPG 1", 5, 8)
    set_maintenance(
        working.dynos["NPG 1"].pk,
        first_day=day(5),
        last_day=day(6),
        kind="planned",
        actor=working.actor("admin"),
        answers={stay.pk: Answer(DisplacedTo.WAIT)},
    )
    window = MaintenanceWindow.objects.get()
    lift_maintenance(window.pk, bring_back=[Displacement.objects.get().pk], actor=working.actor("admin"))
    stay.refresh_from_db()
    assert (stay.status, stay.first_day) == (AllocationStatus.SCHEDULED, day(5))


def test_fits_says_that_a_day_is_off_once_it_knows_what_is_tested(working):
    days = DayRange(day(5), day(6))
    brake = fits(working.north, user=working.users["viewer"], days=days, test_type=working.tests["Brake"])
    assert {r.code for fit in brake for r in fit.refusals if fit.dyno.name == "NPG 1"} == {"starts-on-day-off"}
    assert all(fit.may for fit in brake if fit.dyno.name == "NPG 1")
    anything = fits(working.north, user=working.users["viewer"], days=days)
    free = {fit.dyno.name for fit in anything if not fit.refusals}
    assert free == {"NPG 1", "NPG 2", "NPG 3", "NPG 4", "NPG 21"}


def test_the_other_ground_works_as_ever(working):
    working.vehicle("365W202", ground=working.south)
    booked = working.book("365W202", "STC #1", 5, 6, test="South brake", by="outsider")
    assert allocation_of(booked).first_day == day(5)


@pytest.mark.parametrize(
    ("first", "sentence"),
    [
        (5, "2 days from NPG to Annex and is on NPG 1 until 19 Nov 2026, so it can be here from 22 Nov 2026 on."),
        (-2, "1 day from Annex to NPG and is on NPG 1 from 16 Nov 2026 on, so it must leave by 14 Nov 2026."),
    ],
)
def test_a_vehicle_has_its_days_on_the_way(apart, first, sentence):
    apart.book("412W101", "NPG 1", 0, 3)
    error = refused(lambda: apart.book("412W101", "NPG 21", first, first + 1))
    assert (codes(error), error.sentence) == ([RefusalCode.TRAVEL], f"412W101 needs {sentence}")
    for place in error.places:
        offset = (place.first_day - day(0)).days
        assert place.dyno == "NPG 1" or offset >= 6 or (place.last_day - day(0)).days <= -2


@pytest.mark.parametrize(("dyno", "first"), [("NPG 21", 6), ("NPG 21", -3), ("NPG 1", 4), ("NPG 1", -2)])
def test_enough_days_or_the_same_facility_are_no_matter(apart, dyno, first):
    apart.book("412W101", "NPG 1", 0, 3)
    assert allocation_of(apart.book("412W101", dyno, first, first + 1)).first_day == day(first)


def test_places_keep_the_days_on_the_way(apart):
    apart.book("412W101", "NPG 1", 0, 3)
    query = query_for(apart.vehicles["412W101"], apart.tests["Brake"].pk, 2)
    npg21 = [apart.dynos["NPG 21"].pk]
    assert spans(find_places(query, first_day=day(-2), latest=day(20), limit=9, dynos=npg21)) == [("NPG 21", 6, 7)]
    assert spans(find_places(query, first_day=day(-3), latest=day(20), limit=1, dynos=npg21)) == [("NPG 21", -3, -2)]


def test_a_stay_that_was_too_near_before_the_table_may_be_shortened_but_not_moved_nearer(apart):
    plain_row(apart, "412W101", "NPG 1", 0, 3)
    near = plain_row(apart, "412W101", "NPG 21", 5, 9)
    assert [failed.label for failed in checks_of(near) if not failed.holds] == ["Vehicle nowhere else"]
    assert allocation_of(booking.move(near.pk, last_day=day(7), actor=apart.actor())).last_day == day(7)
    third = plain_row(apart, "412W101", "NPG 1", 12, 13)
    error = refused(lambda: booking.move(near.pk, last_day=day(11), actor=apart.actor()))
    assert codes(error) == [RefusalCode.TRAVEL]
    assert str(third.dyno) in error.sentence


def test_undo_asks_about_travel_too(apart):
    first = apart.book("412W101", "NPG 1", 0, 3)
    cancelled = booking.cancel(allocation_of(first).pk, actor=apart.actor())
    apart.book("412W101", "NPG 21", 4, 5)
    error = refused(lambda: undo(cancelled.pk, actor=apart.actor()))
    assert codes(error) == [RefusalCode.TRAVEL]


def plan_for(world, **more):
    return ask_for_plan(world.north.pk, actor=world.actor(), first_day=day(0), last_day=day(40), seconds=20, **more)


def test_the_planner_gets_days_off_and_what_pauses(working):
    TestRequest.objects.create(
        ground=working.north,
        vehicle=working.vehicles["412W102"],
        test_type=working.tests["Emission"],
        days=4,
        earliest_start=day(5),
        due_date=day(11),
    )
    plan = plan_for(working)
    problem = problem_of(plan).problem
    assert problem.closed[:6] == (5, 6, 10, 12, 13, 17)
    assert [(t.days, t.pauses) for t in problem.tests] == [(4, True)]
    solve_and_store(plan, workers=1, steps=50)
    (item,) = plan.items.all()
    assert (item.first_day, item.last_day, item.late) == (day(7), day(11), 0)
    apply_plan(plan.pk, actor=working.actor())
    assert Allocation.objects.get(ground=working.north).days == DayRange(day(7), day(11))


def test_the_planner_leaves_what_stands_on_a_day_off(working):
    on_saturday = plain_row(working, "412W101", "NPG 1", 5, 8)
    until_sunday = plain_row(working, "412W102", "NPG 3", 2, 6, test="Emission")
    movable = plain_row(working, "412W103", "NPG 1", 14, 15)
    problem = problem_of(plan_for(working, movable=Movable.ALL)).problem
    tests = {t.id: t for t in problem.tests}
    assert {id_ for id_, t in tests.items() if t.fixed} == {f"a{on_saturday.pk}", f"a{until_sunday.pk}"}
    assert not tests[f"a{movable.pk}"].fixed
    assert (tests[f"a{until_sunday.pk}"].days, problem.last_day(tests[f"a{until_sunday.pk}"], 2)) == (3, 4)
    assert {(o.first, o.last) for o in problem.occupied} == {(5, 6)}
    assert check(problem, solve(problem, seconds=20, workers=1)) == []


def test_the_planner_keeps_the_days_on_the_way(apart):
    apart.book("412W101", "NPG 1", -3, -1)
    TestRequest.objects.create(
        ground=apart.north,
        vehicle=apart.vehicles["412W101"],
        test_type=apart.tests["Brake"],
        days=2,
        earliest_start=day(0),
        due_date=day(1),
    )
    apart.dynos["NPG 1"].enabled = False
    apart.dynos["NPG 1"].save()
    plan = plan_for(apart)
    solve_and_store(plan, workers=1, steps=50)
    (item,) = plan.items.all()
    # The stay before the plan's first day counts: two days on the way.
    assert (item.dyno.name, item.first_day) == ("NPG 21", day(2))
    apply_plan(plan.pk, actor=apart.actor())


def test_two_that_stand_too_near_are_left_by_the_planner(apart):
    near = [plain_row(apart, "412W101", "NPG 1", 0, 3), plain_row(apart, "412W101", "NPG 21", 5, 9)]
    other = plain_row(apart, "412W102", "NPG 1", 8, 9)
    problem = problem_of(plan_for(apart, movable=Movable.ALL)).problem
    assert {t.id for t in problem.tests if t.fixed} == {f"a{row.pk}" for row in near}
    assert {t.id for t in problem.tests} == {f"a{row.pk}" for row in [*near, other]}
    assert check(problem, solve(problem, seconds=20, workers=1)) == []


def test_shutdowns_and_travel_are_kept_with_the_ground(world):
    npg, annex = (Facility.objects.get(ground=world.north, name=name) for name in ("NPG", "Annex"))
    change = change_ground(
        world.north.pk,
        actor=world.actor("admin"),
        days_off=[6, 5],
        holidays_country="us",
        holidays_subdivision="mi",
        shutdowns=[ShutDays("Break", day(30), day(40))],
        travel=[Way(npg.pk, annex.pk, 2, both=True)],
    )
    world.north.refresh_from_db()
    assert (world.north.days_off, world.north.holidays_country, world.north.holidays_subdivision) == (
        [5, 6],
        "US",
        "MI",
    )
    assert sorted((t.origin.name, t.to.name, t.days) for t in Travel.objects.all()) == [
        ("Annex", "NPG", 2),
        ("NPG", "Annex", 2),
    ]
    assert sorted(item["model"] for item in change.items) == ["provingground", "shutdown", "travel", "travel"]
    again = change_ground(
        world.north.pk,
        actor=world.actor("admin"),
        shutdowns=[ShutDays("Break", day(30), day(40))],
        travel=[Way(npg.pk, annex.pk, 2), Way(annex.pk, npg.pk, 3)],
    )
    assert sorted((i["model"], i["before"] is None) for i in again.items) == [("travel", False), ("travel", True)]
    assert dict(Travel.objects.values_list("origin__name", "days")) == {"NPG": 2, "Annex": 3}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"days_off": list(range(7))}, ""),
        ({"holidays_country": "XX"}, "holidays_country"),
        ({"holidays_country": "US", "holidays_subdivision": "QQ"}, "holidays_subdivision"),
        ({"holidays_subdivision": "MI"}, "holidays_subdivision"),
        ({"shutdowns": [ShutDays("Wrong", day(3), day(2))]}, ""),
    ],
)
def test_what_makes_no_calendar_is_refused(world, values, field):
    with pytest.raises(Invalid) as invalid:
        change_ground(world.north.pk, actor=world.actor("admin"), **values)
    assert list(invalid.value.errors) == [field]


def test_travel_stays_in_the_ground_and_takes_an_admin(world):
    npg, stc = Facility.objects.get(name="NPG"), Facility.objects.get(name="STC")
    with pytest.raises(NotFound):
        change_ground(world.north.pk, actor=world.actor("admin"), travel=[Way(npg.pk, stc.pk, 2)])
    with pytest.raises(NotAllowed):
        change_ground(world.north.pk, actor=world.actor("scheduler"), days_off=[6])
    assert not Travel.objects.exists()


def test_a_search_takes_two_statements_with_a_calendar_too(working):
    query = query_for(working.vehicles["412W102"], working.tests["Emission"].pk, 4)
    with CaptureQueriesContext(connection) as queries:
        find_places(query, first_day=day(0), latest=day(60), limit=9)
    assert len(queries) == 2
