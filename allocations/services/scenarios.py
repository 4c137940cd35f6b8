"""Scenarios: asked, thought out beside the schedule, kept. Nothing in here writes to the schedule."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from allocations import access
from allocations.enums import Movable, RefusalCode, Role, ScenarioState
from allocations.exceptions import Refused
from allocations.models import Scenario
from allocations.planning import Progress
from allocations.rulebook import check_days
from allocations.selectors.scenario_edits import MOST_EDITS, read_edit
from allocations.selectors.scenarios import scenario_by_id
from allocations.services import jobs
from allocations.services.scenario_answer import Stopped, answer
from allocations.services.unit_of_work import Actor
from dynosite.lib.days import DayRange

LONGEST = 800
"""Days that a scenario looks at."""


def make_scenario(
    ground_id: int,
    *,
    actor: Actor,
    name: str,
    first_day: dt.date,
    last_day: dt.date,
    movable: str = Movable.NOTHING,
    frozen_until: dt.date | None = None,
    seconds: int = 10,
    note: str = "",
) -> Scenario:
    access.require(actor.user, ground_id, Role.SCHEDULER)
    _expect_days(first_day, last_day)
    return Scenario.objects.create(
        ground_id=ground_id,
        name=name,
        note=note,
        first_day=first_day,
        last_day=last_day,
        movable=movable,
        frozen_until=frozen_until,
        seconds=seconds,
        made_by=actor.user,
    )


def _expect_days(first_day: dt.date, last_day: dt.date) -> None:
    days = DayRange(first_day, last_day)
    if days.last < days.first:
        raise Refused(check_days(days))
    if days.days > LONGEST:
        sentence = f"{days.days} days are too many to look at once; {LONGEST} will do."
        raise Refused.because(RefusalCode.DAYS_LENGTH, sentence)


def change_scenario(scenario_id: uuid.UUID | str, *, actor: Actor, **values: Any) -> Scenario:
    """Name and note, or what it asks; after the latter its answer counts no more."""
    scenario = _idle(scenario_id, actor)
    question_fields = {"first_day", "last_day", "movable", "frozen_until", "seconds"}
    if any(values.get(name, getattr(scenario, name)) != getattr(scenario, name) for name in question_fields):
        _expect_days(values["first_day"], values["last_day"])
        values |= {"state": ScenarioState.DRAFT, "result": {}}
    for name, value in values.items():
        setattr(scenario, name, value)
    scenario.save(update_fields=list(values))
    return scenario


def add_edit(scenario_id: uuid.UUID | str, *, actor: Actor, data: dict[str, Any]) -> Scenario:
    """Raises Refused where the edit makes no sense."""
    scenario = _idle(scenario_id, actor)
    if len(scenario.edits) >= MOST_EDITS:
        raise Refused.because(RefusalCode.BAD_ANSWER, f"{MOST_EDITS} edits are the most that a scenario takes.")
    edit = read_edit(data)
    return _with_edits(scenario, [*scenario.edits, edit.model_dump(mode="json", exclude_none=True)])


def remove_edit(scenario_id: uuid.UUID | str, *, actor: Actor, number: int) -> Scenario:
    """`number` counts from 0."""
    scenario = _idle(scenario_id, actor)
    if not 0 <= number < len(scenario.edits):
        raise Refused.because(RefusalCode.BAD_ANSWER, "This edit is gone already.")
    return _with_edits(scenario, scenario.edits[:number] + scenario.edits[number + 1 :])


def _with_edits(scenario: Scenario, edits: list[dict[str, Any]]) -> Scenario:
    scenario.edits, scenario.state, scenario.result = edits, ScenarioState.DRAFT, {}
    scenario.save(update_fields=["edits", "state", "result"])
    return scenario


def _idle(scenario_id: uuid.UUID | str, actor: Actor) -> Scenario:
    scenario = scenario_by_id(scenario_id, user=actor.user, needed=Role.SCHEDULER)
    if scenario.under_way:
        raise Refused.because(RefusalCode.WRONG_STATUS, "It is being thought about; stop it before it is changed.")
    return scenario


def ask_scenario(scenario_id: uuid.UUID | str, *, actor: Actor) -> Scenario:
    """Queues it for its answer; what it said before is gone then."""
    scenario = _idle(scenario_id, actor)
    cache.delete(scenario.progress_key)
    values = {"state": ScenarioState.QUEUED, "result": {}, "error": "", "asked_at": timezone.now()}
    values |= jobs.queued(actor.user)
    with transaction.atomic():
        jobs.expect_room(actor.user, scenario.ground_id)
        for name, value in values.items():
            setattr(scenario, name, value)
        scenario.save(update_fields=list(values))
    return scenario


def stop_scenario(scenario_id: uuid.UUID | str, *, actor: Actor) -> None:
    """What is known by then is kept if both plans are thought out; else it is as if it had not been asked."""
    scenario = scenario_by_id(scenario_id, user=actor.user, needed=Role.SCHEDULER)
    jobs.stop(jobs.SCENARIOS, scenario.pk)


def set_deleted(scenario_id: uuid.UUID | str, *, actor: Actor, deleted: bool) -> Scenario:
    """Puts it away, or brings it back."""
    scenario = scenario_by_id(scenario_id, user=actor.user, needed=Role.SCHEDULER)
    if deleted and scenario.under_way:
        stop_scenario(scenario.pk, actor=actor)
    scenario.deleted_at = timezone.now() if deleted else None
    scenario.save(update_fields=["deleted_at"])
    return scenario


def think_scenario(scenario_id: uuid.UUID | str) -> None:
    """Thinks a queued scenario out, telling whoever looks how far it is; for a worker, which may be told twice.

    Raises jobs.Held where another worker thinks about it.
    """
    scenario = jobs.claim(jobs.SCENARIOS, scenario_id)
    if scenario is None:
        return
    with jobs.Hold(jobs.SCENARIOS, scenario) as hold:
        try:
            result = answer(scenario, tell=_teller(scenario), should_stop=hold.should_stop)
        except Stopped:
            jobs.end(jobs.SCENARIOS, scenario, state=ScenarioState.DRAFT)
            return
        except Exception:
            sentence = "The planner failed for a reason that is ours; ask again, or with other edits."
            jobs.end(jobs.SCENARIOS, scenario, state=ScenarioState.FAILED, error=sentence)
            raise
        jobs.end(jobs.SCENARIOS, scenario, state=ScenarioState.READY, result=result)


def _teller(scenario: Scenario) -> Callable[[int, int, str, Progress | None], None]:
    def tell(stage: int, stages: int, doing: str, now: Progress | None) -> None:
        status: dict[str, Any] = {"stage": stage, "stages": stages, "doing": doing}
        if now is not None:
            status |= {"objective": now.objective, "bound": now.bound, "unplaced": now.unplaced}
        jobs.tell(scenario.progress_key, status)

    return tell
