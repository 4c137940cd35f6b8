"""Search from the header of every page: a few hits of each kind, or all of one kind."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from allocations.enums import RequestStatus
from allocations.selectors.search import BY_NAME, KINDS, MAX_TEXT_LENGTH, Kind, search, search_all
from allocations.web.ground_context import current_ground
from dynosite.accounts.requests import UserRequest
from dynosite.lib.formats import count, day, day_range
from dynosite.lib.htmx import wants_fragment

IN_DROPDOWN = 4
ON_PAGE = 8
PER_PAGE = 30


@dataclass(frozen=True, slots=True)
class Hit:
    title: str
    facts: str
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    kind: Kind
    hits: list[Hit]
    more: int


@require_safe
def index(request: UserRequest) -> HttpResponse:
    """The page of results, or for htmx what drops down below the field."""
    ground = current_ground(request)
    text = " ".join(request.GET.get("q", "").split())[:MAX_TEXT_LENGTH]
    kind = BY_NAME.get(request.GET.get("kind", ""))
    dropdown = wants_fragment(request, "search-results")
    context: dict[str, Any] = {"text": text, "search_text": text, "kind": kind, "kinds": KINDS}
    if kind and not dropdown:
        page = Paginator(search(kind, text, ground, user=request.user), PER_PAGE).get_page(request.GET.get("page"))
        context["page_obj"] = page
        context["groups"] = [Group(kind, [_hit(kind, row) for row in page], 0)] if page.object_list else []
    else:
        limit = IN_DROPDOWN if dropdown else ON_PAGE
        context["groups"] = [
            Group(hits.kind, [_hit(hits.kind, row) for row in hits.rows], hits.more)
            for hits in search_all(text, ground, user=request.user, limit=limit)
        ]
    template = "_results.html" if dropdown else "page.html"
    response = render(request, f"allocations/search/{template}", context)
    response["Vary"] = "HX-Request, Cookie"
    return response


def _hit(kind: Kind, row: Any) -> Hit:
    return _HITS[kind.name](row)


def _vehicle(vehicle: Any) -> Hit:
    facts = (
        vehicle.program,
        vehicle.model_year,
        vehicle.drive,
        vehicle.weight_class,
        *(value for _, value in vehicle.details_on_bookings),
    )
    return Hit(str(vehicle), _joined(facts), reverse("allocations:vehicle-detail", args=[vehicle.pk]))


def _request(row: Any) -> Hit:
    facts = (
        row.step,
        count(row.days, "day"),
        f"waits since {day(row.created_at.date(), year=True)}" if row.status == RequestStatus.WAITING else row.status,
        f"due {day(row.due_date, year=True)}" if row.due_date else "",
    )
    title = f"{row.vehicle}: {row.test_type}"
    return Hit(title, _joined(facts), reverse("allocations:request-detail", args=[row.pk]))


def _booking(row: Any) -> Hit:
    facts = (f"on {row.dyno}", day_range(row.first_day, row.last_day), row.status)
    title = f"{row.vehicle}: {row.test_type}"
    return Hit(title, _joined(facts), reverse("allocations:allocation-detail", args=[row.pk]))


def _dyno(dyno: Any) -> Hit:
    facts = (dyno.facility.name, "" if dyno.enabled else "disabled")
    return Hit(dyno.name, _joined(facts), reverse("allocations:dyno-detail", args=[dyno.pk]))


def _test_type(test_type: Any) -> Hit:
    address = f"{reverse('allocations:schedule')}?runs={test_type.code}"
    return Hit(test_type.name, "dynos that run it, on the schedule", address)


_HITS: dict[str, Callable[[Any], Hit]] = {
    "vehicles": _vehicle,
    "requests": _request,
    "bookings": _booking,
    "dynos": _dyno,
    "tests": _test_type,
}


def _joined(facts: tuple[object, ...]) -> str:
    return " · ".join(str(fact) for fact in facts if fact)
