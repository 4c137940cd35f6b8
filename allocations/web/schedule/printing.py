"""The schedule on paper: every row of the view, in sheets that repeat their head on each page."""

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from allocations.enums import AllocationStatus
from allocations.selectors.calendar import Bar, Calendar, DynoGroup, calendar
from allocations.web.ground_context import current_ground
from allocations.web.schedule.axis import Axis, axis_of
from allocations.web.schedule.calendar import LEGEND
from allocations.web.schedule.query import STATUSES, ScheduleQuery, read_query
from dynosite.accounts.requests import UserRequest
from dynosite.lib.days import DayRange
from dynosite.lib.formats import day_range
from dynosite.lib.htmx import wants_fragment

DAYS_A_SHEET = 63
"""On A4 landscape a day is then 4 mm wide: a week's booking has room for its vehicle."""
_STATUS_LABELS = {"maintenance": "Maintenance", **dict(AllocationStatus.choices)}


@dataclass(frozen=True, slots=True)
class PrintedBar:
    """A bar within its sheet. `start` and `length` are days from the sheet's first; `goes_on` beyond it at an end."""

    css: str
    start: int
    length: int
    text: str
    title: str
    from_before: bool
    goes_on: bool


@dataclass(frozen=True, slots=True)
class PrintedRow:
    name: str
    runs: str
    enabled: bool
    bars: list[PrintedBar]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: the days of a part of the view, every dyno below them."""

    days: DayRange
    title: str
    axis: Axis
    groups: list[tuple[str, list[PrintedRow]]]


@require_safe
def sheets(request: UserRequest) -> HttpResponse:
    """A page of its own; for the calendar's script, which prints it in place, the sheets alone."""
    ground = current_ground(request)
    query = read_query(request.GET, ground)
    first_sheet = calendar(ground, query.days, user=request.user, chosen=query.chosen)
    context = {
        "ground": ground,
        "query": query,
        "sheets": [_sheet(request, query, days) for days in parts_of(query.days)],
        "filters": filter_words(query, first_sheet),
        "legend": LEGEND,
        "dynos": len(first_sheet.rows),
        "dynos_of_ground": first_sheet.dynos_of_ground,
        "printed_at": timezone.now().astimezone(zoneinfo.ZoneInfo(ground.time_zone)),
    }
    template = "_sheets.html" if wants_fragment(request, "print-sheets") else "print.html"
    response = render(request, f"allocations/schedule/{template}", context)
    response["Vary"] = "HX-Request, Cookie"
    return response


def parts_of(days: DayRange) -> Iterator[DayRange]:
    """The days cut into parts of at most DAYS_A_SHEET, all but the last of whole weeks where they begin so."""
    first = days.first
    while first <= days.last:
        last = min(first + dt.timedelta(days=DAYS_A_SHEET - 1), days.last)
        yield DayRange(first, last)
        first = last + dt.timedelta(days=1)


def filter_words(query: ScheduleQuery, board: Calendar) -> list[str]:
    """What narrows the view, in words."""
    chosen = query.chosen
    tests = dict(board.test_types)
    words = [f"dynos that run {tests.get(code, code)}" for code in sorted(chosen.runs)]
    words += [f"dynos that take {value}" for value in sorted(chosen.drives | chosen.weights)]
    words += [name for pk, name in board.facilities if pk == chosen.facility]
    words += [label for value, label in STATUSES if value in chosen.statuses]
    if chosen.test:
        words.append(tests.get(chosen.test, chosen.test))
    if chosen.mine:
        words.append("my bookings")
    if chosen.text:
        words.append(f'"{chosen.text}"')
    return words


def _sheet(request: UserRequest, query: ScheduleQuery, days: DayRange) -> Sheet:
    board = calendar(query.ground, days, user=request.user, chosen=query.chosen)
    return Sheet(
        days=days,
        title=day_range(days.first, days.last),
        axis=axis_of(days, "week", board.today, board.load, board.closed),
        groups=[(group.facility, _rows(group, days)) for group in board.groups],
    )


def _rows(group: DynoGroup, days: DayRange) -> list[PrintedRow]:
    return [
        PrintedRow(row.name, ", ".join(row.runs), row.enabled, [_bar(bar, days) for bar in row.bars])
        for row in group.rows
    ]


def _bar(bar: Bar, days: DayRange) -> PrintedBar:
    start = max(bar.start, 0)
    end = min(bar.start + bar.length, days.days)
    from_before, goes_on = bar.start < 0, bar.start + bar.length > days.days
    marks = {"dim": not bar.matches, "from-before": from_before, "goes-on": goes_on}
    css = " ".join([f"status-{bar.look}", *(mark for mark, on in marks.items() if on)])
    title = f"{_STATUS_LABELS[bar.status]}, {day_range(bar.first, bar.last)}"
    text = " · ".join(filter(None, (bar.vehicle, bar.label)))
    return PrintedBar(css, start, end - start, text, title, from_before, goes_on)
