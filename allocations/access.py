"""Who may do what, per proving ground.

The default is to deny, and the data of a ground does not exist for users who are not members of it.
"""

from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from allocations.enums import MaintenanceKind, Role
from allocations.exceptions import NotAllowed, NotFound
from allocations.models import MaintenanceWindow, Membership, ProvingGround
from dynosite.lib import prepared

if TYPE_CHECKING:
    from dynosite.accounts.models import User

NOT_FOUND = "There is no such thing here."
_MAY = {
    Role.VIEWER: "look at this proving ground",
    Role.SCHEDULER: "change the schedule",
    Role.ADMIN: "keep dynos and maintenance",
}


def grounds_of(user: "User") -> QuerySet[ProvingGround]:
    """The grounds that the user is a member of; a superuser is admin of every ground."""
    if not user.is_authenticated or not user.is_active:
        return ProvingGround.objects.none()
    if user.is_superuser:
        return ProvingGround.objects.all()
    return ProvingGround.objects.filter(memberships__user=user)


def administered_by(user: "User") -> QuerySet[ProvingGround]:
    """The grounds where the user has the role admin."""
    if not user.is_authenticated or not user.is_active or user.is_superuser:
        return grounds_of(user)
    return ProvingGround.objects.filter(memberships__user=user, memberships__role=Role.ADMIN)


def role_in(user: "User", ground_id: int) -> Role | None:
    """Returns the user's role in the ground, or None if the user is not a member."""
    if not user.is_authenticated or not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMIN
    rows = prepared.fetch(
        "SELECT role FROM allocations_membership WHERE user_id = %s AND ground_id = %s", [user.pk, ground_id]
    )
    return Role(rows[0][0]) if rows else None


def may(user: "User", ground_id: int, needed: Role) -> bool:
    """Tells whether the user has at least the role `needed` in the ground."""
    role = role_in(user, ground_id)
    return role is not None and role.covers(needed)


def require(user: "User", ground_id: int, needed: Role) -> Role:
    """Checks that the user has at least the role `needed` in the ground, and returns the user's role.

    Raises
    ------
    NotFound
        If the user is not a member of the ground.
    NotAllowed
        If the user is a member with a lower role.
    """
    role = role_in(user, ground_id)
    if role is None:
        raise NotFound(NOT_FOUND)
    if not role.covers(needed):
        raise NotAllowed(f"You have no right to {_MAY[needed]} here; that takes the role {needed.label.lower()}.")
    return role


def role_for_kind(kind: str) -> Role:
    """Returns the role that recording a window takes. A scheduler may record outages, since dynos break at any
    hour.
    """
    return Role.SCHEDULER if kind == MaintenanceKind.OUTAGE else Role.ADMIN


def require_kind(user: "User", ground_id: int, kind: str) -> None:
    """Checks that the user's role covers windows of this kind.

    Raises
    ------
    NotFound
        If the user is not a member of the ground.
    NotAllowed
        If the user's role does not cover it.
    """
    if require(user, ground_id, Role.SCHEDULER).covers(role_for_kind(kind)):
        return
    raise NotAllowed(
        "A scheduler records outages only; planned maintenance and calibration take the role admin here."
    )


def windows_kept_by(user: "User", ground_id: int) -> QuerySet[MaintenanceWindow]:
    """The windows that the user may change, lift or undo: an admin all, a scheduler the outages that no admin set."""
    role = role_in(user, ground_id)
    windows = MaintenanceWindow.objects.filter(ground=ground_id)
    if role is None or not role.covers(Role.SCHEDULER):
        return windows.none()
    if role.covers(Role.ADMIN):
        return windows
    admins = Membership.objects.filter(ground=ground_id, role=Role.ADMIN).values("user")
    of_schedulers = Q(created_by__is_superuser=False) & ~Q(created_by__in=admins)
    return windows.filter(Q(created_by=user) | of_schedulers, kind=MaintenanceKind.OUTAGE)


def require_window(user: "User", window: MaintenanceWindow) -> None:
    """Checks that the user may change or lift the window.

    Raises
    ------
    NotFound
        If the user is not a member of its ground.
    NotAllowed
        If the window is an admin's to change.
    """
    require(user, window.ground_id, Role.SCHEDULER)
    if not windows_kept_by(user, window.ground_id).filter(pk=window.pk).exists():
        subject = "An outage that an admin recorded" if window.kind == MaintenanceKind.OUTAGE else "This window"
        raise NotAllowed(f"{subject} is changed and lifted by an admin; a scheduler keeps the outages of schedulers.")
