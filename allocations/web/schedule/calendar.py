"""The calendar: the board, rows of it on demand, and the card of what stands on it."""

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from allocations.enums import Drive, LateKind, WeightClass
from allocations.models import Allocation
from allocations.selectors.allocations import search_ahead
from allocations.selectors.calendar import Calendar, DynoGroup, calendar
from allocations.web.ground_context import address, current_ground, shell_of
from allocations.web.live import stream_address
from allocations.web.schedule.axis import axis_of
from allocations.web.schedule.lanes import ShownRow, dynos_of, folded, with_dynos
from allocations.web.schedule.plan_overlay import Overlay, hang_into, overlay_of
from allocations.web.schedule.query import STATUSES, ZOOMS, ScheduleQuery, read_query
from allocations.web.schedule.repair_overlay import RepairOverlay, repair_overlay_of
from allocations.web.schedule.view import come_back, params_of, remember
from dynosite.accounts.requests import UserRequest
from dynosite.lib.htmx import wants_fragment
from dynosite.lib.params import numbers_of

WHOLE_UP_TO = 50
"""Dynos; a larger board sends its first rows and the others when they come near."""
ROWS_AT_ONCE = 25
FIRST_ROWS = 30
MAX_ROWS_ASKED = 250
AROUND = dt.timedelta(days=3)
"""Days shown before what is looked for."""
"""What can still be changed."""
LEGEND = (
    ("scheduled", "Scheduled"),
    ("running", "Running"),
    ("completed", "Completed"),
    *LateKind.choices,
    ("maintenance", "Maintenance"),
)


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one facility that are sent together, or the place where they will stand."""

    rows: list[ShownRow]
    address: str = ""
    """Where the rows are fetched from, if they are not here yet."""
    link: str = ""
    """The same for who has no JavaScript."""


@dataclass(frozen=True, slots=True)
class Section:
    group: DynoGroup
    blocks: list[Block]


@require_safe
def board(request: UserRequest) -> HttpResponse:
    """The page, or for htmx only the part of it that changes."""
    if not shell_of(request).grounds and "ground" not in request.GET:
        return render(request, "allocations/schedule/no_ground.html")
    ground = current_ground(request)
    if redirection := come_back(request, ground):
        return redirection
    query = read_query(params_of(request, ground), ground)
    remember(request, query)
    stream_url = stream_address(ground)
    overlay = _overlay(request, query)
    calendar = _calendar(request, query, overlay)
    sections = _sections(calendar, query)
    context = {
        **_proposed(request, query, overlay, sections),
        "stream_url": stream_url,
        **_shared(request, query, calendar),
        "sections": sections,
        "axis": axis_of(query.days, query.zoom.name, calendar.today, calendar.load, calendar.closed),
        "zooms": [(zoom.label, query.zoomed(zoom.name), zoom == query.zoom) for zoom in ZOOMS.values()],
        "statuses": [(value, label, value in query.chosen.statuses) for value, label in STATUSES],
        "drives": [(value, value in query.chosen.drives) for value in Drive.values],
        "weights": [(value, value in query.chosen.weights) for value in WeightClass.values],
        "runs": [(code, name, code in query.chosen.runs) for code, name in calendar.test_types],
        "free_for": [
            (name, min(values))
            for name in ("drive", "weight", "runs")
            if (values := getattr(query.chosen, name if name == "runs" else f"{name}s"))
        ],
        "legend": LEGEND,
        "late_kinds": LateKind.values,
        "search_form": "schedule-filters",
        "search_text": query.chosen.text,
        "elsewhere": _elsewhere(request, query) if not sections else [],
    }
    part = wants_fragment(request, "schedule")
    template = "allocations/schedule/_schedule.html" if part else "allocations/schedule/page.html"
    response = render(request, template, context)
    response["Vary"] = "HX-Request, Cookie"
    return response


@require_safe
def rows(request: UserRequest) -> HttpResponse:
    """Rows by the ids of their dynos, with the page's filters: when they come near, and when they have changed."""
    ground = current_ground(request)
    query = read_query(request.GET, ground)
    ids = set(numbers_of(request.GET.get("dynos", "").split(",")))
    changed = request.GET.get("changed") == "1"
    calendar = _calendar(request, query, _overlay(request, query), dyno_ids=None if changed else _bounded(ids))
    context = _shared(request, query, calendar)
    display = folded(calendar.rows, query)
    context["rows"] = list(with_dynos(display, ids)) if changed else display
    if changed:
        context["gone"] = sorted(_bounded(ids) - {row.id for row in calendar.rows})
        context["axis"] = axis_of(query.days, query.zoom.name, calendar.today, calendar.load)
    template = "_changed_rows.html" if changed else "_rows.html"
    return render(request, f"allocations/schedule/{template}", context)


def _elsewhere(request: UserRequest, query: ScheduleQuery) -> list[tuple[Allocation, str]]:
    """What is looked for and stands on other days, each with the board that shows it."""
    text = query.chosen.text
    allocations = search_ahead(query.ground, text, user=request.user) if text else []
    return [(allocation, query.address(from_=allocation.first_day - AROUND, to=None)) for allocation in allocations]


def _overlay(request: UserRequest, query: ScheduleQuery) -> Overlay | RepairOverlay | None:
    return overlay_of(request, query) or repair_overlay_of(query)


def _calendar(
    request: UserRequest,
    query: ScheduleQuery,
    overlay: Overlay | RepairOverlay | None,
    dyno_ids: set[int] | None = None,
) -> Calendar:
    keep = overlay.of_dynos(query.chosen.text) if overlay else ()
    result = calendar(query.ground, query.days, user=request.user, chosen=query.chosen, dyno_ids=dyno_ids, keep=keep)
    hang_into(result.rows, overlay)
    return result


def _proposed(
    request: UserRequest, query: ScheduleQuery, overlay: Overlay | RepairOverlay | None, sections: list[Section]
) -> dict[str, object]:
    if not isinstance(overlay, Overlay):
        return {"overlay": None, "repair": overlay}
    whole = not any(block.address for section in sections for block in section.blocks)
    return {
        "overlay": overlay,
        "plan_changes": overlay.changes(query, whole=whole),
        "may_apply": shell_of(request).may_schedule and overlay.plan.may_be_applied,
    }


def _shared(request: UserRequest, query: ScheduleQuery, calendar: Calendar) -> dict[str, object]:
    may_schedule = shell_of(request).may_schedule
    return {
        "query": query,
        "calendar": calendar,
        "ground": query.ground,
        "may_schedule": may_schedule,
        "booking_url": address("allocations:allocation-create") if may_schedule else "",
        "outage_url": f"{reverse('allocations:window-create')}?kind=outage&dyno=" if may_schedule else "",
        "dyno_url": address("allocations:dyno-list"),
        "bar_links": {"a": _folder("allocations:allocation-detail"), "w": _folder("allocations:window-detail")},
        "shown_dynos": len(calendar.rows),
        "now": timezone.now().astimezone(zoneinfo.ZoneInfo(query.ground.time_zone)).strftime("%H:%M"),
    }


def _folder(name: str) -> str:
    """What the addresses of such things begin with: a board has too many of them for a `reverse` each."""
    return reverse(name, args=[0]).removesuffix("0/")


def _bounded(ids: set[int]) -> set[int]:
    return set(sorted(ids)[:MAX_ROWS_ASKED])


def _sections(calendar: Calendar, query: ScheduleQuery) -> list[Section]:
    """A board of up to WHOLE_UP_TO dynos is sent as it is; of a larger one the first rows, the rest as places."""
    room = len(calendar.rows) if query.whole or len(calendar.rows) <= WHOLE_UP_TO else FIRST_ROWS
    sections: list[Section] = []
    for group in calendar.groups:
        blocks: list[Block] = []
        for rows in _batched(folded(group.rows, query), ROWS_AT_ONCE):
            dynos = sum(len(dynos_of(row)) for row in rows)
            if dynos <= room or not (sections or blocks):
                blocks.append(Block(rows))
                room -= dynos
            else:
                blocks.append(_place_of(rows, query))
                room = 0
        sections.append(Section(group, blocks))
    return sections


def _place_of(rows: list[ShownRow], query: ScheduleQuery) -> Block:
    ids = ",".join(str(dyno) for row in rows for dyno in dynos_of(row))
    address = reverse("allocations:schedule-rows") + query.address(dynos=ids)
    return Block(rows, address, link=query.address(facility=rows[0].facility_id, whole=1))


def _batched(rows: list[ShownRow], size: int) -> Iterator[list[ShownRow]]:
    """Parts of at most so many dynos, but for a single row of more."""
    batch: list[ShownRow] = []
    dynos = 0
    for row in rows:
        more = len(dynos_of(row))
        if batch and dynos + more > size:
            yield batch
            batch, dynos = [], 0
        batch.append(row)
        dynos += more
    if batch:
        yield batch
