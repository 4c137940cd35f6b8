"""Plans: ask for one, watch it being solved, apply all or some of it."""

import datetime as dt
import hashlib
import logging
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allocations import tasks
from allocations.enums import Door, Priority, RefusalCode, RequestStatus, Role
from allocations.exceptions import DomainError, Refused
from allocations.models import Plan, PlanItem, TestRequest
from allocations.selectors.grounds import test_types
from allocations.selectors.plan_figures import figures_of
from allocations.selectors.plans import plan_by_id, plans_of, search_curve, undo_of
from allocations.selectors.proposed_bars import plan_items
from allocations.selectors.requests import request_list
from allocations.services import jobs, plans
from allocations.services.unit_of_work import Actor
from allocations.web.domain_errors import say_done
from allocations.web.forms.plans import PlanForm
from allocations.web.ground_context import current_ground, shell_of
from allocations.web.listing import list_page, listing
from allocations.web.plans.curve import curve_of
from allocations.web.queueing import send_job
from dynosite.accounts.requests import UserRequest
from dynosite.lib.csv_files import csv_answer
from dynosite.lib.htmx import wants_fragment
from dynosite.lib.params import number_of, numbers_of

if TYPE_CHECKING:
    from allocations.selectors.plans import ListedPlan

logger = logging.getLogger(__name__)

ITEM_SORTS: dict[str, Callable[[PlanItem], Any]] = {
    "vehicle": lambda item: item.test.vehicle.label,
    "test": lambda item: item.test.test_type.name,
    "place": lambda item: item.first_day,
    "due": lambda item: item.request.due_date if item.request else None,
    "late": lambda item: item.late,
}
LIST = "allocations:plan-list"
AHEAD = dt.timedelta(days=plans.USUAL_DAYS)
SORTS = {
    "made": "made_at",
    "name": "name",
    "state": "state",
    "lateness": "objective",
    "placed": "placed",
    "moved": "moved",
    "unplaced": "unplaced",
}
SEARCH = ("name", "note", "made_by__username", "made_by__first_name", "made_by__last_name")
CSV = (
    "Plan",
    "State",
    "Made",
    "By",
    "First day",
    "Last day",
    "May move",
    "Placed",
    "Moved",
    "Without a place",
    "Lateness, weighted",
    "Cannot be below",
    "Gap %",
    "Note",
)
PICKED_FROM = ("vehicle__tag", "vehicle__vin", "vehicle__program", "test_type__name", "step", "note")


@require_safe
def index(request: UserRequest) -> HttpResponseBase:
    ground = current_ground(request)
    everything = plans_of(ground.pk, user=request.user)
    choice = request.GET.get("show", "")
    rows = everything.filter(deleted_at__isnull=choice != "deleted")
    if choice in ("ready", "applied"):
        rows = rows.filter(state=choice)
    results = listing(request, rows, search=SEARCH, sorts=SORTS, default="-made", filtered=bool(choice))
    if request.GET.get("format") == "csv":
        return csv_answer(f"plans-{ground.code.lower()}", CSV, results.rows.iterator(), _csv)
    context = {
        "shown": choice,
        "kinds": [("", "All"), ("ready", "Ready"), ("applied", "Applied"), ("deleted", "Deleted")],
        "deleted": _just_deleted(request, everything),
    }
    return list_page(request, "plans", results, context)


def _csv(plan: "ListedPlan") -> list[Any]:
    return [
        plan,
        plan.get_state_display(),
        plan.made_at,
        plan.made_by,
        plan.first_day,
        plan.last_day,
        plan.get_movable_display(),
        plan.placed,
        plan.moved,
        plan.unplaced,
        plan.objective,
        plan.bound,
        plan.gap,
        plan.note,
    ]


def _just_deleted(request: UserRequest, everything) -> Plan | None:
    try:
        pk = uuid.UUID(request.GET.get("deleted", ""))
    except ValueError:
        return None
    return everything.filter(pk=pk, deleted_at__isnull=False).first()


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: UserRequest) -> HttpResponse:
    ground = current_ground(request, Role.SCHEDULER)
    today = ground.today()
    waiting = request_list(ground, user=request.user).filter(status=RequestStatus.WAITING)
    form = PlanForm(request.POST or None, initial={"first_day": today, "last_day": today + AHEAD})
    picked = set(numbers_of(request.POST.getlist("request")))
    if request.method == "POST" and form.is_valid() and form.has_requests(picked, waiting):
        try:
            plan = plans.ask_for_plan(
                ground.pk, actor=Actor(request.user, Door.PLANNER), requests=form.requests, **form.values
            )
        except Refused as refused:
            about_days = refused.refusals[0].code != RefusalCode.TOO_MANY_AT_ONCE
            form.add_error("last_day" if about_days else None, refused.sentence)
        else:
            queue(plan)
            return redirect("allocations:plan-detail", plan.pk)
    chosen = {name: request.GET.get(name, "") for name in ("q", "test", "priority")}
    context = {
        "form": form,
        "waiting": _narrowed(waiting, chosen),
        "waiting_count": waiting.count(),
        "picked": picked if form.is_bound else None,
        "chosen": chosen,
        "test_types": test_types(ground, user=request.user),
        "priorities": Priority.choices,
        "trail": [("Plans", reverse(LIST)), ("New plan", "")],
    }
    return render(request, "allocations/plans/new.html", context, status=422 if form.is_bound else 200)


def _narrowed(rows, chosen: dict[str, str]) -> list[TestRequest]:
    """For who has no script; with it, rows are hidden where they stand and keep their ticks."""
    for word in chosen["q"][:100].split():
        condition = Q()
        for name in PICKED_FROM:
            condition |= Q(**{f"{name}__icontains": word})
        rows = rows.filter(condition)
    if (test_type := number_of(chosen["test"])) is not None:
        rows = rows.filter(test_type=test_type)
    if chosen["priority"] in Priority.values:
        rows = rows.filter(priority=chosen["priority"])
    return list(rows)


def queue(plan: Plan) -> None:
    send_job(tasks.solve_plan, jobs.PLANS, plan.pk)


@require_safe
def detail(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """The plan, or how far it is; meanwhile htmx asks again every second, and without it there is a link."""
    return _detail(request, found_plan(request, pk))


def _detail(
    request: UserRequest, plan: Plan, refused: DomainError | None = None, ticked: set[int] | None = None
) -> HttpResponse:
    items = plan_items(plan)
    by_item = getattr(refused, "by_item", {})
    context = {
        "plan": plan,
        "items": [_row(item, by_item, ticked) for item in _sorted(items, request.GET.get("sort", ""))],
        "figures": figures_of(items),
        "curve": curve_of(search_curve(plan)),
        "refused": refused,
        "overtaken": len(by_item),
        "may_apply": shell_of(request).may_schedule and plan.may_be_applied,
        "undone": undo_of(plan),
        "first_change": min((item.first_day for item in items if item.first_day), default=None),
        "agains": plan.agains.filter(deleted_at=None).order_by("made_at"),
        "trail": [("Plans", reverse(LIST)), (str(plan), "")],
    }
    template = "_plan.html" if wants_fragment(request, "plan") else "detail.html"
    response = render(request, f"allocations/plans/{template}", context, status=409 if refused else 200)
    response["Vary"] = "HX-Request, Cookie"
    return response


def _sorted(items: list[PlanItem], sort: str) -> list[PlanItem]:
    """In the plan's own order where nothing else is asked for; what has no value for the order comes last."""
    value = ITEM_SORTS.get(sort.removeprefix("-"))
    if value is None:
        return items
    having = [item for item in items if value(item) is not None]
    having.sort(key=value, reverse=sort.startswith("-"))
    return having + [item for item in items if value(item) is None]


def _row(item: PlanItem, by_item: dict, ticked: set[int] | None) -> dict[str, object]:
    """After a refusal those stay ticked that could still be applied."""
    in_the_way = [refusal.sentence for refusal in by_item.get(item.pk, ())]
    return {
        "item": item,
        "in_the_way": in_the_way,
        "ticked": not in_the_way and (ticked is None or item.pk in ticked),
    }


@require_POST
def stop(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    found_plan(request, pk, Role.SCHEDULER)
    plans.stop_solving(pk)
    return redirect("allocations:plan-detail", pk)


@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """A refusal is shown at this address, so that opened again it has to lead somewhere."""
    plan = found_plan(request, pk, Role.SCHEDULER)
    if request.method != "POST":
        return redirect("allocations:plan-detail", pk)
    chosen = numbers_of(request.POST.getlist("item"))
    try:
        key = _key(plan, chosen)
        change = plans.apply_plan(plan.pk, actor=Actor(request.user, Door.PLANNER), items=chosen, key=key)
    except DomainError as error:
        return _detail(request, plan, error, set(chosen))
    say_done(request, change)
    if request.POST.get("back") == "schedule":
        first = min((item.first_day for item in plan.items.filter(pk__in=chosen) if item.first_day), default="")
        return redirect(f"{reverse('allocations:schedule')}?from={first}")
    return redirect("allocations:plan-detail", pk)


def _key(plan: Plan, chosen: list[int]) -> str:
    """A plan is applied once, from whichever page: the same items again are the same request."""
    return f"plan-{plan.pk}:{hashlib.sha256(str(sorted(chosen)).encode()).hexdigest()[:32]}"


def found_plan(request: UserRequest, pk: uuid.UUID, needed: Role = Role.VIEWER) -> Plan:
    plan = plan_by_id(pk, user=request.user, needed=needed)
    shell_of(request).show_ground(plan.ground_id)
    return plan
