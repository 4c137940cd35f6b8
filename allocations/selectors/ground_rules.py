"""The rules of a proving ground for every test, read for the rulebook: working days and travel."""

import datetime as dt
from typing import Any, NamedTuple

from allocations.models import ProvingGround
from allocations.rulebook import USUAL, GroundRules
from dynosite.lib import prepared
from dynosite.lib.days import DayRange
from dynosite.lib.workdays import WorkingCalendar


class RulesOfTest(NamedTuple):
    """The rules of a ground, and whether a test of some type pauses on its days off."""

    ground: GroundRules
    pauses: bool


RULES = """
    SELECT json_build_array(g.days_off, g.holidays_country, g.holidays_subdivision,
        (SELECT coalesce(json_agg(json_build_array(s.first_day, s.last_day, s.name) ORDER BY s.first_day), '[]')
            FROM allocations_shutdown s WHERE s.ground_id = g.id),
        (SELECT coalesce(json_agg(json_build_array(w.origin_id, w.to_id, w.days)), '[]')
            FROM allocations_travel w WHERE w.ground_id = g.id), g.time_zone)
    FROM allocations_provingground g WHERE g.id = """
"""One row and column, which `as_rules` reads; the ground's id is to follow."""

_OF_TEST = f"SELECT ({RULES} %(ground)s), (SELECT runs_through FROM allocations_testtype WHERE id = %(test_type)s)"  # noqa: S608


def as_rules(row: list[Any] | None) -> GroundRules:
    """Returns the rules from the row that the statement `RULES` gives."""
    if row is None:
        return USUAL
    days_off, country, subdivision, shutdowns, travel, time_zone = row
    calendar = WorkingCalendar(
        frozenset(days_off),
        country,
        subdivision,
        tuple((_days(first, last), name) for first, last, name in shutdowns),
    )
    today = ProvingGround(time_zone=time_zone).today()
    return GroundRules(calendar, {(origin, to): days for origin, to, days in travel}, today)


def _days(first: str, last: str) -> DayRange:
    return DayRange(dt.date.fromisoformat(first), dt.date.fromisoformat(last))


def rules_of(ground: ProvingGround | int) -> GroundRules:
    """Returns the rules of a ground, by its id or row, in one query."""
    return rules_for(ground.pk if isinstance(ground, ProvingGround) else ground, 0).ground


def length_of(ground_id: int, test_type_id: int, days: DayRange) -> int:
    """Returns how many days a test takes on these days; for a test type that pauses on days off, days worked."""
    rules, pauses = rules_for(ground_id, test_type_id)
    return rules.calendar.length(days, pauses=pauses)


def stretch_of(ground_id: int, test_type_id: int, first_day: dt.date, days: int) -> DayRange:
    """Returns the days that a test takes from its first day on, if it takes so many; days worked for a type that
    pauses.
    """
    rules, pauses = rules_for(ground_id, test_type_id)
    return rules.calendar.stretch(first_day, days, pauses=pauses)


def rules_for(ground_id: int, test_type_id: int) -> RulesOfTest:
    """Reads the rules of a ground and of a test type in one query.

    Returns
    -------
    RulesOfTest
        The rules, and whether a test of this type pauses on days off.
    """
    ((rules, runs_through),) = prepared.fetch(_OF_TEST, {"ground": ground_id, "test_type": test_type_id})
    return RulesOfTest(as_rules(rules), runs_through is False)
