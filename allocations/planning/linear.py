"""The day-indexed model as a linear or integer program, through OR-tools (GLOP and HiGHS)."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass

import numpy as np
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

from .columns import UNPLACED, Columns, Rows
from .model import Model
from .state import Plan

# A bound from floating-point prices is rounded up to a whole number only past this.
SLACK = 1e-5


@dataclass
class Priced:
    """An LP's outcome: a true bound and, for each column, the least that a plan with it costs."""

    bound: float
    through: np.ndarray
    value: np.ndarray


def whole(bound: float) -> int:
    """Round a bound up to the next whole number, with room for rounding errors."""
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
    bound = float(least.sum() - price @ rows.limit)
    return bound, bound - least[columns.test] + reduced


def relax(model: Model, columns: Columns, rows: Rows, *, seconds: float) -> Priced | None:
    """Solve the linear relaxation; None when the time did not do."""
    if not len(rows.limit):
        bound, through = lagrangian(model, columns, rows, np.zeros(0))
        return Priced(bound, through, np.zeros(len(columns)))
    program = _program(model, columns, rows, integer=False)
    result = mathopt.solve(
        program, mathopt.SolverType.GLOP, params=mathopt.SolveParameters(time_limit=_seconds(seconds))
    )
    if result.termination.reason != mathopt.TerminationReason.OPTIMAL or not result.has_dual_feasible_solution():
        return None
    constraints = sorted(program.linear_constraints(), key=lambda c: c.id)
    dual = np.array(result.dual_values(constraints[model.n :]))
    value = np.array(result.variable_values(sorted(program.variables(), key=lambda v: v.id)))
    bound, through = lagrangian(model, columns, rows, np.maximum(0.0, -dual))
    return Priced(bound, through, value)


@dataclass
class Outcome:
    """What an integer program came to: a plan if one was found, a bound on these columns, and whether it ended."""

    plan: Plan | None
    bound: float
    ended: bool


def solve_exactly(model: Model, columns: Columns, rows: Rows, *, seconds: float, nodes: int | None = None) -> Outcome:
    """Solve placed columns as an integer program."""
    program = _program(model, columns, rows, integer=True)
    params = mathopt.SolveParameters(
        time_limit=_seconds(seconds), relative_gap_tolerance=0.0, absolute_gap_tolerance=0.5, node_limit=nodes
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
    bound = result.termination.objective_bounds.dual_bound
    return Outcome(plan, bound, ended=reason == mathopt.TerminationReason.OPTIMAL)
