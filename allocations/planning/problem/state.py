"""A plan that is being changed: where tests are, and which days are still free."""

from __future__ import annotations

from allocations.planning.problem.model import Model, Plan
from allocations.planning.problem.stretch import Stretch


class State:
    """The places of all tests, with the free days of dynos and vehicles."""

    def __init__(self, model: Model, plan: Plan | None = None):
        self.model = model
        self.apart = model.sites.count > 1
        self.at: Plan = [None] * model.n
        self.free_dyno = list(model.free_dyno)
        self.free_vehicle = list(model.free_vehicle)
        # Start masks by dyno and stretch, dropped whenever the dyno changes.
        self.starts: list[dict[Stretch, int]] = [{} for _ in model.free_dyno]
        self.holder: list[list[int]] = [[-1] * model.horizon for _ in model.free_dyno]
        for j, place in model.fixed_at.items():
            self.at[j] = place
        if plan is not None:
            for j, at in enumerate(plan):
                if at is not None and not model.fixed[j]:
                    self.put(j, *at)

    def put(self, j: int, dyno: int, first: int) -> None:
        """Place a test; the days must be free."""
        days = self.model.ends[j][first] - first + 1
        mask = ~(((1 << days) - 1) << first)
        self.free_dyno[dyno] &= mask
        if self.apart:
            self.model.leave(
                self.free_vehicle, self.model.vehicle[j], self.model.sites.of_dyno[dyno], first, first + days - 1
            )
        else:
            self.free_vehicle[self.model.vehicle[j]] &= mask
        self.starts[dyno] = {}
        self.holder[dyno][first : first + days] = [j] * days
        self.at[j] = (dyno, first)

    def take(self, j: int) -> None:
        """Remove a test from the plan, if it is in it."""
        at = self.at[j]
        if at is None:
            return
        dyno, first = at
        days = self.model.ends[j][first] - first + 1
        mask = ((1 << days) - 1) << first
        self.free_dyno[dyno] |= mask
        self.starts[dyno] = {}
        self.holder[dyno][first : first + days] = [-1] * days
        self.at[j] = None
        if self.apart:
            self._free_again(self.model.vehicle[j])
        else:
            self.free_vehicle[self.model.vehicle[j]] |= mask

    def _free_again(self, vehicle: int) -> None:
        """Compute a vehicle's free days anew: several stays may need the same days to travel."""
        model = self.model
        seats = slice(vehicle * model.sites.count, (vehicle + 1) * model.sites.count)
        self.free_vehicle[seats] = model.free_vehicle[seats]
        for k in model.loose_of[vehicle]:
            at = self.at[k]
            if at is not None:
                model.leave(self.free_vehicle, vehicle, model.sites.of_dyno[at[0]], at[1], model.ends[k][at[1]])

    def allowed(self, j: int, seat: int) -> int:
        """Return, as bits, the first days that the vehicle and the order of tests allow. `seat` is the vehicle at a
        site.
        """
        model = self.model
        stretch = model.stretch[j]
        mask = model.window[j] & stretch.starts(self.free_vehicle[seat])
        before = model.before[j]
        if before >= 0:
            at = self.at[before]
            if at is None:
                return 0
            first = model.ends[before][at[1]] + 1 + model.gap[j]
            mask = mask >> first << first
        for k in model.next[j]:
            at = self.at[k]
            if at is not None:
                mask &= (1 << stretch.ended_by(at[1] - model.gap[k] - 1)) - 1
        return mask

    def best(self, j: int, dynos: tuple[int, ...] | list[int]) -> tuple[int, int] | None:
        """Find the earliest place on these dynos, or the place that the test has now, if that is cheaper.

        If days are equal, the dyno that comes first is taken. Returns (dyno, first day), or None.
        """
        if self.apart:
            return self._best_of_sites(j, dynos)
        return self._best(j, dynos, self.allowed(j, self.model.vehicle[j]))

    def _best_of_sites(self, j: int, dynos: tuple[int, ...] | list[int]) -> tuple[int, int] | None:
        model = self.model
        seats = [model.seat(j, dyno) for dyno in dynos]
        places = []
        for seat in set(seats):
            site_dynos = [dyno for dyno, its in zip(dynos, seats, strict=True) if its == seat]
            at = self._best(j, site_dynos, self.allowed(j, seat))
            if at is not None:
                places.append(at)
        if not places:
            return None
        earliest = min(places, key=lambda at: (at[1], dynos.index(at[0])))
        stands = model.placed[j]
        if stands in places and model.place_cost(j, *stands) <= model.place_cost(j, *earliest):
            return stands
        return earliest

    def _best(self, j: int, dynos: tuple[int, ...] | list[int], allowed: int) -> tuple[int, int] | None:
        if not allowed:
            return None
        model = self.model
        stretch = model.stretch[j]
        earliest, best_dyno = 1 << model.horizon, -1
        for dyno in dynos:
            starts = self.starts[dyno]
            mask = starts.get(stretch)
            if mask is None:
                mask = starts[stretch] = stretch.starts(self.free_dyno[dyno])
            mask &= allowed
            if mask:
                low = mask & -mask
                if low < earliest:
                    earliest, best_dyno = low, dyno
        if best_dyno < 0:
            return None
        at = (best_dyno, earliest.bit_length() - 1)
        stands = model.placed[j]
        if stands is not None and stands[0] in dynos and self._is_open(j, *stands, allowed):
            return min(stands, at, key=lambda place: model.place_cost(j, *place))
        return at

    def _is_open(self, j: int, dyno: int, first: int, allowed: int) -> bool:
        """Whether a test may begin there on one of the allowed days."""
        model = self.model
        if not 0 <= first < len(model.cost[j]):
            return False
        return bool((model.stretch[j].starts(self.free_dyno[dyno]) & allowed) >> first & 1)
