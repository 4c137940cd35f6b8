"""Repairing what a window breaks: options from the schedule, and one of them applied with the window."""

import pytest

from allocations.enums import DisplacedTo, MaintenanceKind, RefusalCode
from allocations.exceptions import NotAllowed, NotFound, Refused
from allocations.models import Allocation, Change, Displacement, Dyno, MaintenanceWindow, TestRequest
from allocations.selectors.maintenance import Answer, returns
from allocations.selectors.repairs import repairs
from allocations.services import booking
from allocations.services.maintenance import lift_maintenance, set_maintenance
from allocations.services.undo import undo
from allocations.tests.invariants import overlaps, strays
from allocations.tests.world import ANY_DRIVE, ANY_WEIGHT, allocation_of, day, window_of
from dynosite.lib.days import DayRange


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr("allocations.models.ProvingGround.today", lambda self: day(0))


@pytest.fixture
def crowd(world):
    """Four-wheel A on the versatile dyno; B, which could run on either, on the same; C in A's way on the annex."""
    world.dyno("NPG 4", (world.tests["Brake"], [ANY_DRIVE[0]], ANY_WEIGHT))
    a = allocation_of(world.book("412W102", "NPG 1", 5, 8))
    b = allocation_of(world.book("412W101", "NPG 1", 9, 19))
    return world, a, b


def today_is(monkeypatch, number):
    monkeypatch.setattr("allocations.models.ProvingGround.today", lambda self: day(number))


def options_for(world, first, last, *, by="admin", **more):
    return repairs(world.dynos["NPG 1"].pk, DayRange(day(first), day(last)), user=world.users[by], seconds=20, **more)


def carry(world, option, first, last, *, by="admin", **more):
    return set_maintenance(
        world.dynos["NPG 1"].pk,
        first_day=day(first),
        last_day=day(last),
        kind=MaintenanceKind.OUTAGE,
        answers=option.answers,
        moves=option.others,
        actor=world.actor(by),
        **more,
    )


def place_of(allocation):
    allocation.refresh_from_db()
    days = (allocation.first_day - day(0)).days, (allocation.last_day - day(0)).days
    return allocation.dyno.name, *days, allocation.status


def test_options_go_from_the_fewest_moves_to_the_least_lateness(crowd):
    world, a, b = crowd
    outcome = options_for(world, 4, 8)
    assert outcome.complete
    assert outcome.cut == ()
    few, more = outcome.options
    # A may run on NPG 1 alone, and B stands there until day 19; or B leaves for a dyno that takes it in time.
    assert [(move.allocation.pk, move.dyno.name, move.days.first, move.displaced) for move in few.moves] == [
        (a.pk, "NPG 1", day(20), True)
    ]
    assert (few.moved, few.unplaced, few.late, few.weighted, few.later, few.proven) == (1, 0, 15, 30, 15, True)
    assert [(move.allocation.pk, move.days.first, move.displaced) for move in more.moves] == [
        (a.pk, day(9), True),
        (b.pk, day(9), False),
    ]
    assert (more.moved, more.late, more.weighted, more.later) == (2, 4, 8, 4)
    assert more.moves[1].dyno.name in ("NPG 4", "NPG 21")
    assert few.moves[0].reason.startswith("15 days late: NPG 1 alone runs Brake ")
    assert more.moves[1].reason == "Makes room. In time."
    assert (more.vehicles, more.teams, more.people) == (["412W101", "412W102"], [], ["scheduler"])


def test_the_displaced_alone(crowd):
    world, a, _ = crowd
    outcome = options_for(world, 4, 8, others=False)
    assert [[move.allocation.pk for move in option.moves] for option in outcome.options] == [[a.pk]]
    assert outcome.options[0].proven
    assert not outcome.complete


def test_who_may_not_schedule_sees_no_options(crowd):
    world, *_ = crowd
    assert options_for(world, 4, 8, by="scheduler").options
    with pytest.raises(NotAllowed):
        options_for(world, 4, 8, by="viewer")
    with pytest.raises(NotFound):
        options_for(world, 4, 8, by="outsider")


def test_an_option_is_applied_with_the_window_and_undone_as_one(crowd):
    world, a, b = crowd
    option = options_for(world, 4, 8).options[1]
    change = carry(world, option, 4, 8)
    assert place_of(a) == ("NPG 1", 9, 12, "scheduled")
    assert place_of(b)[1:] == (9, 19, "scheduled")
    assert b.dyno.name != "NPG 1"
    window = window_of(change)
    assert window.lifted_at is None
    assert change.summary == f"{window}, 1 displaced (1 moves), 1 moved to make room"
    assert set(Displacement.objects.values_list("allocation_id", "answer")) == {(a.pk, "move"), (b.pk, "move")}
    assert (overlaps(), strays()) == ([], [])
    undo(change.pk, actor=world.actor("admin"))
    assert place_of(a) == ("NPG 1", 5, 8, "scheduled")
    assert place_of(b) == ("NPG 1", 9, 19, "scheduled")
    window.refresh_from_db()
    assert window.lifted_at is not None
    assert (overlaps(), strays()) == ([], [])


def test_lifting_brings_back_those_that_made_room_too(crowd):
    world, a, b = crowd
    window = window_of(carry(world, options_for(world, 4, 8).options[1], 4, 8))
    offered = returns(window)
    # A stands now where B returns to: no hindrance, since both go back.
    assert sorted((offer.displacement.allocation_id, offer.refusals) for offer in offered) == [(a.pk, ()), (b.pk, ())]
    lift_maintenance(
        window.pk, bring_back=[offer.displacement.pk for offer in offered], actor=world.actor("admin"), version=1
    )
    assert place_of(a) == ("NPG 1", 5, 8, "scheduled")
    assert place_of(b) == ("NPG 1", 9, 19, "scheduled")


def test_what_changed_meanwhile_is_all_said_and_nothing_is_done(crowd, monkeypatch):
    world, a, b = crowd
    option = options_for(world, 4, 8).options[1]
    booking.move(
        b.pk,
        dyno_id=world.dynos["NPG 1"].pk,
        first_day=day(10),
        last_day=day(20),
        version=b.version,
        actor=world.actor(),
    )
    today_is(monkeypatch, 5)
    booking.start(a.pk, actor=world.actor())
    with pytest.raises(Refused) as refused:
        carry(world, option, 4, 8)
    assert sorted(refusal.sentence for refusal in refused.value.refusals) == [
        "412W101 on NPG 1, 26 Nov – 6 Dec 2026 was changed since the options were made.",
        "412W102 on NPG 1, 21 – 24 Nov 2026 was changed since the options were made.",
    ]
    assert not MaintenanceWindow.objects.exists()
    assert place_of(b) == ("NPG 1", 10, 20, "scheduled")


def test_a_place_taken_meanwhile_refuses_the_whole(crowd):
    world, a, b = crowd
    option = options_for(world, 4, 8).options[1]
    world.vehicle("412W104")
    world.book("412W104", option.moves[1].dyno.name, 12, 13)
    with pytest.raises(Refused) as refused:
        carry(world, option, 4, 8)
    assert [refusal.code for refusal in refused.value.refusals] == [RefusalCode.DYNO_TAKEN]
    assert place_of(a) == ("NPG 1", 5, 8, "scheduled")
    assert place_of(b) == ("NPG 1", 9, 19, "scheduled")
    assert not MaintenanceWindow.objects.exists()


def test_a_booking_that_the_window_hits_meanwhile_refuses_the_whole(crowd):
    world, *_ = crowd
    option = options_for(world, 4, 8).options[0]
    world.book("412W103", "NPG 1", 4, 4)
    with pytest.raises(Refused) as refused:
        carry(world, option, 4, 8)
    assert [refusal.code for refusal in refused.value.refusals] == [RefusalCode.FALLOUT_UNANSWERED]


def test_those_that_make_room_may_only_be_moved_and_only_in_this_ground(crowd):
    world, _a, b = crowd
    few = options_for(world, 4, 8).options[0]

    def with_other(pk, answer):
        set_maintenance(
            world.dynos["NPG 1"].pk,
            first_day=day(4),
            last_day=day(8),
            kind=MaintenanceKind.OUTAGE,
            answers=few.answers,
            moves={pk: answer},
            actor=world.actor("admin"),
        )

    with pytest.raises(Refused):
        with_other(b.pk, Answer(DisplacedTo.CANCEL))
    stranger = Allocation.objects.get(ground=world.south)
    with pytest.raises(NotFound):
        with_other(stranger.pk, Answer(DisplacedTo.MOVE, world.dynos["NPG 4"].pk, day(30)))
    with pytest.raises(NotFound):
        with_other(999_999, Answer(DisplacedTo.MOVE, world.dynos["NPG 4"].pk, day(30)))
    assert place_of(b) == ("NPG 1", 9, 19, "scheduled")
    assert not MaintenanceWindow.objects.exists()


def test_a_running_test_is_cut_in_every_option(crowd, monkeypatch):
    world, a, b = crowd
    today_is(monkeypatch, 5)
    booking.start(a.pk, actor=world.actor())
    outcome = options_for(world, 7, 10)
    assert [row.pk for row in outcome.cut] == [a.pk]
    for option in outcome.options:
        assert option.answers[a.pk].to == DisplacedTo.SHORTEN
        assert (option.moved, option.cut, option.unplaced) == (len(option.moves) - 1, 1, 0)
    carry(world, outcome.options[0], 7, 10)
    assert place_of(a) == ("NPG 1", 5, 6, "running")
    assert TestRequest.objects.get(vehicle=a.vehicle).days == 2
    assert place_of(b)[1:] == (9, 19, "scheduled")


def test_nothing_to_repair_gives_no_options(crowd, monkeypatch):
    world, a, _ = crowd
    assert options_for(world, 0, 3).options == ()
    today_is(monkeypatch, 5)
    booking.start(a.pk, actor=world.actor())
    today_is(monkeypatch, 8)
    booking.complete(a.pk, actor=world.actor())
    assert options_for(world, 4, 12).options == ()


def test_without_a_place_the_displaced_waits_and_is_told(crowd):
    world, a, _ = crowd
    Dyno.objects.filter(pk=world.dynos["NPG 1"].pk).update(available_to=day(20))
    (few, *_) = options_for(world, 4, 8, others=False).options
    assert [(move.allocation.pk, move.dyno, move.answer.to) for move in few.moves] == [(a.pk, None, DisplacedTo.WAIT)]
    assert (few.moved, few.unplaced) == (0, 1)
    carry(world, few, 4, 8)
    assert place_of(a)[3] == "cancelled"
    assert TestRequest.objects.get(vehicle=a.vehicle).status == "waiting"


def test_a_changed_window_does_not_stand_in_its_own_way(crowd):
    world, a, _b = crowd
    window = window_of(
        set_maintenance(
            world.dynos["NPG 1"].pk,
            first_day=day(20),
            last_day=day(40),
            kind=MaintenanceKind.PLANNED,
            actor=world.actor("admin"),
        )
    )
    few = options_for(world, 4, 8, others=False, window_id=window.pk).options[0]
    assert few.moves[0].days.first == day(20)
    carry(world, few, 4, 8, window_id=window.pk, version=window.version)
    assert place_of(a) == ("NPG 1", 20, 23, "scheduled")


def test_a_booking_that_no_longer_fits_elsewhere_is_left_alone(crowd):
    world, _a, _b = crowd
    world.vehicle("412W104")
    other = allocation_of(world.book("412W104", "NPG 21", 9, 10))
    Dyno.objects.filter(pk=world.dynos["NPG 21"].pk).update(enabled=False)
    _few, more = options_for(world, 4, 8).options
    assert more.moves[1].dyno.name == "NPG 4"
    carry(world, more, 4, 8)
    assert place_of(other) == ("NPG 21", 9, 10, "scheduled")


def test_a_test_stays_after_the_one_that_it_follows(crowd):
    world, a, b = crowd
    brake = world.tests["Brake"]
    first = TestRequest.objects.create(ground=world.north, vehicle=a.vehicle, test_type=brake, days=4)
    TestRequest.objects.create(
        ground=world.north, vehicle=b.vehicle, test_type=brake, days=11, after=first, earliest_start=day(0)
    )
    Allocation.objects.filter(pk=a.pk).update(request=first)
    Allocation.objects.filter(pk=b.pk).update(request=first.followers.get())
    few, more = options_for(world, 4, 8).options
    assert [(move.allocation.pk, move.days) for move in few.moves] == [(a.pk, None)]
    assert [(move.allocation.pk, move.days.first) for move in more.moves] == [(a.pk, day(9)), (b.pk, day(13))]


def test_who_may_not_schedule_applies_nothing(crowd):
    world, *_ = crowd
    option = options_for(world, 4, 8).options[1]
    before = Change.objects.count()
    for name, wrong in (("viewer", NotAllowed), ("outsider", NotFound)):
        with pytest.raises(wrong):
            carry(world, option, 4, 8, by=name)
    assert Change.objects.count() == before
