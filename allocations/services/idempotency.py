"""Idempotency keys: the same request again gives the change of the first time, for as long as that change stands.

If what the first request booked has been cancelled since, by anybody, the key is free again, and the same request
books once more.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model

from allocations.enums import AllocationStatus, RequestStatus
from allocations.exceptions import KeyReused
from allocations.models import Allocation, Change, MaintenanceWindow, TestRequest
from allocations.selectors.revisions import MASTER_DATA, is_as_left
from dynosite.accounts.models import User

_MAIN: tuple[type[Model], ...] = (MaintenanceWindow, Allocation, TestRequest)
"""What a change is about, where it wrote several kinds of rows: a window displaces bookings, which have requests."""


def first_time(user: User, key: str, fingerprint: str) -> tuple[Change | None, Change | None]:
    """Looks up the change that a key belongs to.

    Parameters
    ----------
    fingerprint
        Digest of the action and the request.

    Returns
    -------
    tuple[Change | None, Change | None]
        (change, None) if this request made a change that stands; (None, change) if a change has the key but no longer
        stands, and has to be released; (None, None) if the key is new.

    Raises
    ------
    KeyReused
        If the key belongs to another request.
    """
    change = Change.objects.filter(user=user, idempotency_key=key).first()
    if change is None or not stands(change):
        return None, change
    if change.fingerprint != fingerprint:
        raise KeyReused("This idempotency key was used for another request before; take a new one.")
    return change, None


def release(change: Change) -> None:
    """Takes its key from a change that no longer stands, in the transaction of the change that gets the key."""
    Change.objects.filter(pk=change.pk).update(idempotency_key=None)


def stands(change: Change) -> bool:
    """Tells whether a change still stands.

    If it created rows, one of them must still be there and not cancelled or lifted. Else all of its rows must be as
    it left them.
    """
    items = _main_items(change.items)
    created = [item for item in items if item["before"] is None]
    if created:
        return any(_lives(item) for item in created)
    return all(_is_as_left(item) for item in items)


def _main_items(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items of the first kind of `_MAIN` that is among them, else those of the kind that was written first."""
    present = [item["model"] for item in items]
    order = [model._meta.model_name for model in _MAIN] + present
    name = next((name for name in order if name in present), None)
    return [item for item in items if item["model"] == name]


def _lives(item: dict[str, Any]) -> bool:
    row = _row(item)
    if isinstance(row, MaintenanceWindow):
        return row.lifted_at is None
    if isinstance(row, Allocation):
        return row.status != AllocationStatus.CANCELLED
    if isinstance(row, TestRequest):
        return row.status != RequestStatus.CANCELLED
    return row is not None


def _is_as_left(item: dict[str, Any]) -> bool:
    row = _row(item)
    if item["model"] in MASTER_DATA:
        return is_as_left(item, row)
    # What is not master data has a version.
    return row is not None and row.version == item["after"]["version"]  # type: ignore[attr-defined]


def _row(item: dict[str, Any]) -> Model | None:
    models = MASTER_DATA | {model._meta.model_name or "": model for model in _MAIN}
    model = models.get(item["model"])
    return model._default_manager.filter(pk=item["id"]).first() if model else None
