"""What is late, the longest first: tests past their end, tests not started, tests that will miss their due date."""

from typing import Any

from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from allocations.enums import LateKind, RequestStatus
from allocations.selectors.lateness import late_allocations, late_counts, late_requests, lateness_of_allocation
from allocations.selectors.requests import request_list
from allocations.selectors.search import ALLOCATION_FIELDS
from allocations.web.ground_context import current_ground, shell_of
from allocations.web.listing import list_page, listing
from dynosite.accounts.requests import UserRequest
from dynosite.lib.csv_files import csv_answer

SORTS = {
    "late": "days_late",
    "kind": "late_kind",
    "vehicle": "vehicle__tag",
    "test": "test_type__name",
    "dyno": "dyno__sort_key",
    "first": "first_day",
    "due": "request__due_date",
}
CSV = ("Vehicle", "Test type", "Dyno", "First day", "Last day", "Status", "Late", "Days late", "Due", "Why")


@require_safe
def index(request: UserRequest) -> HttpResponseBase:
    ground = current_ground(request)
    every = late_allocations(ground, user=request.user)
    kind = request.GET.get("kind", "")
    rows = every.filter(late_kind=kind) if kind in LateKind.values else every
    results = listing(
        request, rows, search=ALLOCATION_FIELDS, sorts=SORTS, default="-late", filtered=kind in LateKind.values
    )
    if request.GET.get("format") == "csv":
        return csv_answer(f"late-{ground.code.lower()}", CSV, results.rows.iterator(), _csv)
    for row in results.page_obj:
        row.late = lateness_of_allocation(row)
    counts = late_counts(every)
    waiting = request_list(ground, user=request.user).filter(status=RequestStatus.WAITING)
    context = {
        "kind": kind,
        "kinds": [
            ("", "All", sum(counts.values())),
            *((late_kind, late_kind.label, counts[late_kind]) for late_kind in LateKind),
        ],
        "waiting": waiting.filter(late_requests(ground.today())).count(),
        "may_schedule": shell_of(request).may_schedule,
    }
    return list_page(request, "late", results, context)


def _csv(row: Any) -> list[Any]:
    late = lateness_of_allocation(row)
    return [
        row.vehicle,
        row.test_type,
        row.dyno,
        row.first_day,
        row.last_day,
        row.get_status_display(),
        LateKind(row.late_kind).label,
        row.days_late,
        row.request and row.request.due_date,
        late and late.sentence,
    ]
