"""The checks of the rules: pure functions that return a `Refusal` for each thing that is in the way."""

import datetime as dt
from collections.abc import Iterable

from allocations.enums import RefusalCode as Code
from allocations.exceptions import Refusal
from allocations.rulebook.facts import MAX_STAY_DAYS, Question, Stay, days_between, too_near
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count, full_date

_WEIGHT_WORDS = {"<10K": "<10K (up to 10,000 lb)", ">10K": ">10K (over 10,000 lb)"}


def check_days(days: DayRange) -> list[Refusal]:
    """The last day is not before the first (DAYS_ORDER), and there are at most `MAX_STAY_DAYS` days (DAYS_LENGTH)."""
    if days.last < days.first:
        sentence = f"The last day ({full_date(days.last)}) is before the first ({full_date(days.first)})."
        return [Refusal(Code.DAYS_ORDER, sentence)]
    if days.days > MAX_STAY_DAYS:
        return [Refusal(Code.DAYS_LENGTH, f"{days.days} days are too many; {MAX_STAY_DAYS} days is the limit.")]
    return []


def check_ground(question: Question) -> list[Refusal]:
    """Test and dyno are of one proving ground (OTHER_GROUND)."""
    test = question.test
    if test.ground_id == question.dyno.ground_id:
        return []
    return [Refusal(Code.OTHER_GROUND, f"{test.vehicle} and the dyno are not of the same proving ground.")]


def check_capability(question: Question) -> list[Refusal]:
    """One capability of the dyno takes the test type, the drive and the weight class together.

    Returns
    -------
    list[Refusal]
        TEST_TYPE_NOT_RUN; else DRIVE_NOT_TAKEN, WEIGHT_NOT_TAKEN, or both; else COMBINATION_NOT_TAKEN if each is
        taken, but no capability takes both.
    """
    test, dyno = question.test, question.dyno
    rows = dyno.capabilities
    if not rows:
        return [Refusal(Code.TEST_TYPE_NOT_RUN, f"{dyno.name} does not run the test type {test.test_type}.")]
    if any(test.drive in row.drives and test.weight_class in row.weight_classes for row in rows):
        return []
    refusals = []
    drives = sorted({drive for row in rows for drive in row.drives})
    if test.drive not in drives:
        sentence = (
            f"{test.vehicle} has the drive {test.drive}; for {test.test_type}, {dyno.name} takes the drive "
            f"{' or '.join(drives)} only."
        )
        refusals.append(Refusal(Code.DRIVE_NOT_TAKEN, sentence))
    weights = sorted({weight for row in rows for weight in row.weight_classes})
    if test.weight_class not in weights:
        sentence = (
            f"{test.vehicle} is of the weight class {_WEIGHT_WORDS[test.weight_class]}; for {test.test_type}, "
            f"{dyno.name} takes the weight class {' or '.join(_WEIGHT_WORDS[weight] for weight in weights)} only."
        )
        refusals.append(Refusal(Code.WEIGHT_NOT_TAKEN, sentence))
    if refusals:
        return refusals
    sentence = (
        f"{dyno.name} runs {test.test_type} for the drive {test.drive}, but not together with the weight class "
        f"{_WEIGHT_WORDS[test.weight_class]} that {test.vehicle} has."
    )
    return [Refusal(Code.COMBINATION_NOT_TAKEN, sentence)]


def check_enabled(question: Question) -> list[Refusal]:
    """The dyno is enabled (DYNO_DISABLED)."""
    dyno = question.dyno
    return [] if dyno.enabled else [Refusal(Code.DYNO_DISABLED, f"{dyno.name} is disabled.")]


def check_availability(question: Question) -> list[Refusal]:
    """The dyno is available on all of the days (DYNO_NOT_YET_AVAILABLE, DYNO_NO_LONGER_AVAILABLE)."""
    dyno, days = question.dyno, question.days
    refusals = []
    if dyno.available_from and days.first < dyno.available_from:
        sentence = f"{dyno.name} is available from {full_date(dyno.available_from)} only."
        refusals.append(Refusal(Code.DYNO_NOT_YET_AVAILABLE, sentence))
    if dyno.available_to and days.last > dyno.available_to:
        sentence = f"{dyno.name} is available until {full_date(dyno.available_to)} only."
        refusals.append(Refusal(Code.DYNO_NO_LONGER_AVAILABLE, sentence))
    return refusals


def check_calendar(question: Question) -> list[Refusal]:
    """A test starts on a working day, and a test that pauses ends on one (STARTS_ON_DAY_OFF, ENDS_ON_DAY_OFF).

    A day that is its first or last day already is not checked.
    """
    test, days, existing, calendar = question.test, question.days, question.existing, question.ground.calendar
    refusals = []
    if (not existing or existing.days.first != days.first) and (why := calendar.why_closed(days.first)):
        sentence = f"No test starts on {_day_off(days.first, why)}, which is a day off."
        refusals.append(Refusal(Code.STARTS_ON_DAY_OFF, sentence))
    if test.pauses and (not existing or existing.days.last != days.last) and (why := calendar.why_closed(days.last)):
        sentence = f"{test.test_type} pauses on days off and cannot end on one: {_day_off(days.last, why)}."
        refusals.append(Refusal(Code.ENDS_ON_DAY_OFF, sentence))
    return refusals


def _day_off(day: dt.date, why: str) -> str:
    weekday = f"{day:%A}"
    return f"{full_date(day)} ({weekday})" if why == weekday else f"{full_date(day)} ({weekday}, {why})"


def check_travel(question: Question) -> list[Refusal]:
    """The vehicle has its days to travel between this stay and each other stay of it (TRAVEL).

    A stay that is too near already, on the same dyno, is not checked.
    """
    existing, travel = question.existing, question.ground.travel
    standing_days = existing.days if existing and existing.dyno_id == question.dyno.id else None
    at = question.dyno.facility_id
    refusals = []
    for stay in _sorted(question.stays):
        other = (stay.facility_id, stay.days)
        if stay.vehicle_id != question.test.vehicle_id or stay.overruns(question.days):
            continue
        if not too_near((at, question.days), other, travel):
            continue
        if standing_days and too_near((at, standing_days), other, travel):
            continue
        refusals.append(_on_the_way(question, stay))
    return refusals


def _on_the_way(question: Question, stay: Stay) -> Refusal:
    dyno, travel = question.dyno, question.ground.travel
    if stay.days.first < question.days.first:
        needed = days_between(stay.facility_id, dyno.facility_id, travel)
        way = f"from {stay.facility} to {dyno.facility}"
        until = f"until {full_date(stay.days.last)}"
        so = f"so it can be here from {full_date(stay.days.last + dt.timedelta(days=needed + 1))} on"
    else:
        needed = days_between(dyno.facility_id, stay.facility_id, travel)
        way = f"from {dyno.facility} to {stay.facility}"
        until = f"from {full_date(stay.days.first)} on"
        so = f"so it must leave by {full_date(stay.days.first - dt.timedelta(days=needed + 1))}"
    sentence = f"{question.test.vehicle} needs {count(needed, 'day')} {way} and is on {stay.dyno} {until}, {so}."
    return Refusal(Code.TRAVEL, sentence)


def check_stays(question: Question) -> list[Refusal]:
    """A dyno has one occupant a day, and a vehicle is in one place a day (MAINTENANCE, DYNO_TAKEN,
    VEHICLE_ELSEWHERE).

    A test that runs past its end is in the way of everything later. It is not in the way of a test that has a place
    after it already (`Question.existing`): that one may be postponed, shortened, or left where it is, except on days
    through today.
    """
    days, dyno, test = question.days, question.dyno, question.test
    refusals = []
    for stay in _meeting(days, question.stays):
        if stay.overruns(days) and _put_off(stay, question):
            continue
        if stay.dyno_id == dyno.id:
            refusals.append(_dyno_has(dyno.name, stay, days))
        elif stay.vehicle_id == test.vehicle_id:
            refusals.append(_vehicle_is(test.vehicle, stay, days))
    return refusals


def _put_off(overrun: Stay, question: Question) -> bool:
    existing, dyno_id, days = question.existing, question.dyno.id, question.days
    if existing is None:
        return False
    if existing.covers(dyno_id, days):
        return True
    after = overrun.held_to is not None and days.first > overrun.held_to and days.first >= existing.days.first
    return after and (overrun.dyno_id != dyno_id or existing.dyno_id == dyno_id)


def check_warm_up(question: Question) -> list[Refusal]:
    """A dyno takes no test on its warm-up days after a maintenance window (WARM_UP)."""
    days, dyno = question.days, question.dyno
    windows = [stay for stay in _sorted(question.stays) if stay.dyno_id == dyno.id and stay.warm_up_days]
    return [
        Refusal(
            Code.WARM_UP,
            f"{dyno.name} warms up for {count(stay.warm_up_days, 'day')} after maintenance ({stay.purpose}: "
            f"{stay.days}) and takes tests from {full_date(stay.blocks.last + dt.timedelta(days=1))} on.",
        )
        for stay in windows
        if stay.blocks.overlaps(days) and not stay.days.overlaps(days)
    ]


def check_window(dyno_id: int, days: DayRange, stays: Iterable[Stay]) -> list[Refusal]:
    """A maintenance window does not overlap another stay on its dyno.

    Parameters
    ----------
    stays
        What takes the dyno; stays on other dynos are ignored.

    Returns
    -------
    list[Refusal]
        MAINTENANCE for another window, DYNO_TAKEN for an allocation.
    """
    return [_dyno_has(stay.dyno, stay, days) for stay in _meeting(days, stays) if stay.dyno_id == dyno_id]


def _meeting(days: DayRange, stays: Iterable[Stay]) -> list[Stay]:
    return [stay for stay in _sorted(stays) if stay.meets(days)]


def _sorted(stays: Iterable[Stay]) -> list[Stay]:
    return sorted(stays, key=lambda stay: (stay.days, stay.id))


def _dyno_has(dyno: str, stay: Stay, days: DayRange) -> Refusal:
    owner = _booked_by(stay)
    if stay.kind == "maintenance":
        return Refusal(Code.MAINTENANCE, f"{dyno} is in maintenance ({stay.purpose}): {stay.days}.")
    if stay.overruns(days):
        return Refusal(Code.DYNO_TAKEN, f"{dyno} still runs {stay.vehicle} ({stay.purpose}), {_end_it(stay)}{owner}")
    return Refusal(Code.DYNO_TAKEN, f"{dyno} is taken by {stay.vehicle} ({stay.purpose}): {stay.days}.{owner}")


def _vehicle_is(vehicle: str, stay: Stay, days: DayRange) -> Refusal:
    if stay.overruns(days):
        where = f"{vehicle} still runs on {stay.dyno} ({stay.purpose}), {_end_it(stay)}"
    else:
        where = f"{vehicle} is on {stay.dyno} already ({stay.purpose}): {stay.days}."
    return Refusal(Code.VEHICLE_ELSEWHERE, where + _booked_by(stay))


def _booked_by(stay: Stay) -> str:
    """A sentence that names whom to ask; empty without an owner."""
    return f" Booked by {stay.owner}." if stay.owner else ""


def _end_it(stay: Stay) -> str:
    return f"which should have ended on {full_date(stay.days.last)}; extend or complete it first."
