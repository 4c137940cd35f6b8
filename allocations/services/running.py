"""Tests that are running: what has run stays in the records where it ran, whatever happens to the rest."""

import datetime as dt
from collections.abc import Collection

from allocations.enums import AllocationStatus, RefusalCode
from allocations.exceptions import Refusal, Refused
from allocations.models import Allocation, Dyno, TestRequest
from allocations.rulebook import days_between
from allocations.selectors.availability import Placement, question_of
from allocations.selectors.ground_rules import rules_for
from allocations.selectors.running import DAY, open_days, progress_of
from allocations.services.placing import expect_confirmed, replace, require_bookable, waiting_rest
from allocations.services.unit_of_work import UnitOfWork
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count, full_date


def expect_same_first_day(allocation: Allocation, first_day: dt.date | None, last_day: dt.date | None) -> None:
    """Checks new days of a running test; others are not checked. None stands for a day that stays.

    Raises
    ------
    Refused
        WRONG_STATUS if the first day would change, or if the last day would be before today: such a test is
        completed.
    """
    if allocation.status != AllocationStatus.RUNNING:
        return
    if first_day not in (None, allocation.first_day):
        sentence = f"It has run since {full_date(allocation.first_day)}; its first day cannot be changed."
        raise Refused.because(RefusalCode.WRONG_STATUS, sentence)
    if last_day and allocation.first_day <= last_day < min(allocation.last_day, allocation.ground.today()):
        sentence = f"It is running; if it ended on {full_date(last_day)}, complete it with that last day."
        raise Refused.because(RefusalCode.WRONG_STATUS, sentence)


def rest_of(allocation: Allocation, dyno_id: int, first_day: dt.date | None, last_day: dt.date | None) -> DayRange:
    """Returns the days that the rest of a running test takes on another dyno.

    Parameters
    ----------
    first_day
        The first day of the rest; None, or the first day of the test itself: as soon as the vehicle can be there, on
        a working day.
    last_day
        Without it, the rest takes the days that the test has left.

    Raises
    ------
    Refused
        WRONG_STATUS if the rest would begin in the past, or if the test has no days left.
    """
    rules, pauses = rules_for(allocation.ground_id, allocation.test_type_id)
    today = allocation.ground.today()
    first = None if first_day == allocation.first_day and first_day != today else first_day
    if first and first < today:
        since = full_date(allocation.first_day)
        sentence = f"It has run since {since}; its rest can begin today, {full_date(today)}, at the earliest."
        raise Refused.because(RefusalCode.WRONG_STATUS, sentence)
    if first is None:
        facilities = dict(Dyno.objects.filter(pk__in=(allocation.dyno_id, dyno_id)).values_list("pk", "facility_id"))
        way = days_between(facilities[allocation.dyno_id], facilities[dyno_id], rules.travel)
        first = today + DAY * way
        while rules.calendar.why_closed(first):
            first += DAY
    if last_day:
        return DayRange(first, last_day)
    if (remaining := progress_of(allocation).remaining) < 1:
        sentence = (
            f"It should have ended on {full_date(allocation.last_day)} and has no days left to move: "
            "say its new last day too, or complete it."
        )
        raise Refused.because(RefusalCode.WRONG_STATUS, sentence)
    return rules.calendar.stretch(first, remaining, pauses=pauses)


def move_rest(
    work: UnitOfWork, allocation: Allocation, dyno_id: int, days: DayRange, *, confirmed: Collection[str] = ()
) -> Allocation:
    """Completes a locked running allocation yesterday, and books its rest on another locked dyno.

    A test that began today is moved as a whole.

    Parameters
    ----------
    days
        Of the rest, as `rest_of` returns them.
    confirmed
        Codes of concerns that the user accepted.

    Returns
    -------
    Allocation
        The allocation of the rest.

    Raises
    ------
    Refused
        With every rule that fails; FEWER_DAYS, to confirm, if the rest leaves more days of its request open than
        before.
    """
    left_open = open_days(allocation)
    today = allocation.ground.today()
    status = AllocationStatus.RUNNING if days.first <= today else AllocationStatus.SCHEDULED
    if allocation.first_day >= today:
        replace(work, allocation, dyno_id, days, status=status, confirmed=confirmed)
        return allocation
    old_dyno = str(allocation.dyno)
    work.update(allocation, last_day=_ran_until(allocation, today - DAY), status=AllocationStatus.COMPLETED)
    question = require_bookable(
        Placement(allocation.vehicle_id, dyno_id, allocation.test_type_id, days, drive=allocation.drive)
    )
    rest = Allocation(
        ground_id=work.ground_id,
        vehicle_id=allocation.vehicle_id,
        dyno_id=dyno_id,
        test_type_id=allocation.test_type_id,
        drive=allocation.drive,
        first_day=days.first,
        last_day=days.last,
        status=status,
        note=allocation.note,
        request_id=allocation.request_id,
        source=work.actor.door,
        created_by=allocation.created_by,
    )
    work.insert(rest)
    if (missing := open_days(rest)) > left_open and allocation.request:
        sentence = (
            f"The request asks for {count(allocation.request.days, 'day')}; this is {count(missing, 'day')} fewer."
        )
        expect_confirmed([Refusal(RefusalCode.FEWER_DAYS, sentence)], confirmed)
    work.summary = (
        f"{question.test.vehicle} to {question.dyno.name}, {days}: {question.test.test_type}; "
        f"on {old_dyno} it ran until {full_date(allocation.last_day)}"
    )
    return rest


def let_rest_wait(work: UnitOfWork, allocation: Allocation) -> None:
    """Makes the days of its request that an allocation leaves open a waiting request, which comes after it."""
    remaining = open_days(allocation)
    if not remaining or allocation.request_id is None:
        return
    request = work.lock(TestRequest, [allocation.request_id])[allocation.request_id]
    work.update(request, days=request.days - remaining)
    waiting_rest(
        work,
        allocation,
        days=remaining,
        earliest=allocation.last_day + DAY,
        note=f"The rest of {request}.",
        after_id=request.pk,
    )


def _ran_until(allocation: Allocation, yesterday: dt.date) -> dt.date:
    """Returns yesterday, also for a test past its end, unless another stay has the dyno or the vehicle since."""
    if allocation.last_day >= yesterday:
        return yesterday
    past = DayRange(allocation.last_day + DAY, yesterday)
    question = question_of(Placement.of(allocation, days=past))
    is_occupied = question is None or any(stay.days.overlaps(past) for stay in question.stays)
    return allocation.last_day if is_occupied else yesterday
