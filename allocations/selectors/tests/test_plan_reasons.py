"""What a plan says of its changes holds for the plan: dynos that are full, vehicles elsewhere, order, room made."""

import pytest

from allocations.models import Allocation, Plan, TestRequest
from allocations.planning import Problem, Solution
from allocations.planning.problem.instance import Occupied, Place, Test, Travel
from allocations.planning.problem.solution import Placement
from allocations.selectors.plan_reasons import reasons_of
from allocations.tests.world import allocation_of, day


@pytest.fixture
def say(world):
    """The reasons for placements of one request, `r`, and one allocation, `a`, with what else is in the way."""
    request = TestRequest.objects.create(
        ground=world.north, vehicle=world.vehicles["412W103"], test_type=world.tests["Brake"], days=3
    )
    allocation = allocation_of(world.book("412W101", "NPG 1", 0, 4))
    allocation = Allocation.objects.select_related("vehicle", "test_type").get(pk=allocation.pk)
    one, two = (f"d{world.dynos[name].pk}" for name in ("NPG 1", "NPG 2"))
    plan = Plan(ground=world.north, first_day=day(0), last_day=day(29))

    def words(dynos, *blocks, at=None, more=None, other=None, **test):
        test = {"days": 3, "earliest": 0, "due": 4} | test
        requested = Test("r", "v", weight=2, dynos=tuple({1: one, 2: two}[number] for number in dynos), **test)
        tests, placed = [requested], []
        if at is not None:
            problem = Problem(30, (one, two), (requested,))
            placed.append(Placement("r", {1: one, 2: two}[at[0]], at[1], problem.last_day(requested, at[1])))
        if other:
            tests.append(Test("a", "w", 5, 0, 4, 2, (one, two), placed=Place(one, 0)))
            placed.append(Placement("a", {1: one, 2: two}[other[0]], other[1], other[1] + 4))
        occupied = tuple(
            Occupied(first, last, dyno={1: one, 2: two}.get(holder), vehicle="v" if holder == "v" else None)
            for holder, first, last in blocks
        )
        problem = Problem(30, (one, two), tuple(tests), occupied, **(more or {}))
        unplaced = () if at is not None else ("r",)
        solution = Solution("feasible", 0, 0, 0, 0.0, tuple(placed), unplaced)
        reasons = reasons_of(plan, problem, {"r": request, "a": allocation}, solution)
        return {id_: reason.whole for id_, reason in reasons.items()}

    return words


BOTH = "NPG 1 and NPG 2 alone run Brake 2WD >10K, and"
ONE = "NPG 1 alone runs Brake 2WD >10K, and"


def test_dynos_that_are_taken_on_every_day_are_said_to_be(say):
    assert (
        say([1, 2], (1, 0, 4), (2, 0, 6), at=(1, 5))["r"] == f"3 days late: {BOTH} both are taken until 20 Nov 2026."
    )
    assert say([1], (1, 0, 4), at=(1, 5))["r"] == f"3 days late: {ONE} it is taken until 20 Nov 2026."


def test_gaps_that_are_too_short_are_said_to_be(say):
    late = say([1, 2], (1, 2, 4), (2, 0, 6), at=(1, 5))["r"]
    assert late == f"3 days late: {BOTH} neither has 3 days in a row free that begin before 21 Nov 2026."
    wanted_later = say([1], (1, 4, 5), at=(1, 6), earliest=2)["r"]
    assert wanted_later == (
        f"4 days late: {ONE} it has no 3 days in a row free from 18 Nov 2026 on that begin before 22 Nov 2026."
    )


def test_what_no_plan_can_avoid_is_said_apart(say):
    assert say([1], at=(1, 0), due=0)["r"] == (
        "2 days late: it takes 3 days and cannot start before 16 Nov 2026, the first day planned."
    )
    late = say([1], (1, 0, 4), at=(1, 5), due=0)["r"]
    assert late.endswith("taken until 20 Nov 2026. Even from 16 Nov 2026 on it would be 2 days late.")


def test_a_vehicle_that_is_elsewhere_is_said_to_be(say):
    late = say([1, 2], (1, 0, 4), ("v", 0, 6), at=(1, 7))["r"]
    assert late == "5 days late: a dyno would be free, but 412W103 itself is taken until 22 Nov 2026."


def test_a_better_place_that_was_not_found_is_not_explained_away(say):
    late = say([1, 2], (1, 0, 4), at=(1, 5))["r"]
    assert late == (
        "3 days late: it would fit on NPG 2 from 16 Nov 2026 on; with more time to think a better plan may be found."
    )


def test_who_comes_after_another_says_so(say):
    late = say([2], at=(2, 6), other=(1, 0), after="a", gap=1)["r"]
    assert late == "4 days late: it comes after 412W101, Brake, which ends on 20 Nov 2026."


def test_what_moves_names_whom_it_makes_room_for(say):
    reasons = say([1], at=(1, 2), other=(1, 5))
    assert reasons["r"] == "In time."
    assert reasons["a"].startswith(
        "Makes room for 412W103, Brake. 5 days late: it would fit on NPG 2 from 16 Nov 2026"
    )
    assert "a" not in say([2], at=(2, 0), other=(1, 0))


def test_who_has_no_place_is_told_why(say):
    assert say([1], (1, 0, 13), (1, 16, 29))["r"] == (
        f"No place in the days planned, 16 Nov – 15 Dec 2026: {ONE} it has no 3 days in a row free."
    )
    assert say([1], ("v", 2, 29))["r"] == (
        "No place in the days planned, 16 Nov – 15 Dec 2026: a dyno would be free, but 412W103 itself is taken until"
        " 15 Dec 2026."
    )


def test_days_off_and_travel_are_no_gaps(say):
    late = say([1], (1, 0, 4), at=(1, 7), more={"closed": (5, 6)})["r"]
    assert late == f"5 days late: {ONE} it has no 3 days in a row free that begin before 23 Nov 2026."
    ways = {"facilities": {}, "travel": (Travel("x", "y", 1),)}
    assert "and has to travel" in say([1], ("v", 0, 6), at=(1, 7), more=ways)["r"]
