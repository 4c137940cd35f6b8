"""Test requests: which wait, and finding them a place."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Page
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from allocations.enums import Priority, RequestStatus, Role
from allocations.models import TestRequest
from allocations.selectors.grounds import test_types
from allocations.selectors.history import history_of
from allocations.selectors.lateness import end_of, is_late
from allocations.selectors.requests import request_by_id
from allocations.services.requests import cancel_request, change_request, create_request
from allocations.web.domain_errors import AttemptResult, actor_of, attempt, key_of, say_done
from allocations.web.forms.requests import FIELDS, RequestForm
from allocations.web.ground_context import current_ground, shell_of
from allocations.web.listing import list_page, paged
from allocations.web.live import live_list
from allocations.web.requests.rows import FILTERS, list_text, rows_of, status_of
from dynosite.accounts.requests import UserRequest
from dynosite.lib.csv_files import csv_answer
from dynosite.lib.params import number_of

CSV = (
    "Vehicle",
    "Test type",
    "Step",
    "Days",
    "Earliest start",
    "Due",
    "Priority",
    "Status",
    "Dyno",
    "First day",
    "Last day",
)


@require_safe
def index(request: UserRequest) -> HttpResponseBase:
    ground = current_ground(request)
    today = ground.today()
    status = status_of(request.GET)
    chosen = {name: request.GET.get(name, "") for name in FILTERS}
    live = live_list(request)
    rows = rows_of(ground, request.GET, request.user, status=status)
    results = paged(request, rows, live=live, filtered=any(chosen.values()))
    if request.GET.get("format") == "csv":
        return csv_answer(f"requests-{ground.code.lower()}", CSV, results.rows.iterator(), _csv)
    for row in results.page_obj:
        row.late = is_late(row, today, row.place_end)
    context = {
        "today": today,
        "status": status,
        "statuses": [*RequestStatus.choices, ("all", "All")],
        "priorities": Priority.choices,
        "chosen": chosen,
        "test_types": test_types(ground, user=request.user),
        "ground": ground,
        "queue": urlencode({"list": list_text(request.GET)}),
        "list_text": list_text(request.GET),
        "picks": shell_of(request).may_schedule and _waiting_on(results.page_obj),
    }
    return list_page(request, "requests", results, context)


def _waiting_on(page: Page) -> int:
    return sum(row.status == RequestStatus.WAITING for row in page)


def _csv(row: Any) -> list[Any]:
    return [
        row.vehicle,
        row.test_type,
        row.step,
        row.days,
        row.earliest_start,
        row.due_date,
        row.get_priority_display(),
        row.get_status_display(),
        row.place_dyno,
        row.place_first,
        row.place_last,
    ]


@require_safe
def detail(request: UserRequest, pk: int) -> HttpResponse:
    return _detail(request, _wish(request, pk))


def _detail(request: UserRequest, wish: TestRequest, outcome: AttemptResult | None = None) -> HttpResponse:
    places = wish.allocations.select_related("dyno__facility", "test_type").order_by("first_day")
    today = wish.ground.today()
    live = [place for place in places if place.status != "cancelled"]
    context = {
        "wish": wish,
        "late": is_late(wish, today, max((end_of(place, today) for place in live), default=None)),
        "places": places,
        "today": wish.ground.today(),
        "may_schedule": shell_of(request).may_schedule,
        "followers": wish.followers.select_related("vehicle", "test_type"),
        "waits": wish.status == RequestStatus.WAITING and shell_of(request).may_schedule,
        "may_change": wish.status != RequestStatus.CANCELLED and shell_of(request).may_schedule,
        "history": history_of(wish, user=request.user),
        "outcome": outcome,
        "trail": [("Requests", reverse("allocations:request-list")), (str(wish), "")],
    }
    status = outcome.status if outcome else 200
    return render(request, "allocations/requests/detail.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: UserRequest) -> HttpResponse:
    ground = current_ground(request, Role.SCHEDULER)
    initial = {"vehicle": request.GET.get("vehicle", ""), "test_type": request.GET.get("test_type", "")}
    form = RequestForm(request.POST or None, ground=ground, user=request.user, initial=initial)
    outcome = None
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        outcome = attempt(
            lambda: create_request(
                data["vehicle"].pk,
                test_type_id=data["test_type"].pk,
                actor=actor_of(request),
                key=key_of(request),
                **form.values,
            )
        )
        if not outcome.refused:
            request_id = outcome.change.items[0]["id"]
            say_done(request, outcome.change)
            if "place" in request.POST:
                return redirect(f"{reverse('allocations:allocation-create')}?request={request_id}")
            return redirect("allocations:request-detail", request_id)
    return _form_page(request, form, outcome, None)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: UserRequest, pk: int) -> HttpResponse:
    wish = _wish(request, pk, Role.SCHEDULER)
    if wish.status == RequestStatus.CANCELLED:
        messages.info(request, "The request is cancelled and can no longer be changed.")
        return redirect("allocations:request-detail", pk)
    initial = {name: getattr(wish, name) for name in FIELDS}
    initial |= {"vehicle": wish.vehicle, "test_type": wish.test_type_id, "after": wish.after_id}
    initial |= {"version": wish.version, "owner": wish.created_by_id}
    form = RequestForm(request.POST or None, ground=wish.ground, user=request.user, request=wish, initial=initial)
    outcome = None
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        values = form.values | {"vehicle_id": data["vehicle"].pk, "test_type_id": data["test_type"].pk}
        outcome = attempt(
            lambda: change_request(
                pk, actor=actor_of(request), version=data["version"], key=key_of(request), **values
            )
        )
        if not outcome.refused:
            say_done(request, outcome.change, "The request is changed")
            return redirect("allocations:request-detail", pk)
    return _form_page(request, form, outcome, wish)


@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: UserRequest, pk: int) -> HttpResponse:
    wish = _wish(request, pk, Role.SCHEDULER)
    if request.method != "POST":
        trail = [("Requests", reverse("allocations:request-list")), (str(wish), _address(pk)), ("Cancel", "")]
        return render(request, "allocations/requests/cancel.html", {"wish": wish, "trail": trail})
    version = number_of(request.POST.get("version"))
    outcome = attempt(
        lambda: cancel_request(
            pk,
            version=version,
            key=key_of(request),
            actor=actor_of(request, request.POST.get("reason", "")[:500]),
        )
    )
    if outcome.refused:
        return _detail(request, wish, outcome)
    say_done(request, outcome.change)
    return redirect("allocations:request-detail", pk)


def _address(pk: int) -> str:
    return reverse("allocations:request-detail", args=[pk])


def _wish(request: UserRequest, pk: int, needed: Role = Role.VIEWER) -> TestRequest:
    wish = request_by_id(pk, user=request.user)
    shell_of(request).show_ground(wish.ground_id)
    current_ground(request, needed)
    return wish


def _form_page(
    request: UserRequest, form: RequestForm, outcome: AttemptResult | None, wish: TestRequest | None
) -> HttpResponse:
    trail = [("Requests", reverse("allocations:request-list"))]
    trail += [(str(wish), _address(wish.pk)), ("Change", "")] if wish else [("New request", "")]
    context = {"form": form, "wish": wish, "outcome": outcome, "trail": trail}
    status = outcome.status if outcome else (422 if form.is_bound else 200)
    return render(request, "allocations/requests/form.html", context, status=status)
