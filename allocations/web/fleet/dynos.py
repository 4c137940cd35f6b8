"""Dynos: the list, a page for each, and keeping them."""

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from allocations.access import windows_kept_by
from allocations.enums import Drive, Role, WeightClass
from allocations.exceptions import Invalid
from allocations.models import Dyno, ProvingGround
from allocations.models.dyno import MORE_SETTINGS
from allocations.selectors.allocations import ahead
from allocations.selectors.dynos import (
    WITH_CAPABILITIES,
    coming_allocations,
    dyno_by_id,
    dyno_list,
    dynos_that_run,
    facilities,
    windows_of,
)
from allocations.selectors.fit import Fit
from allocations.selectors.grounds import test_types
from allocations.selectors.history import row_history
from allocations.selectors.search import every_word
from allocations.services.fleet import add_dyno, change_dyno
from allocations.web.domain_errors import actor_of, attempt, key_of, say_done, warn_of_misfits
from allocations.web.forms.fleet import DynoForm, RunFormSet, runs_of
from allocations.web.ground_context import current_ground, shell_of
from allocations.web.listing import list_page, listing
from allocations.web.live import live_list
from allocations.web.schedule.free_dynos import MAX_OTHERS, FreeDynos, read_free
from dynosite.accounts.requests import UserRequest
from dynosite.lib.csv_files import csv_answer
from dynosite.lib.htmx import wants_fragment
from dynosite.lib.params import number_of

if TYPE_CHECKING:
    from allocations.selectors.dynos import ListedDyno

SEARCH = ("name", "facility__name", "notes")
SORTS = {"name": "sort_key", "facility": "facility__position", "now": "until", "free": "next_free"}
CSV = (
    "Dyno",
    "Facility",
    "Enabled",
    "Available from",
    "Available to",
    "Runs",
    "On it today",
    "Until",
    "Next free day",
    *(field.verbose_name.capitalize() for field in Dyno._meta.fields if field.name in MORE_SETTINGS),
)
CSV_FREE = ("Free on these days", "In the way")
FILTERS = ("facility", "runs", "state", "from", "to", "drive", "weight")
STATES = [
    ("", "Any state"),
    ("free", "Free today"),
    ("taken", "Taken today"),
    ("maintenance", "In maintenance today"),
    ("disabled", "Disabled"),
]


@require_safe
def index(request: UserRequest) -> HttpResponseBase:
    """The dynos; with days asked for, those that are free on all of them, and what is in the way on the others."""
    ground = current_ground(request)
    free = read_free(request.GET, ground, request.user)
    chosen = {name: request.GET.get(name, "") for name in FILTERS} | {"runs": free.test_type and free.test_type.pk}
    rows = _narrowed(dyno_list(ground, user=request.user), chosen).prefetch_related(WITH_CAPABILITIES)
    is_csv = request.GET.get("format") == "csv"
    results = listing(
        request,
        _where_free(rows, free, others=is_csv),
        search=SEARCH,
        sorts=SORTS,
        default="name",
        filtered=any(chosen.values()),
    )
    if is_csv:
        return _csv_answer(results.rows, free)
    context = {
        "chosen": chosen,
        "facilities": facilities(ground, user=request.user),
        "test_types": test_types(ground, user=request.user),
        "states": STATES,
        "drives": Drive.choices,
        "weights": WeightClass.choices,
        "today": ground.today(),
        "may_keep": shell_of(request).may_keep,
        "may_schedule": shell_of(request).may_schedule,
        "free": free,
        "others": _others(rows, free, results.text) if free.asks_days else [],
        "most_others": MAX_OTHERS,
    }
    return list_page(request, "dynos", results, context)


def _where_free(rows: QuerySet[Dyno], free: FreeDynos, *, others: bool) -> QuerySet[Dyno]:
    """Those that are free; for CSV, of the others too those that may run the test."""
    if not free.active or free.problem:
        return rows
    return rows.filter(pk__in=free.by_dyno if others and free.asks_days else free.free)


def _others(rows: QuerySet[Dyno], free: FreeDynos, text: str) -> list[Fit]:
    """What the list would show as well if it were free."""
    ids = set(rows.filter(every_word(text, SEARCH)).values_list("pk", flat=True))
    return [fit for fit in free.fits if fit.refusals and fit.dyno.pk in ids]


def _narrowed(rows: "QuerySet[ListedDyno]", chosen: dict[str, Any]) -> "QuerySet[ListedDyno]":
    if (facility_id := number_of(chosen["facility"])) is not None:
        rows = rows.filter(facility=facility_id)
    if chosen["runs"]:
        rows = rows.filter(pk__in=dynos_that_run(chosen["runs"]))
    state = chosen["state"]
    if state == "disabled":
        rows = rows.filter(enabled=False)
    if state == "free":
        rows = rows.filter(enabled=True, until__isnull=True)
    if state == "taken":
        rows = rows.filter(allocation_now__isnull=False)
    if state == "maintenance":
        rows = rows.filter(window_now__isnull=False)
    return rows


def _csv_answer(rows: QuerySet[Dyno], free: FreeDynos) -> StreamingHttpResponse:
    def cells(row: Any) -> list[Any]:
        if not free.asks_days:
            return _csv(row)
        refusals = free.by_dyno[row.pk].refusals
        return [*_csv(row), "no" if refusals else "yes", " ".join(refusal.sentence for refusal in refusals)]

    heading = (*CSV, *CSV_FREE) if free.asks_days else CSV
    return csv_answer(f"dynos-{free.ground.code.lower()}", heading, rows.iterator(chunk_size=500), cells)


def _csv(row: Any) -> list[Any]:
    now = "maintenance" if row.window_now else row.vehicle_now or row.vin_now
    runs = "; ".join(map(str, row.capabilities.all()))
    return [
        row.name,
        row.facility,
        "yes" if row.enabled else "no",
        row.available_from,
        row.available_to,
        runs,
        now,
        row.until,
        row.next_free,
        *(getattr(row, name) for name in MORE_SETTINGS),
    ]


@require_safe
def detail(request: UserRequest, pk: int) -> HttpResponse:
    dyno = _dyno(request, pk)
    context = {
        "live": live_list(request),
        "dyno": dyno,
        "today": dyno.ground.today(),
        "may_schedule": shell_of(request).may_schedule,
        "capabilities": dyno.capabilities.select_related("test_type"),
        "coming": coming_allocations(dyno),
        "windows": windows_of(dyno),
        "windows_kept": set(
            windows_kept_by(request.user, dyno.ground_id).filter(dyno=dyno).values_list("pk", flat=True)
        ),
        "history": row_history(dyno),
        "may_keep": shell_of(request).may_keep,
        "trail": [("Dynos", reverse("allocations:dyno-list")), (str(dyno), "")],
    }
    template = "_coming.html" if wants_fragment(request, "list") else "detail.html"
    return render(request, f"allocations/dynos/{template}", context)


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: UserRequest) -> HttpResponse:
    return _keep(request, current_ground(request, Role.ADMIN), None)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: UserRequest, pk: int) -> HttpResponse:
    dyno = _dyno(request, pk, Role.ADMIN)
    return _keep(request, dyno.ground, dyno)


def _keep(request: UserRequest, ground: ProvingGround, dyno: Dyno | None) -> HttpResponse:
    rows = dyno.capabilities.all() if dyno else ()
    initial = [
        {"test_type": row.test_type_id, "drives": row.drives, "weight_classes": row.weight_classes} for row in rows
    ]
    form = DynoForm(request.POST or None, instance=dyno, ground=ground)
    runs = RunFormSet(request.POST or None, initial=initial, form_kwargs={"ground": ground}, prefix="runs")
    if request.method == "POST" and form.is_valid() and runs.is_valid():
        try:
            outcome = attempt(lambda: _save(request, form, runs, dyno))
        except Invalid as invalid:
            form.take(invalid)
        else:
            if not outcome.refused:
                say_done(request, outcome.change)
                if dyno:
                    warn_of_misfits(request, ahead(dyno.allocations.all(), ground))
                dyno_id = dyno.pk if dyno else next(i["id"] for i in outcome.change.items if i["model"] == "dyno")
                return redirect("allocations:dyno-detail", dyno_id)
            form.add_error(None, outcome.sentences[0])
    trail = [("Dynos", reverse("allocations:dyno-list"))]
    if dyno:
        trail.append((dyno.name, reverse("allocations:dyno-detail", args=[dyno.pk])))
    trail.append(("Change" if dyno else "New dyno", ""))
    context = {"form": form, "runs": runs, "dyno": dyno, "trail": trail}
    return render(request, "allocations/dynos/form.html", context, status=422 if form.is_bound else 200)


def _save(request: UserRequest, form: DynoForm, runs: Any, dyno: Dyno | None) -> Any:
    actor, key = actor_of(request), key_of(request)
    if dyno:
        digest = form.seen_before
        return change_dyno(dyno.pk, seen_digest=digest, actor=actor, runs=runs_of(runs), key=key, **form.values)
    return add_dyno(actor=actor, runs=runs_of(runs), key=key, **form.values)


def _dyno(request: UserRequest, pk: int, needed: Role = Role.VIEWER) -> Dyno:
    dyno = dyno_by_id(pk, user=request.user)
    shell_of(request).show_ground(dyno.ground_id)
    current_ground(request, needed)
    return dyno
