"""What the calendar shows: dynos in groups, their bars, and how busy the days are, in a fixed number of queries."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from django.db.models import Q

from allocations import access
from allocations.enums import AllocationStatus, MaintenanceKind, Role
from allocations.models import Capability, Dyno, Occupancy, ProvingGround
from allocations.rulebook import MAX_STAY_DAYS, held_to
from allocations.selectors.ground_rules import rules_of
from allocations.selectors.lanes import Lane, pools, runs_of
from allocations.selectors.lateness import Lateness, lateness_of
from allocations.selectors.proposed_bars import Ghost
from allocations.selectors.running import overrunning
from allocations.selectors.search import has_every_word
from allocations.selectors.use import DayState, count_states, presence, states_of
from dynosite.lib.days import DayRange

if TYPE_CHECKING:
    from dynosite.accounts.models import User

SPARK_BARS = 8
"""At most so many columns show how a dyno's use is spread over the days."""
OUTLOOK_DAYS = 14
LATE = "late"
"""Among the statuses of a filter: late in any way. Kinds of lateness are named there too."""


@dataclass(frozen=True, slots=True)
class CalendarFilter:
    """What the calendar shows. Capabilities and facility choose dynos; status, test, mine and text choose bars, and a
    dyno without such a bar is left out.

    Attributes
    ----------
    runs
        Codes of test types that a dyno must all run.
    drives, weights
        That one capability of each test type must all take.
    facility
        Id of the facility.
    statuses
        Statuses of allocations, kinds of lateness, or `LATE`.
    test
        Code of the test type.
    mine
        Only bookings that the user owns or has requested.
    """

    runs: frozenset[str] = frozenset()
    drives: frozenset[str] = frozenset()
    weights: frozenset[str] = frozenset()
    facility: int | None = None
    statuses: frozenset[str] = frozenset()
    test: str = ""
    mine: bool = False
    text: str = ""

    @property
    def of_bars(self) -> bool:
        return bool(self.statuses or self.test or self.mine or self.text)

    @property
    def only_text(self) -> bool:
        return bool(self.text) and not (self.statuses or self.test or self.mine)

    @property
    def of_dynos(self) -> bool:
        return bool(self.runs or self.drives or self.weights or self.facility)

    @property
    def active(self) -> bool:
        return self.of_bars or self.of_dynos


@dataclass(frozen=True, slots=True)
class Bar:
    """A stay on the calendar. `start` and `length` are in days from the first day shown; the ends may lie outside of
    the days shown.
    """

    pk: int
    """Of the allocation; of the window where the status is maintenance."""
    start: int
    length: int
    first: dt.date
    last: dt.date
    status: str
    vehicle: str
    label: str
    done: float | None = None
    late: Lateness | None = None
    matches: bool = True
    over: int = 0
    """Days after its last one through today on which it still holds its dyno."""

    @property
    def look(self) -> str:
        """How it is late, or else its status."""
        return self.late.kind if self.late else self.status

    @property
    def is_booking_that_matches(self) -> bool:
        return self.matches and self.status != "maintenance"

    @property
    def held(self) -> int:
        """Its days, and those that it runs over."""
        return self.length + self.over


@dataclass(slots=True)
class DynoRow:
    """A dyno of the calendar with its bars."""

    id: int
    name: str
    facility_id: int
    facility: str
    enabled: bool
    runs: list[str] = field(default_factory=list)
    drives: list[str] = field(default_factory=list)
    weights: list[str] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    ghosts: list[Ghost] = field(default_factory=list)
    present: DayRange | None = None
    """Those of the days shown on which the dyno is in service."""
    states: list[DayState] = field(default_factory=list)
    """The state of each of the days shown."""
    weekly: list[int] = field(default_factory=list)
    pool: tuple[int, ...] = ()
    """Ids of the lanes that are alike, itself among them: see `selectors.lanes`."""
    lanes: ClassVar[tuple["DynoRow", ...]] = ()
    """Empty: only the rows that `web.schedule.lanes` makes of a pool stand for several dynos."""

    @property
    def use(self) -> int | None:
        """Per cent, as `selectors.use` defines it."""
        return count_states(self.states).percent

    @property
    def why_unused(self) -> str:
        """Shown in place of the use if no day can be booked."""
        return "in maintenance" if DayState.MAINTENANCE in self.states else "not available"

    @property
    def names(self) -> tuple[str, str]:
        """The names by which the search finds the row itself."""
        return self.name, self.facility


@dataclass(frozen=True, slots=True)
class DynoGroup:
    facility_id: int
    facility: str
    rows: list[DynoRow]


@dataclass(frozen=True, slots=True)
class Calendar:
    days: DayRange
    today: dt.date
    groups: list[DynoGroup]
    load: list[int]
    """Per day, the use of the dynos shown, in per cent."""
    bookings: int
    outlook: int | None
    """The use of the dynos shown from today on (`OUTLOOK_DAYS`), in per cent; None if today is not shown."""
    closed: Mapping[dt.date, str]
    """Days off of the ground among the days shown, and why."""
    test_types: list[tuple[str, str]]
    facilities: list[tuple[int, str]]
    dynos_of_ground: int

    @property
    def now_column(self) -> int | None:
        """Which column of every row's `weekly` holds today."""
        if self.today not in self.days:
            return None
        return (self.today - self.days.first).days * _columns(self.days) // self.days.days

    @property
    def rows(self) -> list[DynoRow]:
        return [row for group in self.groups for row in group.rows]

    @property
    def matching(self) -> frozenset[int]:
        """The bookings that the filter leaves."""
        bars = (bar for row in self.rows for bar in row.bars)
        return frozenset(bar.pk for bar in bars if bar.is_booking_that_matches)


def calendar(
    ground: ProvingGround,
    days: DayRange,
    *,
    user: "User",
    chosen: CalendarFilter | None = None,
    dyno_ids: Collection[int] | None = None,
    keep: Collection[int] = (),
) -> Calendar:
    """Reads the board of a ground between two days.

    Parameters
    ----------
    chosen
        The filter; None shows everything.
    dyno_ids
        Show only these dynos.
    keep
        Ids of dynos that a filter of bars leaves in even without a bar that matches.
    """
    access.require(user, ground.id, Role.VIEWER)
    chosen = chosen or CalendarFilter()
    today = ground.today()

    capabilities = _capabilities(ground)
    everyone = _dynos(ground, capabilities, days)
    rows = [row for row in everyone if _is_chosen(row, capabilities[row.id], chosen)]
    if dyno_ids is not None:
        rows = [row for row in rows if row.id in dyno_ids]
    closed = rules_of(ground).calendar.closed(days)
    _fill(rows, days, today, chosen, user)
    if chosen.of_bars:
        rows = [row for row in rows if row.id in keep or _is_searched(row, chosen)]
    for row in rows:
        _count_use(row, days, closed)
    return Calendar(
        days=days,
        today=today,
        groups=_grouped(rows),
        load=_load(rows, days),
        bookings=sum(bar.is_booking_that_matches for row in rows for bar in row.bars),
        outlook=_outlook(rows, days, today),
        closed=closed,
        test_types=_test_types(capabilities),
        facilities=list(dict.fromkeys((row.facility_id, row.facility) for row in everyone)),
        dynos_of_ground=len(everyone),
    )


def _is_searched(row: DynoRow, chosen: CalendarFilter) -> bool:
    """A bar of the row matches, or the words are those of the dyno itself and nothing else narrows the bars."""
    if any(bar.matches for bar in row.bars):
        return True
    return chosen.only_text and has_every_word(chosen.text, row.names)


def _load(rows: list[DynoRow], days: DayRange) -> list[int]:
    """Per day, the use of the dynos together in per cent."""
    return [count_states([row.states[number] for row in rows]).percent or 0 for number in range(days.days)]


class _Capability(NamedTuple):
    code: str
    test_type: str
    drives: list[str]
    weights: list[str]


_Capabilities = dict[int, list[_Capability]]


def _capabilities(ground: ProvingGround) -> _Capabilities:
    by_dyno: _Capabilities = defaultdict(list)
    for dyno_id, code, name, drives, weights in Capability.objects.filter(dyno__ground=ground).values_list(
        "dyno_id", "test_type__code", "test_type__name", "drives", "weight_classes"
    ):
        by_dyno[dyno_id].append(_Capability(code, name, drives, weights))
    return by_dyno


def _test_types(capabilities: _Capabilities) -> list[tuple[str, str]]:
    return sorted({(entry.code, entry.test_type) for entries in capabilities.values() for entry in entries})


def _dynos(ground: ProvingGround, capabilities: _Capabilities, days: DayRange) -> list[DynoRow]:
    rows, lanes = [], []
    runs = runs_of(
        (dyno, capability.code, capability.drives, capability.weights)
        for dyno, some in capabilities.items()
        for capability in some
    )
    for id_, name, facility_id, facility, enabled, *available in (
        Dyno.objects.filter(ground=ground)
        .order_by("facility__position", "facility__name", "facility_id", "sort_key")
        .values_list("id", "name", "facility_id", "facility__name", "enabled", "available_from", "available_to")
    ):
        row = DynoRow(id_, name, facility_id, facility, enabled)
        row.present = presence(days, enabled=enabled, available_from=available[0], available_to=available[1])
        lanes.append(Lane(id_, name, facility_id, runs.get(id_), (enabled, *available)))
        row.runs = sorted({capability.test_type for capability in capabilities[id_]})
        row.drives = sorted({drive for capability in capabilities[id_] for drive in capability.drives})
        row.weights = sorted({weight for capability in capabilities[id_] for weight in capability.weights})
        rows.append(row)
    by_dyno = pools(lanes)
    for row in rows:
        row.pool = by_dyno.get(row.id, ())
    return rows


def _is_chosen(row: DynoRow, capabilities: Iterable[_Capability], chosen: CalendarFilter) -> bool:
    if chosen.facility and row.facility_id != chosen.facility:
        return False
    if not (chosen.runs or chosen.drives or chosen.weights):
        return True
    fitting = {
        capability.code
        for capability in capabilities
        if chosen.drives <= set(capability.drives) and chosen.weights <= set(capability.weights)
    }
    return bool(fitting) and chosen.runs <= fitting


def _fill(rows: list[DynoRow], days: DayRange, today: dt.date, chosen: CalendarFilter, user: "User") -> None:
    """Adds each stay to its row as a bar."""
    by_id = {row.id: row for row in rows}
    stays = (
        Occupancy.objects.filter(
            Q(last_day__gte=days.first) & Q(first_day__gt=days.first - dt.timedelta(days=MAX_STAY_DAYS))
            | _overrunning_into(days, today),
            dyno_id__in=list(by_id),
            first_day__lte=days.last,
        )
        .order_by("first_day")
        .values_list(
            "dyno_id",
            "first_day",
            "last_day",
            "allocation_id",
            "allocation__status",
            "allocation__vehicle__tag",
            "allocation__vehicle__vin",
            "allocation__vehicle__team",
            "allocation__vehicle__program",
            "allocation__test_type__code",
            "allocation__test_type__name",
            "allocation__created_by_id",
            "allocation__request__created_by_id",
            "allocation__request__due_date",
            "window_id",
            "window__kind",
            "window__reason",
        )
    )
    for (
        dyno_id,
        first,
        last,
        allocation_id,
        status,
        tag,
        vin,
        team,
        program,
        test_code,
        test,
        created_by_id,
        requested_by_id,
        due,
        window_id,
        kind,
        reason,
    ) in stays:
        start, length = (first - days.first).days, (last - first).days + 1
        if allocation_id is None:
            label = reason or MaintenanceKind(kind).label
            matches = not chosen.of_bars
            bar = Bar(window_id, start, length, first, last, "maintenance", "", label, matches=matches)
        else:
            late = lateness_of(status, first, last, due, today)
            matches = (
                _has_status(status, late, chosen)
                and chosen.test in ("", test_code)
                and (not chosen.mine or user.pk in (created_by_id, requested_by_id))
                and has_every_word(chosen.text, (tag, vin or "", test, team, program, *by_id[dyno_id].names))
            )
            bar = Bar(
                allocation_id,
                start,
                length,
                first,
                last,
                status,
                tag or vin or "",
                test,
                done=_done(first, length, today) if status == AllocationStatus.RUNNING else None,
                late=late,
                matches=matches,
                over=(today - last).days if held_to(status, last, today) else 0,
            )
        by_id[dyno_id].bars.append(bar)


def _has_status(status: str, late: Lateness | None, chosen: CalendarFilter) -> bool:
    """Whether a booking is one of the statuses chosen, or late in a way that is."""
    if not chosen.statuses or status in chosen.statuses:
        return True
    return late is not None and (LATE in chosen.statuses or late.kind in chosen.statuses)


def _overrunning_into(days: DayRange, today: dt.date) -> Q:
    return overrunning(today, "allocation__") if today >= days.first else Q(pk__in=())


def _done(first: dt.date, length: int, today: dt.date) -> float:
    """Per cent of a running test's bar up to the middle of today, where the calendar draws its line."""
    return round(max(0.0, min(100.0, ((today - first).days + 0.5) / length * 100)), 3)


def _count_use(row: DynoRow, days: DayRange, closed: Mapping[dt.date, str]) -> None:
    def stays(maintenance: bool) -> list[DayRange]:
        return [
            DayRange(bar.first, bar.first + dt.timedelta(days=bar.held - 1))
            for bar in row.bars
            if (bar.status == "maintenance") == maintenance
        ]

    row.states = states_of(days, present=row.present, booked=stays(False), maintenance=stays(True), closed=closed)
    row.weekly = weekly_use([row.states], days)


def weekly_use(dynos: Iterable[Sequence[DayState]], days: DayRange) -> list[int]:
    """Returns the use of some dynos together in each of the spark's columns, in per cent.

    Parameters
    ----------
    dynos
        Per dyno the state of each of the days.
    """
    every = list(dynos)
    columns = _columns(days)
    edges = [-(-days.days * column // columns) for column in range(columns + 1)]
    return [
        count_states([state for states in every for state in states[start:end]]).percent or 0
        for start, end in pairwise(edges)
    ]


def _columns(days: DayRange) -> int:
    return min(SPARK_BARS, max(1, days.days // 7))


def _outlook(rows: list[DynoRow], days: DayRange, today: dt.date) -> int | None:
    if today not in days:
        return None
    coming = slice((today - days.first).days, (today - days.first).days + OUTLOOK_DAYS)
    return count_states([state for row in rows for state in row.states[coming]]).percent


def _grouped(rows: list[DynoRow]) -> list[DynoGroup]:
    return [
        DynoGroup(facility_id, facility, list(members))
        for (facility_id, facility), members in groupby(rows, key=lambda row: (row.facility_id, row.facility))
    ]
