"""Places for a test in their order, each with the reasons for its rank."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from allocations import access
from allocations.enums import AllocationStatus, RefusalCode
from allocations.models import Allocation, Capability, Vehicle
from allocations.request_rules import Wish
from allocations.rulebook import GroundRules
from allocations.selectors.availability import SPARE, Place, find_places, query_for, without
from allocations.selectors.fit import fits
from allocations.selectors.ground_rules import length_of
from allocations.selectors.lanes import best_of_each
from allocations.selectors.running import progress_of
from allocations.selectors.wishes import concerns_of
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count

if TYPE_CHECKING:
    from dynosite.accounts.models import User

LOOK_AHEAD = dt.timedelta(days=90)
SNUG = 14
"""Days left free in a gap that are mentioned, at most."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A place with what its dyno takes for this test, and the reasons for its rank."""

    place: Place
    takes: tuple[str, ...]
    why: tuple[str, ...]
    best: bool = False
    concerns: tuple[str, ...] = ()
    """Sentences of what would have to be confirmed there, or is worth knowing."""

    @property
    def value(self) -> str:
        """How a form names the place."""
        return place_value(self.place.dyno_id, self.place.first_day)


def place_value(dyno_id: int, first_day: dt.date) -> str:
    """Returns how a form names a place: `12/2026-03-01`."""
    return f"{dyno_id}/{first_day.isoformat()}"


def ranked_places(
    vehicle: Vehicle,
    test_type_id: int,
    *,
    days: int,
    first_day: dt.date,
    user: "User",
    drive: str = "",
    limit: int = 8,
    leaving_out: int | None = None,
) -> list[Ranked]:
    """Returns the places for a test from `first_day` on, best first: earliest start, then narrowest fit, then
    smallest gap.

    Lanes alike are one place.

    Parameters
    ----------
    days
        How many days the test takes.
    leaving_out
        Id of an allocation whose own days count as free.
    """
    access.require(user, vehicle.ground_id, access.Role.VIEWER)
    search = partial(
        find_places,
        query_for(vehicle, test_type_id, days, drive=drive),
        first_day=first_day,
        latest=first_day + LOOK_AHEAD,
        leaving_out=leaving_out,
    )
    places = best_of_each(lambda number: search(limit=number), vehicle.ground_id, limit)
    return explained(places, test_type_id, first_day)


FARTHER = dt.timedelta(days=365)
WHY_NOT = 6
"""Dynos whose reasons are named, at most."""


def other_places(allocation: Allocation, *, user: "User", limit: int = 8) -> list[Ranked]:
    """Returns the places where an allocation could go instead; for a running test, where its rest could go.

    These are the best places within `LOOK_AHEAD` of its first day; if there is none, those nearest to it within a
    year. The place that it has now is left out.
    """
    access.require(user, allocation.ground_id, access.Role.VIEWER)
    runs = allocation.status == AllocationStatus.RUNNING
    if runs:
        length = max(1, progress_of(allocation).remaining)  # past its end it may still want a day
    else:
        length = length_of(allocation.ground_id, allocation.test_type_id, allocation.days)
    today = allocation.ground.today()
    first = today if runs else max(allocation.first_day, today)
    query = query_for(allocation.vehicle, allocation.test_type_id, length, drive=allocation.drive)
    but = (allocation.dyno_id, None if runs else allocation.first_day)

    def search(number: int) -> list[Place]:
        find = partial(find_places, query, limit=number + SPARE, leaving_out=allocation.pk)
        places = without(find(first_day=first, latest=first + LOOK_AHEAD), but)
        return places or without(find(first_day=today, latest=first + FARTHER, near=first), but)

    places = best_of_each(search, allocation.ground_id, limit)
    return explained(places, allocation.test_type_id, first)


def why_no_place(allocation: Allocation, *, user: "User") -> list[str]:
    """Returns the sentences of what every other dyno has against an allocation, at most `WHY_NOT`.

    Dynos that could take it on other days come first. Days in the past are shifted to start today.
    """
    days = allocation.days
    today = allocation.ground.today()
    if days.first < today:
        days = DayRange(today, today + (days.last - days.first))
    rows = fits(
        allocation.ground,
        user=user,
        days=days,
        test_type=allocation.test_type,
        vehicle=allocation.vehicle,
        drive=allocation.drive,
    )
    others = sorted((row for row in rows if row.dyno.pk != allocation.dyno_id), key=lambda row: not row.may)
    own = RefusalCode.VEHICLE_ELSEWHERE
    sentences = [refusal.sentence for row in others for refusal in row.refusals if refusal.code != own]
    return list(dict.fromkeys(sentences))[:WHY_NOT]


def explained(places: list[Place], test_type_id: int, target_day: dt.date) -> list[Ranked]:
    """Adds the reasons to places that are in their order already. `target_day` is the day that was asked for."""
    takes = defaultdict(set)
    breadth: dict[int, int] = defaultdict(int)
    rows = Capability.objects.filter(dyno__in={place.dyno_id for place in places})
    for dyno_id, of_test, drives, weights in rows.values_list("dyno", "test_type", "drives", "weight_classes"):
        breadth[dyno_id] += len(drives) * len(weights)
        if of_test == test_type_id:
            takes[dyno_id].update([*drives, *weights])
    narrowest = min(breadth.values(), default=0)
    uneven = len(set(breadth.values())) > 1
    return [
        Ranked(
            place,
            tuple(sorted(takes[place.dyno_id], key=_drives_first)),
            tuple(_reasons(place, target_day, narrow=uneven and breadth[place.dyno_id] == narrowest)),
            best=number == 0,
        )
        for number, place in enumerate(places)
    ]


def with_concerns(ranked: Iterable[Ranked], rules: GroundRules, pauses: bool, wish: Wish | None) -> list[Ranked]:
    """Adds to each place what its request, or its distance from today, has against it, except too few days: these are
    the same everywhere.

    Parameters
    ----------
    pauses
        Whether the test type pauses on days off.
    wish
        What the request asks for, if there is one.
    """
    return [
        replace(
            candidate,
            concerns=tuple(
                concern.sentence
                for concern in concerns_of(rules, pauses, candidate.place.days, wish=wish)
                if concern.code is not RefusalCode.FEWER_DAYS
            ),
        )
        for candidate in ranked
    ]


def _drives_first(tag: str) -> tuple[bool, str]:
    return (tag[0] in "<>", tag)


def _reasons(place: Place, target_day: dt.date, *, narrow: bool) -> list[str]:
    late = (place.first_day - target_day).days
    if late == 0:
        reasons = ["on the day asked"]
    else:
        reasons = [f"{count(abs(late), 'day')} {'later' if late > 0 else 'earlier'}"]
    if narrow:
        reasons.append("fits most narrowly, versatile dynos stay free")
    if place.slack == 0:
        reasons.append("fills its gap")
    elif place.slack <= SNUG:
        reasons.append(f"leaves {count(place.slack, 'day')} of its gap free")
    return reasons
