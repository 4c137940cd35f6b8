"""What a maintenance window would hit, and what could be put back if it were lifted."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from allocations import access
from allocations.enums import OPEN_STATUSES, AllocationStatus, DisplacedTo, RefusalCode, Role
from allocations.exceptions import NotFound, Refusal
from allocations.models import Allocation, Displacement, Dyno, MaintenanceWindow
from allocations.rulebook import ExistingPlacement, violations_by_other_stays
from allocations.selectors.availability import DynoDays, Place, Placement, nearest_places, query_for, question_of
from allocations.selectors.ground_rules import length_of
from dynosite.accounts.models import User
from dynosite.lib.days import DayRange


def window_by_id(pk: int, *, user: User) -> MaintenanceWindow:
    """Returns the window with its ground, dyno, facility and author. Raises NotFound if it is in none of the user's
    grounds.
    """
    window = (
        MaintenanceWindow.objects.filter(pk=pk, ground__in=access.grounds_of(user))
        .select_related("ground", "dyno__facility", "created_by")
        .first()
    )
    if window is None:
        raise NotFound(access.NOT_FOUND)
    return window


def may_change_window(window: MaintenanceWindow, *, user: User) -> bool:
    """Tells whether the window is not over or lifted, and the user may change or lift it."""
    past = window.lifted_at is not None or window.last_day < window.ground.today()
    return not past and access.windows_kept_by(user, window.ground_id).filter(pk=window.pk).exists()


@dataclass(frozen=True, slots=True)
class Answer:
    """What happens to an allocation that a window hits.

    Attributes
    ----------
    dyno_id, first_day, last_day
        For a move, the new place; without them as now. Without a last day it keeps its length.
    version
        The version that the user saw; the answer is refused if the allocation has changed since. None is not checked.
    """

    to: DisplacedTo
    dyno_id: int | None = None
    first_day: dt.date | None = None
    version: int | None = None
    last_day: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """Days of a dyno that a window is to take."""

    dyno_id: int
    days: DayRange


@dataclass(frozen=True, slots=True)
class Hit:
    """An allocation on the days of a window, the answers that it may get, the proposed one first, and the proposed
    place.

    A completed test cannot be displaced: it has no answer, and the window cannot be set.
    """

    allocation: Allocation
    answers: tuple[DisplacedTo, ...]
    place: Place | None

    @property
    def proposed(self) -> Answer | None:
        if not self.answers:
            return None
        if self.answers[0] == DisplacedTo.MOVE and self.place:
            return Answer(DisplacedTo.MOVE, self.place.dyno_id, self.place.first_day)
        return Answer(self.answers[0])

    @property
    def late(self) -> int:
        """By how many days it would end after the due date of its request at the proposed place."""
        due = self.allocation.request.due_date if self.allocation.request else None
        return max(0, (self.place.last_day - due).days) if due and self.place else 0


_BECOMES = {
    DisplacedTo.MOVE: ("moves", "move"),
    DisplacedTo.WAIT: ("waits", "wait"),
    DisplacedTo.SHORTEN: ("is cut", "are cut"),
    DisplacedTo.CANCEL: ("is cancelled", "are cancelled"),
}


def tally_of(answers: Iterable[Answer]) -> str:
    """Returns how many allocations get which answer, in words: `6 move, 4 wait, 1 is cut`."""
    numbers = Counter(DisplacedTo(answer.to) for answer in answers)
    words = ((numbers[to], one if numbers[to] == 1 else many) for to, (one, many) in _BECOMES.items())
    return ", ".join(f"{number} {word}" for number, word in words if number)


def blocked(slots: Iterable[Slot]) -> dict[Slot, DayRange]:
    """Returns the days on which each window keeps tests off its dyno: its own days, and the dyno's warm-up after
    them.
    """
    slots = list(slots)
    dynos = Dyno.objects.filter(pk__in={slot.dyno_id for slot in slots}, warm_up_days__gt=0)
    warm_up = dict(dynos.values_list("pk", "warm_up_days"))
    return {
        slot: DayRange(slot.days.first, slot.days.last + dt.timedelta(days=warm_up.get(slot.dyno_id, 0)))
        for slot in slots
    }


def hits_in(slots: Collection[Slot]) -> dict[Slot, list[Allocation]]:
    """Returns the allocations that each of the windows hits, earliest first."""
    if not slots:
        return {}
    days_of = blocked(slots)
    rows = (
        Allocation.objects.filter(
            dyno_id__in={slot.dyno_id for slot in slots},
            first_day__lte=max(days.last for days in days_of.values()),
            last_day__gte=min(days.first for days in days_of.values()),
        )
        .exclude(status=AllocationStatus.CANCELLED)
        .select_related("vehicle", "test_type", "dyno", "request", "ground")
        .order_by("first_day", "id")
    )
    by_dyno = defaultdict(list)
    for row in rows:
        by_dyno[row.dyno_id].append(row)
    return {slot: [row for row in by_dyno[slot.dyno_id] if _is_hit(row, slot, days_of[slot])] for slot in slots}


def _is_hit(row: Allocation, slot: Slot, days: DayRange) -> bool:
    """On the days of the warm-up only what is still to come gives way: what has begun there has shown that it may."""
    return row.days.overlaps(slot.days) or (row.status == AllocationStatus.SCHEDULED and row.days.overlaps(days))


def hits_of(slot: Slot) -> list[Allocation]:
    """Returns the allocations that a window hits, earliest first."""
    return hits_in([slot])[slot]


def fallout(dyno_id: int, days: DayRange, *, user: User) -> list[Hit]:
    """Returns every allocation that a window on these days would hit, with a proposed answer for each.

    The proposed places are outside of the window and do not overlap one another.

    Raises
    ------
    NotFound
        If the dyno does not exist, or the user is not a member of its ground.
    NotAllowed
        If the user is no scheduler.
    """
    dyno = Dyno.objects.filter(pk=dyno_id).first()
    access.require(user, dyno.ground_id if dyno else 0, Role.SCHEDULER)
    slot = Slot(dyno_id, days)
    occupied = occupied_by([slot])
    return [hit_on(allocation, days, occupied) for allocation in hits_of(slot)]


def occupied_by(slots: Iterable[Slot]) -> list[DynoDays]:
    """Returns the days that windows take, as (dyno id, first day, last day) for `find_places`."""
    return [DynoDays(slot.dyno_id, days.first, days.last) for slot, days in blocked(slots).items()]


def hit_on(allocation: Allocation, window: DayRange, occupied: list[DynoDays]) -> Hit:
    """Returns the hit of a window on an allocation.

    Parameters
    ----------
    window
        The days of the window.
    occupied
        (dyno id, first day, last day) where no place is proposed. The place that is proposed is added to it.
    """
    place = _place_for(allocation, occupied) if allocation.status == AllocationStatus.SCHEDULED else None
    if place:
        occupied.append(DynoDays(place.dyno_id, place.first_day, place.last_day))
    return Hit(allocation, _answers(allocation, window, place), place)


def _place_for(allocation: Allocation, occupied: list[DynoDays]) -> Place | None:
    length = length_of(allocation.ground_id, allocation.test_type_id, allocation.days)
    query = query_for(allocation.vehicle, allocation.test_type_id, length, drive=allocation.drive)
    today = allocation.ground.today()
    near = max(allocation.first_day, today)
    places = nearest_places(query, near, not_before=today, leaving_out=allocation.pk, occupied=occupied, limit=1)
    return places[0] if places else None


def _answers(allocation: Allocation, window: DayRange, place: Place | None) -> tuple[DisplacedTo, ...]:
    cut = (DisplacedTo.SHORTEN,) if allocation.first_day < window.first else ()
    move = (DisplacedTo.MOVE,)
    leave = (DisplacedTo.WAIT, DisplacedTo.CANCEL)
    if allocation.status == AllocationStatus.COMPLETED:
        return ()
    if allocation.status == AllocationStatus.RUNNING:
        # What ran stays in the records: only a test that began within the window may be taken off.
        return cut or leave
    return (*move, *cut, *leave) if place else (*cut, *leave, *move)


@dataclass(frozen=True, slots=True)
class Return:
    """A displaced allocation, and what would be in the way of its old place without the window."""

    displacement: Displacement
    refusals: tuple[Refusal, ...]


def returns(
    window: MaintenanceWindow, *, remaining: DayRange | None = None, with_it: Iterable[int] = ()
) -> list[Return]:
    """Returns what the window displaced, and whether it could be put back.

    Parameters
    ----------
    remaining
        The days that the window would keep; None if it is lifted.
    with_it
        Ids of windows that are lifted together with it.
    """
    displaced = window.displacements.filter(restored_at=None).select_related(
        "allocation__vehicle", "allocation__test_type", "dyno", "request"
    )
    back = {
        displacement.allocation_id
        for displacement in displaced
        if not cannot_return(displacement, displacement.allocation)
    }
    ignored_stays = {("allocation", id_) for id_ in back} | {("maintenance", id_) for id_ in with_it}
    return [
        Return(displacement, tuple(_in_the_way(displacement, window, remaining, ignored_stays)))
        for displacement in displaced
    ]


def cannot_return(displacement: Displacement, allocation: Allocation) -> list[Refusal]:
    """Returns why a displaced allocation cannot be put back; nothing if it still is as the window left it."""
    withdrawn = displacement.answer in (DisplacedTo.WAIT, DisplacedTo.CANCEL)
    statuses = [AllocationStatus.CANCELLED] if withdrawn else [*OPEN_STATUSES]
    if displacement.status == AllocationStatus.RUNNING and not withdrawn:
        statuses.append(AllocationStatus.COMPLETED)  # by being cut at a day that was past
    if allocation.status in statuses:
        return []
    return [Refusal(RefusalCode.WRONG_STATUS, f"{allocation} is {allocation.status} by now and cannot come back.")]


def _in_the_way(
    displacement: Displacement,
    window: MaintenanceWindow,
    remaining: DayRange | None,
    ignored_stays: set[tuple[str, int]],
) -> list[Refusal]:
    """What is in the way of the old place, without `ignored_stays`, which leave themselves."""
    allocation = displacement.allocation
    if wrong := cannot_return(displacement, allocation):
        return wrong
    days = DayRange(displacement.first_day, displacement.last_day)
    place = Placement.of(allocation, dyno_id=displacement.dyno_id, days=days, existing=ExistingPlacement(days))
    question = question_of(place)
    if question is None:
        return []
    still_blocked = blocked([Slot(window.dyno_id, remaining)]).values() if remaining else ()
    if not any(blocked_days.overlaps(days) for blocked_days in still_blocked):
        ignored_stays = ignored_stays | {("maintenance", window.pk)}
    stays = tuple(stay for stay in question.stays if (stay.kind, stay.id) not in ignored_stays)
    return violations_by_other_stays(replace(question, stays=stays))
