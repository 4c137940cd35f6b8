"""Changes or cancels several waiting requests together: all of them or none, as one change that is undone as one."""

from collections.abc import Iterable, Mapping
from typing import Any

from allocations.access import NOT_FOUND
from allocations.enums import Action, Priority, RefusalCode, RequestStatus
from allocations.exceptions import NotFound, Refusal, Refused, Stale
from allocations.models import Change, TestRequest
from allocations.request_rules import check_dates, check_waits
from allocations.services.details import expect_member
from allocations.services.unit_of_work import Actor, UnitOfWork
from dynosite.accounts.models import User
from dynosite.lib.formats import count, full_date

FIELDS = frozenset({"priority", "due_date", "created_by_id"})
"""What can be set on several requests at once."""
MAX_REQUESTS = 500
"""Requests that one change may have, at most."""
_NAMED = 10
"""Requests that a sentence names, at most."""

Versions = Mapping[int, int | None]
"""By id of each request, the version that the user saw; None is not checked."""


def change_requests(versions: Versions, *, actor: Actor, key: str | None = None, **values: Any) -> Change:
    """Changes several waiting requests; those that have the values already stay as they are.

    Parameters
    ----------
    versions
        At most `MAX_REQUESTS` requests: the version that the user saw, by id; None is not checked.
    values
        `priority`, `due_date`, or `created_by_id`, the owner, a member of the ground.

    Raises
    ------
    Refused
        With a sentence for each request that cannot be changed like that: WRONG_STATUS if it does not wait,
        DAYS_ORDER if it would be due before its earliest start. TOO_MANY_AT_ONCE for more than `MAX_REQUESTS`.
    Stale
        If some were changed since; the sentence names them.
    TypeError
        If `values` has any other field.
    """
    if unknown := values.keys() - FIELDS:
        raise TypeError(f"The {', '.join(sorted(unknown))} of several requests cannot be set at once.")

    def write(work: UnitOfWork) -> None:
        rows = _locked(work, versions)
        expect_member(work, values.get("created_by_id"))
        _expect_possible(rows, values)
        changing = [row for row in rows if differs(row, values)]
        for row in changing:
            work.update(row, **values)
        work.summary = f"{count(len(changing), 'request')} changed: {in_words(values)}"

    request = values | {"requests": _plain(versions)}
    return UnitOfWork.run(write, actor=actor, action=Action.CHANGE_REQUEST, key=key, request=request)


def cancel_requests(versions: Versions, *, actor: Actor, key: str | None = None) -> Change:
    """Cancels several waiting requests. Takes `versions` and raises as `change_requests` does."""

    def write(work: UnitOfWork) -> None:
        rows = _locked(work, versions)
        _expect_possible(rows, {})
        for row in rows:
            work.update(row, status=RequestStatus.CANCELLED)
        work.summary = f"{count(len(rows), 'request')} cancelled"

    request = {"requests": _plain(versions)}
    return UnitOfWork.run(write, actor=actor, action=Action.CANCEL_REQUEST, key=key, request=request)


def why_not(row: TestRequest, values: Mapping[str, Any]) -> list[Refusal]:
    """Returns why these values cannot be set on a request; nothing if they can. Without values: why it cannot be
    cancelled.
    """
    due_date = values.get("due_date", row.due_date)
    return check_waits(row.status) or check_dates(row.earliest_start, due_date)


def differs(row: TestRequest, values: Mapping[str, Any]) -> bool:
    """Tells whether setting the values would change the request."""
    return any(getattr(row, name) != value for name, value in values.items())


def in_words(values: Mapping[str, Any]) -> str:
    """Returns the values in words, such as `priority Urgent, due 5 Dec 2026, owner Mia Keller`."""
    words = []
    if "priority" in values:
        words.append(f"priority {Priority(values['priority']).label}")
    if "due_date" in values:
        words.append(f"due {full_date(values['due_date'])}" if values["due_date"] else "no due date")
    if values.get("created_by_id"):
        owner = User.objects.filter(pk=values["created_by_id"]).first()
        words.append(f"owner {owner.display_name if owner else 'somebody else'}")
    return ", ".join(words)


def _locked(work: UnitOfWork, versions: Versions) -> list[TestRequest]:
    """The rows, locked and as they were looked at, each with its vehicle and test type."""
    if len(versions) > MAX_REQUESTS:
        sentence = f"{count(len(versions), 'request')} are too many at once; {MAX_REQUESTS} is the limit."
        raise Refused.because(RefusalCode.TOO_MANY_AT_ONCE, sentence)
    grounds = set(TestRequest.objects.filter(pk__in=versions).values_list("ground_id", flat=True))
    if not grounds:
        raise NotFound(NOT_FOUND)
    for ground_id in grounds:
        work.enter(ground_id)
    rows = work.lock(TestRequest, versions)
    named = TestRequest.objects.filter(pk__in=versions).select_related("vehicle", "test_type")
    for row in named:
        rows[row.pk].vehicle, rows[row.pk].test_type = row.vehicle, row.test_type
    if stale := [row for pk, row in rows.items() if versions[pk] not in (None, row.version)]:
        raise Stale(
            f"Somebody else has changed {_names(stale)} in the meantime. Nothing was changed; "
            "look at the requests as they are now and try again."
        )
    return list(rows.values())


def _expect_possible(rows: Iterable[TestRequest], values: Mapping[str, Any]) -> None:
    refusals = [
        Refusal(refusal.code, f"{row}: {refusal.sentence}") for row in rows for refusal in why_not(row, values)
    ]
    if refusals:
        raise Refused(refusals)


def _names(rows: list[TestRequest]) -> str:
    names = ", ".join(str(row) for row in rows[:_NAMED])
    return f"{names} and {len(rows) - _NAMED} more" if len(rows) > _NAMED else names


def _plain(versions: Versions) -> list[tuple[int, int | None]]:
    return sorted(versions.items(), key=lambda pair: pair[0])
