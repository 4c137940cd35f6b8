"""The order of a vehicle's mileage steps: `5K - 75K` comes after `0K - 5K` of the same test."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

from allocations.exchange.cells import fold
from allocations.exchange.outcome import CANCELLED, REFUSED, Decision

_NUMBER = r"(\d+(?:[.,]\d+)?)\s*(k?)"
_UNIT = r"\s*(?:mi|miles|km)?"
_RANGE = re.compile(rf"{_NUMBER}{_UNIT}\s*(?:-|–|—|to)\s*{_NUMBER}{_UNIT}")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d|\s*k\b))")


@dataclass(frozen=True, order=True)
class StepRange:
    """What a vehicle has run before and after a step, in the sheet's unit of distance."""

    start: float
    end: float


def step_range(step: str) -> StepRange | None:
    """The range that a step's words name; None if they name none, or one that does not grow."""
    match = _RANGE.fullmatch(_THOUSANDS.sub("", fold(step)))
    if not match:
        return None
    first, first_unit, last, last_unit = match.groups()
    start, end = (float(number.replace(",", ".")) for number in (first, last))
    if last_unit:
        start, end = start * 1000 if first_unit or start < end else start, end * 1000
    elif first_unit:
        start *= 1000
    return StepRange(start, end) if start < end else None


def predecessors(decisions: Iterable[Decision]) -> Mapping[str, str]:
    """By the identity of a row that of the row it comes after: the same vehicle and test, up to where it begins.

    Of several that end there it is the last that starts no later; if none is known to start earlier, the last of the
    sheet. Rows whose days say the other order have none.
    """
    groups: dict[Hashable, list[tuple[StepRange, Decision]]] = defaultdict(list)
    for decision in decisions:
        steps = step_range(decision.row.detail("step"))
        if steps and decision.outcome not in (CANCELLED, REFUSED):
            groups[decision.vehicle, fold(decision.row.test_type)].append((steps, decision))
    before = {}
    for group in groups.values():
        for steps, decision in group:
            candidates = [other for other_steps, other in group if other_steps.end == steps.start]
            if nearest := _nearest(candidates, decision):
                before[decision.identity] = nearest.identity
    return before


def _nearest(candidates: list[Decision], follower: Decision) -> Decision | None:
    first = follower.row.first
    possible = [other for other in candidates if not first or not other.row.first or other.row.first <= first]
    return max(possible, key=lambda other: (other.row.first or dt.date.min, other.row.number), default=None)
