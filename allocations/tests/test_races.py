"""Eight clients at once, twenty rounds, through the services: one winner, and the losers are told who."""

from functools import partial

import pytest
from django.db import connection

from allocations.enums import Drive, MaintenanceKind
from allocations.exceptions import Busy, Refused
from allocations.models import Allocation, Change, Dyno, Facility, Occupancy, TestRequest, Travel
from allocations.services import booking
from allocations.services.maintenance import lift_maintenance, set_maintenance
from allocations.services.plans import apply_plan, ask_for_plan, solve_and_store
from allocations.services.undo import undo
from allocations.services.unit_of_work import _lock_statement
from allocations.tests.invariants import expect_sound, overlaps
from allocations.tests.racing import CLIENTS, ROUNDS, codes, race, refusals, winners
from allocations.tests.world import ANY_DRIVE, ANY_WEIGHT, allocation_of, day, window_of

pytestmark = pytest.mark.race

GENERIC = "a moment ago"


@pytest.fixture
def crowd(committed_world):
    """A world with eight vehicles, `V0` to `V7`, and nine dynos that take them, `D0` to `D8`."""
    world = committed_world
    for number in range(CLIENTS):
        world.vehicle(f"V{number}", drive=Drive.TWO_WHEEL)
    for number in range(CLIENTS + 1):
        world.dyno(f"D{number}", (world.tests["Brake"], ANY_DRIVE, ANY_WEIGHT), facility="Race")
    yield world
    expect_sound()


def window(world, dyno, first, last, **more):
    return set_maintenance(
        world.dynos[dyno].pk,
        first_day=day(first),
        last_day=day(last),
        kind=MaintenanceKind.PLANNED,
        actor=world.actor("admin"),
        **more,
    )


def start_of(number: int) -> int:
    """Rounds do not meet: each has ten days of its own."""
    return number * 10


def test_one_dyno_is_booked_once(crowd):
    for number in range(ROUNDS):
        first = start_of(number)
        outcomes = race([partial(crowd.book, f"V{n}", "D0", first, first + n % 3) for n in range(CLIENTS)])
        (won,) = winners(outcomes)
        assert codes(outcomes) == [("dyno-taken",)] * (CLIENTS - 1)
        named = f"D0 is taken by {allocation_of(won).vehicle} (Brake): "
        assert all(refused.sentence.startswith(named) and len(refused.places) == 3 for refused in refusals(outcomes))
    assert Allocation.objects.filter(dyno=crowd.dynos["D0"]).count() == ROUNDS


def test_one_vehicle_is_booked_once_on_different_dynos(crowd):
    for number in range(ROUNDS):
        first = start_of(number)
        outcomes = race([partial(crowd.book, "V0", f"D{n}", first, first + 2) for n in range(CLIENTS)])
        (won,) = winners(outcomes)
        assert codes(outcomes) == [("vehicle-elsewhere",)] * (CLIENTS - 1)
        named = f"V0 is on {allocation_of(won).dyno} already (Brake): "
        assert all(refused.sentence.startswith(named) for refused in refusals(outcomes))
    assert Allocation.objects.filter(vehicle=crowd.vehicles["V0"]).count() == ROUNDS


@pytest.fixture
def far(crowd):
    """Dynos D0 to D3 stay where they are, D4 to D7 are three days away from them."""
    away = Facility.objects.create(ground=crowd.north, name="Far")
    for n in range(4, CLIENTS):
        Dyno.objects.filter(pk=crowd.dynos[f"D{n}"].pk).update(facility=away)
    here = crowd.dynos["D0"].facility
    for origin, to in ((here, away), (away, here)):
        Travel.objects.create(ground=crowd.north, origin=origin, to=to, days=3)
    return crowd


def both_ends(far, first):
    """One vehicle at two facilities, on days that do not meet but leave too few for the way."""
    return [
        partial(far.book, "V0", f"D{n}", first + 2 * (n > 3), first + 2 * (n > 3)) for n in (0, 4, 1, 5, 2, 6, 3, 7)
    ]


def test_one_vehicle_is_not_booked_at_two_facilities_without_its_days_on_the_way(far):
    for number in range(ROUNDS):
        outcomes = race(both_ends(far, start_of(number)))
        (won,) = winners(outcomes)
        assert sorted(codes(outcomes)) == [("travel",)] * 4 + [("vehicle-elsewhere",)] * 3
        named = f"and is on {allocation_of(won).dyno} "
        assert sum(named in each.sentence and "V0 needs 3 days" in each.sentence for each in refusals(outcomes)) == 4


def test_without_locks_a_vehicle_is_booked_at_two_facilities(far, without_locks):
    """The negative control: the database's guard knows nothing of travel."""
    assert max(len(winners(race(both_ends(far, start_of(number))))) for number in range(ROUNDS)) == 2


def test_auto_booking_with_backup_gives_each_its_own_place(crowd):
    # Two dynos for eight vehicles of two days: days 0, 2, 4 and 6 of the backup week are all needed.
    for n in range(2, CLIENTS + 1):
        crowd.dynos[f"D{n}"].enabled = False
        crowd.dynos[f"D{n}"].save()
    for name in ("NPG 1", "NPG 21"):
        crowd.dynos[name].enabled = False
        crowd.dynos[name].save()
    for number in range(ROUNDS):
        first = start_of(number)

        def ask(n: int, first=first):
            return booking.auto_book(
                crowd.vehicles[f"V{n}"].pk,
                test_type_id=crowd.tests["Brake"].pk,
                first_day=day(first),
                days=2,
                backup=True,
                actor=crowd.actor(),
            )

        got = [allocation_of(change) for change in winners(race([partial(ask, n) for n in range(CLIENTS)]))]
        places = sorted((each.dyno.name, (each.first_day - day(first)).days) for each in got)
        assert places == [(dyno, start) for dyno in ("D0", "D1") for start in (0, 2, 4, 6)]


def test_one_slot_is_moved_onto_once(crowd):
    for number in range(ROUNDS):
        first = start_of(number)
        stays = [allocation_of(crowd.book(f"V{n}", f"D{n}", first, first + 2)) for n in range(CLIENTS)]
        target = crowd.dynos["D8"].pk
        outcomes = race([partial(booking.move, s.pk, dyno_id=target, actor=crowd.actor(), version=1) for s in stays])
        (won,) = winners(outcomes)
        assert codes(outcomes) == [("dyno-taken",)] * (CLIENTS - 1)
        named = f"D8 is taken by {allocation_of(won).vehicle} (Brake): "
        assert all(refused.sentence.startswith(named) for refused in refusals(outcomes))


def test_one_allocation_is_moved_once_by_those_who_saw_the_same_version(crowd):
    for number in range(ROUNDS):
        first = start_of(number)
        stay = allocation_of(crowd.book("V0", "D0", first, first + 2))
        outcomes = race(
            [
                partial(booking.move, stay.pk, dyno_id=crowd.dynos[f"D{n + 1}"].pk, actor=crowd.actor(), version=1)
                for n in range(CLIENTS)
            ]
        )
        assert len(winners(outcomes)) == 1
        assert [outcome.code for outcome in outcomes if isinstance(outcome, Exception)] == ["stale"] * (CLIENTS - 1)


@pytest.mark.parametrize("auto", [False, True])
def test_same_key_is_one_row_and_one_answer(crowd, auto):
    for number in range(ROUNDS):
        first, key = start_of(number), f"key-{number}"
        if auto:
            call = partial(
                booking.auto_book,
                crowd.vehicles["V0"].pk,
                test_type_id=crowd.tests["Brake"].pk,
                first_day=day(first),
                days=2,
                backup=True,
                actor=crowd.actor(),
                key=key,
            )
        else:
            call = partial(crowd.book, "V0", "D0", first, first + 1, key=key)
        answers = race([call] * CLIENTS)
        assert {change.pk for change in winners(answers)} == {Change.objects.get(idempotency_key=key).pk}
        assert len(winners(answers)) == CLIENTS
    assert Allocation.objects.filter(vehicle=crowd.vehicles["V0"]).count() == ROUNDS


def test_maintenance_against_bookings_has_one_winner(crowd):
    sides = set()
    for number in range(ROUNDS):
        first = start_of(number)
        bookings = [partial(crowd.book, f"V{n}", "D0", first, first + 2) for n in range(CLIENTS - 1)]
        # The window begins in another place of the row each round, so that both sides win some rounds.
        at = number % CLIENTS
        outcomes = race([*bookings[:at], partial(window, crowd, "D0", first + 1, first + 5), *bookings[at:]])
        (won,) = winners(outcomes)
        if won.action == "set-maintenance":
            assert codes(outcomes) == [("maintenance",)] * (CLIENTS - 1)
        else:
            assert codes(outcomes) == [("dyno-taken",)] * (CLIENTS - 2) + [("fallout-unanswered",)]
            assert str(allocation_of(won)) in outcomes[at].sentence
        sides.add(won.action)
    assert sides <= {"set-maintenance", "book"}


def test_windows_on_the_same_days_have_one_winner(crowd):
    for number in range(ROUNDS):
        first = start_of(number)
        outcomes = race([partial(window, crowd, "D0", first, first + 2 + n % 3) for n in range(CLIENTS)])
        assert len(winners(outcomes)) == 1
        assert codes(outcomes) == [("maintenance",)] * (CLIENTS - 1)
        assert all(refused.sentence.startswith("D0 is in maintenance (planned): ") for refused in refusals(outcomes))


def test_undo_against_bookings_has_one_winner(crowd):
    for number in range(ROUNDS):
        first = start_of(number)
        stay = allocation_of(crowd.book("V0", "D0", first, first + 2))
        moved = booking.move(stay.pk, dyno_id=crowd.dynos["D1"].pk, actor=crowd.actor())
        bookings = [partial(crowd.book, f"V{n}", "D0", first, first + 2) for n in range(1, CLIENTS)]
        at = number % CLIENTS
        outcomes = race([*bookings[:at], partial(undo, moved.pk, actor=crowd.actor()), *bookings[at:]])
        assert len(winners(outcomes)) == 1
        assert codes(outcomes) == [("dyno-taken",)] * (CLIENTS - 1)
        assert not any(GENERIC in refused.sentence for refused in refusals(outcomes))


def test_undone_lift_against_bookings_has_one_winner(crowd):
    for number in range(ROUNDS):
        first = start_of(number)
        shut = window_of(window(crowd, "D0", first, first + 4))
        lifted = lift_maintenance(shut.pk, actor=crowd.actor("admin"))
        bookings = [partial(crowd.book, f"V{n}", "D0", first, first + 2) for n in range(1, CLIENTS)]
        at = number % CLIENTS
        outcomes = race([*bookings[:at], partial(undo, lifted.pk, actor=crowd.actor("admin")), *bookings[at:]])
        (won,) = winners(outcomes)
        expected = "maintenance" if won.action == "undo" else "dyno-taken"
        assert codes(outcomes) == [(expected,)] * (CLIENTS - 1)
        assert not any(GENERIC in refused.sentence for refused in refusals(outcomes))


def test_moves_that_cross_neither_deadlock_nor_lose(crowd):
    # Each dyno has one stay; in a ring, each goes on to the next dyno on days that are free there.
    for number in range(ROUNDS):
        first = start_of(number)
        stays = [allocation_of(crowd.book(f"V{n}", f"D{n}", first + n, first + n)) for n in range(CLIENTS)]
        targets = [crowd.dynos[f"D{(n + (1 if number % 2 else -1)) % CLIENTS}"].pk for n in range(CLIENTS)]
        pairs = zip(stays, targets, strict=True)
        outcomes = race([partial(booking.move, s.pk, dyno_id=dyno, actor=crowd.actor()) for s, dyno in pairs])
        assert len(winners(outcomes)) == CLIENTS
        assert (
            list(
                Allocation.objects.filter(pk__in=[s.pk for s in stays])
                .order_by("vehicle__tag")
                .values_list("dyno_id", flat=True)
            )
            == targets
        )


def test_changed_places_are_refused_by_name_without_deadlock(crowd):
    for number in range(ROUNDS):
        first = start_of(number)
        stays = [allocation_of(crowd.book(f"V{n}", f"D{n}", first, first + 1)) for n in range(CLIENTS)]
        targets = [crowd.dynos[f"D{n ^ 1}"].pk for n in range(CLIENTS)]
        pairs = zip(stays, targets, strict=True)
        outcomes = race([partial(booking.move, s.pk, dyno_id=dyno, actor=crowd.actor()) for s, dyno in pairs])
        assert codes(outcomes) == [("dyno-taken",)] * CLIENTS


def test_lock_that_is_not_to_be_had_in_time_is_said_and_nothing_is_written(crowd):
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM allocations_dyno WHERE id = %s FOR UPDATE", [crowd.dynos["D0"].pk])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        with pytest.raises(Busy) as busy:
            crowd.book("V0", "D0", 0, 2)
        assert busy.value.sentence == "The schedule is busy just now and nothing was written; try again in a moment."
        assert not Allocation.objects.filter(vehicle=crowd.vehicles["V0"]).exists()
        other.rollback()
        crowd.book("V0", "D0", 0, 2)
    finally:
        other.close()
        connection.close()  # the next test gets a connection with the usual timeout


@pytest.fixture
def without_locks(monkeypatch):
    monkeypatch.setattr("django.db.models.query.QuerySet.select_for_update", lambda query, **options: query)
    _lock_statement.cache_clear()
    yield
    _lock_statement.cache_clear()


@pytest.fixture
def without_guards(committed_world):
    """The occupancy is kept, but its constraints are gone: nothing in the database refuses an overlap."""
    with connection.schema_editor() as editor:
        for constraint in Occupancy._meta.constraints:
            editor.remove_constraint(Occupancy, constraint)
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE allocations_allocation, allocations_maintenancewindow CASCADE")
    with connection.schema_editor() as editor:
        for constraint in Occupancy._meta.constraints:
            editor.add_constraint(Occupancy, constraint)


def book_at_once(world, number: int) -> list:
    first = start_of(number)
    return race([partial(world.book, f"V{n}", "D0", first, first + 2) for n in range(CLIENTS)])


def test_without_lock_and_guard_the_race_happens(without_guards, without_locks, committed_world):
    """The negative control: what the tests above would see if nothing stood against it."""
    for n in range(CLIENTS):
        committed_world.vehicle(f"V{n}")
    committed_world.dyno("D0", (committed_world.tests["Brake"], ANY_DRIVE, ANY_WEIGHT))
    won = [len(winners(book_at_once(committed_world, number))) for number in range(ROUNDS)]
    assert max(won) > 1
    assert overlaps() != []


def test_the_guard_alone_holds(crowd, without_locks):
    for number in range(ROUNDS):
        outcomes = book_at_once(crowd, number)
        assert len(winners(outcomes)) == 1
        assert codes(outcomes) == [("dyno-taken",)] * (CLIENTS - 1)


def test_the_locks_alone_hold(crowd, without_guards):
    for number in range(ROUNDS):
        outcomes = book_at_once(crowd, number)
        assert len(winners(outcomes)) == 1
        assert not any(GENERIC in refused.sentence for refused in refusals(outcomes))
    assert overlaps() == []


def test_outcome_that_is_no_refusal_is_not_taken_for_one(crowd):
    with pytest.raises(KeyError):
        winners(race([lambda: {}["nothing"], lambda: 1]))
    assert isinstance(race([partial(crowd.book, "V0", "NPG 2", 0, 1)])[0], Refused)


def test_a_plan_among_fifty_bookings_is_applied_whole_or_refused_with_reasons(crowd):
    """Fifty bookings come in while a plan that wants eight of their places is applied."""
    for number in range(50):
        crowd.vehicle(f"B{number}")
    requests = [
        TestRequest.objects.create(
            ground=crowd.north, vehicle=crowd.vehicles[f"V{n}"], test_type=crowd.tests["Brake"], days=3
        )
        for n in range(CLIENTS)
    ]
    fates = set()
    for lead in (0, 25, 50):
        asked = ask_for_plan(crowd.north.pk, actor=crowd.actor(), first_day=day(0), last_day=day(400), seconds=5)
        plan = solve_and_store(asked, steps=50)
        wanted = [(item.dyno.name, (item.first_day - day(0)).days) for item in plan.items.exclude(dyno=None)]
        assert len(wanted) == CLIENTS
        # Bookings on the plan's own days and on free ones, some of them before the plan is applied.
        places = [(dyno, first) for dyno, first in wanted[:4]] + [(f"D{n % 9}", 40 + n) for n in range(46)]
        calls = [partial(crowd.book, f"B{n}", dyno, first, first) for n, (dyno, first) in enumerate(places)]
        winners(race(calls[:lead])) if lead else None
        outcomes = race([partial(apply_plan, plan.pk, actor=crowd.actor()), *calls[lead:]])
        expect_sound()
        placed = Allocation.objects.filter(request__in=requests, status="scheduled").count()
        if isinstance(outcomes[0], Refused):
            fates.add("refused")
            assert placed == 0
            assert any("is taken by B" in refusal.sentence for refusal in outcomes[0].refusals)
        else:
            fates.add("applied")
            assert placed == CLIENTS
            undo(outcomes[0].pk, actor=crowd.actor())
        for allocation in Allocation.objects.filter(vehicle__tag__startswith="B", status="scheduled"):
            booking.cancel(allocation.pk, actor=crowd.actor())
    assert "refused" in fates
