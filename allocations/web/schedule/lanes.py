"""Lanes alike on the calendar: one row of capacity n with the bars of all, which unfolds into the single lanes."""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from allocations.selectors.calendar import Bar, DynoRow, weekly_use
from allocations.selectors.lanes import without_number
from allocations.selectors.use import DayState, count_states
from allocations.web.schedule.query import ScheduleQuery

OCCUPIED = (DayState.BOOKED, DayState.MAINTENANCE)
DAY_WIDTHS = {"day": 84, "week": 34, "month": 17, "quarter": 8}
"""Pixels, at least, by zoom: as in calendar.css."""
WORDS_WIDTH = 46
"""Pixels that `10 of 12` takes."""


@dataclass(frozen=True, slots=True)
class Stacked:
    """A bar of one of the lanes, at one of the levels in which those at the same time stand below one another."""

    bar: Bar
    level: int
    lane: DynoRow


@dataclass(frozen=True, slots=True)
class LoadSpan:
    """Days in a row on which as many lanes are taken; `start` counts from the first day shown."""

    start: int
    length: int
    lanes: int
    of: int
    brief: bool = False
    """There is room for the number alone."""

    @property
    def words(self) -> str:
        return f"{self.lanes}" if self.brief else f"{self.lanes} of {self.of}"

    @property
    def percent(self) -> int:
        return round(100 * self.lanes / self.of)


@dataclass(frozen=True)
class LaneRow:
    """The lanes of one pool. Unfolded it heads them, and their bars stand in their own rows."""

    lanes: list[DynoRow]
    query: ScheduleQuery

    @property
    def id(self) -> int:
        return self.lanes[0].id

    @property
    def name(self) -> str:
        return without_number(self.lanes[0].name) or self.lanes[0].facility

    @property
    def span(self) -> str:
        return f"{self.lanes[0].name} – {self.lanes[-1].name}"

    @property
    def facility_id(self) -> int:
        return self.lanes[0].facility_id

    @property
    def like(self) -> DynoRow:
        """What they are alike in."""
        return self.lanes[0]

    @cached_property
    def dynos(self) -> list[int]:
        return [lane.id for lane in self.lanes]

    @cached_property
    def unfolded(self) -> bool:
        return not self.query.unfolded.isdisjoint(self.dynos)

    @property
    def toggle(self) -> str:
        """The address of the view in which these are folded or unfolded."""
        others = self.query.unfolded - set(self.dynos)
        ids = sorted(others if self.unfolded else others | {self.id})
        return self.query.address(lanes=",".join(map(str, ids)) or None)

    @cached_property
    def bars(self) -> list[Stacked]:
        return [] if self.unfolded else stacked(self.lanes)

    @property
    def levels(self) -> int:
        return max((bar.level + 1 for bar in self.bars), default=0)

    @cached_property
    def load(self) -> list[LoadSpan]:
        return taken_days(self.lanes, DAY_WIDTHS[self.query.zoom.name])

    @property
    def most_taken(self) -> int:
        return max((days.lanes for days in self.load), default=0)

    @property
    def use(self) -> int | None:
        return count_states([state for lane in self.lanes for state in lane.states]).percent

    @property
    def weekly(self) -> list[int]:
        return weekly_use((lane.states for lane in self.lanes), self.query.days)


ShownRow = DynoRow | LaneRow


def folded(rows: Iterable[DynoRow], query: ScheduleQuery) -> list[ShownRow]:
    """The rows as they are shown: lanes alike as one, where the first of them stands.

    Who looks for bars sees the lanes that have them, and a proposal is shown on the very lane that it is for.
    """
    rows = list(rows)
    if query.chosen.of_bars:
        return list(rows)
    by_id = {row.id: row for row in rows}
    visible: list[ShownRow] = []
    within: set[int] = set()
    for row in rows:
        lanes = [by_id[id_] for id_ in row.pool if id_ in by_id]
        if row.id in within:
            continue
        if not lanes or len(lanes) < len(row.pool) or any(lane.ghosts for lane in lanes):
            visible.append(row)
        else:
            within.update(row.pool)
            visible.append(LaneRow(lanes, query))
    return visible


def dynos_of(row: ShownRow) -> list[int]:
    return row.dynos if isinstance(row, LaneRow) else [row.id]


def with_dynos(visible: Iterable[ShownRow], ids: Collection[int]) -> Iterator[ShownRow]:
    """The rows on the page that show one of these dynos: unfolded lanes with their head, and apart from it."""
    for row in visible:
        if not set(ids).isdisjoint(dynos_of(row)):
            yield row
            if isinstance(row, LaneRow) and row.unfolded:
                yield from (lane for lane in row.lanes if lane.id in ids)


def stacked(lanes: Iterable[DynoRow]) -> list[Stacked]:
    """All bars of the lanes by their first day, each at the first level that is free by then."""
    ends: list[dt.date] = []
    bars: list[Stacked] = []
    pairs = [(bar, row) for row in lanes for bar in row.bars]
    for bar, lane in sorted(pairs, key=lambda pair: pair[0].first):
        level = next((number for number, end in enumerate(ends) if end <= bar.first), len(ends))
        ends[level : level + 1] = [bar.first + dt.timedelta(days=bar.held)]
        bars.append(Stacked(bar, level, lane))
    return bars


def taken_days(lanes: list[DynoRow], day_width: int) -> list[LoadSpan]:
    """How many lanes are booked or in maintenance, as days in a row on which that is the same; none where none is."""
    days_of_lanes = zip(*(row.states for row in lanes), strict=True)
    numbers = [sum(state in OCCUPIED for state in states) for states in days_of_lanes]
    spans, start = [], 0
    for number, days in groupby(numbers):
        length = len(list(days))
        if number:
            spans.append(LoadSpan(start, length, number, len(lanes), brief=length * day_width < WORDS_WIDTH))
        start += length
    return spans
