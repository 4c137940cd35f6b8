"""What the planner returns: places, their cost, and how far from the best possible plan they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Placement:
    """One test in its place. Days count from 0, both ends inclusive."""

    id: str
    dyno: str
    first: int
    last: int


@dataclass(frozen=True)
class Solution:
    """A plan.

    Attributes
    ----------
    status
        "optimal" if bound and objective meet, else "feasible".
    objective
        Weighted days late, plus the price of the moves.
    bound
        No plan that leaves as few tests unplaced has a lower objective.
    moved
        How many tests have left their places.
    seconds
        How long the search took.
    """

    status: str
    objective: int
    bound: int
    moved: int
    seconds: float
    placements: tuple[Placement, ...] = ()
    unplaced: tuple[str, ...] = ()
    steps: int = field(default=0, compare=False)

    @property
    def gap(self) -> float:
        """How far the plan may be from the best, as a share of its objective (0 to 1); 0 if it is proven optimal."""
        if self.status == "optimal" or self.objective <= 0:
            return 0.0
        return (self.objective - self.bound) / self.objective

    def to_json(self) -> dict[str, Any]:
        """Return the solution in its published form."""
        return {
            "status": self.status,
            "objective": self.objective,
            "bound": self.bound,
            "gap": round(self.gap, 4),
            "moved": self.moved,
            "seconds": round(self.seconds, 3),
            "placements": [{"id": p.id, "dyno": p.dyno, "first": p.first, "last": p.last} for p in self.placements],
            "unplaced": list(self.unplaced),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Solution:
        """Read a solution from its published form. Raises KeyError if a field is missing."""
        return cls(
            status=data["status"],
            objective=data["objective"],
            bound=data["bound"],
            moved=data.get("moved", 0),
            seconds=data.get("seconds", 0.0),
            placements=tuple(Placement(p["id"], p["dyno"], p["first"], p["last"]) for p in data["placements"]),
            unplaced=tuple(data.get("unplaced", ())),
        )


@dataclass(frozen=True)
class Progress:
    """How far a search is; the fields are those of Solution, with the number of tests `unplaced`."""

    seconds: float
    objective: int
    bound: int
    moved: int
    unplaced: int
    steps: int

    @property
    def gap(self) -> float:
        """How far the best plan so far may be from the best possible, as a share of its objective."""
        return (self.objective - self.bound) / self.objective if self.objective > 0 else 0.0
