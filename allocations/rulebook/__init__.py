"""What may be booked: pure functions over plain facts, used by services, forms, API, import and planner alike.

A rule that fails gives a `Refusal`, with a stable code and a sentence that names what is in the way. Days are whole
dates, both ends inclusive. `registry.RULES` declares every rule once, `checks` has the rules themselves, and `facts`
the facts that they are about.
"""

from allocations.rulebook.checks import check_days, check_window
from allocations.rulebook.facts import (
    LONG_WINDOW,
    MAX_AHEAD,
    MAX_STAY_DAYS,
    MAX_TRAVEL_DAYS,
    USUAL,
    CapabilityFacts,
    DynoFacts,
    ExistingPlacement,
    GroundRules,
    Question,
    Stay,
    TestFacts,
    Travel,
    days_between,
    held_to,
    too_near,
)
from allocations.rulebook.registry import (
    AVAILABILITY,
    CAPABILITY,
    ENABLED,
    PASSING,
    RULES,
    TOPICS,
    Rule,
    violations,
    violations_by_other_stays,
    violations_of_start,
)

__all__ = [
    "AVAILABILITY",
    "CAPABILITY",
    "ENABLED",
    "LONG_WINDOW",
    "MAX_AHEAD",
    "MAX_STAY_DAYS",
    "MAX_TRAVEL_DAYS",
    "PASSING",
    "RULES",
    "TOPICS",
    "USUAL",
    "CapabilityFacts",
    "DynoFacts",
    "ExistingPlacement",
    "GroundRules",
    "Question",
    "Rule",
    "Stay",
    "TestFacts",
    "Travel",
    "check_days",
    "check_window",
    "days_between",
    "held_to",
    "too_near",
    "violations",
    "violations_by_other_stays",
    "violations_of_start",
]
