"""Where vehicles are and how long they travel: a vehicle's free days are kept separately for each facility."""

from __future__ import annotations

from allocations.planning.problem.instance import Problem


def days_mask(first: int, last: int) -> int:
    """Return the days from first to last as bits; days before 0 are left out."""
    first = max(0, first)
    return ((1 << (last - first + 1)) - 1) << first if last >= first else 0


def _sites_apart(problem: Problem, near: set[str]) -> list[str]:
    """Return the facilities to keep separate: those with travel between them, if more than one is in use."""
    of_dynos = {problem.facilities.get(name) for name in problem.dynos}
    of_vehicles = {o.facility for o in problem.occupied}
    return sorted(near) if len((of_dynos | of_vehicles) & near) > 1 else []


class Sites:
    """The facilities by index, and the days between them. If no travel takes any days, all dynos are on one site."""

    def __init__(self, problem: Problem):
        table = {(t.origin, t.to): t.days for t in problem.travel if t.days}
        self._index: dict[str | None, int] = {None: 0}
        for name in _sites_apart(problem, set().union(*table)):
            self._index[name] = len(self._index)
        self.of_dyno = [self.named(problem.facilities.get(name)) for name in problem.dynos]
        self.count = len(self._index)
        self.days = [[0] * self.count for _ in range(self.count)]
        for (origin, to), days in table.items():
            if self.named(origin) and self.named(to):
                self.days[self.named(origin)][self.named(to)] = days

    def named(self, facility: str | None) -> int:
        """Return the index of a facility; 0 for one without travel."""
        return self._index.get(facility, 0)

    def shadow(self, site: int, first: int, last: int) -> list[int]:
        """Return, for each site, the days on which a stay here from first to last keeps the vehicle from there, as
        bits.
        """
        return [
            days_mask(first - self.days[other][site], last + self.days[site][other]) for other in range(self.count)
        ]
