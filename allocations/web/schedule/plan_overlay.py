"""A plan that lies over the calendar (`?plan=`): its ghost bars, and the list of its changes beside the board."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Protocol

from allocations.access import NOT_FOUND
from allocations.enums import PlanState
from allocations.exceptions import NotFound
from allocations.models import Plan, PlanItem
from allocations.selectors.calendar import DynoRow
from allocations.selectors.plan_figures import PlanFigures, figures_of
from allocations.selectors.plans import plan_by_id
from allocations.selectors.proposed_bars import Ghost, ghosts_of, plan_items
from allocations.selectors.search import has_every_word
from allocations.web.schedule.query import ScheduleQuery
from dynosite.accounts.requests import UserRequest

LISTED = 300
"""Changes that stand beside the calendar; the plan's own page has all of them."""
BEFORE = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class OverlayChange:
    item: PlanItem
    address: str
    """Where its ghost bar is: on this page, or with other days."""


@dataclass(frozen=True)
class Overlay:
    plan: Plan
    items: list[PlanItem]
    figures: PlanFigures
    ghosts: dict[int, list[Ghost]]
    without: str
    """The address of the calendar without the plan."""

    @property
    def more(self) -> int:
        return max(0, len(self.items) - LISTED)

    def of_dynos(self, text: str) -> set[int]:
        """Dynos with a ghost bar that has these words on it."""
        return {
            dyno
            for dyno, ghosts in self.ghosts.items()
            if any(has_every_word(text, (ghost.vehicle, ghost.label)) for ghost in ghosts)
        }

    def changes(self, query: ScheduleQuery, *, whole: bool) -> list[OverlayChange]:
        """`whole` says that every row of the board is on the page already."""
        return [OverlayChange(item, _address(item, query, whole)) for item in self.items[:LISTED]]


def overlay_of(request: UserRequest, query: ScheduleQuery) -> Overlay | None:
    """Raises NotFound for a plan that is not this ground's; what is no id of a plan is passed over."""
    try:
        pk = uuid.UUID(query.params.get("plan", ""))
    except ValueError:
        return None
    plan = plan_by_id(pk, user=request.user)
    if plan.ground_id != query.ground.pk:
        raise NotFound(NOT_FOUND)
    items = plan_items(plan)
    ghosts = ghosts_of(items, query.days) if plan.state == PlanState.READY else {}
    return Overlay(plan, items, figures_of(items), ghosts, query.address(plan=None))


class HasGhosts(Protocol):
    @property
    def ghosts(self) -> dict[int, list[Ghost]]: ...


def hang_into(rows: list[DynoRow], overlay: HasGhosts | None) -> None:
    if overlay:
        for row in rows:
            row.ghosts = overlay.ghosts.get(row.id, [])


def _address(item: PlanItem, query: ScheduleQuery, whole: bool) -> str:
    if not (item.dyno_id and item.first_day and item.last_day):
        return ""
    if whole and item.first_day <= query.days.last and item.last_day >= query.days.first:
        return f"#ghost-{item.pk}"
    start = (item.first_day - BEFORE).isoformat()
    return f"{query.address(from_=start, to=None, whole=1)}#ghost-{item.pk}"
