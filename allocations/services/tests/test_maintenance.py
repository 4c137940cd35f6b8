import pytest

from allocations.enums import AllocationStatus, DisplacedTo, MaintenanceKind, RefusalCode, RequestStatus
from allocations.exceptions import NotAllowed, NotFound, Refused, Stale
from allocations.models import Allocation, MaintenanceWindow, TestRequest
from allocations.selectors.maintenance import Answer, fallout, returns
from allocations.services import booking
from allocations.services.maintenance import lift_maintenance, set_maintenance
from allocations.services.undo import undo
from allocations.tests.world import allocation_of, day, window_of
from dynosite.lib.days import DayRange


def set_window(world, dyno, first, last, *, by="admin", **more):
    return set_maintenance(
        world.dynos[dyno].pk,
        first_day=day(first),
        last_day=day(last),
        kind=MaintenanceKind.OUTAGE,
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
    assert "NPG 1 is in maintenance (outage: Bearing): 2026-11-16 to 2026-11-20." in refused.value.sentence


def test_only_admins_set_maintenance(world):
    with pytest.raises(NotAllowed):
        set_window(world, "NPG 1", 0, 4, by="scheduler")
    with pytest.raises(NotFound):
        set_window(world, "NPG 1", 0, 4, by="outsider")
    assert MaintenanceWindow.objects.count() == 0


def test_a_hit_needs_an_answer(world):
    world.book("412W101", "NPG 1", 3, 5)
    with pytest.raises(Refused) as refused:
        set_window(world, "NPG 1", 4, 8)
    assert refused.value.refusals[0].code == RefusalCode.FALLOUT_UNANSWERED
    assert "412W101 on NPG 1, 2026-11-19 to 2026-11-21" in refused.value.sentence


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
    assert [(each.displacement.allocation_id, each.refusals) for each in offered] == [(waits.pk, ()), (moves.pk, ())]
    lift_maintenance(
        window.pk, actor=world.actor("admin"), bring_back=[each.displacement.pk for each in offered], version=1
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
    assert refused.value.sentence == "NPG 1 is in maintenance (outage: Bearing): 2026-11-19 to 2026-11-21."
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
    back = [each.displacement.pk for each in returns(shut)]
    lifted = lift_maintenance(shut.pk, actor=world.actor("admin"), bring_back=back)
    undo(lifted.pk, actor=world.actor("admin"))
    assert place_of(moved) == ("NPG 1", day(11), day(12), "scheduled")
    assert [each.displacement.pk for each in returns(shut)] == back


def test_undo_of_a_lift_is_refused_by_name_where_the_days_are_taken(world):
    shut = window_of(set_window(world, "NPG 1", 3, 10))
    lifted = lift_maintenance(shut.pk, actor=world.actor("admin"))
    world.book("412W103", "NPG 1", 6, 7)
    with pytest.raises(Refused) as refused:
        undo(lifted.pk, actor=world.actor("admin"))
    assert refused.value.sentence == "NPG 1 is taken by 412W103 (Brake): 2026-11-22 to 2026-11-23."


def test_what_should_have_begun_is_not_proposed_for_days_that_are_gone(world):
    overdue = allocation_of(world.book("412W103", "NPG 1", 0, 3))
    answers = proposed(world, "NPG 1", 1, 10)
    assert answers == {overdue.pk: Answer(DisplacedTo.MOVE, world.dynos["NPG 1"].pk, day(11))}
