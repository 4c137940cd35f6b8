"""Plans are kept: named, solved again, deleted and restored. None of it writes to the schedule.

All take the role scheduler, and raise NotFound or NotAllowed.
"""

import uuid

from django.utils import timezone

from allocations.enums import PlanState, RefusalCode, Role
from allocations.exceptions import Refused
from allocations.models import Plan
from allocations.selectors.plans import plan_by_id
from allocations.services.plans import ask_for_plan, stop_solving
from allocations.services.unit_of_work import Actor


def describe_plan(plan_id: uuid.UUID | str, *, actor: Actor, name: str, note: str) -> Plan:
    """Sets the name and note of a plan."""
    plan = plan_by_id(plan_id, user=actor.user, needed=Role.SCHEDULER)
    plan.name, plan.note = name.strip(), note.strip()
    plan.save(update_fields=["name", "note"])
    return plan


def plan_again(plan_id: uuid.UUID | str, *, actor: Actor) -> Plan:
    """Queues a new plan with the same choices, without the days that have passed since.

    Raises
    ------
    Refused
        DAYS_ORDER if all days of the plan have passed; and as `plans.ask_for_plan` does.
    """
    old = plan_by_id(plan_id, user=actor.user, needed=Role.SCHEDULER)
    first_day = max(old.first_day, old.ground.today())
    if first_day > old.last_day:
        sentence = "The days of this plan are over; make a new one with other days."
        raise Refused.because(RefusalCode.DAYS_ORDER, sentence)
    return ask_for_plan(
        old.ground_id,
        actor=actor,
        first_day=first_day,
        last_day=old.last_day,
        movable=old.movable,
        frozen_until=old.frozen_until,
        seconds=old.seconds,
        requests=old.chosen,
        name=old.name,
        note=old.note,
        again_of=old,
    )


def delete_plan(plan_id: uuid.UUID | str, *, actor: Actor) -> Plan:
    """Deletes a plan, and stops it if it is being solved. What was applied of it stays on the schedule; it can be
    restored.
    """
    plan = plan_by_id(plan_id, user=actor.user, needed=Role.SCHEDULER)
    if plan.state in (PlanState.QUEUED, PlanState.SOLVING):
        stop_solving(plan.pk)
    Plan.objects.filter(pk=plan.pk, deleted_at=None).update(deleted_at=timezone.now())
    return plan


def restore_plan(plan_id: uuid.UUID | str, *, actor: Actor) -> Plan:
    """Restores a deleted plan."""
    plan = plan_by_id(plan_id, user=actor.user, needed=Role.SCHEDULER)
    Plan.objects.filter(pk=plan.pk).update(deleted_at=None)
    return plan
