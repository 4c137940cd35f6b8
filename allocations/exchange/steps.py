"""The order of a vehicle's mileage steps: `5K - 75K` comes after `0K - 5K` of the same test."""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

from allocations.exchange.cells import fold
from allocations.exchange.outcome import CANCELLED, REFUSED, Decision

_NUMBER = r"(\d+(?:[.,]\d+)?)\s*(k?)"
_RANGE = re.compile(rf"{_NUMBER}\s*(?:-|–|—|to)\s*{_NUMBER}\s*(?:mi|miles|km)?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")


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

    Of several that end there it is the last that starts no later, else the last of the sheet.
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
            if candidates:
                before[decision.identity] = _nearest(candidates, decision).identity
    return before


def _nearest(candidates: list[Decision], follower: Decision) -> Decision:
    first = follower.row.first
    earlier = [other for other in candidates if first and other.row.first and other.row.first <= first]
    return max(earlier, key=lambda other: (other.row.first, other.row.number)) if earlier else candidates[-1]
