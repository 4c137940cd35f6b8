"""How long a test takes from each day on: always the same, or longer if it pauses over closed days."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence


def starts_for(free: int, days: int) -> int:
    """Return the days on which `days` free days in a row begin. Days are bits, here and in the result."""
    done = 1
    while done < days:
        step = min(done, days - done)
        free &= free >> step
        done += step
    return free


class Stretch:
    """The days that a test takes, by its first day; here as many from every day on.

    `ends` has the last day for each first day.
    """

    def __init__(self, days: int, horizon: int):
        self.days = days
        self.ends: Sequence[int] = range(days - 1, horizon + days - 1)
        steps, done = [], 1
        while done < min(days, horizon + 1):
            steps.append(min(done, days - done))
            done += steps[-1]
        self.steps = tuple(steps)

    def starts(self, free: int) -> int:
        """Return the days on which such a test may begin, as bits, by the free days."""
        for step in self.steps:
            free &= free >> step
        return free

    def ended_by(self, last: int) -> int:
        """Return how many first days, counted from 0, lead to an end on day `last` or before."""
        return max(0, last - self.days + 2)


class Broken(Stretch):
    """The same with closed days: the test begins on none of them, and if it pauses it takes them in addition."""

    def __init__(self, days: int, horizon: int, *, closed: frozenset[int], pauses: bool):
        super().__init__(days, horizon)
        working = [day for day in range(horizon) if day not in closed]
        if pauses:
            nth = [bisect_left(working, day) + days - 1 for day in range(horizon)]
            self.ends = [working[at] if at < len(working) else horizon for at in nth]
        # Masks of the first days by the length that they lead to; there are few lengths.
        masks: dict[int, int] = {}
        for day in working:
            if self.ends[day] < horizon:
                length = self.ends[day] - day + 1
                masks[length] = masks.get(length, 0) | 1 << day
        self.parts = tuple(sorted(masks.items()))

    def starts(self, free: int) -> int:
        """Return the days on which such a test may begin, as bits, by the free days."""
        begins = 0
        for length, mask in self.parts:
            begins |= starts_for(free, length) & mask
        return begins

    def ended_by(self, last: int) -> int:
        """Return how many first days, counted from 0, lead to an end on day `last` or before."""
        return bisect_right(self.ends, last)
