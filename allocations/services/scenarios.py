"""Scenarios: what-if questions, solved beside the schedule and kept. Nothing in here writes to the schedule.

All take the role scheduler, and raise NotFound or NotAllowed. Those that change a scenario raise Refused
(WRONG_STATUS) while it is being solved.
"""

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
from allocations.selectors.scenario_edits import MAX_EDITS, read_edit
from allocations.selectors.scenarios import scenario_by_id
from allocations.services import jobs
from allocations.services.scenario_answer import ScenarioStoppedError, answer
from allocations.services.unit_of_work import Actor
from dynosite.lib.days import DayRange

MAX_SCENARIO_DAYS = 800
"""Days that a scenario looks at, at most."""


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
    """Adds a scenario without edits, as a draft.

    Parameters
    ----------
    first_day, last_day
        Days to look at, at most `MAX_SCENARIO_DAYS`.
    movable
        Which scheduled allocations may move (`Movable`).
    frozen_until
        Allocations that start by this day do not move.
    seconds
        How long the solver may search for each plan.

    Raises
    ------
    Refused
        DAYS_ORDER or DAYS_LENGTH for the days.
    """
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
    if days.days > MAX_SCENARIO_DAYS:
        sentence = f"{days.days} days are too many to look at once; {MAX_SCENARIO_DAYS} will do."
        raise Refused.because(RefusalCode.DAYS_LENGTH, sentence)


def change_scenario(scenario_id: uuid.UUID | str, *, actor: Actor, **values: Any) -> Scenario:
    """Changes the name and note of a scenario, or what it asks. Its answer is dropped if what it asks changes.

    Parameters
    ----------
    values
        Fields by name. If one of the days, `movable`, `frozen_until` or `seconds` changes, both days must be among
        them.

    Raises
    ------
    Refused
        DAYS_ORDER or DAYS_LENGTH for the days; WRONG_STATUS while it is being solved.
    """
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
    """Adds an edit to a scenario, and drops its answer.

    Parameters
    ----------
    data
        An edit as `scenario_edits.read_edit` reads it.

    Raises
    ------
    Refused
        BAD_ANSWER if the edit is not valid, or the scenario has as many as it may have; WRONG_STATUS while it is
        being solved.
    """
    scenario = _idle(scenario_id, actor)
    if len(scenario.edits) >= MAX_EDITS:
        raise Refused.because(RefusalCode.BAD_ANSWER, f"{MAX_EDITS} edits are the most that a scenario takes.")
    edit = read_edit(data)
    return _with_edits(scenario, [*scenario.edits, edit.model_dump(mode="json", exclude_none=True)])


def remove_edit(scenario_id: uuid.UUID | str, *, actor: Actor, number: int) -> Scenario:
    """Removes an edit of a scenario by its number, from 0, and drops its answer.

    Raises Refused: BAD_ANSWER if there is no such edit, WRONG_STATUS while it is being solved.
    """
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
        raise Refused.because(RefusalCode.WRONG_STATUS, "It is being solved; stop it before you change it.")
    return scenario


def ask_scenario(scenario_id: uuid.UUID | str, *, actor: Actor) -> Scenario:
    """Queues a scenario for a worker, and drops its old answer.

    Raises
    ------
    Refused
        TOO_MANY_AT_ONCE if too much is queued already (`jobs.expect_room`); WRONG_STATUS while it is being solved.
    """
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
    """Asks the worker to stop. If both plans are solved by then, what is known is kept; else the scenario is a draft
    again.
    """
    scenario = scenario_by_id(scenario_id, user=actor.user, needed=Role.SCHEDULER)
    jobs.stop(jobs.SCENARIOS, scenario.pk)


def set_deleted(scenario_id: uuid.UUID | str, *, actor: Actor, deleted: bool) -> Scenario:
    """Deletes a scenario, stopping it first, or restores it."""
    scenario = scenario_by_id(scenario_id, user=actor.user, needed=Role.SCHEDULER)
    if deleted and scenario.under_way:
        stop_scenario(scenario.pk, actor=actor)
    scenario.deleted_at = timezone.now() if deleted else None
    scenario.save(update_fields=["deleted_at"])
    return scenario


def solve_scenario(scenario_id: uuid.UUID | str) -> None:
    """Solves a queued scenario, and publishes its progress. For a worker; the same scenario may be handed out twice.

    Raises
    ------
    jobs.HeldError
        If another worker is solving it, or another job of its user.
    """
    scenario = jobs.claim(jobs.SCENARIOS, scenario_id)
    if scenario is None:
        return
    with jobs.Hold(jobs.SCENARIOS, scenario) as hold:
        try:
            result = answer(scenario, tell=_teller(scenario), should_stop=hold.should_stop)
        except ScenarioStoppedError:
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
