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
from allocations.planning.problem.model import Model
from allocations.planning.problem.state import Plan

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
    some = np.ones(len(columns), dtype=bool) if start is None else start.copy()
    plan = np.zeros(len(columns)) if chosen is None else chosen.astype(float)
    active = np.ones(len(rows.limit), dtype=bool) if chosen is None else _tight(model, columns, rows, plan)
    some[np.unique(columns.test, return_index=True)[1]] = True
    top: Priced | None = None
    for turn in range(40):
        part, few = _part(columns, rows, some, active)
        program = _program(model, part, few, integer=False)
        params = mathopt.SolveParameters(time_limit=_seconds(until - time.monotonic()))
        result = mathopt.solve(program, mathopt.SolverType.GLOP, params=params)
        reason = result.termination.reason
        if reason == mathopt.TerminationReason.INFEASIBLE:
            if some.all():
                return Priced(
                    math.inf, np.full(len(columns), math.inf), np.zeros(len(columns)), np.zeros(len(rows.limit))
                )
            some[:] = True
            continue
        if reason != mathopt.TerminationReason.OPTIMAL or not result.has_dual_feasible_solution():
            break
        constraints = sorted(program.linear_constraints(), key=lambda c: c.id)
        price = np.zeros(len(rows.limit))
        price[active] = np.maximum(0.0, -np.array(result.dual_values(constraints[model.n :])))
        value = np.zeros(len(columns))
        value[some] = result.variable_values(sorted(program.variables(), key=lambda v: v.id))
        bound, through = lagrangian(model, columns, rows, price)
        if top is None or bound > top.bound:
            top = Priced(bound, through, value, price)
            report(whole(bound))
        broken = (_load(rows, value) > rows.limit + 1e-6) & ~active
        least = np.full(model.n, np.inf)
        np.minimum.at(least, columns.test[some], through[some])
        entering = (through < least[columns.test] - 1e-6) & ~some
        close = top.bound >= result.objective_value() * (1 - CLOSE) - 1e-6
        if not (broken.any() or entering.any()) or (close and turn >= 2) or time.monotonic() > until:
            break
        active |= broken
        some |= entering
    return top


@dataclass
class Outcome:
    """What an integer program came to: a plan if one was found, a bound on these columns, and whether it ended."""

    plan: Plan | None
    bound: float
    ended: bool


def solve_exactly(model: Model, columns: Columns, rows: Rows, *, seconds: float) -> Outcome:
    """Solve placed columns as an integer program."""
    program = _program(model, columns, rows, integer=True)
    params = mathopt.SolveParameters(
        time_limit=_seconds(seconds), relative_gap_tolerance=0.0, absolute_gap_tolerance=0.5
    )
    result = mathopt.solve(program, mathopt.SolverType.HIGHS, params=params)
    reason = result.termination.reason
    if reason == mathopt.TerminationReason.INFEASIBLE:
        return Outcome(None, math.inf, ended=True)
    plan: Plan | None = None
    if result.has_primal_feasible_solution():
        plan = [None] * model.n
        value = result.variable_values(sorted(program.variables(), key=lambda v: v.id))
        for i in np.flatnonzero(np.array(value) > 0.5).tolist():
            if columns.first[i] != UNPLACED:
                plan[columns.test[i]] = (int(columns.dyno[i]), int(columns.first[i]))
    bound = max(0.0, result.termination.objective_bounds.dual_bound)
    return Outcome(plan, bound, ended=reason == mathopt.TerminationReason.OPTIMAL)
