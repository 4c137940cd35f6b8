"""The tool that places waiting requests: a plan of the planner, as a card from which rows can be removed."""

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from django.urls import reverse
from django.utils.http import urlencode

from allocations.enums import Door, PlanState, RefusalCode, RequestStatus
from allocations.exceptions import Busy, DomainError, NotFound, Refusal, Refused
from allocations.selectors import requests
from allocations.selectors.plans import plan_by_id
from allocations.services import jobs, plans
from allocations.services.unit_of_work import Actor
from assistant.tools import args as a
from assistant.tools import cards, commands
from assistant.tools.caller import Caller
from assistant.tools.commands import Draft
from assistant.tools.declaring import proposes
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from assistant.tools.row_types import Dyno, Plan, PlanItem, TestRequest

SECONDS = 5
"""How long the planner may search in a conversation; it ends sooner if the plan is proven optimal."""


class Placed(NamedTuple):
    """An item of a plan that has a place."""

    item: "PlanItem"
    dyno: "Dyno"
    days: DayRange


@proposes(
    a.PlanRequests,
    "Proposes a place for every waiting request at once, or for so many of the most urgent.",
    labels=("Planned the requests", "Planning the requests"),
)
def plan_requests(caller: Caller, args: a.PlanRequests) -> Draft:
    """Drafts a plan of the waiting requests; with `args.items`, of these of its rows only.

    Raises
    ------
    Refused
        WRONG_STATUS if no request waits, or no row is chosen; NO_PLACE, with the reasons, if none has a place; and as
        `plans.apply_plan` does.
    Busy
        If another plan or what-if of the user is being solved.
    """
    waiting = requests.request_list(caller.ground, user=caller.user).filter(status=RequestStatus.WAITING)
    number = waiting.count()
    if not number:
        raise Refused.because(RefusalCode.WRONG_STATUS, "No request waits for a place.")
    plan = _plan_by_id(caller, args.plan) if args.plan else _plan_of(caller, waiting, args.at_most)
    items = list(plan.items.select_related("request__vehicle", "request__test_type", "dyno"))
    placed = [
        Placed(item, item.dyno, DayRange(item.first_day, item.last_day))
        for item in items
        if item.dyno and item.first_day and item.last_day
    ]
    if not placed:
        reasons = [Refusal(RefusalCode.NO_PLACE, f"{item.request}: {item.reason}") for item in items[:10]]
        raise Refused(reasons or [Refusal(RefusalCode.NO_PLACE, "None of the waiting requests has a place.")])
    chosen = [place for place in placed if args.items is None or place.item.pk in args.items]
    if not chosen:
        raise Refused.because(RefusalCode.WRONG_STATUS, "Nothing is ticked; tick at least one, or reject the card.")
    step: commands.PlanStep = {"do": "plan", "plan_id": str(plan.pk)}
    if args.items is not None:
        step["items"] = sorted(place.item.pk for place in chosen)
    commands.rehearse(step, user=caller.user, look=lambda change: None)
    drawn = cards.card(
        f"Place {count(len(chosen), 'waiting request')}",
        _lines(plan, chosen, number),
        warnings=_warnings(items, chosen),
        bars=[_bar(place) for place in chosen],
        links=_links(plan, chosen),
    )
    return Draft(step, drawn)


def _plan_of(caller: Caller, waiting: "QuerySet[TestRequest]", at_most: int | None) -> "Plan":
    """Solves a new plan of the waiting requests, or of the most urgent ones: by priority, due date and age."""
    urgent = list(waiting.values_list("pk", flat=True)[:at_most]) if at_most else None
    plan = plans.ask_for_plan(
        caller.ground.pk,
        actor=Actor(caller.user, Door.ASSISTANT),
        first_day=caller.today,
        last_day=caller.today + dt.timedelta(days=plans.USUAL_DAYS),
        seconds=SECONDS,
        requests=urgent,
        name="Asked of the assistant",
    )
    try:
        plans.solve_plan(plan.pk)
    except jobs.HeldError:
        plans.stop_solving(plan.pk)
        raise Busy("Another plan or what-if of yours is being solved; wait for it, or stop it.") from None
    plan.refresh_from_db()
    if plan.state != PlanState.READY:
        raise DomainError("No plan came of it; try again in a moment.")
    return plan


def _plan_by_id(caller: Caller, plan_id: str) -> "Plan":
    plan = plan_by_id(plan_id, user=caller.user)
    if plan.ground_id != caller.ground.pk:
        raise NotFound("There is no such plan here.")
    return plan


def _lines(plan: "Plan", chosen: list[Placed], waiting: int) -> list[cards.Line]:
    """The totals, which a card shows at once, and then each place."""
    lines = [
        cards.line("Lateness", _lateness(plan, chosen)),
        cards.line("Days planned", DayRange(plan.first_day, plan.last_day)),
    ]
    if waiting > len(chosen):
        lines.append(cards.line("Go on waiting", count(waiting - len(chosen), "request")))
    return lines + [
        cards.line(named(placed.item), f"{placed.dyno.name}, {placed.days}", old="waiting") for placed in chosen
    ]


def named(item: "PlanItem") -> str:
    """Returns the vehicle and test type of a row of the plan."""
    return f"{item.test.vehicle.label}, {item.test.test_type.name}"


def _warnings(items: list["PlanItem"], chosen: list[Placed]) -> list[str]:
    warnings = [f"{item.request} stays waiting: {item.reason}" for item in items if not item.dyno_id]
    return warnings + [
        f"{placed.item.request}: {count(placed.item.late, 'day')} after its due date."
        for placed in chosen
        if placed.item.late
    ]


def _bar(placed: Placed) -> cards.Bar:
    test = placed.item.test
    return {
        "kind": "new",
        "dyno_id": placed.dyno.pk,
        "dyno": placed.dyno.name,
        "vehicle": test.vehicle.label,
        "test_type": test.test_type.name,
        "first_day": placed.days.first,
        "last_day": placed.days.last,
    }


def _lateness(plan: "Plan", chosen: list[Placed]) -> str:
    """The days late, and how far they may be from the best plan."""
    days = sum(placed.item.late for placed in chosen)
    if len(chosen) < plan.items.exclude(dyno=None).count():
        return f"{count(days, 'day')} in all"  # what is known of the whole plan does not hold for a part
    if plan.proven:
        return f"{count(days, 'day')} in all; proven, no plan is better"
    return f"{count(days, 'day')} in all; weighted, at most {plan.gap} % above the best that could be"


def _links(plan: "Plan", chosen: list[Placed]) -> list[cards.Link]:
    first = min(placed.days.first for placed in chosen)
    query = urlencode({"ground": plan.ground.code, "from": first.isoformat(), "plan": str(plan.pk)})
    return [
        {"label": "The plan on the calendar", "url": f"{reverse('allocations:schedule')}?{query}"},
        {"label": "Each place and its reason", "url": reverse("allocations:plan-detail", args=[plan.pk])},
    ]
