"""Who may do what, per proving ground.

The default is to deny, and another ground's data does not exist for who is no member of it.
"""

from typing import TYPE_CHECKING

from django.db.models import QuerySet

from allocations.enums import Role
from allocations.exceptions import NotAllowed, NotFound
from allocations.models import ProvingGround
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
    if not user.is_authenticated or not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMIN
    rows = prepared.fetch(
        "SELECT role FROM allocations_membership WHERE user_id = %s AND ground_id = %s", [user.pk, ground_id]
    )
    return Role(rows[0][0]) if rows else None


def may(user: "User", ground_id: int, needed: Role) -> bool:
    role = role_in(user, ground_id)
    return role is not None and role.covers(needed)


def require(user: "User", ground_id: int, needed: Role) -> Role:
    """Returns the user's role.

    Raises NotFound for who is no member of the ground, and NotAllowed for a member with too low a role.
    """
    role = role_in(user, ground_id)
    if role is None:
        raise NotFound(NOT_FOUND)
    if not role.covers(needed):
        raise NotAllowed(f"You have no right to {_MAY[needed]} here; that takes the role {needed.label.lower()}.")
    return role


def ground_by_code(user: "User", code: str) -> ProvingGround:
    """Raises NotFound where there is no such ground among the user's."""
    try:
        return grounds_of(user).get(code=code)
    except ProvingGround.DoesNotExist:
        raise NotFound(NOT_FOUND) from None
