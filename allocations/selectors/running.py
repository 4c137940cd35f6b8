"""What a running test has done and has left, and how many days of a request a booking leaves open."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q

from allocations.enums import AllocationStatus
from allocations.models import Allocation
from allocations.rulebook import held_to
from allocations.selectors.ground_rules import length_of, rules_for
from dynosite.lib.days import DayRange

DAY = dt.timedelta(days=1)


def overrunning(today: dt.date | None, prefix: str = "") -> Q:
    """Returns the condition for tests that run past their end (`rulebook.held_to`).

    Parameters
    ----------
    today
        Today at the ground; None: no test does.
    prefix
        The relation that leads to the allocation, such as `allocation__`.
    """
    if today is None:
        return Q(pk__in=())
    return Q(**{f"{prefix}status": AllocationStatus.RUNNING, f"{prefix}last_day__lt": today})


@dataclass(frozen=True, slots=True)
class Progress:
    """Days of a running test that are over, and days that it is booked for; for a test that pauses, days worked."""

    run: int
    booked: int

    @property
    def remaining(self) -> int:
        return self.booked - self.run


def progress_of(allocation: Allocation) -> Progress:
    """Returns the progress of a running test by the end of yesterday."""
    rules, pauses = rules_for(allocation.ground_id, allocation.test_type_id)
    over = DayRange(allocation.first_day, min(allocation.last_day, allocation.ground.today() - DAY))
    run = rules.calendar.length(over, pauses=pauses) if over.days > 0 else 0
    return Progress(run, rules.calendar.length(allocation.days, pauses=pauses))


def overrun_since(allocation: Allocation) -> dt.date | None:
    """Returns the first day past the end of a test that still runs, or None if it is not past its end."""
    late = held_to(allocation.status, allocation.last_day, allocation.ground.today())
    return allocation.last_day + DAY if late else None


def extended(allocation: Allocation, days: int) -> dt.date:
    """Returns the last day of a test that gets so many more days than it has, or has used by today."""
    rules, pauses = rules_for(allocation.ground_id, allocation.test_type_id)
    used = DayRange(allocation.first_day, max(allocation.last_day, allocation.ground.today()))
    length = rules.calendar.length(used, pauses=pauses)
    return rules.calendar.stretch(allocation.first_day, length + days, pauses=pauses).last if days else used.last


def open_days(allocation: Allocation) -> int:
    """Returns how many days of its request all its places together leave open; 0 without a request."""
    request = allocation.request
    if request is None:
        return 0
    places = request.allocations.exclude(pk=allocation.pk).exclude(status=AllocationStatus.CANCELLED)
    stays = [allocation.days, *(place.days for place in places)]
    booked = sum(length_of(allocation.ground_id, allocation.test_type_id, stay) for stay in stays)
    return max(0, request.days - booked)
