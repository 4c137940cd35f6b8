"""Notices to people about what others did to their bookings and requests. `mailing` sends them by mail."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import Q
from django.utils import timezone

from allocations.enums import OPEN_STATUSES, Action, AllocationStatus, RequestStatus
from allocations.models import Allocation, Change, Dyno, Notice, TestRequest
from allocations.services import notice_sentences as sentences
from dynosite.accounts.models import User


class FinishedWork(Protocol):
    """What notices need of a unit of work (`unit_of_work`, which calls them)."""

    actor: Any
    action: Action
    items: list[dict[str, Any]]
    touched: dict[int, Allocation]
    askers: dict[int, int | None]


NEWSWORTHY = frozenset(Action) - {Action.IMPORT, Action.START, Action.REQUEST, Action.ADD, Action.DELETE}
"""The actions that people get notices about."""
MAX_SINGLY = 5
"""Notices that one change gives a person, at most; if there were more, they are put together in one."""


@dataclass(frozen=True)
class Line:
    """What is to be said about one booking or request, and to which users."""

    users: frozenset[int]
    sentence: str
    allocation_id: int | None = None
    request_id: int | None = None
    late: bool = False


def tell(work: FinishedWork, change: Change) -> None:
    """Writes notices for the people whose bookings and requests a change touched.

    The author of the change, and people who are no longer members of the ground, get none. Nothing is written about
    what ended before today.
    """
    if work.action not in NEWSWORTHY:
        return
    lines = [*_of_bookings(work, change), *_of_requests(work), *_of_dynos(work, change)]
    if not lines:
        return
    members = _members(change.ground_id, {user for line in lines for user in line.users})
    by_user: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        for user in sorted(line.users & members):
            by_user[user].append(line)
    Notice.objects.bulk_create(
        notice for user, own in sorted(by_user.items()) for notice in _notices(change, work.action, user, own)
    )


def mark_seen(user: User, *, ids: Iterable[int] | None = None) -> int:
    """Marks notices of a user as seen.

    Parameters
    ----------
    ids
        Which notices; None: all of them.

    Returns
    -------
    int
        How many had not been seen.
    """
    notices = Notice.objects.filter(user=user, seen_at=None)
    if ids is not None:
        notices = notices.filter(pk__in=list(ids))
    return notices.update(seen_at=timezone.now())


def choose_mail(user: User, *, enabled: bool) -> None:
    """Sets whether the user also gets notices by mail."""
    User.objects.filter(pk=user.pk).update(mail_notices=enabled)


def _notices(change: Change, action: Action, user: int, lines: list[Line]) -> Iterator[Notice]:
    if len(lines) > MAX_SINGLY:
        late = sum(line.late for line in lines)
        parts = [
            {"allocation": line.allocation_id, "request": line.request_id, "sentence": line.sentence}
            for line in lines
        ]
        sentence = sentences.about_many(action, len(lines), late)
        yield Notice(ground_id=change.ground_id, user_id=user, change=change, sentence=sentence, parts=parts)
        return
    for line in lines:
        yield Notice(
            ground_id=change.ground_id,
            user_id=user,
            change=change,
            allocation_id=line.allocation_id,
            request_id=line.request_id,
            sentence=line.sentence,
        )


def _of_bookings(work: FinishedWork, change: Change) -> list[Line]:
    """About bookings whose place the work changed, and about requests that got a place."""
    steps = {id_: step for id_, step in _steps(work).items() if _is_news(step) and _concerns_others(work, id_, step)}
    if not steps:
        return []
    today = change.ground.today()
    rows = Allocation.objects.filter(pk__in=steps).select_related("vehicle", "test_type", "request").order_by("pk")
    names = _names({state["dyno_id"] for step in steps.values() for state in step if state})
    waiting = _waiting(work)
    lines = []
    for row in rows:
        before, after = steps[row.pk]
        if max(state["last_day"] for state in (before, after) if state) < today:
            continue
        users = _others(work, *_concerned(row, is_new=before is None))
        sentence = sentences.about_booking(row, before, after, names, waits=row.vehicle_id in waiting)
        ends = after["status"] != AllocationStatus.CANCELLED and (sentences.days_from_due(row, after) or 0) < 0
        lines.append(Line(users, sentence, allocation_id=row.pk, late=ends))
    return [line for line in lines if line.users]


def _concerned(row: Allocation, *, is_new: bool) -> list[int | None]:
    """Who requested a booking, and who made it, to whom a new one is no news."""
    asker = row.request.created_by_id if row.request else None
    return [asker] if is_new else [row.created_by_id, asker]


def _of_requests(work: FinishedWork) -> list[Line]:
    """About requests that somebody else changed or cancelled. A place won or lost is in the line of the booking."""
    steps = {
        item["id"]: (item["before"], item["after"])
        for item in work.items
        if item["model"] == "testrequest"
        and item["before"] is not None
        and (work.action == Action.CHANGE_REQUEST or RequestStatus.PLACED not in _statuses(item))
        and work.askers.get(item["id"], 0) not in (None, work.actor.user.pk)
    }
    if not steps:
        return []
    rows = TestRequest.objects.filter(pk__in=steps).select_related("vehicle", "test_type").order_by("pk")
    lines = []
    for row in rows:
        users = _others(work, row.created_by_id)
        sentence = sentences.about_request(row, *steps[row.pk]) if users else ""
        if sentence:
            lines.append(Line(users, sentence, request_id=row.pk))
    return lines


def _others(work: FinishedWork, *users: int | None) -> frozenset[int]:
    """These people without the author of the work."""
    return frozenset(user for user in users if user is not None and user != work.actor.user.pk)


def _statuses(item: dict[str, Any]) -> tuple[str, str]:
    return item["before"]["status"], item["after"]["status"]


def _of_dynos(work: FinishedWork, change: Change) -> list[Line]:
    """About bookings on a dyno that the work has disabled, or that is no longer available on their days."""
    lines = []
    for item in work.items:
        before, after = item["before"], item["after"]
        if item["model"] != "dyno" or not before or not after:
            continue
        if (before["enabled"], before["available_to"]) == (after["enabled"], after["available_to"]):
            continue
        rows = Allocation.objects.filter(
            dyno_id=item["id"], status__in=OPEN_STATUSES, last_day__gte=change.ground.today()
        ).select_related("vehicle", "test_type", "request")
        if after["enabled"]:
            rows = rows.filter(last_day__gt=after["available_to"]) if after["available_to"] else rows.none()
        for row in rows.order_by("first_day", "pk"):
            asker = row.request.created_by_id if row.request else None
            if users := _others(work, row.created_by_id, asker):
                lines.append(Line(users, sentences.about_dyno(row, after), allocation_id=row.pk))
    return lines


Step = tuple[dict[str, Any] | None, dict[str, Any]]


def _steps(work: FinishedWork) -> dict[int, Step]:
    """Each allocation that the work changed, as it was before the first and after the last of its items."""
    steps: dict[int, Step] = {}
    for item in work.items:
        if item["model"] == "allocation":
            before = steps[item["id"]][0] if item["id"] in steps else item["before"]
            steps[item["id"]] = (before, item["after"])
    return steps


def _is_news(step: Step) -> bool:
    before, after = step
    if before is None:
        return bool(after["request_id"]) and after["status"] in OPEN_STATUSES
    cancelled = [state["status"] == AllocationStatus.CANCELLED for state in (before, after)]
    places = [(state["dyno_id"], state["first_day"], state["last_day"]) for state in (before, after)]
    return cancelled[0] != cancelled[1] or (not cancelled[1] and places[0] != places[1])


def _concerns_others(work: FinishedWork, id_: int, step: Step) -> bool:
    """Tells whether others may be concerned, as far as that is known without a query."""
    before, after = step
    own = (None, work.actor.user.pk)
    if before is None:
        return work.askers.get(after["request_id"], 0) not in own
    row = work.touched.get(id_)
    return row is None or bool(row.request_id) or row.created_by_id not in own


def _names(dynos: set[int]) -> dict[int, str]:
    return dict(Dyno.objects.filter(pk__in=dynos).values_list("pk", "name"))


def _members(ground_id: int, users: set[int]) -> set[int]:
    belongs = Q(is_superuser=True) | Q(memberships__ground=ground_id)
    return (
        set(User.objects.filter(belongs, pk__in=users, is_active=True).values_list("pk", flat=True))
        if users
        else set()
    )


def _waiting(work: FinishedWork) -> set[int]:
    """The vehicles for which the work left a request waiting."""
    states = [item["after"] for item in work.items if item["model"] == "testrequest"]
    return {state["vehicle_id"] for state in states if state["status"] == RequestStatus.WAITING}
