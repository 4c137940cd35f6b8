"""Maintenance that repeats, or is on several dynos: what each window would hit, and its place in the series."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from allocations import access
from allocations.enums import AllocationStatus, RefusalCode, Role
from allocations.exceptions import Refusal
from allocations.models import Allocation, Dyno, MaintenanceWindow
from allocations.rulebook import Stay, check_window
from allocations.selectors.availability import stays_on
from allocations.selectors.maintenance import Hit, Slot, hit_on, hits_in, occupied_by
from dynosite.accounts.models import User
from dynosite.lib.days import DayRange

MAX_WINDOWS = 200
"""Windows that may be set together, over all dynos."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One of the windows that are to be set together."""

    slot: Slot
    dyno: Dyno
    hits: tuple[Hit, ...]
    again: tuple[Allocation, ...]
    """Allocations that an earlier window hits too: the answer there is for all windows."""
    refusals: tuple[Refusal, ...]
    """Why it cannot be set."""


def occurrences(slots: Iterable[Slot], *, user: User) -> list[Occurrence]:
    """Returns windows on these days of dynos, in order of time, each with what it would hit and a proposed answer for
    each test.

    No proposed place is in any of the windows, or overlaps another. Takes the role admin.

    Raises
    ------
    NotFound
        If a dyno does not exist, or the user is not a member of its ground.
    NotAllowed
        If the user is no admin.
    """
    ordered = in_order(slots)
    dynos = Dyno.objects.select_related("facility").in_bulk({slot.dyno_id for slot in ordered})
    for id_ in {slot.dyno_id for slot in ordered}:
        access.require(user, dynos[id_].ground_id if id_ in dynos else 0, Role.ADMIN)
    refusals = in_the_way(ordered)
    occupied = occupied_by(ordered)
    listed: set[int] = set()
    rows = []
    for slot, allocations in hits_in(ordered).items():
        new = [row for row in allocations if row.pk not in listed]
        listed.update(row.pk for row in new)
        hits = tuple(hit_on(row, slot.days, occupied) for row in new)
        again = tuple(row for row in allocations if row not in new)
        rows.append(Occurrence(slot, dynos[slot.dyno_id], hits, again, tuple(refusals[slot])))
    return rows


def in_order(slots: Iterable[Slot]) -> list[Slot]:
    """Returns the slots once each, by days and dyno."""
    return sorted(set(slots), key=lambda slot: (slot.days, slot.dyno_id))


def in_the_way(slots: Collection[Slot]) -> dict[Slot, list[Refusal]]:
    """Returns what no answer can remove from a window: other maintenance, tests past their end, completed tests."""
    hits = hits_in(slots)
    stays = {}
    for dyno_id in {slot.dyno_id for slot in slots}:
        own = [slot.days for slot in slots if slot.dyno_id == dyno_id]
        stays[dyno_id] = stays_on(dyno_id, DayRange(min(own).first, max(days.last for days in own)))
    return {slot: _in_its_way(slot, stays[slot.dyno_id], hits[slot]) for slot in slots}


def _in_its_way(slot: Slot, stays: Iterable[Stay], hits: Iterable[Allocation]) -> list[Refusal]:
    others = [stay for stay in stays if stay.kind == "maintenance" or stay.overruns(slot.days)]
    done = [
        Refusal(RefusalCode.BAD_ANSWER, f"{hit} is completed: the window must begin after it or end before it.")
        for hit in hits
        if hit.status == AllocationStatus.COMPLETED
    ]
    return check_window(slot.dyno_id, slot.days, others) + done


def later_in_series(window: MaintenanceWindow) -> list[MaintenanceWindow]:
    """Returns the windows of its series that come after it and are not lifted."""
    if window.series is None:
        return []
    rows = MaintenanceWindow.objects.filter(series=window.series, lifted_at=None, first_day__gte=window.first_day)
    return list(rows.exclude(pk=window.pk).select_related("dyno").order_by("first_day", "id"))


def places_in_series(windows: Iterable[MaintenanceWindow]) -> Mapping[int, str]:
    """Returns the place of each window in its series, by id: `every 3 months on the first Monday, 2 of 8`.

    Lifted windows are not counted. Windows without a series are left out.
    """
    members = [window for window in windows if window.series]
    if not members:
        return {}
    standing = MaintenanceWindow.objects.filter(series__in={window.series for window in members}, lifted_at=None)
    of: dict[uuid.UUID | None, list[int]] = defaultdict(list)
    for series, id_ in standing.order_by("first_day", "id").values_list("series", "pk"):
        of[series].append(id_)
    return {window.pk: _place(window, of[window.series]) for window in members}


def _place(window: MaintenanceWindow, standing: list[int]) -> str:
    if window.pk not in standing:
        return window.repeats or ""
    return f"{window.repeats}, {standing.index(window.pk) + 1} of {len(standing)}"
