"""Plans: computed beside the schedule, applied to it as a whole or not at all."""

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence

from django.db import transaction

from allocations import access
from allocations.access import NOT_FOUND
from allocations.enums import Action, AllocationStatus, Movable, PlanState, RefusalCode, RequestStatus, Role
from allocations.exceptions import NotFound, Refused
from allocations.exceptions import Refusal as RefusalOf
from allocations.models import Allocation, Change, Plan, PlanItem, TestRequest
from allocations.planning import Placement as PlannedPlacement
from allocations.planning import Progress, Solution, solve
from allocations.rulebook import check_days
from allocations.selectors.availability import Placement
from allocations.selectors.ground_rules import stretch_of
from allocations.selectors.history import what_happened
from allocations.selectors.plan_problem import PlanningProblem, problem_of
from allocations.selectors.plan_reasons import Reason, reasons_of
from allocations.services import jobs
from allocations.services.placing import place, replace
from allocations.services.unit_of_work import Actor, UnitOfWork
from dynosite.lib.days import DayRange
from dynosite.lib.formats import day_range

logger = logging.getLogger(__name__)

MAX_HORIZON_DAYS = 1_500
"""Days."""
USUAL_DAYS = 730
"""Days that a plan looks ahead by default."""
SOLVED_FIELDS = ("state", "curve", "objective", "bound", "proven", "problem", "holder", "held_until")


_DAYS_OF_THE_PLAN = frozenset({RefusalCode.LONG_PAST, RefusalCode.FAR_AHEAD})
"""Concerns that whoever chose the first and the last day of the plan has accepted by that."""


class PlanOvertaken(Refused):
    """The schedule has changed since the plan was made. `by_item` has, by item id, what stands in the way of it."""

    def __init__(self, by_item: Mapping[int, Sequence[RefusalOf]]):
        super().__init__([refusal for refusals in by_item.values() for refusal in refusals])
        self.by_item = dict(by_item)


def ask_for_plan(
    ground_id: int,
    *,
    actor: Actor,
    first_day: dt.date,
    last_day: dt.date,
    movable: str = Movable.NOTHING,
    frozen_until: dt.date | None = None,
    seconds: int = 20,
    requests: Collection[int] | None = None,
    name: str = "",
    note: str = "",
    again_of: Plan | None = None,
) -> Plan:
    """Queues a plan; a worker solves it later (`solve_plan`). Nothing is written to the schedule.

    Parameters
    ----------
    first_day, last_day
        Days to plan, at most `MAX_HORIZON_DAYS`.
    movable, frozen_until
        Which scheduled allocations may move (`Movable`), except those that start by `frozen_until`.
    seconds
        How long the solver may search.
    requests
        Ids of the waiting requests to place; None: all that wait.

    Raises
    ------
    Refused
        DAYS_ORDER or DAYS_LENGTH for the days; TOO_MANY_AT_ONCE if too much is queued already (`jobs.expect_room`).
    """
    access.require(actor.user, ground_id, Role.SCHEDULER)
    days = DayRange(first_day, last_day)
    if days.last < days.first:
        raise Refused(check_days(days))
    if days.days > MAX_HORIZON_DAYS:
        sentence = f"{days.days} days are too many to plan at once; {MAX_HORIZON_DAYS} will do."
        raise Refused.because(RefusalCode.DAYS_LENGTH, sentence)
    with transaction.atomic():
        jobs.expect_room(actor.user, ground_id)
        return Plan.objects.create(
            ground_id=ground_id,
            first_day=first_day,
            last_day=last_day,
            movable=movable,
            frozen_until=frozen_until,
            seconds=seconds,
            chosen=sorted(requests) if requests is not None else None,
            name=name,
            note=note,
            again_of=again_of,
            made_by=actor.user,
            **jobs.queued(actor.user),
        )


def stop_solving(plan_id: uuid.UUID | str) -> None:
    """Asks the worker to stop and keep the best plan so far. A plan that no worker has yet ends without a result."""
    jobs.stop(jobs.PLANS, plan_id)


def solve_plan(plan_id: uuid.UUID | str) -> None:
    """Solves a queued plan, and publishes its progress. For a worker; the same plan may be handed out twice.

    Raises jobs.HeldError if another worker is solving the plan, or another job of its user.
    """
    plan = jobs.claim(jobs.PLANS, plan_id)
    if plan is None:
        return
    curve: list[tuple[float, int, int]] = []

    def tell(now: Progress) -> None:
        curve.append((round(now.seconds, 2), now.objective, now.bound))
        jobs.tell(plan.progress_key, curve)

    with jobs.Hold(jobs.PLANS, plan) as hold:
        try:
            solve_and_store(plan, on_progress=tell, should_stop=hold.should_stop)
        except jobs.LeaseLostError:
            logger.warning("plan %s was taken from its worker, which writes nothing", plan_id)
        except Exception:
            sentence = "The planner failed for a reason that is ours; nothing was written to the schedule."
            jobs.end(jobs.PLANS, plan, state=PlanState.FAILED, error=sentence)
            raise


def solve_and_store(
    plan: Plan,
    *,
    workers: int = 2,
    steps: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Plan:
    """Solves a plan and saves the best solution, with a reason for each item.

    It ends after the plan's seconds, when the solution is proven optimal, or soon after `should_stop` turns true.

    Parameters
    ----------
    workers, steps, on_progress, should_stop
        As for `planning.solve`. With `steps` the plan is the same each time.

    Raises
    ------
    jobs.LeaseLostError
        If another worker has taken the plan over; nothing is saved.
    """
    Plan.objects.filter(pk=plan.pk, holder=plan.holder).update(state=PlanState.SOLVING)
    planning = problem_of(plan, requests=plan.chosen)
    curve: list[tuple[float, int, int]] = []

    def progress(now: Progress) -> None:
        curve.append((round(now.seconds, 2), now.objective, now.bound))
        if on_progress:
            on_progress(now)

    solution = solve(
        planning.problem,
        seconds=plan.seconds,
        workers=workers,
        steps=steps,
        on_progress=progress,
        should_stop=should_stop,
    )
    reasons = reasons_of(plan, planning.problem, planning.rows, solution)
    plan.state, plan.curve = PlanState.READY, curve
    plan.objective, plan.bound, plan.proven = solution.objective, solution.bound, solution.status == "optimal"
    plan.problem = planning.problem.to_json()
    with transaction.atomic():
        jobs.expect_mine(jobs.PLANS, plan)
        plan.items.all().delete()
        PlanItem.objects.bulk_create(_items(plan, planning, solution, reasons))
        plan.holder = plan.held_until = None
        # Not what others may have changed meanwhile: its name, its note, and whether it is deleted.
        plan.save(update_fields=SOLVED_FIELDS)
    return plan


def _items(plan: Plan, planning: PlanningProblem, solution: Solution, reasons: dict[str, Reason]) -> list[PlanItem]:
    placements = {placement.id: placement for placement in solution.placements}
    items = []
    for id_, row in planning.rows.items():
        at = placements.get(id_)
        if isinstance(row, Allocation) and at and _stays(plan, row, at):
            continue
        why = reasons[id_]
        item = PlanItem(plan=plan, version=row.version, late=why.late, reason=why.whole)
        if isinstance(row, Allocation):
            item.allocation = row
        else:
            item.request = row
        if at:
            item.dyno_id = int(at.dyno[1:])
            item.first_day = plan.first_day + dt.timedelta(days=at.first)
            item.last_day = plan.first_day + dt.timedelta(days=at.last)
        items.append(item)
    for request in planning.impossible:
        reason = "No dyno may run it."
        earliest = request.earliest_start
        if earliest and stretch_of(plan.ground_id, request.test_type_id, earliest, request.days).last > plan.last_day:
            reason = f"It starts on {day_range(earliest, earliest)} at the earliest; that is too late for these days."
        items.append(PlanItem(plan=plan, request=request, version=request.version, reason=reason))
    return items


def _stays(plan: Plan, allocation: Allocation, at: PlannedPlacement) -> bool:
    first = plan.first_day + dt.timedelta(days=at.first)
    return (allocation.dyno_id, allocation.first_day) == (int(at.dyno[1:]), first)


def apply_plan(
    plan_id: uuid.UUID | str, *, actor: Actor, items: Collection[int] | None = None, key: str | None = None
) -> Change:
    """Books and moves what a plan proposes, all of it or nothing.

    Parameters
    ----------
    items
        Ids of the plan's items to apply; None: all of them.

    Raises
    ------
    PlanOvertaken
        With everything, by item, that has changed since the plan was made or that the rulebook refuses by now.
    Refused
        WRONG_STATUS if the plan is not ready, is deleted, or has nothing to apply.
    """

    def write(work: UnitOfWork) -> None:
        plan = Plan.objects.filter(pk=plan_id).first()
        if plan is None:
            raise NotFound(NOT_FOUND)
        work.enter(plan.ground_id)
        plan = Plan.objects.select_for_update().get(pk=plan_id)
        if plan.state != PlanState.READY:
            raise Refused.because(RefusalCode.WRONG_STATUS, f"The plan is {plan.state}; only a ready one is applied.")
        if plan.deleted_at:
            raise Refused.because(RefusalCode.WRONG_STATUS, "The plan is deleted; bring it back to apply it.")
        placed = plan.items.exclude(dyno=None).select_related("request", "allocation")
        chosen = list(placed.filter(pk__in=items) if items is not None else placed)
        if not chosen:
            raise Refused.because(RefusalCode.WRONG_STATUS, "There is nothing in this plan to apply.")
        allocations, requests = _lock(work, chosen)
        in_the_way = _changed_since(plan, chosen, allocations, requests)
        unchanged = [item for item in chosen if item.pk not in in_the_way]
        in_the_way |= _carry_out(work, unchanged, allocations, requests)
        if in_the_way:
            raise PlanOvertaken(in_the_way)
        plan.items.filter(pk__in=[item.pk for item in chosen]).update(applied=True)
        plan.state = PlanState.APPLIED
        plan.applied_id = work.change_id
        plan.save(update_fields=["state", "applied"])
        moved = len(allocations)
        work.summary = f"{plan} applied: {len(chosen) - moved} placed, {moved} moved"

    params = {"plan": str(plan_id), "items": sorted(items) if items is not None else None}
    return UnitOfWork.run(write, actor=actor, action=Action.PLAN, key=key, request=params)


def _lock(work: UnitOfWork, chosen: list[PlanItem]) -> tuple[dict[int, Allocation], dict[int, TestRequest]]:
    moved = [item.allocation for item in chosen if item.allocation]
    placed = [item.request for item in chosen if item.request]
    work.lock_dynos([item.dyno_id for item in chosen if item.dyno_id] + [row.dyno_id for row in moved])
    work.lock_vehicles([row.vehicle_id for row in moved] + [row.vehicle_id for row in placed])
    requests = work.lock(TestRequest, [row.pk for row in placed])
    allocations = work.lock(Allocation, [row.pk for row in moved])
    return allocations, requests


def _changed_since(
    plan: Plan, chosen: list[PlanItem], allocations: dict[int, Allocation], requests: dict[int, TestRequest]
) -> dict[int, list[RefusalOf]]:
    changed = {}
    for item in chosen:
        row = allocations.get(item.allocation_id or 0) or requests[item.request_id or 0]
        waits = item.request_id is None or row.status == RequestStatus.WAITING
        if row.version != item.version or not waits:
            sentence = f"{row} was changed since the plan was made{what_happened(row, plan.made_at)}."
            changed[item.pk] = [RefusalOf(RefusalCode.WRONG_STATUS, sentence)]
    return changed


def _carry_out(
    work: UnitOfWork, chosen: list[PlanItem], allocations: dict[int, Allocation], requests: dict[int, TestRequest]
) -> dict[int, list[RefusalOf]]:
    """Puts each item in its place. Returns what the rulebook refuses, by item id."""
    status = {id_: row.status for id_, row in allocations.items()}
    # Tests may swap places: all leave theirs before the first takes its new one.
    Allocation.objects.filter(pk__in=allocations).update(status=AllocationStatus.CANCELLED)
    refused_items: dict[int, list[RefusalOf]] = {}
    # A test that comes after another is put in after it.
    for item in sorted(chosen, key=lambda item: (item.first_day, item.pk)):
        try:
            _put(work, item, allocations, requests, status)
        except Refused as refused:
            refused_items[item.pk] = refused.refusals
    return refused_items


def _put(
    work: UnitOfWork,
    item: PlanItem,
    allocations: dict[int, Allocation],
    requests: dict[int, TestRequest],
    status: dict[int, str],
) -> None:
    if not (item.dyno_id and item.first_day and item.last_day):
        return
    days = DayRange(item.first_day, item.last_day)
    if item.allocation_id:
        allocation = allocations[item.allocation_id]
        replace(work, allocation, item.dyno_id, days, status=status[item.allocation_id], confirmed=_DAYS_OF_THE_PLAN)
    elif item.request_id:
        request = requests[item.request_id]
        placement = Placement(request.vehicle_id, item.dyno_id, request.test_type_id, days, drive=request.drive)
        place(work, placement, note=request.note, request_id=request.pk, confirmed=_DAYS_OF_THE_PLAN)
