"""What a running test has behind it and before it, and how many days of a request a booking leaves open."""

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
    """Those that `rulebook.held_to` gives a day for: they run, and their last day is past."""
    if today is None:
        return Q(pk__in=())
    return Q(**{f"{prefix}status": AllocationStatus.RUNNING, f"{prefix}last_day__lt": today})


@dataclass(frozen=True, slots=True)
class Progress:
    """Days of a running test that are over, of those that it is booked for; of one that pauses, days worked."""

    run: int
    booked: int

    @property
    def remaining(self) -> int:
        return self.booked - self.run


def progress_of(allocation: Allocation) -> Progress:
    rules, pauses = rules_for(allocation.ground_id, allocation.test_type_id)
    over = DayRange(allocation.first_day, min(allocation.last_day, allocation.ground.today() - DAY))
    run = rules.calendar.length(over, pauses=pauses) if over.days > 0 else 0
    return Progress(run, rules.calendar.length(allocation.days, pauses=pauses))


def overrun_since(allocation: Allocation) -> dt.date | None:
    """The first day past its end of a test that still runs."""
    late = held_to(allocation.status, allocation.last_day, allocation.ground.today())
    return allocation.last_day + DAY if late else None


def extended(allocation: Allocation, days: int) -> dt.date:
    """The last day of a test that gets so many days more than it has, or has used by today."""
    rules, pauses = rules_for(allocation.ground_id, allocation.test_type_id)
    used = DayRange(allocation.first_day, max(allocation.last_day, allocation.ground.today()))
    length = rules.calendar.length(used, pauses=pauses)
    return rules.calendar.stretch(allocation.first_day, length + days, pauses=pauses).last if days else used.last


def open_days(allocation: Allocation) -> int:
    """How many days of its request all its places leave open; none without a request."""
    request = allocation.request
    if request is None:
        return 0
    places = request.allocations.exclude(pk=allocation.pk).exclude(status=AllocationStatus.CANCELLED)
    stays = [allocation.days, *(place.days for place in places)]
    booked = sum(length_of(allocation.ground_id, allocation.test_type_id, stay) for stay in stays)
    return max(0, request.days - booked)
