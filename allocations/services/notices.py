"""Telling people that another has moved, cut or cancelled a booking of theirs: on a page at once, by mail soon."""

import datetime as dt
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from allocations.access import grounds_of
from allocations.enums import Action, AllocationStatus, RequestStatus
from allocations.models import Allocation, Change, Dyno, Notice
from dynosite.accounts.models import User
from dynosite.lib.days import DayRange

if TYPE_CHECKING:
    from allocations.services.work import Work

logger = logging.getLogger(__name__)

TOLD = {
    Action.MOVE,
    Action.CANCEL,
    Action.SET_MAINTENANCE,
    Action.LIFT_MAINTENANCE,
    Action.PLAN,
    Action.UNDO,
}
"""The actions of which those concerned are told."""
MAILED_WITHIN = dt.timedelta(days=1)
"""What could not be mailed by then stands on the page only."""


def tell(work: "Work", change: Change) -> None:
    """Writes a notice for whoever booked or asked for an allocation whose place the change touched, save its author
    and those who are no members any more."""
    if work.action not in TOLD:
        return
    author = work.actor.user.pk
    touched = [id_ for id_, row in work.touched.items() if row.request_id or row.created_by_id not in (None, author)]
    steps = {id_: step for id_, step in _steps(work).items() if id_ in touched and _moved(step)}
    if not steps:
        return
    rows = Allocation.objects.filter(pk__in=steps).select_related("vehicle", "test_type", "request")
    concerned = {
        row.pk: {row.created_by_id, row.request.created_by_id if row.request else None} - {None, author}
        for row in rows
    }
    members = _members(change.ground_id, {user for users in concerned.values() for user in users})
    dynos = {state["dyno_id"] for step in steps.values() for state in step}
    names = dict(Dyno.objects.filter(pk__in=dynos).values_list("pk", "name"))
    waiting = _waiting(work)
    Notice.objects.bulk_create(
        Notice(
            ground_id=change.ground_id,
            user_id=user,
            change=change,
            allocation=row,
            sentence=_sentence(row, *steps[row.pk], names, waits=row.vehicle_id in waiting),
        )
        for row in rows
        for user in sorted(concerned[row.pk] & members)
    )


def mark_seen(user: User, *, ids: Iterable[int] | None = None) -> int:
    """Marks the user's notices as seen, all without `ids`, and returns how many were not yet."""
    notices = Notice.objects.filter(user=user, seen_at=None)
    if ids is not None:
        notices = notices.filter(pk__in=list(ids))
    return notices.update(seen_at=timezone.now())


def choose_mail(user: User, *, wanted: bool) -> None:
    """Whether notices come by mail too."""
    User.objects.filter(pk=user.pk).update(mail_notices=wanted)


def mail_notices() -> int:
    """Mails what is new, one mail a person, and returns the number of mails. Where the mail server does not answer,
    the same notices are tried again next time; two workers never mail one notice both."""
    if not settings.EMAIL_HOST:
        return 0
    since = timezone.now() - MAILED_WITHIN
    wanted = Notice.objects.filter(mailed_at=None, made_at__gte=since, user__is_active=True, user__mail_notices=True)
    sent = 0
    for user in User.objects.filter(pk__in=wanted.exclude(user__email="").values("user")).order_by("pk"):
        with transaction.atomic():
            claimed = wanted.filter(user=user, ground__in=grounds_of(user)).order_by("made_at", "id")
            notices = list(claimed.select_for_update(of=("self",), skip_locked=True).select_related("change__user"))
            if not notices:
                continue
            try:
                send_mail(_subject(notices), _body(notices), None, [user.email])
            except OSError as error:
                logger.warning("notices were not mailed: %s", error)
                return sent
            Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(mailed_at=timezone.now())
            sent += 1
    return sent


def _steps(work: "Work") -> dict[int, tuple[dict[str, Any], dict[str, Any]]]:
    """Each allocation that the work changed, as it was before the first and after the last of its items."""
    steps: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}
    for item in work.items:
        if item["model"] == "allocation" and item["before"] is not None:
            before = steps[item["id"]][0] if item["id"] in steps else item["before"]
            steps[item["id"]] = (before, item["after"])
    return steps


def _moved(step: tuple[dict, dict]) -> bool:
    before, after = step
    gone = [state["status"] == AllocationStatus.CANCELLED for state in step]
    places = [(state["dyno_id"], state["first_day"], state["last_day"]) for state in (before, after)]
    return gone[0] != gone[1] or (not gone[1] and places[0] != places[1])


def _members(ground_id: int, users: set[int]) -> set[int]:
    here = Q(is_superuser=True) | Q(memberships__ground=ground_id)
    return (
        set(User.objects.filter(here, pk__in=users, is_active=True).values_list("pk", flat=True)) if users else set()
    )


def _waiting(work: "Work") -> set[int]:
    """The vehicles for which the work left a request waiting."""
    requests = [item["after"] for item in work.items if item["model"] == "testrequest"]
    return {each["vehicle_id"] for each in requests if each["status"] == RequestStatus.WAITING}


def _sentence(row: Allocation, before: Mapping, after: Mapping, names: Mapping[int, str], *, waits: bool) -> str:
    what = f"{row.vehicle}, {row.test_type}"
    old, new = (f"{names[s['dyno_id']]}, {DayRange(s['first_day'], s['last_day'])}" for s in (before, after))
    if after["status"] == AllocationStatus.CANCELLED:
        return f"{what}: off {old}; " + ("it waits for another place." if waits else "cancelled.")
    if before["status"] == AllocationStatus.CANCELLED:
        return f"{what}: back on {new}."
    same = (before["dyno_id"], before["first_day"]) == (after["dyno_id"], after["first_day"])
    if same and after["last_day"] < before["last_day"]:
        return f"{what}: cut on {old}; it ends on {after['last_day']}" + (" and its rest waits." if waits else ".")
    return f"{what}: moved from {old} to {new}."


def _subject(notices: list[Notice]) -> str:
    if len(notices) == 1:
        return f"Your booking was changed: {notices[0].sentence.partition(':')[0]}"
    return f"{len(notices)} of your bookings were changed"


def _body(notices: list[Notice]) -> str:
    lines: list[str] = []
    last = None
    for notice in notices:
        if notice.change_id != last:
            who = notice.change.user.display_name if notice.change.user else "Somebody"
            lines += ["", f"{who}: {notice.change}" + (f" ({notice.change.reason})" if notice.change.reason else "")]
            last = notice.change_id
        lines.append(f"- {notice.sentence}")
    where = f" at {settings.PUBLIC_URL}/notices/" if settings.PUBLIC_URL else " on the page Notices"
    lines += ["", f"All of it, and a switch for these mails, is{where}."]
    return "\n".join(lines).lstrip() + "\n"
