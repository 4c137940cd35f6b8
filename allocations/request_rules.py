"""What a request asks of its place, and which days need to be confirmed: pure functions, as in the rulebook.

These rules never refuse a place for good. Each gives a `Refusal` whose code says by its weight (`enums.Weight`)
whether somebody has to confirm it, or whether it is only shown. The order of two requests has to be confirmed and is
not refused, since in practice they sometimes run in the other order.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from allocations.enums import RefusalCode as Code
from allocations.enums import RequestStatus
from allocations.exceptions import Refusal
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count, day_range, full_date

LONG_PAST = 31
"""Days. A first day that is longer ago has to be confirmed."""

FAR_AHEAD = 731
"""Days. A first day that is farther ahead has to be confirmed."""


@dataclass(frozen=True, slots=True)
class Neighbor:
    """A request that comes before or after, and the days of its place; None while it has no place."""

    name: str
    days: DayRange | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request asks of its place. For a test that pauses, `days` are days worked."""

    days: int
    earliest_start: dt.date | None = None
    due_date: dt.date | None = None
    before: tuple[Neighbor, ...] = ()
    after: tuple[Neighbor, ...] = ()


@dataclass(frozen=True, slots=True)
class Stretch:
    """The days of a place, and on how many of them the test works."""

    days: DayRange
    length: int


def check_waits(status: str) -> list[Refusal]:
    """Only a request that waits can be changed (WRONG_STATUS)."""
    if status == RequestStatus.WAITING:
        return []
    return [Refusal(Code.WRONG_STATUS, f"The request is {status}; only one that waits can be changed.")]


def check_dates(earliest_start: dt.date | None, due_date: dt.date | None) -> list[Refusal]:
    """A request is not due before it may start (DAYS_ORDER)."""
    if not earliest_start or not due_date or due_date >= earliest_start:
        return []
    sentence = f"It is due {full_date(due_date)}, before its earliest start {full_date(earliest_start)}."
    return [Refusal(Code.DAYS_ORDER, sentence)]


def check_wish(wish: Wish, place: Stretch) -> list[Refusal]:
    """The concerns of a request about a place: BEFORE_EARLIEST_START, BEFORE_PREDECESSOR, FEWER_DAYS, PAST_DUE."""
    return [
        *_check_earliest(wish, place),
        *_check_order(wish, place),
        *_check_length(wish, place),
        *_check_due(wish, place),
    ]


def check_first_day(first: dt.date, today: dt.date) -> list[Refusal]:
    """The first day is not so far from today that it is probably a typing error (LONG_PAST, FAR_AHEAD)."""
    if (ago := (today - first).days) > LONG_PAST:
        return [Refusal(Code.LONG_PAST, f"It would start on {_day(first)}, {count(ago, 'day')} ago.")]
    if (ahead := (first - today).days) > FAR_AHEAD:
        return [Refusal(Code.FAR_AHEAD, f"It would start on {_day(first)}, {count(ahead, 'day')} from today.")]
    return []


def worsened(concerns: Iterable[Refusal], before: Iterable[Refusal], place: Stretch, stood: Stretch) -> list[Refusal]:
    """Returns those concerns of a place that are new, or worse than in the place that the test has now.

    Parameters
    ----------
    before
        The concerns of the place that the test has now.
    place, stood
        The new days and the present ones.
    """
    old = {refusal.code for refusal in before}
    same = {
        Code.BEFORE_EARLIEST_START: place.days.first >= stood.days.first,
        Code.LONG_PAST: place.days.first >= stood.days.first,
        Code.FAR_AHEAD: place.days.first <= stood.days.first,
        Code.FEWER_DAYS: place.length >= stood.length,
        Code.BEFORE_PREDECESSOR: place.days.first >= stood.days.first and place.days.last <= stood.days.last,
        Code.PAST_DUE: place.days.last <= stood.days.last,
    }
    return [refusal for refusal in concerns if refusal.code not in old or not same[refusal.code]]


def _check_earliest(wish: Wish, place: Stretch) -> list[Refusal]:
    if wish.earliest_start is None or place.days.first >= wish.earliest_start:
        return []
    sentence = f"The request starts on {_day(wish.earliest_start)} at the earliest; this is {_day(place.days.first)}."
    return [Refusal(Code.BEFORE_EARLIEST_START, sentence)]


def _check_order(wish: Wish, place: Stretch) -> list[Refusal]:
    sentences = []
    for earlier in wish.before:
        if earlier.days is None:
            sentences.append(f"The request comes after {earlier.name}, which has no place yet.")
        elif place.days.first <= earlier.days.last:
            sentences.append(f"The request comes after {earlier.name}, which ends on {_day(earlier.days.last)}.")
    for later in wish.after:
        if later.days is not None and later.days.first <= place.days.last:
            sentences.append(f"{later.name} comes after it and starts on {_day(later.days.first)}.")
    return [Refusal(Code.BEFORE_PREDECESSOR, sentence) for sentence in sentences]


def _check_length(wish: Wish, place: Stretch) -> list[Refusal]:
    if place.length >= wish.days:
        return []
    fewer = count(wish.days - place.length, "day")
    return [Refusal(Code.FEWER_DAYS, f"The request asks for {count(wish.days, 'day')}; this is {fewer} fewer.")]


def _check_due(wish: Wish, place: Stretch) -> list[Refusal]:
    if wish.due_date is None or place.days.last <= wish.due_date:
        return []
    late = count((place.days.last - wish.due_date).days, "day")
    return [Refusal(Code.PAST_DUE, f"It ends {late} after its due date, {_day(wish.due_date)}.")]


def _day(day: dt.date) -> str:
    return day_range(day, day)
