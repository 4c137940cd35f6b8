"""Place tests on dynos: a problem in, a plan and a true bound out. Pure Python on OR-tools, no Django."""

from .checker import check
from .problem import Problem, ProblemError, Weights
from .solution import Placement, Progress, Solution
from .solve import solve

__all__ = ["Placement", "Problem", "ProblemError", "Progress", "Solution", "Weights", "check", "solve"]
