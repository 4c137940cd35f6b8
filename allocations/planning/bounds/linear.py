"""The day-indexed model as a linear or integer program, through OR-tools (GLOP and HiGHS)."""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

from allocations.planning.bounds.columns import UNPLACED, Columns, Rows
from allocations.planning.problem.model import Model, Plan

# A bound from floating-point prices is rounded up to a whole number only past this.
SLACK = 1e-5
# The relaxation ends when a round proves a bound this near to what the next could.
CLOSE = 5e-3
ROUNDING = 1e-14
NEVER = 1 << 62


@dataclass
class Priced:
    """An LP's outcome: a true bound, what proves it, and, for each column, the least that a plan with it costs."""

    bound: float
    through: np.ndarray
    value: np.ndarray
    price: np.ndarray
    """Of each row: what one more of its limit would lower the bound by, at the most."""


def whole(bound: float) -> int:
    """Round a bound up to the next whole number, with room for rounding errors; what nothing meets is very high."""
    if bound == math.inf:
        return NEVER
    return math.ceil(bound - SLACK * max(1.0, abs(bound) / 1000))


def _program(model: Model, columns: Columns, rows: Rows, *, integer: bool) -> mathopt.Model:
    count, tests = len(columns), model.n
    proto = model_pb2.ModelProto()
    variables = proto.variables
    variables.ids.extend(range(count))
    variables.lower_bounds.extend([0.0] * count)
    variables.upper_bounds.extend([1.0] * count if integer else [math.inf] * count)
    variables.integers.extend([integer] * count)
    constraints = proto.linear_constraints
    total = tests + len(rows.limit)
    constraints.ids.extend(range(total))
    constraints.lower_bounds.extend([1.0] * tests + [-math.inf] * len(rows.limit))
    constraints.upper_bounds.extend([1.0] * tests + rows.limit.tolist())
    used = np.flatnonzero(columns.cost)
    proto.objective.linear_coefficients.ids.extend(used.tolist())
    proto.objective.linear_coefficients.values.extend(columns.cost[used].astype(float).tolist())
    row = np.concatenate([columns.test, rows.row + tests])
    column = np.concatenate([np.arange(count), rows.column])
    value = np.concatenate([np.ones(count), rows.value])
    order = np.lexsort((column, row))
    matrix = proto.linear_constraint_matrix
    matrix.row_ids.extend(row[order].tolist())
    matrix.column_ids.extend(column[order].tolist())
    matrix.coefficients.extend(value[order].tolist())
    return mathopt.Model.from_model_proto(proto)


def _seconds(limit: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=max(0.05, limit))


def lagrangian(model: Model, columns: Columns, rows: Rows, price: np.ndarray) -> tuple[float, np.ndarray]:
    """Give the bound that prices on the rows prove, and the least cost of a plan through each column.

    Any prices that are not negative prove a true bound, however they were come by.
    """
    reduced = columns.cost + np.bincount(rows.column, rows.value * price[rows.row], minlength=len(columns))
    least = np.full(model.n, np.inf)
    np.minimum.at(least, columns.test, reduced)
    # What rounding may have added: a share of all that was summed up.
    room = float(price @ rows.limit)
    bound = float(least.sum()) - room
    if bound < math.inf:
        bound -= ROUNDING * (float(np.abs(least).sum()) + 2 * room * model.n)
    return bound, bound - least[columns.test] + reduced


def _part(columns: Columns, rows: Rows, some: np.ndarray, active: np.ndarray) -> tuple[Columns, Rows]:
    """Give the program over some columns and the active rows alone."""
    inside = active[rows.row] & some[rows.column]
    number = np.cumsum(active) - 1
    place = np.cumsum(some) - 1
    return columns.keep(some), Rows(
        number[rows.row[inside]], place[rows.column[inside]], rows.value[inside], rows.limit[active]
    )


def _load(rows: Rows, value: np.ndarray) -> np.ndarray:
    return np.bincount(rows.row, rows.value * value[rows.column], minlength=len(rows.limit))


def _tight(model: Model, columns: Columns, rows: Rows, chosen: np.ndarray) -> np.ndarray:
    """Guess the rows that matter: full in the plan, or broken when each test takes its cheapest place."""
    order = np.lexsort((columns.first, columns.cost, columns.test))
    cheap = np.zeros(len(columns))
    cheap[order[np.unique(columns.test[order], return_index=True)[1]]] = 1.0
    return (_load(rows, chosen) >= rows.limit - 0.5) | (_load(rows, cheap) > rows.limit)


class _Relaxation:
    """The program over some of the columns and rows, which grows where that proves too few."""

    def __init__(
        self, model: Model, columns: Columns, rows: Rows, *, start: np.ndarray | None, chosen: np.ndarray | None
    ):
        self.model = model
        self.columns = columns
        self.rows = rows
        self.objective = math.inf
        self.some = np.ones(len(columns), dtype=bool) if start is None else start.copy()
        self.some[np.unique(columns.test, return_index=True)[1]] = True
        if chosen is None:
            self.active = np.ones(len(rows.limit), dtype=bool)
        else:
            self.active = _tight(model, columns, rows, chosen.astype(float))

    def solve(self, until: float) -> Priced | None:
        """Solve the part, or the whole of the columns where the part has no plan; None when the time did not do."""
        columns, rows = self.columns, self.rows
        part, few = _part(columns, rows, self.some, self.active)
        program = _program(self.model, part, few, integer=False)
        params = mathopt.SolveParameters(time_limit=_seconds(until - time.monotonic()))
        result = mathopt.solve(program, mathopt.SolverType.GLOP, params=params)
        reason = result.termination.reason
        if reason == mathopt.TerminationReason.INFEASIBLE:
            return self._without_plan(until)
        if reason != mathopt.TerminationReason.OPTIMAL or not result.has_dual_feasible_solution():
            return None
        constraints = sorted(program.linear_constraints(), key=lambda c: c.id)
        price = np.zeros(len(rows.limit))
        price[self.active] = np.maximum(0.0, -np.array(result.dual_values(constraints[self.model.n :])))
        value = np.zeros(len(columns))
        value[self.some] = result.variable_values(sorted(program.variables(), key=lambda v: v.id))
        bound, through = lagrangian(self.model, columns, rows, price)
        self.objective = result.objective_value()
        return Priced(bound, through, value, price)

    def _without_plan(self, until: float) -> Priced | None:
        if not self.some.all():
            self.some[:] = True
            return self.solve(until)
        count = len(self.columns)
        return Priced(math.inf, np.full(count, math.inf), np.zeros(count), np.zeros(len(self.rows.limit)))

    def grow(self, priced: Priced) -> bool:
        """Add the rows that a solution breaks and the columns that may better it; whether there are any."""
        columns, some = self.columns, self.some
        broken = (_load(self.rows, priced.value) > self.rows.limit + 1e-6) & ~self.active
        least = np.full(self.model.n, np.inf)
        np.minimum.at(least, columns.test[some], priced.through[some])
        entering = (priced.through < least[columns.test] - 1e-6) & ~some
        self.active |= broken
        self.some |= entering
        return bool(broken.any() or entering.any())


def relax(
    model: Model,
    columns: Columns,
    rows: Rows,
    *,
    seconds: float,
    start: np.ndarray | None = None,
    chosen: np.ndarray | None = None,
    report: Callable[[int], object] = lambda bound: None,
) -> Priced | None:
    """Solve the linear relaxation, by columns and rows as they prove needed; None when the time did not do.

    `start` marks the columns to begin with, `chosen` those of a plan. Every round's prices prove a bound, which goes
    to `report`.
    """
    until = time.monotonic() + seconds
    relaxation = _Relaxation(model, columns, rows, start=start, chosen=chosen)
    top: Priced | None = None
    for turn in range(40):
        priced = relaxation.solve(until)
        if priced is None:
            break
        if top is None or priced.bound > top.bound:
            top = priced
            report(whole(top.bound))
        close = top.bound >= relaxation.objective * (1 - CLOSE) - 1e-6
        if not relaxation.grow(priced) or (close and turn >= 2) or time.monotonic() > until:
            break
    return top


@dataclass
class ProgramResult:
    """What an integer program came to: a plan if one was found, a bound on these columns, and whether it ended."""

    plan: Plan | None
    bound: float
    ended: bool


def solve_exactly(model: Model, columns: Columns, rows: Rows, *, seconds: float) -> ProgramResult:
    """Solve placed columns as an integer program."""
    program = _program(model, columns, rows, integer=True)
    params = mathopt.SolveParameters(
        time_limit=_seconds(seconds), relative_gap_tolerance=0.0, absolute_gap_tolerance=0.5
    )
    result = mathopt.solve(program, mathopt.SolverType.HIGHS, params=params)
    reason = result.termination.reason
    if reason == mathopt.TerminationReason.INFEASIBLE:
        return ProgramResult(None, math.inf, ended=True)
    plan: Plan | None = None
    if result.has_primal_feasible_solution():
        plan = [None] * model.n
        value = result.variable_values(sorted(program.variables(), key=lambda v: v.id))
        for i in np.flatnonzero(np.array(value) > 0.5).tolist():
            if columns.first[i] != UNPLACED:
                plan[columns.test[i]] = (int(columns.dyno[i]), int(columns.first[i]))
    bound = max(0.0, result.termination.objective_bounds.dual_bound)
    return ProgramResult(plan, bound, ended=reason == mathopt.TerminationReason.OPTIMAL)
