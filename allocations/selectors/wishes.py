"""What a request asks of its place, read for `request_rules`, and which of it a place does not meet."""

import datetime as dt

from django.db.models import QuerySet

from allocations.enums import AllocationStatus, RequestStatus
from allocations.exceptions import Refusal
from allocations.models import Allocation, TestRequest
from allocations.request_rules import Neighbor, Stretch, Wish, check_first_day, check_wish, worsened
from allocations.rulebook import GroundRules
from dynosite.lib.days import DayRange


def wish_of(request: TestRequest) -> Wish:
    """Reads what a request asks of its place, with its neighbours in the order of requests."""
    return Wish(
        request.days, request.earliest_start, request.due_date, _earlier(request.after_id), _later(request.pk)
    )


def first_day_of(request: TestRequest, today: dt.date) -> dt.date:
    """Returns the first day from today on that the request itself allows."""
    ends = [earlier.days.last for earlier in _earlier(request.after_id) if earlier.days]
    return max([today, *(end + dt.timedelta(days=1) for end in ends), *filter(None, [request.earliest_start])])


def _earlier(request_id: int | None) -> tuple[Neighbor, ...]:
    if request_id is None:
        return ()
    requests = TestRequest.objects.filter(pk=request_id).exclude(status=RequestStatus.CANCELLED)
    earlier = requests.select_related("vehicle", "test_type").first()
    if earlier is None:
        return ()
    stays = [stay.days for stay in _live().filter(request=earlier)]
    return (Neighbor(str(earlier), _span(stays) if stays else None),)


def _later(request_id: int) -> tuple[Neighbor, ...]:
    places: dict[int | None, list[Allocation]] = {}
    for stay in _live().filter(request__after=request_id).select_related("vehicle", "test_type"):
        places.setdefault(stay.request_id, []).append(stay)
    return tuple(
        Neighbor(f"{stays[0].test_type} of {stays[0].vehicle}", _span([stay.days for stay in stays]))
        for stays in places.values()
    )


def _live() -> QuerySet[Allocation]:
    return Allocation.objects.exclude(status=AllocationStatus.CANCELLED)


def _span(stays: list[DayRange]) -> DayRange:
    return DayRange(min(stay.first for stay in stays), max(stay.last for stay in stays))


def concerns_of(
    rules: GroundRules, pauses: bool, days: DayRange, *, wish: Wish | None = None, stood: DayRange | None = None
) -> list[Refusal]:
    """Returns what of a place has to be confirmed, or is worth knowing: what its request asks, and how far it is from
    today.

    Parameters
    ----------
    pauses
        Whether the test type pauses on days off.
    wish
        What the request asks for, if there is one.
    stood
        The days that the test has now. Concerns that are no worse than there are left out.
    """

    def stretch(stay: DayRange) -> Stretch:
        return Stretch(stay, rules.calendar.length(stay, pauses=pauses))

    def concerns(place: Stretch) -> list[Refusal]:
        far = check_first_day(place.days.first, rules.today) if rules.today else []
        return [*far, *(check_wish(wish, place) if wish else ())]

    place = stretch(days)
    raised = concerns(place)
    if not raised or stood is None:
        return raised
    before = stretch(stood)
    return worsened(raised, concerns(before), place, before)
