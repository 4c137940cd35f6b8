"""Place tests on dynos: a problem in, a plan and a true bound out. Pure Python on OR-tools, no Django."""

from .checker import check
from .problem import Problem, ProblemError, Weights
from .repair import Option, Repair, displaced_of, repair
from .solution import Placement, Progress, Solution
from .solve import solve

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
