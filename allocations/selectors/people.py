"""Who can own bookings and requests of a ground."""

from django.db.models import Q

from allocations.models import Change, ProvingGround
from dynosite.accounts.models import User


def people(ground: ProvingGround, *, besides: int | None = None) -> list[tuple[int, str]]:
    """Returns (id, name) of the active members of a ground, and of the user with the id `besides`, by name.

    Rights are not checked: it is for who may see the ground.
    """
    users = User.objects.filter(Q(memberships__ground=ground, is_active=True) | Q(pk=besides)).distinct()
    return sorted(((user.pk, user.display_name) for user in users), key=lambda pair: pair[1].casefold())


def people_with_changes(ground: ProvingGround) -> list[User]:
    """Returns the users who have changed anything in the ground, by username. Rights are not checked."""
    ids = Change.objects.filter(ground=ground).order_by().values("user").distinct()
    return list(User.objects.filter(pk__in=ids).order_by("username"))
