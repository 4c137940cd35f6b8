"""A plan under change: who stands where, and which days are still free."""

from __future__ import annotations

from .model import Model, starts_for

Plan = list[tuple[int, int] | None]


class State:
    """Places of all tests with the free days of dynos and vehicles kept beside them."""

    def __init__(self, model: Model, plan: Plan | None = None):
        self.model = model
        self.at: Plan = [None] * model.n
        self.free_dyno = list(model.free_dyno)
        self.free_vehicle = list(model.free_vehicle)
        # Start masks by dyno and length, thrown away whenever the dyno changes.
        self.starts: list[dict[int, int]] = [{} for _ in model.free_dyno]
        self.holder: list[list[int]] = [[-1] * model.horizon for _ in model.free_dyno]
        for j in range(model.n):
            if model.fixed[j]:
                self.at[j] = model.placed[j]
        if plan is not None:
            for j, at in enumerate(plan):
                if at is not None and not model.fixed[j]:
                    self.put(j, *at)

    def put(self, j: int, dyno: int, first: int) -> None:
        """Place a test; the days must be free."""
        days = self.model.days[j]
        taken = ~(((1 << days) - 1) << first)
        self.free_dyno[dyno] &= taken
        self.free_vehicle[self.model.vehicle[j]] &= taken
        self.starts[dyno] = {}
        self.holder[dyno][first : first + days] = [j] * days
        self.at[j] = (dyno, first)

    def take(self, j: int) -> None:
        """Take a placed test out of the plan."""
        dyno, first = self.at[j]
        days = self.model.days[j]
        taken = ((1 << days) - 1) << first
        self.free_dyno[dyno] |= taken
        self.free_vehicle[self.model.vehicle[j]] |= taken
        self.starts[dyno] = {}
        self.holder[dyno][first : first + days] = [-1] * days
        self.at[j] = None

    def allowed(self, j: int) -> int:
        """Give, as bits, the first days that vehicle and order leave to a test."""
        model = self.model
        days = model.days[j]
        mask = model.window[j] & starts_for(self.free_vehicle[model.vehicle[j]], days)
        before = model.before[j]
        if before >= 0:
            at = self.at[before]
            if at is None:
                return 0
            first = at[1] + model.days[before] + model.gap[j]
            mask = mask >> first << first
        for k in model.next[j]:
            at = self.at[k]
            if at is not None:
                mask &= (1 << max(0, at[1] - model.gap[k] - days + 1)) - 1
        return mask

    def best(self, j: int, dynos: tuple[int, ...] | list[int]) -> tuple[int, int] | None:
        """Find the earliest place on these dynos, the first named where days are equal; or where it stands, if that
        is cheaper."""
        model = self.model
        allowed = self.allowed(j)
        if not allowed:
            return None
        days = model.days[j]
        earliest, found = 1 << model.horizon, -1
        for dyno in dynos:
            starts = self.starts[dyno]
            mask = starts.get(days)
            if mask is None:
                mask = starts[days] = starts_for(self.free_dyno[dyno], days)
            mask &= allowed
            if mask:
                low = mask & -mask
                if low < earliest:
                    earliest, found = low, dyno
        if found < 0:
            return None
        at = (found, earliest.bit_length() - 1)
        stands = model.placed[j]
        if stands is not None and stands != at and stands[0] in dynos and 0 <= stands[1] < len(model.cost[j]):
            dyno, first = stands
            if (starts_for(self.free_dyno[dyno], days) & allowed) >> first & 1 and model.place_cost(
                j, dyno, first
            ) <= model.place_cost(j, *at):
                return stands
        return at
