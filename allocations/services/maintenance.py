"""Maintenance windows over the schedule: nothing that they hit disappears."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from allocations import access
from allocations.access import NOT_FOUND
from allocations.enums import Action, AllocationStatus, DisplacedTo, RefusalCode, RequestStatus
from allocations.exceptions import NotFound, Refusal, Refused
from allocations.models import Allocation, Change, Displacement, MaintenanceWindow, TestRequest
from allocations.rulebook import Stands, check_days, check_window
from allocations.selectors.availability import stays_on
from allocations.selectors.maintenance import Answer, cannot_return, hits_of, tally_of
from allocations.selectors.working import length_of, stretch_of
from allocations.services.placing import displaced_request, judged, replace, waiting_rest
from allocations.services.work import Actor, Work, carry_out, expect_version
from dynosite.lib.days import DayRange


def set_maintenance(
    dyno_id: int,
    *,
    first_day: dt.date,
    last_day: dt.date,
    kind: str,
    actor: Actor,
    reason: str = "",
    reference: str = "",
    answers: Mapping[int, Answer] | None = None,
    moves: Mapping[int, Answer] | None = None,
    bring_back: Iterable[int] = (),
    window_id: int | None = None,
    version: int | None = None,
    key: str | None = None,
) -> Change:
    """Sets a window, or changes the one with `window_id`, and carries out an answer for each allocation it hits.

    `answers` are by allocation id, as `selectors.maintenance.fallout` proposes them; `moves` are of scheduled
    allocations that it does not hit and that make room, as `selectors.repairs` finds them; `bring_back` are ids of
    displacements of this window whose old places become free again. All of it is one transaction. Raises Refused:
    FALLOUT_UNANSWERED where a hit has no answer, or with everything that has changed since the answers were found.
    Takes the role admin; a scheduler records outages, and changes those that schedulers recorded.
    """
    days = DayRange(first_day, last_day)
    answers, moves = dict(answers or {}), dict(moves or {})
    returning = sorted(bring_back)

    def write(work: Work) -> None:
        if wrong := check_days(days):
            raise Refused(wrong)
        others = list(Allocation.objects.filter(pk__in=moves).values_list("pk", "dyno_id", "vehicle_id"))
        targets = {answer.dyno_id for answer in (*answers.values(), *moves.values()) if answer.dyno_id}
        targets |= {here for _, here, _ in others}
        _lock_dynos(work, {dyno_id, *targets}, window_id, returning)
        access.require_kind(actor.user, work.ground_id, kind)
        window = work.lock(MaintenanceWindow, [window_id])[window_id] if window_id else None
        if window:
            access.require_window(actor.user, window)
            expect_version(window, version)
        _expect_no_other_window(dyno_id, days, window)
        hits = hits_of(dyno_id, days)
        _expect_answers(hits, answers)
        work.lock_vehicles([hit.vehicle_id for hit in hits] + [vehicle for _, _, vehicle in others])
        chosen = moves | {hit.pk: answers[hit.pk] for hit in hits}
        if window and chosen:
            # Its old days are free for those that it hits now; it takes the new ones after them.
            MaintenanceWindow.objects.filter(pk=window.pk).update(lifted_at=timezone.now())
        displaced = _displace_all(work, chosen, moves, dyno_id, days)
        fields: dict[str, Any] = {"dyno_id": dyno_id, "first_day": first_day, "last_day": last_day}
        fields |= {"kind": kind, "reason": reason, "reference": reference}
        if window:
            work.update(window, **fields, lifted_at=None)
        else:
            window = MaintenanceWindow(ground_id=work.ground_id, created_by=actor.user, **fields)
            work.insert(window)
        for displacement in displaced:
            displacement.window = window
        Displacement.objects.bulk_create(displaced)
        _return(work, window, returning)
        work.summary = f"{window}" + (f", {len(hits)} displaced ({tally_of(answers.values())})" if hits else "")
        work.summary += f", {len(moves)} moved to make room" if moves else ""

    asked = {
        "dyno": dyno_id, "days": days.iso(), "kind": kind, "window": window_id, "back": returning,
        "answers": {str(id_): [a.to, a.dyno_id, a.first_day] for id_, a in (answers | moves).items()},
    }  # fmt: skip
    return carry_out(write, actor=actor, action=Action.SET_MAINTENANCE, key=key, request=asked)


def lift_maintenance(
    window_id: int,
    *,
    actor: Actor,
    bring_back: Iterable[int] = (),
    version: int | None = None,
    key: str | None = None,
) -> Change:
    """Lifts a window and brings those back that it displaced and that `bring_back` names (ids of displacements).

    Takes the role admin; a scheduler lifts outages that schedulers recorded.
    """
    returning = sorted(bring_back)

    def write(work: Work) -> None:
        _lock_dynos(work, set(), window_id, returning)
        window = work.lock(MaintenanceWindow, [window_id])[window_id]
        access.require_window(actor.user, window)
        expect_version(window, version)
        if window.lifted_at:
            raise Refused.because(RefusalCode.WRONG_STATUS, "This window is lifted already.")
        work.update(window, lifted_at=timezone.now())
        _return(work, window, returning)
        work.summary = f"{window} lifted" + (f", {len(returning)} brought back" if returning else "")

    asked = {"window": window_id, "back": returning, "version": version}
    return carry_out(write, actor=actor, action=Action.LIFT_MAINTENANCE, key=key, request=asked)


def _lock_dynos(work: Work, dynos: set[int], window_id: int | None, returning: list[int]) -> None:
    wanted = set(dynos)
    if window_id is not None:
        window = MaintenanceWindow.objects.filter(pk=window_id).values_list("dyno_id", flat=True).first()
        if window is None:
            raise NotFound(NOT_FOUND)
        wanted.add(window)
    rows = Displacement.objects.filter(pk__in=returning, window_id=window_id, restored_at=None)
    places = list(rows.values_list("dyno_id", "allocation__dyno_id"))
    if len(places) < len(returning):
        raise NotFound("One of those to bring back was not displaced by this window, or is back already.")
    work.lock_dynos(wanted.union(*places))


def _expect_no_other_window(dyno_id: int, days: DayRange, window: MaintenanceWindow | None) -> None:
    """Nor a test that still runs past its end, which is in the way of all that is to come."""
    stays = stays_on(dyno_id, days, leaving_out_window=window.pk if window else None)
    old = Stands(DayRange(window.first_day, window.last_day), window.dyno_id) if window else None
    stands = old is not None and old.covers(dyno_id, days)
    others = [stay for stay in stays if stay.kind == "maintenance" or (stay.overruns(days) and not stands)]
    if refusals := check_window(dyno_id, days, others):
        raise Refused(refusals)


def _expect_answers(hits: list[Allocation], answers: Mapping[int, Answer]) -> None:
    done = [hit for hit in hits if hit.status == AllocationStatus.COMPLETED]
    if done:
        sentence = f"{done[0]} is completed: the window must begin after it or end before it."
        raise Refused.because(RefusalCode.BAD_ANSWER, sentence)
    open_ = [hit for hit in hits if hit.pk not in answers]
    if open_:
        names = "; ".join(str(hit) for hit in open_)
        sentence = f"These are within the window and need an answer each: {names}."
        raise Refused.because(RefusalCode.FALLOUT_UNANSWERED, sentence)


def _displace_all(
    work: Work, chosen: Mapping[int, Answer], others: Mapping[int, Answer], dyno_id: int, window: DayRange
) -> list[Displacement]:
    rows = work.lock(Allocation, chosen)
    _expect_unchanged(rows, chosen, others)
    moving = [id_ for id_, answer in chosen.items() if answer.to == DisplacedTo.MOVE]
    if len(moving) > 1:
        # They may take one another's places: all leave theirs before the first takes its new one.
        Allocation.objects.filter(pk__in=moving).update(status=AllocationStatus.CANCELLED)
    displaced, refusals = [], []
    for row in sorted(rows.values(), key=lambda row: (row.pk in moving, row.first_day, row.pk)):
        try:
            displaced.append(_displace(work, row, chosen[row.pk], dyno_id, window))
        except Refused as refused:
            refusals += refused.refusals
    if refusals:
        raise Refused(refusals)
    return displaced


def _expect_unchanged(
    rows: Mapping[int, Allocation], chosen: Mapping[int, Answer], others: Mapping[int, Answer]
) -> None:
    if not others:
        for id_, row in rows.items():
            expect_version(row, chosen[id_].version)
    changed = [
        Refusal(RefusalCode.WRONG_STATUS, f"{row} was changed since the options were made.")
        for id_, row in rows.items()
        if chosen[id_].version not in (None, row.version)
        or (id_ in others and (row.status != AllocationStatus.SCHEDULED or chosen[id_].to != DisplacedTo.MOVE))
    ]
    if changed:
        raise Refused(changed)


def _displace(work: Work, hit: Allocation, answer: Answer, dyno_id: int, window: DayRange) -> Displacement:
    displacement = Displacement(
        allocation=hit, answer=answer.to, dyno_id=hit.dyno_id,
        first_day=hit.first_day, last_day=hit.last_day, status=hit.status,
    )  # fmt: skip
    _expect_kept(hit, answer, window)
    if answer.to == DisplacedTo.MOVE:
        _move(work, hit, answer, dyno_id, window)
    elif answer.to == DisplacedTo.SHORTEN:
        displacement.request = _shorten(work, hit, window)
    else:
        displacement.request = _leave(work, hit, waits=answer.to == DisplacedTo.WAIT)
    return displacement


def _expect_kept(hit: Allocation, answer: Answer, window: DayRange) -> None:
    """What ran before the window stays in the records: a running test is cut, not moved or taken off."""
    if hit.status != AllocationStatus.RUNNING:
        return
    if answer.to == DisplacedTo.MOVE:
        sentence = f"{hit} is running and cannot be moved as a whole; cut it, or let it wait."
        raise Refused.because(RefusalCode.BAD_ANSWER, sentence)
    if answer.to != DisplacedTo.SHORTEN and hit.first_day < window.first:
        sentence = f"{hit} is running; cut it at the day before the window, so that what ran stays in the records."
        raise Refused.because(RefusalCode.BAD_ANSWER, sentence)


def _move(work: Work, hit: Allocation, answer: Answer, dyno_id: int, window: DayRange) -> None:
    target = answer.dyno_id or hit.dyno_id
    first = answer.first_day or hit.first_day
    days = DayRange(first, answer.last_day) if answer.last_day else _as_long(hit, first)
    if target == dyno_id and days.overlaps(window):
        raise Refused.because(RefusalCode.BAD_ANSWER, f"{hit} would be moved into the window itself.")
    replace(work, hit, target, days, status=hit.status)


def _as_long(hit: Allocation, first: dt.date) -> DayRange:
    return stretch_of(hit.ground_id, hit.test_type_id, first, length_of(hit.ground_id, hit.test_type_id, hit.days))


def _shorten(work: Work, hit: Allocation, window: DayRange) -> TestRequest:
    if hit.first_day >= window.first:
        sentence = f"{hit} has no day before the window; it cannot be shortened."
        raise Refused.because(RefusalCode.BAD_ANSWER, sentence)
    left = length_of(hit.ground_id, hit.test_type_id, DayRange(window.first, hit.last_day))
    note = f"The rest of {hit}, cut short by maintenance."
    until = window.first - dt.timedelta(days=1)
    over = hit.status == AllocationStatus.RUNNING and until < hit.ground.today()
    work.update(hit, last_day=until, status=AllocationStatus.COMPLETED if over else hit.status)
    return waiting_rest(work, hit, days=left, earliest=window.first, note=note)


def _leave(work: Work, hit: Allocation, *, waits: bool) -> TestRequest | None:
    work.update(hit, status=AllocationStatus.CANCELLED)
    request = displaced_request(work, hit, waits=waits)
    if request is None and waits:
        length = length_of(hit.ground_id, hit.test_type_id, hit.days)
        request = waiting_rest(work, hit, days=length, earliest=hit.first_day, note="Displaced by maintenance.")
    return request


def _return(work: Work, window: MaintenanceWindow, returning: list[int]) -> None:
    displaced = list(
        Displacement.objects.filter(pk__in=returning).order_by("first_day", "id").select_related("allocation")
    )
    work.lock_vehicles(each.allocation.vehicle_id for each in displaced)
    rows = work.lock(Allocation, [each.allocation_id for each in displaced])
    if wrong := [refusal for each in displaced for refusal in cannot_return(each, rows[each.allocation_id])]:
        raise Refused(wrong)
    if len(rows) > 1:
        # One may stand where another wants to return to.
        Allocation.objects.filter(pk__in=rows).update(status=AllocationStatus.CANCELLED)
    for each in displaced:
        allocation = rows[each.allocation_id]
        days = DayRange(each.first_day, each.last_day)
        judged(
            allocation.vehicle_id, each.dyno_id, allocation.test_type_id, days,
            drive=allocation.drive, leaving_out=allocation.pk, stands=Stands(days),
        )  # fmt: skip
        if each.request_id:
            _take_back_request(work, each.request_id, allocation)
        work.update(
            allocation, dyno_id=each.dyno_id, first_day=each.first_day, last_day=each.last_day, status=each.status
        )
        each.restored_at = timezone.now()
        each.save(update_fields=["restored_at"])


def _take_back_request(work: Work, request_id: int, allocation: Allocation) -> None:
    request = work.lock(TestRequest, [request_id])[request_id]
    if request.status == RequestStatus.PLACED:
        sentence = f"{request} has got another place in the meantime; cancel that first."
        raise Refused.because(RefusalCode.BAD_ANSWER, sentence)
    own = allocation.request_id == request.pk
    work.update(request, status=RequestStatus.PLACED if own else RequestStatus.CANCELLED)
