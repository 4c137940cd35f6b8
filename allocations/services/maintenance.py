"""Maintenance windows on dynos. No test that a window hits disappears: each gets an answer."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from allocations import access
from allocations.access import NOT_FOUND
from allocations.enums import Action, RefusalCode
from allocations.exceptions import NotFound, Refused
from allocations.models import Allocation, Change, Displacement, MaintenanceWindow
from allocations.rulebook import ExistingPlacement, check_days, check_window
from allocations.selectors.availability import stays_on
from allocations.selectors.maintenance import Answer, Slot, hits_of, tally_of
from allocations.selectors.series import later_in_series
from allocations.services.displacing import displace_all, expect_answers, put_back
from allocations.services.unit_of_work import Actor, UnitOfWork, expect_version
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count


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
    """Sets a maintenance window, or changes one, and carries out an answer for each test that it hits, in one
    transaction.

    Takes the role admin; a scheduler may record outages, and change those that schedulers recorded.

    Parameters
    ----------
    kind
        A `MaintenanceKind`.
    reason, reference
        For people: why, and the number of a work order.
    answers
        By allocation id, for the allocations that the window hits, as `selectors.maintenance.fallout` proposes them.
    moves
        By allocation id, for scheduled allocations that the window does not hit and that make room, as
        `selectors.repairs` finds them.
    bring_back
        Ids of displacements of this window whose old places become free again.
    window_id
        The window to change; without it a new one is set.

    Raises
    ------
    Refused
        FALLOUT_UNANSWERED if a test that is hit has no answer; BAD_ANSWER if an answer is not possible; MAINTENANCE
        or DYNO_TAKEN if another window, or a test past its end, is in the way; DAYS_ORDER, DAYS_LENGTH; WRONG_STATUS
        with everything that has changed since the answers were found.
    NotFound
        Also if an id of `bring_back` is not displaced by this window, or is back already.
    """
    days = DayRange(first_day, last_day)
    answers, moves = dict(answers or {}), dict(moves or {})
    returning = sorted(bring_back)

    def write(work: UnitOfWork) -> None:
        if wrong := check_days(days):
            raise Refused(wrong)
        others = list(Allocation.objects.filter(pk__in=moves).values_list("pk", "dyno_id", "vehicle_id"))
        targets = {answer.dyno_id for answer in (*answers.values(), *moves.values()) if answer.dyno_id}
        targets |= {other_dyno for _, other_dyno, _ in others}
        _lock_dynos(work, {dyno_id, *targets}, [window_id] if window_id else [], returning)
        access.require_kind(actor.user, work.ground_id, kind)
        window = work.lock(MaintenanceWindow, [window_id])[window_id] if window_id else None
        if window:
            access.require_window(actor.user, window)
            expect_version(window, version)
        _expect_no_other_window(dyno_id, days, window)
        slot = Slot(dyno_id, days)
        hits = hits_of(slot)
        expect_answers(hits, answers)
        work.lock_vehicles([hit.vehicle_id for hit in hits] + [vehicle for _, _, vehicle in others])
        chosen = moves | {hit.pk: answers[hit.pk] for hit in hits}
        if window and chosen:
            # Its old days are free for the tests that it hits now; it takes the new days after they have moved.
            MaintenanceWindow.objects.filter(pk=window.pk).update(lifted_at=timezone.now())
        displaced = displace_all(work, chosen, moves, at=dict.fromkeys(chosen, slot), slots=[slot])
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
        put_back(work, returning)
        work.summary = f"{window}" + (f", {len(hits)} displaced ({tally_of(answers.values())})" if hits else "")
        work.summary += f", {len(moves)} moved to make room" if moves else ""

    params = {
        "dyno": dyno_id,
        "days": days.iso(),
        "kind": kind,
        "window": window_id,
        "back": returning,
        "answers": {str(id_): [a.to, a.dyno_id, a.first_day] for id_, a in (answers | moves).items()},
    }
    return UnitOfWork.run(write, actor=actor, action=Action.SET_MAINTENANCE, key=key, request=params)


def lift_maintenance(
    window_id: int,
    *,
    actor: Actor,
    later: bool = False,
    bring_back: Iterable[int] = (),
    version: int | None = None,
    key: str | None = None,
) -> Change:
    """Lifts a maintenance window, and puts chosen tests back that it displaced.

    Takes the role admin; a scheduler may lift outages that schedulers recorded.

    Parameters
    ----------
    later
        Whether the later windows of its series are lifted too.
    bring_back
        Ids of displacements of these windows.

    Raises
    ------
    Refused
        WRONG_STATUS if the window is lifted already; and as `displacing.put_back` does.
    NotFound
        Also if an id of `bring_back` is not displaced by these windows, or is back already.
    """
    returning = sorted(bring_back)

    def write(work: UnitOfWork) -> None:
        _lock_dynos(work, set(), [window_id, *(_later_ids(window_id) if later else ())], returning)
        rows = work.lock(MaintenanceWindow, [window_id, *(_later_ids(window_id) if later else ())])
        window = rows[window_id]
        for row in rows.values():
            access.require_window(actor.user, row)
        expect_version(window, version)
        if window.lifted_at:
            raise Refused.because(RefusalCode.WRONG_STATUS, "This window is lifted already.")
        for row in rows.values():
            work.update(row, lifted_at=timezone.now())
        put_back(work, returning)
        others = f", and {count(len(rows) - 1, 'later one')} of its series" if len(rows) > 1 else ""
        work.summary = f"{window} lifted{others}" + (f", {len(returning)} brought back" if returning else "")

    params = {"window": window_id, "back": returning, "version": version} | ({"later": True} if later else {})
    return UnitOfWork.run(write, actor=actor, action=Action.LIFT_MAINTENANCE, key=key, request=params)


def _later_ids(window_id: int) -> list[int]:
    window = MaintenanceWindow.objects.filter(pk=window_id).first()
    return [row.pk for row in later_in_series(window)] if window else []


def _lock_dynos(work: UnitOfWork, dynos: set[int], window_ids: list[int], returning: list[int]) -> None:
    windows = dict(MaintenanceWindow.objects.filter(pk__in=window_ids).values_list("pk", "dyno_id"))
    if len(windows) < len(window_ids):
        raise NotFound(NOT_FOUND)
    rows = Displacement.objects.filter(pk__in=returning, window_id__in=window_ids, restored_at=None)
    places = list(rows.values_list("dyno_id", "allocation__dyno_id"))
    if len(places) < len(returning):
        raise NotFound("One of those to bring back was not displaced by this window, or is back already.")
    work.lock_dynos(dynos.union(windows.values(), *places))


def _expect_no_other_window(dyno_id: int, days: DayRange, window: MaintenanceWindow | None) -> None:
    """Raises Refused if another window is on these days, or if a test that still runs past its end holds the dyno."""
    stays = stays_on(dyno_id, days, leaving_out_window=window.pk if window else None)
    old = ExistingPlacement(DayRange(window.first_day, window.last_day), window.dyno_id) if window else None
    unchanged = old is not None and old.covers(dyno_id, days)
    others = [stay for stay in stays if stay.kind == "maintenance" or (stay.overruns(days) and not unchanged)]
    if refusals := check_window(dyno_id, days, others):
        raise Refused(refusals)
