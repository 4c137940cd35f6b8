"""Places found the slow and obvious way: day by day, dyno by dyno. What the one SQL query is held against."""

from collections.abc import Iterable
from dataclasses import dataclass

FOR_EVER = 10_000


@dataclass(frozen=True)
class NaiveDyno:
    """`rows` are (drives, weight classes) for the test in question, `breadth` counts those of all tests."""

    name: str
    rows: tuple[tuple[frozenset[str], frozenset[str]], ...]
    breadth: int
    enabled: bool = True
    available: range = range(-10_000, 10_000)

    def takes(self, drive: str, weight: str) -> bool:
        return self.enabled and any(drive in drives and weight in weights for drives, weights in self.rows)


@dataclass(frozen=True)
class Taken:
    dyno: str
    first: int
    last: int
    vehicle: str | None = None

    def covers(self, day: int) -> bool:
        return self.first <= day <= self.last


def places(
    dynos: Iterable[NaiveDyno],
    taken: Iterable[Taken],
    *,
    vehicle: str | None,
    drive: str,
    weight: str,
    days: int,
    first: int,
    latest: int,
    near: int | None = None,
) -> list[tuple[str, int]]:
    """(dyno, first day) of one place a gap, best first. Days are numbers."""
    near = first if near is None else near
    stays = list(taken)
    found = []
    for dyno in dynos:
        if not dyno.takes(drive, weight):
            continue
        free = [
            day
            for day in range(first, latest + days)
            if day in dyno.available
            and not any(stay.covers(day) for stay in stays if stay.dyno == dyno.name)
            and not any(stay.covers(day) for stay in stays if vehicle and stay.vehicle == vehicle)
        ]
        for gap in _runs(free):
            starts = [day for day in gap if day + days - 1 in gap]
            if starts:
                start = min(starts, key=lambda day: abs(day - near))
                found.append((abs(start - near), dyno.breadth, len(gap) - days, dyno.name, start))
    return [(name, start) for *_, name, start in sorted(found)]


def _runs(days: list[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs
