from contextlib import nullcontext

import pytest

from allocations.enums import AllocationStatus, DisplacedTo, MaintenanceKind, RefusalCode, RequestStatus, Role
from allocations.exceptions import NotAllowed, NotFound, Refused, Stale
from allocations.models import Allocation, MaintenanceWindow, Membership, TestRequest
from allocations.selectors.history import changes, entries
from allocations.selectors.maintenance import Answer, fallout, returns
from allocations.services import booking
from allocations.services.maintenance import lift_maintenance, set_maintenance
from allocations.services.undo import undo
from allocations.tests.world import allocation_of, day, window_of
from dynosite.accounts.models import User
from dynosite.lib.days import DayRange


def set_window(world, dyno, first, last, *, by="admin", kind=MaintenanceKind.OUTAGE, **more):
    return set_maintenance(
        world.dynos[dyno].pk,
        first_day=day(first),
        last_day=day(last),
        kind=kind,
        reason="Bearing",
        actor=world.actor(by),
        **more,
    )


def proposed(world, dyno, first, last):
    hits = fallout(world.dynos[dyno].pk, DayRange(day(first), day(last)), user=world.users["admin"])
    return {hit.allocation.pk: hit.proposed for hit in hits}


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr("allocations.models.ProvingGround.today", lambda self: day(2))


def place_of(allocation):
    allocation.refresh_from_db()
    return allocation.dyno.name, allocation.first_day, allocation.last_day, allocation.status


def test_window_without_hits_takes_the_days(world):
    set_window(world, "NPG 1", 0, 4)
    with pytest.raises(Refused) as refused:
        world.book("412W101", "NPG 1", 4, 5)
    assert refused.value.refusals[0].code == RefusalCode.MAINTENANCE
    assert "NPG 1 is in maintenance (outage: Bearing): 16 – 20 Nov 2026." in refused.value.sentence


@pytest.mark.parametrize(
    ("by", "kind", "error"),
    [
        ("viewer", "outage", NotAllowed),
        ("viewer", "planned", NotAllowed),
        ("scheduler", "planned", NotAllowed),
        ("scheduler", "calibration", NotAllowed),
        ("outsider", "outage", NotFound),
        ("scheduler", "outage", None),
        ("admin", "outage", None),
        ("admin", "planned", None),
    ],
)
def test_a_scheduler_records_outages_and_an_admin_every_window(world, by, kind, error):
    with pytest.raises(error) if error else nullcontext():
        set_window(world, "NPG 1", 0, 4, by=by, kind=kind)
    windows = [(window.kind, window.created_by.username) for window in MaintenanceWindow.objects.all()]
    assert windows == ([] if error else [(kind, by)])


def test_a_scheduler_who_may_not_plan_is_told_what_would_do(world):
    with pytest.raises(NotAllowed) as refused:
        set_window(world, "NPG 1", 0, 4, by="scheduler", kind="planned")
    assert refused.value.sentence == (
        "A scheduler records outages only; planned maintenance and calibration take the role admin here."
    )


@pytest.mark.parametrize(
    ("set_by", "kind", "allowed"),
    [
        ("scheduler", "outage", True),
        ("colleague", "outage", True),
        ("admin", "outage", False),
        ("root", "outage", False),
        ("admin", "planned", False),
    ],
)
def test_a_scheduler_keeps_the_outages_of_schedulers(world, set_by, kind, allowed):
    world.user("colleague", north=Role.SCHEDULER)
    world.users["root"] = User.objects.create_superuser("root", password=None)
    window = window_of(set_window(world, "NPG 1", 3, 9, by=set_by, kind=kind))
    for last in (12, 6):
        with nullcontext() if allowed else pytest.raises(NotAllowed):
            set_window(world, "NPG 1", 3, last, by="scheduler", window_id=window.pk)
            window.refresh_from_db()
            assert window.last_day == day(last)
    with nullcontext() if allowed else pytest.raises(NotAllowed):
        lift_maintenance(window.pk, actor=world.actor("scheduler"))
    window.refresh_from_db()
    assert bool(window.lifted_at) is allowed
    with pytest.raises(NotAllowed):
        lift_maintenance(window.pk, actor=world.actor("viewer"))


def test_an_outage_becomes_planned_by_an_admin_alone_and_is_theirs_from_then_on(world):
    window = window_of(set_window(world, "NPG 1", 3, 9, by="scheduler"))
    with pytest.raises(NotAllowed):
        set_window(world, "NPG 1", 3, 9, by="scheduler", kind="planned", window_id=window.pk)
    set_window(world, "NPG 1", 3, 12, by="admin", kind="planned", window_id=window.pk)
    for again in (
        lambda: set_window(world, "NPG 1", 3, 9, by="scheduler", window_id=window.pk),
        lambda: lift_maintenance(window.pk, actor=world.actor("scheduler")),
    ):
        with pytest.raises(NotAllowed):
            again()
    window.refresh_from_db()
    assert (window.kind, window.last_day, window.lifted_at) == ("planned", day(12), None)


def test_who_recorded_an_outage_keeps_it_with_a_lower_role(world):
    window = window_of(set_window(world, "NPG 1", 3, 9, by="admin"))
    Membership.objects.filter(user=world.users["admin"]).update(role=Role.SCHEDULER)
    lift_maintenance(window.pk, actor=world.actor("admin"))
    window.refresh_from_db()
    assert window.lifted_at


def test_a_scheduler_undoes_their_outage_and_no_window_of_an_admin(world):
    """And the list of changes offers just that."""
    hit = allocation_of(world.book("412W101", "NPG 1", 4, 6))
    own = set_window(world, "NPG 1", 3, 9, by="scheduler", answers={hit.pk: Answer(DisplacedTo.WAIT)})
    theirs = set_window(world, "NPG 2", 3, 9, by="admin")
    planned = set_window(world, "NPG 3", 3, 9, by="admin", kind="planned")
    user = world.users["scheduler"]
    offered = {
        entry.change.pk: entry.undoable
        for entry in entries(changes(world.north, user=user), Role.SCHEDULER, user=user)
    }
    assert (offered[own.pk], offered[theirs.pk], offered[planned.pk]) == (True, False, False)
    for change in (theirs, planned):
        with pytest.raises(NotAllowed):
            undo(change.pk, actor=world.actor("scheduler"))
    undo(own.pk, actor=world.actor("scheduler"))
    assert window_of(own).lifted_at
    assert place_of(hit) == ("NPG 1", day(4), day(6), "scheduled")
    assert MaintenanceWindow.objects.filter(lifted_at=None).count() == 2


def test_a_hit_needs_an_answer(world):
    world.book("412W101", "NPG 1", 3, 5)
    with pytest.raises(Refused) as refused:
        set_window(world, "NPG 1", 4, 8)
    assert refused.value.refusals[0].code == RefusalCode.FALLOUT_UNANSWERED
    assert "412W101 on NPG 1, 19 – 21 Nov 2026" in refused.value.sentence


def test_fallout_lists_every_hit_and_proposes_places_that_do_not_overlap(world):
    first = allocation_of(world.book("412W101", "NPG 1", 3, 5))
    second = allocation_of(world.book("412W103", "NPG 1", 6, 7))
    world.book("412W102", "NPG 1", 20, 22)
    answers = proposed(world, "NPG 1", 3, 10)
    assert set(answers) == {first.pk, second.pk}
    set_window(world, "NPG 1", 3, 10, answers=answers)
    assert place_of(first) == ("NPG 21", day(3), day(5), "scheduled")
    assert place_of(second) == ("NPG 1", day(11), day(12), "scheduled")


def test_running_test_is_cut_and_its_rest_waits(world):
    running = allocation_of(world.book("412W101", "NPG 1", 0, 6))
    booking.start(running.pk, actor=world.actor())
    answers = proposed(world, "NPG 1", 4, 10)
    assert answers == {running.pk: Answer(DisplacedTo.SHORTEN)}
    set_window(world, "NPG 1", 4, 10, answers=answers)
    assert place_of(running) == ("NPG 1", day(0), day(3), "running")
    rest = TestRequest.objects.get()
    assert (rest.vehicle.tag, rest.days, rest.status, rest.earliest_start) == ("412W101", 3, "waiting", day(4))


def test_lifting_brings_the_displaced_back(world):
    waits = allocation_of(world.book("412W101", "NPG 1", 3, 5))
    moves = allocation_of(world.book("412W103", "NPG 1", 6, 7))
    answers = proposed(world, "NPG 1", 3, 10) | {waits.pk: Answer(DisplacedTo.WAIT)}
    window = window_of(set_window(world, "NPG 1", 3, 10, answers=answers))
    assert place_of(waits)[3] == AllocationStatus.CANCELLED
    request = TestRequest.objects.get()
    assert (request.status, request.days) == (RequestStatus.WAITING, 3)
    offered = returns(window)
    assert [(offer.displacement.allocation_id, offer.refusals) for offer in offered] == [
        (waits.pk, ()),
        (moves.pk, ()),
    ]
    lift_maintenance(
        window.pk, actor=world.actor("admin"), bring_back=[offer.displacement.pk for offer in offered], version=1
    )
    assert place_of(waits) == ("NPG 1", day(3), day(5), "scheduled")
    assert place_of(moves) == ("NPG 1", day(6), day(7), "scheduled")
    request.refresh_from_db()
    assert request.status == RequestStatus.CANCELLED


def test_a_taken_old_place_is_said_and_refused(world):
    moved = allocation_of(world.book("412W101", "NPG 1", 3, 5))
    window = window_of(set_window(world, "NPG 1", 3, 10, answers=proposed(world, "NPG 1", 3, 10)))
    set_window(world, "NPG 1", 3, 3, window_id=window.pk)
    world.book("412W103", "NPG 1", 4, 6)
    (offered,) = returns(window)
    assert [refusal.code for refusal in offered.refusals] == [RefusalCode.DYNO_TAKEN]
    with pytest.raises(Refused):
        lift_maintenance(window.pk, actor=world.actor("admin"), bring_back=[offered.displacement.pk])
    assert place_of(moved)[0] == "NPG 21"
    window.refresh_from_db()
    assert window.lifted_at is None


def test_completed_test_keeps_its_days(world):
    done = allocation_of(world.book("412W101", "NPG 1", 0, 1))
    booking.complete(done.pk, actor=world.actor())
    with pytest.raises(Refused) as refused:
        set_window(world, "NPG 1", 1, 4, answers={done.pk: Answer(DisplacedTo.CANCEL)})
    assert "is completed" in refused.value.sentence


def test_a_move_into_the_window_is_refused_whole(world):
    hit = allocation_of(world.book("412W101", "NPG 1", 3, 5))
    bad = Answer(DisplacedTo.MOVE, world.dynos["NPG 1"].pk, day(6))
    with pytest.raises(Refused):
        set_window(world, "NPG 1", 3, 7, answers={hit.pk: bad})
    assert place_of(hit) == ("NPG 1", day(3), day(5), "scheduled")
    assert MaintenanceWindow.objects.count() == 0


def test_undo_of_a_window_puts_everything_back_as_one(world):
    waits = allocation_of(world.book("412W101", "NPG 1", 3, 5))
    moves = allocation_of(world.book("412W103", "NPG 1", 6, 7))
    answers = proposed(world, "NPG 1", 3, 10) | {waits.pk: Answer(DisplacedTo.WAIT)}
    change = set_window(world, "NPG 1", 3, 10, answers=answers)
    with pytest.raises(NotAllowed):
        undo(change.pk, actor=world.actor("scheduler"))
    back = undo(change.pk, actor=world.actor("admin"))
    assert place_of(waits) == ("NPG 1", day(3), day(5), "scheduled")
    assert place_of(moves) == ("NPG 1", day(6), day(7), "scheduled")
    assert TestRequest.objects.get().status == RequestStatus.CANCELLED
    with pytest.raises(Refused):
        undo(change.pk, actor=world.actor("admin"))
    undo(back.pk, actor=world.actor("admin"))
    assert Allocation.objects.get(pk=waits.pk).status == AllocationStatus.CANCELLED
    assert place_of(moves) == ("NPG 1", day(11), day(12), "scheduled")


def test_undo_of_a_booking_and_of_a_move(world):
    change = world.book("412W101", "NPG 1", 0, 2)
    allocation = allocation_of(change)
    moved = booking.move(allocation.pk, actor=world.actor(), first_day=day(5))
    with pytest.raises(Refused) as refused:
        undo(change.pk, actor=world.actor())
    assert refused.value.refusals[0].code == RefusalCode.CANNOT_UNDO
    undo(moved.pk, actor=world.actor())
    assert place_of(allocation) == ("NPG 1", day(0), day(2), "scheduled")


def test_undo_is_refused_when_the_place_was_taken(world):
    allocation = allocation_of(world.book("412W101", "NPG 1", 0, 2))
    moved = booking.move(allocation.pk, actor=world.actor(), first_day=day(5))
    world.book("412W103", "NPG 1", 1, 3)
    with pytest.raises(Refused) as refused:
        undo(moved.pk, actor=world.actor())
    assert refused.value.refusals[0].code == RefusalCode.DYNO_TAKEN
    assert place_of(allocation)[1] == day(5)
    with pytest.raises(NotFound):
        undo(moved.pk, actor=world.actor("outsider"))


def test_an_answer_holds_only_for_what_was_looked_at(world):
    hit = allocation_of(world.book("412W101", "NPG 1", 3, 5))
    answers = {hit.pk: Answer(DisplacedTo.CANCEL, version=1)}
    booking.move(hit.pk, actor=world.actor(), last_day=day(4))
    with pytest.raises(Stale):
        set_window(world, "NPG 1", 3, 7, answers=answers)
    assert place_of(hit) == ("NPG 1", day(3), day(4), "scheduled")


def test_window_over_a_window_is_refused_by_name(world):
    shut = window_of(set_window(world, "NPG 1", 3, 5))
    with pytest.raises(Refused) as refused:
        set_window(world, "NPG 1", 5, 8)
    assert refused.value.refusals[0].code == RefusalCode.MAINTENANCE
    assert refused.value.sentence == "NPG 1 is in maintenance (outage: Bearing): 19 – 21 Nov 2026."
    set_window(world, "NPG 1", 4, 8, window_id=shut.pk)


def test_undo_of_a_longer_window_brings_back_what_it_displaced(world):
    shut = window_of(set_window(world, "NPG 1", 3, 5))
    moved = allocation_of(world.book("412W103", "NPG 1", 6, 7))
    longer = set_window(world, "NPG 1", 3, 10, answers=proposed(world, "NPG 1", 3, 10), window_id=shut.pk)
    assert place_of(moved)[1] == day(11)
    undo(longer.pk, actor=world.actor("admin"))
    assert place_of(moved) == ("NPG 1", day(6), day(7), "scheduled")
    shut.refresh_from_db()
    assert (shut.last_day, shut.lifted_at, returns(shut)) == (day(5), None, [])


def test_undo_of_a_lift_shuts_again_and_what_came_back_can_come_back_again(world):
    moved = allocation_of(world.book("412W103", "NPG 1", 6, 7))
    shut = window_of(set_window(world, "NPG 1", 3, 10, answers=proposed(world, "NPG 1", 3, 10)))
    back = [offer.displacement.pk for offer in returns(shut)]
    lifted = lift_maintenance(shut.pk, actor=world.actor("admin"), bring_back=back)
    undo(lifted.pk, actor=world.actor("admin"))
    assert place_of(moved) == ("NPG 1", day(11), day(12), "scheduled")
    assert [offer.displacement.pk for offer in returns(shut)] == back


def test_undo_of_a_lift_is_refused_by_name_where_the_days_are_taken(world):
    shut = window_of(set_window(world, "NPG 1", 3, 10))
    lifted = lift_maintenance(shut.pk, actor=world.actor("admin"))
    world.book("412W103", "NPG 1", 6, 7)
    with pytest.raises(Refused) as refused:
        undo(lifted.pk, actor=world.actor("admin"))
    assert refused.value.sentence == "NPG 1 is taken by 412W103 (Brake): 22 – 23 Nov 2026. Booked by scheduler."


def test_what_should_have_begun_is_not_proposed_for_days_that_are_gone(world):
    overdue = allocation_of(world.book("412W103", "NPG 1", 0, 3))
    answers = proposed(world, "NPG 1", 1, 10)
    assert answers == {overdue.pk: Answer(DisplacedTo.MOVE, world.dynos["NPG 1"].pk, day(11))}
