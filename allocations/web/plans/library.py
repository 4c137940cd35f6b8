"""What is done with plans beside applying them: naming, thinking again, comparing, putting away."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from allocations.access import NOT_FOUND
from allocations.enums import Door, PlanState, Role
from allocations.exceptions import NotFound, Refused
from allocations.selectors.plan_figures import compare as compared
from allocations.selectors.plans import plans_of
from allocations.services import plan_library
from allocations.services.unit_of_work import Actor
from allocations.web.forms.plans import PlanWordsForm
from allocations.web.ground_context import current_ground
from allocations.web.plans.plan_pages import LIST, found_plan, queue
from dynosite.accounts.requests import UserRequest

MAX_COMPARED = 5


@require_POST
def describe(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    found_plan(request, pk, Role.SCHEDULER)
    form = PlanWordsForm(request.POST)
    if form.is_valid():
        plan_library.describe_plan(pk, actor=_actor(request), **form.cleaned_data)
        messages.success(request, "The plan's name and note are kept.")
    else:
        sentences = (str(error) for errors in form.errors.values() for error in errors)
        messages.error(request, f"Not kept. {' '.join(sentences)}")
    return redirect("allocations:plan-detail", pk)


@require_POST
def again(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    found_plan(request, pk, Role.SCHEDULER)
    try:
        plan = plan_library.plan_again(pk, actor=_actor(request))
    except Refused as refused:
        messages.error(request, refused.sentence)
        return redirect("allocations:plan-detail", pk)
    queue(plan)
    return redirect("allocations:plan-detail", plan.pk)


@require_POST
def delete(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    found_plan(request, pk, Role.SCHEDULER)
    plan = plan_library.delete_plan(pk, actor=_actor(request))
    messages.success(request, f"{plan} is deleted.")
    return redirect(f"{reverse(LIST)}?deleted={plan.pk}")


@require_POST
def restore(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    found_plan(request, pk, Role.SCHEDULER)
    plan = plan_library.restore_plan(pk, actor=_actor(request))
    messages.success(request, f"{plan} is back.")
    return redirect("allocations:plan-detail", pk)


@require_safe
def compare(request: UserRequest) -> HttpResponse:
    """Two plans or more side by side (`?plan=` for each)."""
    ground = current_ground(request)
    chosen = _ids(request)
    plans_by_id = {plan.pk: plan for plan in plans_of(ground.pk, user=request.user).filter(pk__in=chosen)}
    if len(plans_by_id) < len(chosen):
        raise NotFound(NOT_FOUND)
    ready = [plans_by_id[pk] for pk in chosen if plans_by_id[pk].state in (PlanState.READY, PlanState.APPLIED)]
    context = {
        "comparison": compared(ready) if len(ready) > 1 else None,
        "asked": len(chosen),
        "trail": [("Plans", reverse(LIST)), ("Compare", "")],
    }
    return render(request, "allocations/plans/compare.html", context)


def _ids(request: UserRequest) -> list[uuid.UUID]:
    ids = []
    for text in request.GET.getlist("plan")[:MAX_COMPARED]:
        try:
            ids.append(uuid.UUID(text))
        except ValueError:
            raise NotFound(NOT_FOUND) from None
    return list(dict.fromkeys(ids))


def _actor(request: UserRequest) -> Actor:
    return Actor(request.user, Door.PLANNER)
