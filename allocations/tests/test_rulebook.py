"""The rules by themselves, without a database."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocations.enums import Drive, Weight, WeightClass
from allocations.enums import RefusalCode as Code
from allocations.rulebook import (
    RULES,
    TOPICS,
    CapabilityFacts,
    DynoFacts,
    ExistingPlacement,
    Question,
    Stay,
    TestFacts,
    check_window,
    violations,
)
from allocations.tests.world import day
from dynosite.lib.days import DayRange

DYNO = DynoFacts(
    1, "NPG 1", 9, True, None, None, (CapabilityFacts(frozenset(Drive.values), frozenset(WeightClass.values)),)
)
TEST = TestFacts(9, 5, "412W101", "Brake", "2WD", "<10K")
DAYS = DayRange(day(3), day(5))


def sentences(test=TEST, dyno=DYNO, days=DAYS, stays=()) -> list[tuple[str, str]]:
    question = Question(test, dyno, days, tuple(stays))
    return [(refusal.code.value, refusal.sentence) for refusal in violations(question)]


def codes(**facts) -> list[str]:
    return [code for code, _ in sentences(**facts)]


def taken(first: int, last: int, *, dyno: int = 1, vehicle: int | None = 6, kind="allocation") -> Stay:
    days = DayRange(day(first), day(last))
    return Stay(kind, 77, dyno, f"NPG {dyno}", "Brake", days, vehicle, f"V{vehicle}")


def rows(*capabilities: tuple[str, str]) -> DynoFacts:
    """A dyno whose rows are given as words: ("2WD AWD", "<10K")."""
    split = [CapabilityFacts(frozenset(d.split()), frozenset(w.split())) for d, w in capabilities]
    return replace(DYNO, capabilities=tuple(split))


def test_nothing_in_the_way_is_a_yes():
    assert sentences() == []


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            {"days": DayRange(day(1), day(0))},
            ("days-order", "The last day (16 Nov 2026) is before the first (17 Nov 2026)."),
        ),
        (
            {"days": DayRange.starting(day(0), 367)},
            ("days-length", "367 days are too many; 366 days is the limit."),
        ),
        (
            {"test": replace(TEST, ground_id=8)},
            ("other-ground", "412W101 and the dyno are not of the same proving ground."),
        ),
        ({"dyno": rows()}, ("test-type-not-run", "NPG 1 does not run the test type Brake.")),
        (
            {"dyno": rows(("AWD", "<10K"))},
            ("drive-not-taken", "412W101 has the drive 2WD; for Brake, NPG 1 takes the drive AWD only."),
        ),
        (
            {"dyno": rows(("2WD", ">10K"))},
            (
                "weight-not-taken",
                "412W101 is of the weight class <10K (up to 10,000 lb); for Brake, NPG 1 takes the weight class "
                ">10K (over 10,000 lb) only.",
            ),
        ),
        (
            {"dyno": rows(("2WD", ">10K"), ("AWD", "<10K"))},
            (
                "combination-not-taken",
                "NPG 1 runs Brake for the drive 2WD, but not together with the weight class <10K (up to 10,000 lb) "
                "that 412W101 has.",
            ),
        ),
        ({"dyno": replace(DYNO, enabled=False)}, ("dyno-disabled", "NPG 1 is disabled.")),
        (
            {"dyno": replace(DYNO, available_from=day(4))},
            ("dyno-not-yet-available", "NPG 1 is available from 20 Nov 2026 only."),
        ),
        (
            {"dyno": replace(DYNO, available_to=day(4))},
            ("dyno-no-longer-available", "NPG 1 is available until 20 Nov 2026 only."),
        ),
        (
            {"stays": [taken(5, 9)]},
            ("dyno-taken", "NPG 1 is taken by V6 (Brake): 21 – 25 Nov 2026."),
        ),
        (
            {"stays": [taken(3, 3, vehicle=None, kind="maintenance")]},
            ("maintenance", "NPG 1 is in maintenance (Brake): 19 Nov 2026."),
        ),
        (
            {"stays": [taken(1, 3, dyno=2, vehicle=5)]},
            ("vehicle-elsewhere", "412W101 is on NPG 2 already (Brake): 17 – 19 Nov 2026."),
        ),
    ],
)
def test_each_rule_has_its_code_and_sentence(facts, expected):
    assert sentences(**facts) == [expected]


def test_every_rule_that_fails_is_named_at_once():
    dyno = replace(rows(("AWD", ">10K")), enabled=False, available_from=day(5), available_to=day(4))
    stays = [taken(5, 5), taken(4, 4, vehicle=None, kind="maintenance"), taken(3, 5, dyno=2, vehicle=5)]
    assert codes(dyno=dyno, stays=stays) == [
        "drive-not-taken",
        "weight-not-taken",
        "dyno-disabled",
        "dyno-not-yet-available",
        "dyno-no-longer-available",
        "vehicle-elsewhere",
        "maintenance",
        "dyno-taken",
    ]


PROCESS = {
    Code.NO_PLACE,
    Code.WRONG_STATUS,
    Code.CANNOT_UNDO,
    Code.FALLOUT_UNANSWERED,
    Code.BAD_ANSWER,
    Code.IN_USE,
    Code.TOO_MANY_AT_ONCE,
    Code.DAYS_LOST,
}
"""Codes of services, which no rule about a place gives."""


def test_every_code_is_declared_by_one_rule_or_is_none_of_a_place():
    declared = [code for rule in RULES for code in rule.topics]
    assert len(declared) == len(set(declared)) == len(TOPICS)
    of_requests = {code for code in Code if code.weight is not Weight.REFUSES}
    assert {*declared} | of_requests | PROCESS == {*Code}
    assert not {*declared} & (of_requests | PROCESS)


def test_every_topic_is_shown_among_the_checks_of_a_booking():
    groups = {group for topic in TOPICS.values() for group in topic.groups}
    assert groups == {"test", "drive", "weight", "dyno", "vehicle", "days"}


def test_longest_stay_and_the_very_days_of_availability_are_allowed():
    days = DayRange.starting(day(0), 366)
    assert codes(days=days, dyno=replace(DYNO, available_from=days.first, available_to=days.last)) == []


def test_window_needs_its_own_dyno_free_and_no_other():
    assert check_window(1, DAYS, [taken(3, 3, dyno=2), taken(0, 2), taken(6, 9)]) == []
    assert [refusal.code for refusal in check_window(1, DAYS, [taken(5, 9)])] == ["dyno-taken"]


stays = st.lists(
    st.builds(
        lambda first, length, dyno, vehicle: taken(
            first, first + length, dyno=dyno, vehicle=vehicle, kind="allocation" if vehicle else "maintenance"
        ),
        st.integers(-5, 15),
        st.integers(0, 6),
        st.integers(1, 3),
        st.none() | st.integers(4, 6),
    ),
    max_size=8,
)


@given(stays=stays, first=st.integers(0, 10), length=st.integers(0, 5))
def test_stays_refuse_exactly_where_a_day_is_shared(stays, first, length):
    days = DayRange(day(first), day(first + length))
    expected = []
    for stay in stays:
        shared = set(days) & set(stay.days)
        if shared and stay.dyno_id == DYNO.id:
            expected.append("dyno-taken" if stay.vehicle_id else "maintenance")
        elif shared and stay.vehicle_id == TEST.vehicle_id:
            expected.append("vehicle-elsewhere")
    assert sorted(codes(days=days, stays=stays)) == sorted(expected)


words = st.lists(
    st.tuples(st.sampled_from(["2WD", "AWD", "2WD AWD"]), st.sampled_from(["<10K", ">10K", "<10K >10K"])), max_size=3
)


@given(words=words, drive=st.sampled_from(Drive.values), weight=st.sampled_from(WeightClass.values))
def test_capability_is_one_row_that_takes_drive_and_weight_together(words, drive, weight):
    wrong = codes(test=replace(TEST, drive=drive, weight_class=weight), dyno=rows(*words))
    assert (wrong == []) == any(drive in d.split() and weight in w.split() for d, w in words)


@given(st.lists(st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31)), min_size=4, max_size=4))
def test_overlap_is_the_same_both_ways_and_means_a_shared_day(four):
    one, other = DayRange(*sorted(four[:2])), DayRange(*sorted(four[2:]))
    assert one.overlaps(other) == other.overlaps(one) == bool(set(one) & set(other))


WARMING = replace(taken(0, 1, vehicle=None, kind="maintenance"), purpose="outage: Bearing", warm_up_days=2)
"""Maintenance on days 0 and 1, after which the dyno warms up on days 2 and 3."""


@pytest.mark.parametrize(("first", "last", "refused"), [(2, 5, True), (3, 5, True), (4, 6, False), (-3, -1, False)])
def test_dyno_takes_no_test_while_it_warms_up_after_maintenance(first, last, refused):
    days = DayRange(day(first), day(last))
    assert codes(days=days, stays=[WARMING]) == (["warm-up"] if refused else [])
    assert codes(days=days, stays=[replace(WARMING, warm_up_days=0)]) == []
    assert codes(days=days, stays=[replace(WARMING, dyno_id=2)]) == []


def test_warm_up_is_said_with_the_day_on_which_tests_begin():
    expected = (
        "NPG 1 warms up for 2 days after maintenance (outage: Bearing: 16 – 17 Nov 2026) and takes tests from "
        "20 Nov 2026 on."
    )
    assert sentences(stays=[WARMING]) == [("warm-up", expected)]


def test_test_within_maintenance_is_told_of_the_maintenance_alone():
    assert codes(days=DayRange(day(1), day(5)), stays=[WARMING]) == ["maintenance"]


def test_test_that_stands_on_days_of_warm_up_may_stay_and_be_shortened():
    question = Question(TEST, DYNO, DAYS, (WARMING,), existing=ExistingPlacement(DayRange(day(3), day(7)), DYNO.id))
    assert violations(question) == []
