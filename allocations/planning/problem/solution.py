"""What the planner answers: places, what they cost, and how far from the best that could be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Placement:
    """One test in its place; days inclusive."""

    id: str
    dyno: str
    first: int
    last: int


@dataclass(frozen=True)
class Solution:
    """A plan. `bound` holds for every plan that leaves no more tests unplaced than this one."""

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
        """How far the plan may be from the best, as a share of its objective; 0 when proven."""
        if self.status == "optimal" or self.objective <= 0:
            return 0.0
        return (self.objective - self.bound) / self.objective

    def to_json(self) -> dict[str, Any]:
        """Give the solution in its published form."""
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
        """Read a solution from its published form."""
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
    """A glimpse of a search under way."""

    seconds: float
    objective: int
    bound: int
    moved: int
    unplaced: int
    steps: int

    @property
    def gap(self) -> float:
        """How far the best so far may be from the best that could be."""
        return (self.objective - self.bound) / self.objective if self.objective > 0 else 0.0
