"""The figures of a plan: of one, and of several side by side."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from allocations.models import Allocation, Plan, PlanItem, TestRequest
from allocations.selectors.proposed_bars import plan_items
from dynosite.lib.formats import day_range

REASONS = 3


@dataclass(frozen=True, slots=True)
class PlanFigures:
    placed: int
    moved: int
    unplaced: int
    late_tests: int
    late_days: int
    reasons: tuple[tuple[str, int], ...] = ()
    """Why tests have no place and how many share the reason, the most frequent first."""
    late_placed: int = 0

    @property
    def in_time(self) -> int:
        """Of the requests placed, those that keep their due date or have none."""
        return self.placed - self.late_placed


def figures_of(items: Iterable[PlanItem]) -> PlanFigures:
    """Counts what a plan's items come to."""
    items = list(items)
    reasons = Counter(item.reason for item in items if not item.dyno_id and item.reason)
    return PlanFigures(
        placed=_count(items, "request_id", "dyno_id"),
        moved=_count(items, "allocation_id", "dyno_id"),
        unplaced=len(items) - _count(items, "dyno_id"),
        late_tests=_count(items, "late"),
        late_days=sum(item.late for item in items),
        reasons=tuple(reasons.most_common(REASONS)),
        late_placed=_count(items, "request_id", "dyno_id", "late"),
    )


def _count(items: Sequence[PlanItem], *names: str) -> int:
    """How many have all of these."""
    return sum(all(getattr(item, name) for name in names) for item in items)


@dataclass(frozen=True, slots=True)
class Differing:
    """One test, and what each of the plans says of it."""

    about: str
    cells: tuple[tuple[str, int], ...]
    """By plan, the place and the days late."""


@dataclass(frozen=True, slots=True)
class PlanColumn:
    plan: Plan
    figures: PlanFigures


@dataclass(frozen=True, slots=True)
class Comparison:
    columns: list[PlanColumn]
    differing: list[Differing]
    alike: int
    """Tests that all of the plans put in the same place."""


def compare(plans: Sequence[Plan]) -> Comparison:
    """Compares plans: the figures of each, and the tests that they put in different places."""
    columns: list[PlanColumn] = []
    items_by_plan: list[dict[tuple[int | None, int | None], PlanItem]] = []
    tests: dict[tuple[int | None, int | None], TestRequest | Allocation] = {}
    for plan in plans:
        items = plan_items(plan)
        columns.append(PlanColumn(plan, figures_of(items)))
        items_by_plan.append({(item.request_id, item.allocation_id): item for item in items})
        tests.update({key: item.test for key, item in items_by_plan[-1].items()})
    differing = []
    for key, test in tests.items():
        answers = [by_test.get(key) for by_test in items_by_plan]
        places = tuple(_place(item, test) for item in answers)
        if len(set(places)) > 1:
            late = [item.late if item else 0 for item in answers]
            cells = tuple(zip(places, late, strict=True))
            differing.append(Differing(f"{test.vehicle.label}, {test.test_type.name}", cells))
    differing.sort(key=lambda row: row.about)
    return Comparison(columns, differing, len(tests) - len(differing))


def _place(item: PlanItem | None, test: object) -> str:
    if item is None:
        return "stays" if hasattr(test, "dyno_id") else "not asked for"
    if not (item.dyno and item.first_day and item.last_day):
        return "no place"
    return f"{item.dyno}, {day_range(item.first_day, item.last_day)}"
