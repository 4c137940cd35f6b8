"""How to repair the schedule when a maintenance window hits it: a few options side by side, from the fewest moves to
the least lateness. Each is a set of answers for `services.maintenance.set_maintenance`.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from allocations import access
from allocations.enums import AllocationStatus, DisplacedTo, Movable, Role
from allocations.exceptions import NotFound
from allocations.models import Allocation, Dyno, MaintenanceWindow, Plan
from allocations.planning import Option, Problem, repair
from allocations.planning.problem.instance import Occupied, Test
from allocations.selectors.maintenance import Answer, Slot, blocked, hits_of, tally_of
from allocations.selectors.plan_problem import PlanningProblem, problem_of
from allocations.selectors.plan_reasons import reasons_of
from dynosite.accounts.models import User
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count

AHEAD = dt.timedelta(days=180)
"""How far after the window, or after today, the displaced may be put."""
FROZEN = 3
"""Days from today on which nothing but the displaced is moved."""
NEAREST = 300
"""Tests that may make room, at most: those nearest to the window."""
SECONDS = 1.2


@dataclass(frozen=True, slots=True)
class Move:
    """One allocation and its new place; without a dyno it has none, and waits or is cut."""

    allocation: Allocation
    displaced: bool
    answer: Answer
    dyno: Dyno | None
    days: DayRange | None
    late: int
    reason: str

    @property
    def days_later(self) -> int:
        return (self.days.first - self.allocation.first_day).days if self.days else 0


@dataclass(frozen=True, slots=True)
class RepairOption:
    """One way to repair.

    Attributes
    ----------
    late, weighted
        Days late that it adds; plain, and weighted by priority.
    proven
        Whether it is proven that no option with as few moves is less late.
    """

    moves: tuple[Move, ...]
    late: int
    weighted: int
    proven: bool

    @property
    def answers(self) -> dict[int, Answer]:
        """The answers for the displaced, by allocation id."""
        return {move.allocation.pk: move.answer for move in self.moves if move.displaced}

    @property
    def others(self) -> dict[int, Answer]:
        """The answers for the tests that make room, by allocation id."""
        return {move.allocation.pk: move.answer for move in self.moves if not move.displaced}

    @property
    def moved(self) -> int:
        return sum(1 for move in self.moves if move.dyno)

    @property
    def unplaced(self) -> int:
        return sum(1 for move in self.moves if move.answer.to == DisplacedTo.WAIT)

    @property
    def cut(self) -> int:
        """Running tests that end at the day before the window."""
        return sum(1 for move in self.moves if move.answer.to == DisplacedTo.SHORTEN)

    @property
    def tally(self) -> str:
        """What happens to the displaced, and how many others make room, in words."""
        words = tally_of(self.answers.values())
        others = f"{count(len(self.others), 'other')} {'makes' if len(self.others) == 1 else 'make'} room"
        return f"{words}; {others}" if self.others else words

    @property
    def later(self) -> int:
        """The days by which all moved tests together begin later; one that begins earlier does not offset them."""
        return sum(max(0, move.days_later) for move in self.moves)

    @property
    def vehicles(self) -> list[str]:
        return sorted({str(move.allocation.vehicle) for move in self.moves})

    @property
    def teams(self) -> list[str]:
        return sorted({move.allocation.vehicle.team for move in self.moves if move.allocation.vehicle.team})

    @property
    def people(self) -> list[str]:
        """The names of those who booked or requested what is moved."""
        rows = [move.allocation for move in self.moves]
        users = [row.created_by for row in rows] + [row.request.created_by for row in rows if row.request]
        return sorted({user.display_name for user in users if user})


@dataclass(frozen=True, slots=True)
class Repairs:
    """The options, fewest moves first.

    Attributes
    ----------
    cut
        Running tests that the window hits. They cannot be moved, and are answered the same way in every option.
    seconds
        How long the search took.
    complete
        Whether others were allowed to move too.
    """

    options: tuple[RepairOption, ...]
    cut: tuple[Allocation, ...]
    seconds: float
    complete: bool


def repairs(
    dyno_id: int,
    days: DayRange,
    *,
    user: User,
    others: bool = True,
    window_id: int | None = None,
    seconds: float = SECONDS,
) -> Repairs:
    """Searches for ways to repair what a window on these days would break.

    Parameters
    ----------
    others
        Whether tests that the window does not hit may move to make room. Without them, the search takes a moment.
    window_id
        The window that is changed to these days, if it is not a new one.
    seconds
        How long to search.

    Returns
    -------
    Repairs
        Without options if the window hits no scheduled test, or hits a completed one.

    Raises
    ------
    NotFound
        If the dyno does not exist, or the user is not a member of its ground.
    NotAllowed
        If the user is no scheduler.
    """
    dyno = Dyno.objects.filter(pk=dyno_id).select_related("ground").first()
    if dyno is None:
        raise NotFound(access.NOT_FOUND)
    access.require(user, dyno.ground_id, Role.SCHEDULER)
    slot = Slot(dyno_id, days)
    hits = hits_of(slot)
    displaced = [hit for hit in hits if hit.status == AllocationStatus.SCHEDULED]
    cut = tuple(hit for hit in hits if hit.status == AllocationStatus.RUNNING)
    if not displaced or len(displaced) + len(cut) < len(hits):
        return Repairs((), cut, 0.0, complete=True)
    today = dyno.ground.today()
    first = min(today, displaced[0].first_day)
    plan = Plan(ground=dyno.ground, first_day=first, last_day=max(today, days.last) + AHEAD, movable=Movable.ALL)
    planning = _broken(problem_of(plan, requests=[]), plan, slot, window_id, displaced, today)
    names = [f"a{hit.pk}" for hit in displaced]
    repaired = repair(planning.problem, names, others=others, seconds=seconds)
    planning = replace(planning, problem=repaired.problem)
    base = _lateness(planning.problem)
    rows = _with_people(planning, repaired.options)
    options = tuple(_option(plan, planning, option, set(names), rows, base) for option in repaired.options)
    answers = tuple(_answer_of_cut(hit, days) for hit in cut)
    return Repairs(
        tuple(replace(option, moves=option.moves + answers) for option in options), cut, repaired.seconds, others
    )


def _broken(
    planning: PlanningProblem,
    plan: Plan,
    slot: Slot,
    window_id: int | None,
    displaced: Collection[Allocation],
    today: dt.date,
) -> PlanningProblem:
    """The problem with the window in it. The displaced, and tests near the window, may move; all else is fixed."""
    problem = planning.problem
    now = (today - plan.first_day).days
    hit = {f"a{row.pk}": row for row in displaced}
    stubborn = {test.id for test in problem.tests if test.fixed}
    tests = [test if test.id in hit else replace(test, fixed=True) for test in problem.tests]
    tests = _in_order(tests, planning)
    runners = {dyno for test in tests if test.id in hit for dyno in test.dynos}
    middle = (slot.days.first - plan.first_day).days
    near = sorted(
        (
            test
            for test in tests
            if test.place.dyno in runners and test.place.first > now + FROZEN and test.id not in {*hit, *stubborn}
        ),
        key=lambda test: (abs(test.place.first - middle), test.id),
    )
    loose = {test.id for test in near[:NEAREST]}
    ready = tuple(
        replace(test, fixed=False, earliest=max(test.earliest, now))
        if test.id in hit
        else replace(test, fixed=test.id not in loose, earliest=max(test.earliest, min(now + 1, test.place.first)))
        for test in tests
    )
    occupied = [*_without_window(problem, plan, window_id), _as_occupied(slot, plan, problem)]
    return replace(planning, problem=_with_misfits(replace(problem, tests=ready, occupied=tuple(occupied)), set(hit)))


def _with_misfits(problem: Problem, displaced: set[str]) -> Problem:
    """The problem in which tests that may not be where they are any more only take their vehicle's days."""
    dynos, occupied, tests = list(problem.dynos), list(problem.occupied), []
    shut = {(block.dyno, day) for block in occupied if block.dyno for day in range(block.first, block.last + 1)}
    for dyno in sorted({test.place.dyno for test in problem.tests} - set(dynos)):
        dynos.append(dyno)
        occupied.append(Occupied(0, problem.horizon - 1, dyno=dyno))
        shut |= {(dyno, day) for day in range(problem.horizon)}
    for test in problem.tests:
        dyno, first = test.place
        days = range(first, problem.last_day(test, first) + 1)
        if test.id not in displaced and any((dyno, day) in shut for day in days):
            facility = problem.facilities.get(dyno)
            occupied.append(Occupied(first, days[-1], vehicle=test.vehicle, facility=facility))
        else:
            tests.append(test)
    ids = {test.id for test in tests}
    tests = [test if test.after in ids else replace(test, after=None, gap=0) for test in tests]
    return replace(problem, dynos=tuple(dynos), occupied=tuple(occupied), tests=tuple(tests))


def _in_order(tests: list[Test], planning: PlanningProblem) -> list[Test]:
    """Keeps each test after the one that its request comes after, if they are in that order now."""
    allocations = {id_: row for id_, row in planning.rows.items() if isinstance(row, Allocation)}
    by_request = {row.request_id: id_ for id_, row in allocations.items() if row.request_id}
    ends = {test.id: planning.problem.last_day(test, test.place.first) for test in tests}
    ordered = []
    for test in tests:
        request = allocations[test.id].request
        before = by_request.get(request.after_id) if request and request.after_id else None
        keeps = before is not None and before != test.id and ends[before] < test.place.first
        ordered.append(replace(test, after=before) if keeps and test.after is None else test)
    return ordered


def _without_window(problem: Problem, plan: Plan, window_id: int | None) -> list[Occupied]:
    """What is occupied, without the old days of a window that is changed."""
    occupied = list(problem.occupied)
    window = MaintenanceWindow.objects.filter(pk=window_id, lifted_at=None).first() if window_id else None
    if window:
        old = _as_occupied(Slot(window.dyno_id, DayRange(window.first_day, window.last_day)), plan, problem)
        if old in occupied:
            occupied.remove(old)
    return occupied


def _as_occupied(slot: Slot, plan: Plan, problem: Problem) -> Occupied:
    (days,) = blocked([slot]).values()
    first = max(0, (days.first - plan.first_day).days)
    return Occupied(first, min(problem.horizon - 1, (days.last - plan.first_day).days), dyno=f"d{slot.dyno_id}")


def _lateness(problem: Problem) -> tuple[int, int]:
    """Days late as everything is now, plain and weighted."""
    late = [max(0, problem.last_day(test, test.place.first) - test.due) for test in problem.tests]
    return sum(late), sum(test.weight * days for test, days in zip(problem.tests, late, strict=True))


def _with_people(planning: PlanningProblem, options: Collection[Option]) -> Mapping[str, Allocation]:
    ids = {int(id_[1:]) for option in options for id_ in (*option.moved, *option.unplaced)}
    rows = Allocation.objects.filter(pk__in=ids).select_related(
        "vehicle", "test_type", "dyno", "created_by", "request__created_by"
    )
    return {f"a{row.pk}": row for row in rows}


def _option(
    plan: Plan,
    planning: PlanningProblem,
    option: Option,
    displaced: set[str],
    rows: Mapping[str, Allocation],
    base: tuple[int, int],
) -> RepairOption:
    reasons = reasons_of(plan, planning.problem, planning.rows, option.solution)
    places = {placement.id: placement for placement in option.solution.placements}
    dynos = Dyno.objects.in_bulk({int(places[id_].dyno[1:]) for id_ in option.moved})
    moves = []
    for id_ in (*option.moved, *option.unplaced):
        why = reasons[id_]
        row, at = rows[id_], places.get(id_)
        if at is None:
            answer = Answer(DisplacedTo.WAIT, version=row.version)
            moves.append(Move(row, True, answer, None, None, 0, why.words))
            continue
        dyno = dynos[int(at.dyno[1:])]
        days = DayRange(*(plan.first_day + dt.timedelta(days=day) for day in (at.first, at.last)))
        answer = Answer(DisplacedTo.MOVE, dyno.pk, days.first, row.version, days.last)
        words = why.words if id_ in displaced else f"Makes room. {why.words}"
        moves.append(Move(row, id_ in displaced, answer, dyno, days, why.late, words))
    moves.sort(key=lambda move: (not move.displaced, move.allocation.first_day, move.allocation.pk))
    return RepairOption(tuple(moves), option.late_days - base[0], option.late - base[1], option.proven)


def _answer_of_cut(hit: Allocation, window: DayRange) -> Move:
    """A running test keeps the days before the window and its rest waits; without such days all of it waits."""
    to = DisplacedTo.SHORTEN if hit.first_day < window.first else DisplacedTo.WAIT
    reason = "It is running: it is cut at the day before, and its rest waits."
    if to == DisplacedTo.WAIT:
        reason = "It is running: it waits for another place."
    return Move(hit, True, Answer(to, version=hit.version), None, None, 0, reason)
