"""The calendar of taken days against a set of days."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from allocations.exchange.ground import KnownCalendar

START = dt.date(2027, 3, 1)
stretches = st.tuples(st.integers(0, 40), st.integers(0, 6)).map(
    lambda s: (START + dt.timedelta(days=s[0]), START + dt.timedelta(days=sum(s)))
)


def days(first, last):
    return {first + dt.timedelta(days=n) for n in range((last - first).days + 1)}


@given(st.lists(stretches, max_size=12), stretches)
def test_calendar_agrees_with_a_set_of_days(candidates, span):
    calendar, busy = KnownCalendar(), {}
    for n, stretch in enumerate(candidates):
        if not days(*stretch) & busy.keys():
            calendar.take(*stretch, n)
            busy |= dict.fromkeys(days(*stretch), n)
    touched = sorted(day for day in days(*span) if day in busy)
    first_stretch = calendar.first_taken(*span)
    assert (first_stretch and first_stretch[2]) == (busy[touched[0]] if touched else None)
    free = [day for stretch in calendar.free(*span) for day in sorted(days(*stretch))]
    assert free == sorted(days(*span) - busy.keys())
    assert [occupant for _, _, occupant in calendar.within(*span)] == list(
        dict.fromkeys(busy[day] for day in touched)
    )
    assert list(calendar) == sorted(calendar)
