"""Maintenance that comes again: set whole or not at all, undone as one, lifted one by one or from one on."""

import datetime as dt
from functools import partial

import pytest

from allocations.enums import DisplacedTo, MaintenanceKind, RefusalCode
from allocations.exceptions import NotAllowed, NotFound, Refused
from allocations.models import Allocation, Change, Displacement, MaintenanceWindow, TestRequest
from allocations.models.tests.raw import refused as refused_by_database
from allocations.models.tests.raw import window as raw_window
from allocations.selectors.maintenance import Answer, Slot
from allocations.selectors.series import MAX_WINDOWS, later_in_series, occurrences, places_in_series
from allocations.services.maintenance import lift_maintenance, set_maintenance
from allocations.services.series import set_series
from allocations.services.undo import undo
from allocations.tests.invariants import expect_sound
from allocations.tests.racing import race, winners
from allocations.tests.world import allocation_of, day, window_of
from dynosite.lib.days import DayRange
from dynosite.lib.recurring import Recurrence, Unit

MONTHLY = "every month on the first Monday"


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr("allocations.models.ProvingGround.today", lambda self: day(2))


def slots(world, dyno, *firsts, days=2):
    """Windows of so many days, by their first ones as `day` counts."""
    return [Slot(world.dynos[dyno].pk, DayRange.starting(day(first), days)) for first in firsts]


def set_them(world, windows, *, by="admin", kind=MaintenanceKind.CALIBRATION, repeats=MONTHLY, **more):
    return set_series(windows, kind=kind, reason="Cal", repeats=repeats, actor=world.actor(by), **more)


def places(change):
    """Dyno, first day and whether it stands, of each window of a change, in order of time."""
    ids = [item["id"] for item in change.items if item["model"] == "maintenancewindow"]
    rows = MaintenanceWindow.objects.filter(pk__in=ids).order_by("first_day", "dyno__sort_key").select_related("dyno")
    return [(row.dyno.name, (row.first_day - day(0)).days, row.lifted_at is None) for row in rows]


def windows_of(change):
    ids = [item["id"] for item in change.items if item["model"] == "maintenancewindow"]
    return list(MaintenanceWindow.objects.filter(pk__in=ids).order_by("first_day"))


def test_a_calibration_each_quarter_on_two_dynos_is_one_change(world):
    quarterly = Recurrence(Unit.MONTH_WEEKDAY, 3)
    starts = quarterly.days(dt.date(2026, 12, 7), times=4)
    windows = [Slot(world.dynos[name].pk, DayRange.starting(at, 2)) for name in ("NPG 1", "NPG 2") for at in starts]
    change = set_them(world, windows, repeats=quarterly.words(starts[0]))
    assert change.summary == (
        "NPG 1, NPG 2: Calibration every 3 months on the first Monday, 8 windows, 7 Dec 2026 – 7 Sep 2027"
    )
    rows = windows_of(change)
    days = {str(DayRange(row.first_day, row.last_day)) for row in rows}
    assert days == {"7 – 8 Dec 2026", "1 – 2 Mar 2027", "7 – 8 Jun 2027", "6 – 7 Sep 2027"}
    assert {(row.kind, row.reason, row.created_by.username) for row in rows} == {("calibration", "Cal", "admin")}
    assert {row.repeats for row in rows} == {"every 3 months on the first Monday"}
    by_dyno = {(row.dyno_id, row.series) for row in rows}
    assert len(by_dyno) == len({series for _, series in by_dyno}) == 2
    with pytest.raises(Refused) as refused:
        world.book("412W101", "NPG 1", 21, 21)
    assert refused.value.refusals[0].code == RefusalCode.MAINTENANCE
    undo(change.pk, actor=world.actor("admin"))
    assert MaintenanceWindow.objects.filter(lifted_at=None).count() == 0
    expect_sound()


def test_one_hit_without_an_answer_keeps_all_windows_out(world):
    world.book("412W101", "NPG 1", 50, 52)
    with pytest.raises(Refused) as refused:
        set_them(world, slots(world, "NPG 1", 20, 50, 80))
    assert [refusal.code for refusal in refused.value.refusals] == [RefusalCode.FALLOUT_UNANSWERED]
    assert "412W101 on NPG 1, 5 – 7 Jan 2027" in refused.value.sentence
    assert MaintenanceWindow.objects.count() == 0


def test_answers_of_several_windows_are_carried_out_with_them_and_undone_with_them(world):
    moves = allocation_of(world.book("412W101", "NPG 1", 20, 21))
    waits = allocation_of(world.book("412W103", "NPG 1", 50, 52))
    answers = {
        moves.pk: Answer(DisplacedTo.MOVE, world.dynos["NPG 1"].pk, day(30), moves.version),
        waits.pk: Answer(DisplacedTo.WAIT),
    }
    change = set_them(world, slots(world, "NPG 1", 20, 50, 80), answers=answers)
    assert change.summary.endswith("3 windows, 6 Dec 2026 – 5 Feb 2027, 2 displaced (1 moves, 1 waits)")
    moves.refresh_from_db()
    waits.refresh_from_db()
    assert (moves.first_day, moves.last_day, moves.status) == (day(30), day(31), "scheduled")
    assert waits.status == "cancelled"
    assert TestRequest.objects.filter(status="waiting").count() == 1
    first, second, _ = windows_of(change)
    displaced = dict(Displacement.objects.values_list("allocation_id", "window_id"))
    assert displaced == {moves.pk: first.pk, waits.pk: second.pk}
    undo(change.pk, actor=world.actor("admin"))
    moves.refresh_from_db()
    waits.refresh_from_db()
    assert (moves.first_day, waits.first_day, waits.status) == (day(20), day(50), "scheduled")
    assert places(change) == [("NPG 1", 20, False), ("NPG 1", 50, False), ("NPG 1", 80, False)]
    expect_sound()


def test_nothing_is_moved_into_another_window_of_the_same_series(world):
    hit = allocation_of(world.book("412W101", "NPG 1", 20, 21))
    into = Answer(DisplacedTo.MOVE, world.dynos["NPG 1"].pk, day(49))
    with pytest.raises(Refused) as refused:
        set_them(world, slots(world, "NPG 1", 20, 50), answers={hit.pk: into})
    assert [refusal.code for refusal in refused.value.refusals] == [RefusalCode.BAD_ANSWER]
    assert "would be moved into the window itself" in refused.value.sentence
    assert MaintenanceWindow.objects.count() == 0
    Allocation.objects.get(pk=hit.pk, first_day=day(20), status="scheduled")


def test_a_test_that_several_windows_hit_gives_way_to_the_earliest(world):
    long = allocation_of(world.book("412W101", "NPG 1", 18, 40))
    weekly = slots(world, "NPG 1", 21, 28, 35)
    planned = occurrences(weekly, user=world.users["admin"])
    assert [[hit.allocation.pk for hit in row.hits] for row in planned] == [[long.pk], [], []]
    assert [[row.pk for row in occurrence.again] for occurrence in planned] == [[], [long.pk], [long.pk]]
    change = set_them(world, weekly, answers={long.pk: Answer(DisplacedTo.SHORTEN)})
    long.refresh_from_db()
    assert (long.first_day, long.last_day) == (day(18), day(20))
    assert Displacement.objects.get().window == windows_of(change)[0]
    assert TestRequest.objects.get().days == 20


def test_proposed_places_keep_out_of_every_window(world):
    for first in (20, 27):
        world.book("412W101", "NPG 1", first, first + 4)
    weekly = slots(world, "NPG 1", 20, 27, 34, days=5)
    rows = occurrences(weekly, user=world.users["admin"])
    proposed = [hit.place for row in rows for hit in row.hits]
    assert len(proposed) == 2
    for place in proposed:
        assert not any(place.dyno_id == slot.dyno_id and place.days.overlaps(slot.days) for slot in weekly)
    answers = {hit.allocation.pk: hit.proposed for row in rows for hit in row.hits}
    assert places(set_them(world, weekly, answers=answers)) == [
        ("NPG 1", 20, True),
        ("NPG 1", 27, True),
        ("NPG 1", 34, True),
    ]
    expect_sound()


def test_what_no_answer_gets_out_of_the_way_is_named_and_the_others_can_be_set(world):
    set_maintenance(
        world.dynos["NPG 1"].pk, first_day=day(51), last_day=day(55), kind="outage", actor=world.actor("admin")
    )
    windows = slots(world, "NPG 1", 20, 50, 80)
    rows = occurrences(windows, user=world.users["admin"])
    sentences = [[refusal.sentence for refusal in row.refusals] for row in rows]
    assert sentences == [[], ["NPG 1 is in maintenance (outage): 6 – 10 Jan 2027."], []]
    with pytest.raises(Refused) as refused:
        set_them(world, windows)
    assert [refusal.code for refusal in refused.value.refusals] == [RefusalCode.MAINTENANCE]
    assert refused.value.sentence == sentences[1][0]
    assert MaintenanceWindow.objects.count() == 1
    assert places(set_them(world, [windows[0], windows[2]])) == [("NPG 1", 20, True), ("NPG 1", 80, True)]


def test_a_completed_test_and_one_past_its_end_are_in_the_way(world):
    done = allocation_of(world.book("412W101", "NPG 1", 0, 1))
    late = allocation_of(world.book("412W102", "NPG 2", 0, 1, test="4K Certification"))
    Allocation.objects.filter(pk=done.pk).update(status="completed")
    Allocation.objects.filter(pk=late.pk).update(status="running")
    windows = slots(world, "NPG 1", 1, 31) + slots(world, "NPG 2", 31)
    rows = {(row.dyno.name, row.slot.days.first): row for row in occurrences(windows, user=world.users["admin"])}
    assert [refusal.code for refusal in rows["NPG 1", day(1)].refusals] == [RefusalCode.BAD_ANSWER]
    assert rows["NPG 1", day(31)].refusals == ()
    assert "NPG 2 still runs 412W102" in rows["NPG 2", day(31)].refusals[0].sentence
    with pytest.raises(Refused) as refused:
        set_them(world, windows)
    assert len(refused.value.refusals) == 2


@pytest.mark.parametrize(
    ("by", "kind", "error"),
    [
        ("scheduler", "outage", NotAllowed),
        ("scheduler", "planned", NotAllowed),
        ("viewer", "outage", NotAllowed),
        ("outsider", "planned", NotFound),
    ],
)
def test_only_admins_set_series(world, by, kind, error):
    windows = slots(world, "NPG 1", 20, 50)
    with pytest.raises(error):
        set_them(world, windows, by=by, kind=kind)
    with pytest.raises(error):
        occurrences(windows, user=world.users[by])
    assert MaintenanceWindow.objects.count() == 0


def test_windows_of_two_grounds_are_not_set_together(world):
    windows = slots(world, "NPG 1", 20) + slots(world, "STC #1", 20)
    with pytest.raises(NotFound):
        set_them(world, windows)
    assert MaintenanceWindow.objects.count() == 0


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (lambda world: [], RefusalCode.BAD_ANSWER),
        (lambda world: slots(world, "NPG 1", 20, 22, 24, days=3), RefusalCode.MAINTENANCE),
        (lambda world: slots(world, "NPG 1", *range(20, 21 + MAX_WINDOWS), days=1), RefusalCode.TOO_MANY_AT_ONCE),
        (lambda world: slots(world, "NPG 1", 20, 20 + 3653), RefusalCode.DAYS_LENGTH),
        (lambda world: slots(world, "NPG 1", 20, 500, days=367), RefusalCode.DAYS_LENGTH),
    ],
)
def test_senseless_series_are_refused(world, build, code):
    with pytest.raises(Refused) as refused:
        set_them(world, build(world))
    assert {refusal.code for refusal in refused.value.refusals} == {code}
    assert MaintenanceWindow.objects.count() == 0


def test_the_same_request_again_is_the_same_change(world):
    again = partial(set_them, world, slots(world, "NPG 1", 20, 50), key="once")
    assert again().pk == again().pk
    assert MaintenanceWindow.objects.count() == 2
    assert Change.objects.filter(action="set-maintenance").count() == 1


def test_a_window_says_which_of_how_many_it_is(world):
    change = set_them(world, slots(world, "NPG 1", 20, 50, 80, 110))
    rows = windows_of(change)
    assert [places_in_series(rows)[row.pk] for row in rows] == [f"{MONTHLY}, {n} of 4" for n in (1, 2, 3, 4)]
    lift_maintenance(rows[1].pk, actor=world.actor("admin"))
    numbers = places_in_series(windows_of(change))
    assert [numbers[row.pk] for row in rows] == [
        f"{MONTHLY}, 1 of 3",
        MONTHLY,
        f"{MONTHLY}, 2 of 3",
        f"{MONTHLY}, 3 of 3",
    ]
    alone = window_of(set_them(world, slots(world, "NPG 2", 20)))
    assert (alone.series, alone.repeats, places_in_series([alone])) == (None, None, {})


def test_one_window_and_all_later_ones_are_lifted_as_one_and_bring_back_what_they_displaced(world):
    hit = allocation_of(world.book("412W101", "NPG 1", 80, 81))
    windows = slots(world, "NPG 1", 20, 50, 80, 110) + slots(world, "NPG 2", 80)
    change = set_them(world, windows, answers={hit.pk: Answer(DisplacedTo.WAIT)})
    second = next(row for row in windows_of(change) if row.first_day == day(50))
    assert [row.first_day for row in later_in_series(second)] == [day(80), day(110)]
    back = [Displacement.objects.get().pk]
    with pytest.raises(NotFound):
        lift_maintenance(second.pk, bring_back=back, actor=world.actor("admin"))
    lifted = lift_maintenance(second.pk, later=True, bring_back=back, actor=world.actor("admin"))
    assert (
        lifted.summary == "NPG 1: Calibration 5 – 6 Jan 2027 lifted, and 2 later ones of its series, 1 brought back"
    )
    standing = [("NPG 1", 20, True), ("NPG 1", 50, False), ("NPG 1", 80, False), ("NPG 2", 80, True)]
    assert places(change) == [*standing, ("NPG 1", 110, False)]
    hit.refresh_from_db()
    assert (hit.status, hit.first_day) == ("scheduled", day(80))
    undo(lifted.pk, actor=world.actor("admin"))
    assert all(stands for _, _, stands in places(change))
    hit.refresh_from_db()
    assert hit.status == "cancelled"
    expect_sound()


def test_a_window_moved_to_other_days_stays_in_its_series(world):
    change = set_them(world, slots(world, "NPG 1", 20, 50, 80))
    first = windows_of(change)[0]
    set_maintenance(
        first.dyno_id,
        first_day=day(60),
        last_day=day(61),
        kind="calibration",
        window_id=first.pk,
        actor=world.actor("admin"),
    )
    first.refresh_from_db()
    assert places_in_series([first])[first.pk] == f"{MONTHLY}, 2 of 3"
    assert [row.first_day for row in later_in_series(first)] == [day(80)]


def test_the_database_keeps_a_series_and_its_words_together(world):
    raw_window(world, "NPG 1", 20, 21, series="8b3b6a9c-0a51-4c63-9b0e-6a1d0f7a9f11", repeats=MONTHLY)
    with refused_by_database("window_series"):
        raw_window(world, "NPG 1", 30, 31, series="8b3b6a9c-0a51-4c63-9b0e-6a1d0f7a9f11")
    with refused_by_database("window_series"):
        raw_window(world, "NPG 1", 30, 31, repeats=MONTHLY)


@pytest.mark.race
def test_series_and_bookings_at_once_are_whole_or_nothing(committed_world):
    world = committed_world
    fates = set()
    for number in range(8):
        base = 20 + number * 100
        windows = slots(world, "NPG 1", base, base + 30, base + 60) + slots(world, "NPG 2", base)
        before = MaintenanceWindow.objects.count()
        outcomes = race(
            [
                partial(set_them, world, windows),
                partial(set_them, world, windows[1:]),
                partial(world.book, "412W101", "NPG 1", base + 61, base + 62),
            ]
        )
        assert winners(outcomes)
        expect_sound()
        numbers = [len(windows_of(outcome)) for outcome in outcomes[:2] if isinstance(outcome, Change)]
        assert MaintenanceWindow.objects.count() == before + sum(numbers)
        assert numbers in ([], [4], [3])
        fates.add(tuple(numbers))
    assert fates - {()}
