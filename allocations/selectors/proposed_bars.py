"""What a plan proposes, as bars over the calendar until somebody accepts it."""

from collections.abc import Iterable
from dataclasses import dataclass

from allocations.models import Allocation, Plan, PlanItem
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count, day_range


@dataclass(frozen=True, slots=True)
class Ghost:
    """A stay that is only proposed; or, with the kind `from`, a stay that the proposal would move away."""

    key: str
    """The element's id."""
    dyno_id: int
    start: int
    """In days from the first day shown."""
    length: int
    kind: str
    """new, moved, from, or window for maintenance to be set."""
    vehicle: str
    label: str
    title: str
    url: str = ""
    late: bool = False
    """Whether it ends after its due date."""

    @property
    def hint(self) -> str:
        """What it is called if its bar has no room for that."""
        name = ", ".join(part for part in (self.vehicle, self.label) if part)
        return self.title if self.kind == "window" else f"{name}. {self.title}"


def plan_items(plan: Plan) -> list[PlanItem]:
    """Returns the items of a plan with all that pages show of them, in one query."""
    items = plan.items.select_related(
        "request__vehicle",
        "request__test_type",
        "allocation__vehicle",
        "allocation__test_type",
        "allocation__dyno",
        "dyno",
    )
    return list(items)


def ghosts_of(items: Iterable[PlanItem], days: DayRange) -> dict[int, list[Ghost]]:
    """Returns by dyno id what the items would put there within these days, and what they would move away."""
    by_dyno: dict[int, list[Ghost]] = {}
    for item in items:
        for ghost in _of_item(item, days):
            if ghost.start < days.days and ghost.start + ghost.length > 0:
                by_dyno.setdefault(ghost.dyno_id, []).append(ghost)
    return by_dyno


def _of_item(item: PlanItem, days: DayRange) -> list[Ghost]:
    if not (item.dyno and item.first_day and item.last_day):
        return []
    test, old = item.test, item.allocation
    where = f"{item.dyno}, {day_range(item.first_day, item.last_day, year=False)}"
    late = f", {count(item.late, 'day')} late" if item.late else ""
    came = f" instead of {old.dyno}, {day_range(old.first_day, old.last_day, year=False)}" if old else ""
    ghosts = [
        Ghost(
            f"ghost-{item.pk}",
            item.dyno.pk,
            (item.first_day - days.first).days,
            (item.last_day - item.first_day).days + 1,
            "moved" if old else "new",
            test.vehicle.label,
            test.test_type.name,
            f"Proposed: {where}{came}{late}",
            f"#change-{item.pk}",
            bool(item.late),
        )
    ]
    if old:
        ghosts.append(leaving(old, item.pk, f"It would move to {where}", days))
    return ghosts


def leaving(row: Allocation, key: object, words: str, days: DayRange) -> Ghost:
    """Returns the ghost of an allocation that would move away. `key` makes the element's id, `words` its title."""
    return Ghost(
        f"from-{key}",
        row.dyno_id,
        (row.first_day - days.first).days,
        row.days.days,
        "from",
        row.vehicle.label,
        row.test_type.name,
        words,
    )
