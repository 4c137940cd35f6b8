"""The page of one allocation: its facts and checks, what can be done with it, and its history."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allocations.enums import OPEN_STATUSES, AllocationStatus, Role
from allocations.models import Allocation
from allocations.rulebook import MAX_STAY_DAYS
from allocations.selectors.allocations import allocation_by_id, checks_of
from allocations.selectors.ground_rules import length_of, stretch_of
from allocations.selectors.history import history_of
from allocations.selectors.lateness import lateness_of_allocation
from allocations.selectors.places import explained, other_places, why_no_place
from allocations.selectors.running import overrun_since, progress_of
from allocations.services import booking
from allocations.services.details import change_booking
from allocations.web.domain_errors import AttemptResult, actor_of, attempt, confirmed_in, key_of, say_done
from allocations.web.forms.allocation import CancelForm, CompleteForm, DetailsForm, ExtendForm, MoveForm
from allocations.web.forms.booking import read_place
from allocations.web.ground_context import current_ground, shell_of
from dynosite.accounts.requests import UserRequest
from dynosite.lib.days import DayRange
from dynosite.lib.params import number_of


@require_safe
def detail(request: UserRequest, pk: int) -> HttpResponse:
    return _page(request, _allocation(request, pk))


@require_safe
def card(request: UserRequest, pk: int) -> HttpResponse:
    allocation = allocation_by_id(pk, user=request.user)
    shell_of(request).show_ground(allocation.ground_id)
    context = {
        "allocation": allocation,
        "checks": checks_of(allocation),
        "may_change": shell_of(request).may_schedule and allocation.status in OPEN_STATUSES,
        "overrun": overrun_since(allocation),
        "late": lateness_of_allocation(allocation),
        "page": f"{reverse('allocations:allocation-card', args=[pk]).removesuffix('card/')}",
    }
    return render(request, "allocations/schedule/_allocation_card.html", context)


@require_POST
def move(request: UserRequest, pk: int) -> HttpResponse:
    """To the dyno and days of the form, or to a place whose button was pressed."""
    allocation = _allocation(request, pk, Role.SCHEDULER)
    form = MoveForm(_of_place(request.POST, allocation), ground=allocation.ground, user=request.user)
    if not form.is_valid():
        return _page(request, allocation, form=form, status=422)
    data = form.cleaned_data
    outcome = attempt(
        lambda: booking.move(
            pk,
            dyno_id=data["dyno"].pk,
            first_day=data["first_day"],
            last_day=data["last_day"],
            rest_waits="rest" in request.POST,
            version=data["version"],
            confirmed=confirmed_in(request) | frozenset(request.POST.get("rest", "").split()),
            actor=actor_of(request),
            key=key_of(request),
        ),
        title="It cannot be moved there",
    )
    if outcome.refused:
        return _page(request, allocation, form=form, outcome=outcome, status=outcome.status)
    say_done(request, outcome.change, "Moved: {summary}")
    booked = [item["id"] for item in outcome.change.items if item["model"] == "allocation"]
    return redirect("allocations:allocation-detail", booked[-1])


def _of_place(posted: QueryDict, allocation: Allocation) -> QueryDict:
    """What was posted, with the dyno and days of a place whose button was pressed."""
    place = read_place(posted.get("place", ""))
    if not place:
        return posted
    data = posted.copy()
    dyno_id, first = place
    days = number_of(data.get("days"), largest=MAX_STAY_DAYS) or 0
    stay = stretch_of(allocation.ground_id, allocation.test_type_id, first, days) if days else None
    keeps = not days or days == _days_to_move(allocation)
    data["dyno"], data["first_day"] = str(dyno_id), first.isoformat()
    data["last_day"] = "" if keeps or stay is None else stay.last.isoformat()
    return data


def _days_to_move(allocation: Allocation) -> int:
    """The days of its length, of a running test those that it has left."""
    if allocation.status == AllocationStatus.RUNNING:
        return progress_of(allocation).remaining
    return length_of(allocation.ground_id, allocation.test_type_id, allocation.days)


@require_POST
def extend(request: UserRequest, pk: int) -> HttpResponse:
    """A running test goes on until today, or for so many days more."""
    allocation = _allocation(request, pk, Role.SCHEDULER)
    form = ExtendForm(request.POST, auto_id="extend_%s")
    if not form.is_valid():
        return _page(request, allocation, extend_form=form, status=422)
    data = form.cleaned_data
    outcome = attempt(
        lambda: booking.extend(
            pk, days=data["days"] or 0, version=data["version"], actor=actor_of(request), key=key_of(request)
        ),
        title="It cannot be extended",
    )
    return _after(request, allocation, outcome, "Extended: {summary}.", extend_form=form)


@require_POST
def start(request: UserRequest, pk: int) -> HttpResponse:
    allocation = _allocation(request, pk, Role.SCHEDULER)
    version = _version(request)
    outcome = attempt(
        lambda: booking.start(pk, version=version, actor=actor_of(request), key=key_of(request)),
        title="It cannot be started",
    )
    return _after(request, allocation, outcome, "The test runs.")


@require_POST
def change(request: UserRequest, pk: int) -> HttpResponse:
    """Note, drive and owner."""
    allocation = _allocation(request, pk, Role.SCHEDULER)
    form = DetailsForm(request.POST, allocation=allocation, auto_id="details_%s")
    if not form.is_valid():
        return _page(request, allocation, details_form=form, status=422)
    outcome = attempt(
        lambda: change_booking(
            pk, version=form.cleaned_data["version"], actor=actor_of(request), key=key_of(request), **form.values
        ),
        title="It cannot be changed like this",
    )
    return _after(request, allocation, outcome, "The booking is changed.", details_form=form)


@require_POST
def complete(request: UserRequest, pk: int) -> HttpResponse:
    allocation = _allocation(request, pk, Role.SCHEDULER)
    form = CompleteForm(request.POST, auto_id="complete_%s")
    if not form.is_valid():
        return _page(request, allocation, complete_form=form, status=422)
    data = form.cleaned_data
    outcome = attempt(
        lambda: booking.complete(
            pk, last_day=data["last_day"], version=data["version"], actor=actor_of(request), key=key_of(request)
        ),
        title="It cannot be completed",
    )
    return _after(request, allocation, outcome, "The test is completed.", complete_form=form)


@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: UserRequest, pk: int) -> HttpResponse:
    """By GET a page that says what cancelling will do."""
    allocation = _allocation(request, pk, Role.SCHEDULER)
    if allocation.status not in OPEN_STATUSES and request.method != "POST":
        messages.info(request, f"It is {allocation.status} and cannot be cancelled.")
        return redirect("allocations:allocation-detail", pk)
    form = CancelForm(request.POST or None, initial={"version": allocation.version})
    outcome = None
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        outcome = attempt(
            lambda: booking.cancel(
                pk,
                version=data["version"],
                keep_request=not data["cancel_request"],
                actor=actor_of(request, data["reason"]),
                key=key_of(request),
            )
        )
        if not outcome.refused:
            say_done(request, outcome.change)
            return redirect("allocations:allocation-detail", pk)
    status = outcome.status if outcome else (422 if form.is_bound else 200)
    context = {
        "allocation": allocation,
        "progress": progress_of(allocation) if allocation.status == AllocationStatus.RUNNING else None,
        "freed": (allocation.last_day - max(allocation.first_day, allocation.ground.today())).days + 1,
        "form": form,
        "outcome": outcome,
        "trail": [*_trail(allocation, linked=True), ("Cancel", "")],
    }
    return render(request, "allocations/allocation/cancel.html", context, status=status)


def _allocation(request: UserRequest, pk: int, needed: Role = Role.VIEWER) -> Allocation:
    allocation = allocation_by_id(pk, user=request.user)
    shell_of(request).show_ground(allocation.ground_id)
    current_ground(request, needed)
    return allocation


def _version(request: UserRequest) -> int | None:
    return number_of(request.POST.get("version"))


def _after(
    request: UserRequest, allocation: Allocation, outcome: AttemptResult, done: str, **forms: Any
) -> HttpResponse:
    if outcome.refused:
        return _page(request, allocation, outcome=outcome, status=outcome.status, **forms)
    say_done(request, outcome.change, done)
    return redirect("allocations:allocation-detail", allocation.pk)


def _trail(allocation: Allocation, *, linked: bool = False) -> list[tuple[str, str]]:
    address = f"{reverse('allocations:schedule')}?from={allocation.first_day}"
    own = reverse("allocations:allocation-detail", args=[allocation.pk]) if linked else ""
    return [("Schedule", address), (f"{allocation.vehicle} · {allocation.test_type}", own)]


def _page(
    request: UserRequest,
    allocation: Allocation,
    *,
    form: MoveForm | None = None,
    complete_form: CompleteForm | None = None,
    extend_form: ExtendForm | None = None,
    details_form: DetailsForm | None = None,
    outcome: AttemptResult | None = None,
    status: int = 200,
) -> HttpResponse:
    if outcome is not None:
        allocation = allocation_by_id(allocation.pk, user=request.user)
    today = allocation.ground.today()
    open_ = allocation.status in OPEN_STATUSES and shell_of(request).may_schedule
    running = open_ and allocation.status == AllocationStatus.RUNNING
    places, why_none = _places(request, allocation, outcome) if open_ else ([], [])
    context = {
        "allocation": allocation,
        "checks": checks_of(allocation),
        "late": lateness_of_allocation(allocation),
        "overrun": running and overrun_since(allocation),
        "progress": progress_of(allocation) if running else None,
        "may_move": open_,
        "may_start": open_ and allocation.status == AllocationStatus.SCHEDULED and allocation.first_day <= today,
        "may_complete": open_ and allocation.first_day <= today,
        "form": form or MoveForm(None, ground=allocation.ground, user=request.user, initial=_now(allocation)),
        "complete_form": complete_form or _complete_form(allocation, today),
        "extend_form": extend_form or ExtendForm(initial={"version": allocation.version}, auto_id="extend_%s"),
        "may_change": shell_of(request).may_schedule and allocation.status != AllocationStatus.CANCELLED,
        "details_form": details_form or DetailsForm(None, allocation=allocation, auto_id="details_%s"),
        "places": places,
        "why_none": why_none,
        "keeps": _days_to_move(allocation) if open_ else 0,
        "place_days": _place_days(allocation, form, outcome) if places else 0,
        "outcome": outcome,
        "history": history_of(allocation, user=request.user),
        "trail": _trail(allocation),
    }
    return render(request, "allocations/allocation/page.html", context, status=status)


def _place_days(allocation: Allocation, form: MoveForm | None, outcome: AttemptResult | None) -> int:
    """The days that a place's button stands for: those of the form that was refused, else the allocation's own."""
    if outcome and form is not None and form.is_valid() and form.cleaned_data["last_day"]:
        days = DayRange(form.cleaned_data["first_day"], form.cleaned_data["last_day"])
        return length_of(allocation.ground_id, allocation.test_type_id, days)
    return max(1, _days_to_move(allocation))


def _complete_form(allocation: Allocation, today: dt.date) -> CompleteForm:
    initial = {"last_day": min(allocation.last_day, today), "version": allocation.version}
    return CompleteForm(initial=initial, auto_id="complete_%s")


def _now(allocation: Allocation) -> dict[str, Any]:
    return {"dyno": allocation.dyno_id, "first_day": allocation.first_day, "version": allocation.version}


def _places(
    request: UserRequest, allocation: Allocation, outcome: AttemptResult | None
) -> tuple[list[Any], list[str]]:
    """After a refusal the nearest places that would do; else, when asked for, the places from its first day on.

    Where there is none, why not, dyno by dyno.
    """
    if outcome is not None:
        return explained(list(outcome.places), allocation.test_type_id, allocation.first_day), []
    if "places" not in request.GET:
        return [], []
    places = other_places(allocation, user=request.user)
    return places, [] if places else why_no_place(allocation, user=request.user)
