"""Places tests on dynos: a problem in, a plan and a true lower bound out. Pure Python on OR-tools, no Django."""

from allocations.planning.problem.checker import check
from allocations.planning.problem.instance import Problem, ProblemError, Weights
from allocations.planning.problem.solution import Placement, Progress, Solution
from allocations.planning.repair import Option, Repair, displaced_of, repair
from allocations.planning.solve import solve

__all__ = [
    "Option",
    "Placement",
    "Problem",
    "ProblemError",
    "Progress",
    "Repair",
    "Solution",
    "Weights",
    "check",
    "displaced_of",
    "repair",
    "solve",
]
