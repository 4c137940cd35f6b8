"""One dyno, all tests free from the same day: the classic single machine, searched as a sequence."""

from __future__ import annotations

import random

import numpy as np

from allocations.planning.problem.model import Model, Plan, bits

MAX_TESTS = 62


class Sequence:
    """The problem as a sequence of tests on one dyno from one first day on."""

    def __init__(self, model: Model, dyno: int, begin: int):
        self.model = model
        self.dyno = dyno
        self.begin = begin
        self.days = np.array(model.days)
        self.weight = np.array(model.weight)
        # As if the first day were 0 and a completion were the number of days gone by.
        self.due = np.array(model.due) + 1 - begin

    @classmethod
    def of(cls, model: Model) -> Sequence | None:
        """See the problem as a sequence, or None where it is more than that."""
        if not 1 < model.n <= MAX_TESTS or not _is_tardiness_alone(model) or not _is_on_one_dyno(model):
            return None
        dyno = model.dynos[0][0]
        begin = next((day for day in bits(model.free_dyno[dyno]) if day >= model.earliest[0]), None)
        if begin is None or max(model.earliest) > begin or not _is_free_throughout(model, dyno, begin):
            return None
        return cls(model, dyno, begin)

    def cost(self, order: np.ndarray) -> np.ndarray:
        """Give the weighted tardiness of one order, or of many (one a row)."""
        late = np.cumsum(self.days[order], axis=-1) - self.due[order]
        tardiness: np.ndarray = (np.maximum(late, 0) * self.weight[order]).sum(axis=-1)
        return tardiness

    def plan(self, order: np.ndarray) -> Plan:
        """Put an order into places."""
        plan: Plan = [None] * self.model.n
        at = self.begin
        for j in order.tolist():
            plan[j] = (self.dyno, at)
            at += self.model.days[j]
        return plan

    def order(self, plan: Plan) -> np.ndarray | None:
        """Read the order out of a plan that places everything."""
        firsts = [at[1] for at in plan if at is not None]
        if len(firsts) < len(plan):
            return None
        return np.array(sorted(range(self.model.n), key=firsts.__getitem__))


def _is_tardiness_alone(model: Model) -> bool:
    """Whether tests cost by the day on which they end and by nothing else, and each may follow each."""
    if any(model.fixed) or any(at is not None for at in model.placed) or max(model.before) >= 0:
        return False
    return model.plain and model.exact and model.problem.weights.unplaced is None


def _is_on_one_dyno(model: Model) -> bool:
    return len(set(model.dynos)) == 1 and len(model.dynos[0]) == 1


def _is_free_throughout(model: Model, dyno: int, begin: int) -> bool:
    """Whether dyno and vehicles are free from a day on until all tests could have run."""
    whole = ((1 << sum(model.days)) - 1) << begin
    masks = [model.free_dyno[dyno], *(model.free_vehicle[model.seat(j, dyno)] for j in range(model.n))]
    return all(mask & whole == whole for mask in masks)


def _moves(n: int) -> np.ndarray:
    """List the orders that one insertion or one exchange makes of 0..n-1."""
    orders = []
    for i in range(n):
        for k in range(n):
            if i != k:
                order = list(range(n))
                order.insert(k, order.pop(i))
                orders.append(order)
            if i < k - 1:
                order = list(range(n))
                order[i], order[k] = order[k], order[i]
                orders.append(order)
    return np.unique(np.array(orders), axis=0)


class SequenceSearch:
    """Descent over all insertions and exchanges, shaken and repeated. One step is one shake and its descent."""

    def __init__(self, sequence: Sequence, *, seed: int, plan: Plan):
        self.sequence = sequence
        self.model = sequence.model
        self.random = random.Random(seed)  # noqa: S311
        self.moves = _moves(self.model.n)
        order = sequence.order(plan)
        self.order = np.arange(self.model.n) if order is None else order
        self.value = int(sequence.cost(self.order))
        self.steps = 0
        self.best, self.best_cost = plan, self.model.plan_cost(plan)
        self._keep(self.order)

    def _keep(self, order: np.ndarray) -> None:
        plan = self.sequence.plan(order)
        cost = self.model.plan_cost(plan)
        if cost < self.best_cost:
            self.best, self.best_cost = plan, cost

    def step(self) -> None:
        """Shake the order, descend, and keep it if it is no worse."""
        n = self.model.n
        order = self.order.copy()
        if self.steps:
            for _ in range(2 + int(self.random.random() * 5)):
                i, k = int(self.random.random() * n), int(self.random.random() * n)
                order[i], order[k] = order[k], order[i]
        self.steps += 1
        value = int(self.sequence.cost(order))
        while True:
            orders = order[self.moves]
            costs = self.sequence.cost(orders)
            least = int(costs.argmin())
            if costs[least] >= value:
                break
            order, value = orders[least], int(costs[least])
        if value <= self.value:
            self.order, self.value = order, value
            self._keep(order)

    def adopt(self, plan: Plan) -> None:
        """Go on from a better plan that another search has found."""
        order = self.sequence.order(plan)
        if order is not None and int(self.sequence.cost(order)) < self.value:
            self.order, self.value = order, int(self.sequence.cost(order))
            self._keep(order)
