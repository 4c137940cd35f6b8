"""The rules, each declared once: its check, its codes, where a form shows them, and what kind of rule it is.

Code that needs some of them (what other days would solve, what only other stays cause, beside which field a sentence
is shown) filters `RULES` and has no list of codes of its own.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from allocations.enums import RefusalCode as Code
from allocations.exceptions import Refusal
from allocations.rulebook import checks
from allocations.rulebook.facts import Question


@dataclass(frozen=True, slots=True)
class Topic:
    """What a code is about: the form's `field` beside which it is shown, and the `groups` of a booking's checks."""

    field: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    check: Callable[[Question], list[Refusal]]
    topics: Mapping[Code, Topic]
    """Every code that the check may give."""
    comes_first: bool = False
    """If it fails, no other rule is checked."""
    needs_days: bool = True
    needs_test_type: bool = False
    passes: bool = False
    """Other days may do on the same dyno."""
    by_other_stays: bool = False
    """Only other stays cause it."""
    kept_in_place: bool = True
    """Whether it is also checked for a test that keeps its place, even if its dyno has changed since."""


DYNO = Topic("dyno", ("dyno",))
VEHICLE = Topic("vehicle", ("vehicle",))

DAYS = Rule(
    lambda question: checks.check_days(question.days),
    {Code.DAYS_ORDER: Topic("last_day", ("days",)), Code.DAYS_LENGTH: Topic("last_day", ("days",))},
    comes_first=True,
)
GROUND = Rule(checks.check_ground, {Code.OTHER_GROUND: DYNO}, comes_first=True, needs_days=False)
CAPABILITY = Rule(
    checks.check_capability,
    {
        Code.TEST_TYPE_NOT_RUN: Topic("dyno", ("test",)),
        Code.DRIVE_NOT_TAKEN: Topic("dyno", ("drive",)),
        Code.WEIGHT_NOT_TAKEN: Topic("dyno", ("weight",)),
        Code.COMBINATION_NOT_TAKEN: Topic("dyno", ("drive", "weight")),
    },
    needs_days=False,
    kept_in_place=False,
)
ENABLED = Rule(checks.check_enabled, {Code.DYNO_DISABLED: DYNO}, needs_days=False, kept_in_place=False)
AVAILABILITY = Rule(
    checks.check_availability,
    {Code.DYNO_NOT_YET_AVAILABLE: DYNO, Code.DYNO_NO_LONGER_AVAILABLE: DYNO},
    kept_in_place=False,
)
CALENDAR = Rule(
    checks.check_calendar,
    {Code.STARTS_ON_DAY_OFF: Topic("first_day", ("days",)), Code.ENDS_ON_DAY_OFF: Topic("last_day", ("days",))},
    needs_test_type=True,
    passes=True,
)
STAYS = Rule(
    checks.check_stays,
    {Code.MAINTENANCE: DYNO, Code.DYNO_TAKEN: DYNO, Code.VEHICLE_ELSEWHERE: VEHICLE},
    passes=True,
    by_other_stays=True,
)
TRAVEL = Rule(checks.check_travel, {Code.TRAVEL: VEHICLE}, passes=True, by_other_stays=True)
WARM_UP = Rule(checks.check_warm_up, {Code.WARM_UP: DYNO}, passes=True, by_other_stays=True, kept_in_place=False)

RULES = (DAYS, GROUND, CAPABILITY, ENABLED, AVAILABILITY, CALENDAR, STAYS, WARM_UP, TRAVEL)
"""In the order in which their sentences are shown."""

TOPICS: Mapping[Code, Topic] = {code: topic for rule in RULES for code, topic in rule.topics.items()}
PASSING = frozenset(code for rule in RULES if rule.passes for code in rule.topics)
"""Codes that other days may solve."""


def violations(question: Question, rules: Iterable[Rule] = RULES) -> list[Refusal]:
    """Returns a refusal for every rule that fails; an empty list means yes.

    Parameters
    ----------
    question
        If the test keeps its place, rules that only matter for new places are skipped.
    rules
        The rules to check, in this order.
    """
    refusals: list[Refusal] = []
    for rule in rules:
        if question.keeps_its_place and not rule.kept_in_place:
            continue
        refusals += rule.check(question)
        if refusals and rule.comes_first:
            break
    return refusals


def violations_by_other_stays(question: Question) -> list[Refusal]:
    """Returns the violations that only other stays cause."""
    return violations(question, [rule for rule in RULES if rule.by_other_stays])


def violations_of_start(question: Question) -> list[Refusal]:
    """Returns why a test cannot start: another test runs past its end on the dyno, or with the vehicle."""
    overrunning = tuple(stay for stay in question.stays if stay.held_to)
    return violations(replace(question, stays=overrunning), [STAYS])
