"""Lanes alike: dynos that stand for one another, such as the twelve lanes of a track.

They are recognized by their properties, not by data of their own: see `pools`. A search for room offers one of them,
and the calendar draws them as one row.
"""

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace

from allocations.models import Capability, Dyno
from allocations.selectors.availability import Place

MIN_LANES = 4
"""The smallest pool: two or three dynos alike stay apart."""
_NUMBER = re.compile(r"[\s#.-]*\d+$")


@dataclass(frozen=True, slots=True)
class Lane:
    """The properties by which lanes alike are recognized."""

    dyno_id: int
    name: str
    facility_id: int
    runs: Hashable
    """All of its capabilities."""
    service: Hashable = ()
    """Whether, and from when to when, it is in service."""


def without_number(name: str) -> str:
    """Returns the common name of lanes alike: `Track` for `Track 7`."""
    return _NUMBER.sub("", name)


Pools = Mapping[int, tuple[int, ...]]
"""The lanes of its pool, by the id of each dyno that is one of a pool."""


def pools(dynos: Iterable[Lane]) -> dict[int, tuple[int, ...]]:
    """Returns which dynos are lanes alike: in one facility, with the same name but for a number, and able to run the
    same.

    If dynos of one name differ in what they may run, the pool is those that more than half of them are like: a lane
    that can do more than its eleven neighbours is on its own, but a hall of several kinds of dynos has no lanes.
    Lanes in and out of service are in separate pools. A pool has at least `MIN_LANES` lanes.

    Returns
    -------
    dict[int, tuple[int, ...]]
        By the id of each dyno that is in a pool, the ids of its pool, in the order of `dynos`.
    """
    named: dict[Hashable, list[Lane]] = defaultdict(list)
    for lane in dynos:
        name = without_number(lane.name)
        if name != lane.name:
            named[lane.facility_id, name.casefold()].append(lane)
    by_dyno: dict[int, tuple[int, ...]] = {}
    for lanes in named.values():
        runs, number = Counter(lane.runs for lane in lanes).most_common(1)[0]
        if 2 * number <= len(lanes):
            continue
        by_service: dict[Hashable, list[int]] = defaultdict(list)
        for lane in lanes:
            if lane.runs == runs:
                by_service[lane.service].append(lane.dyno_id)
        for ids in by_service.values():
            if len(ids) >= MIN_LANES:
                by_dyno |= dict.fromkeys(ids, tuple(ids))
    return by_dyno


Runs = dict[int, frozenset[tuple[object, frozenset[str], frozenset[str]]]]


def runs_of(rows: Iterable[tuple[int, object, Iterable[str], Iterable[str]]]) -> Runs:
    """Returns what each dyno may run.

    Parameters
    ----------
    rows
        (dyno id, test type, drives, weight classes).
    """
    runs: dict[int, set[tuple[object, frozenset[str], frozenset[str]]]] = defaultdict(set)
    for dyno_id, test_type, drives, weights in rows:
        runs[dyno_id].add((test_type, frozenset(drives), frozenset(weights)))
    return {dyno_id: frozenset(some) for dyno_id, some in runs.items()}


def pools_of(ground_id: int) -> dict[int, tuple[int, ...]]:
    """Returns the pools among the dynos of a ground, as `pools` does, in two queries."""
    capabilities = Capability.objects.filter(dyno__ground=ground_id)
    runs = runs_of(capabilities.values_list("dyno_id", "test_type_id", "drives", "weight_classes"))
    rows = Dyno.objects.filter(ground=ground_id).order_by("facility_id", "sort_key")
    return pools(
        Lane(pk, name, facility_id, runs.get(pk, frozenset()), tuple(service))
        for pk, name, facility_id, *service in rows.values_list(
            "id", "name", "facility_id", "enabled", "available_from", "available_to"
        )
    )


def best_of_each(find: Callable[[int], Iterable[Place]], ground_id: int, limit: int) -> list[Place]:
    """Returns the first places of a search that differ in more than the lane.

    Parameters
    ----------
    find
        Called with how many places to search for.
    limit
        How many different places to return, at most.
    """
    by_dyno = pools_of(ground_id)
    widest = max((len(lanes) for lanes in by_dyno.values()), default=1)
    return one_of_each(find(limit * widest), by_dyno)[:limit]


def one_of_each(places: Iterable[Place], by_dyno: Pools) -> list[Place]:
    """Returns the places in their order, with one for all lanes alike on the same days, which names the others."""
    best: dict[tuple[Hashable, dt.date], Place] = {}
    for place in places:
        key = by_dyno.get(place.dyno_id, place.dyno_id), place.first_day
        first = best.get(key)
        best[key] = replace(first, alike=(*first.alike, place.dyno)) if first else place
    return list(best.values())
