"""Plans: ask for one, watch it being thought out, apply all or some of it."""

import datetime as dt
import logging
import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from kombu.exceptions import OperationalError

from allocations import tasks
from allocations.enums import Door, PlanState, Role
from allocations.exceptions import DomainError, Refused
from allocations.models import Plan
from allocations.services import plans
from allocations.services.work import Actor
from allocations.web.context import current_ground, shell_of
from allocations.web.curve import curve_of
from allocations.web.forms.plans import PlanForm
from dynosite.lib.htmx import wants_fragment

logger = logging.getLogger(__name__)

RECENT = 20
AHEAD = dt.timedelta(days=730)


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    ground = current_ground(request, Role.SCHEDULER)
    today = ground.today()
    form = PlanForm(request.POST or None, initial={"first_day": today, "last_day": today + AHEAD})
    if request.method == "POST" and form.is_valid():
        try:
            plan = plans.ask_for_plan(ground.pk, actor=Actor(request.user, Door.PLANNER), **form.cleaned_data)
        except Refused as refused:
            form.add_error("last_day", refused.sentence)
        else:
            _queue(request, plan)
            return redirect("allocations:plan-detail", plan.pk)
    recent = plans.plans_of(ground.pk, user=request.user)[:RECENT]
    context = {"form": form, "recent": recent, "ground": ground, "waiting": shell_of(request).ground.waiting}
    return render(request, "allocations/plans/page.html", context, status=422 if form.is_bound else 200)


def _queue(request: HttpRequest, plan: Plan) -> None:
    try:
        tasks.think_plan.delay(str(plan.pk))
    except OperationalError:
        logger.warning("plan %s was not queued: no broker", plan.pk)
        Plan.objects.filter(pk=plan.pk).update(
            state=PlanState.FAILED, error="Nobody is there to think about it just now; ask again in a moment."
        )


@require_safe
def detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The plan, or how far it is; meanwhile htmx asks again every second, and without it there is a link."""
    plan = _found(request, pk)
    items = plan.items.select_related(
        "request__vehicle", "request__test_type", "allocation__vehicle", "allocation__test_type",
        "allocation__dyno", "dyno",
    )  # fmt: skip
    context = {
        "plan": plan,
        "under_way": plan.state in (PlanState.QUEUED, PlanState.THINKING),
        "items": items,
        "figures": _figures(list(items)),
        "curve": curve_of(plans.curve_of(plan)),
        "may_apply": shell_of(request).may_schedule and plan.state == PlanState.READY,
        "trail": [("Requests", reverse("allocations:request-list")), ("Plans", reverse("allocations:plan-list"))],
    }
    template = "_plan.html" if wants_fragment(request, "plan") else "detail.html"
    response = render(request, f"allocations/plans/{template}", context)
    response["Vary"] = "HX-Request, Cookie"
    return response


def _figures(items: list) -> dict[str, int]:
    return {
        "placed": sum(1 for item in items if item.request_id and item.dyno_id),
        "moved": sum(1 for item in items if item.allocation_id),
        "unplaced": sum(1 for item in items if not item.dyno_id),
        "late": sum(item.late for item in items),
    }


@require_POST
def stop(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    _found(request, pk, Role.SCHEDULER)
    plans.stop_thinking(pk)
    return redirect("allocations:plan-detail", pk)


@require_POST
def apply(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    plan = _found(request, pk, Role.SCHEDULER)
    chosen = [int(id_) for id_ in request.POST.getlist("item") if id_.isdecimal()]
    try:
        change = plans.apply_plan(
            plan.pk, actor=Actor(request.user, Door.PLANNER), items=chosen, key=f"plan-{plan.pk}"
        )
    except (Refused, DomainError) as error:
        messages.error(request, f"Nothing of the plan was applied. {error.sentence}")
    else:
        messages.success(request, change.summary)
    return redirect("allocations:plan-detail", pk)


def _found(request: HttpRequest, pk: uuid.UUID, needed: Role = Role.VIEWER) -> Plan:
    plan = plans.plan_by_id(pk, user=request.user, needed=needed)
    shell_of(request).show_ground(plan.ground_id)
    return plan
