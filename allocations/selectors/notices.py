"""Notices of a user, in the grounds where the user is a member."""

from django.db.models import QuerySet

from allocations import access
from allocations.models import Notice
from dynosite.accounts.models import User


def notices_of(user: User) -> QuerySet[Notice]:
    """Returns the notices of a user, newest first."""
    return (
        Notice.objects.filter(user=user, ground__in=access.grounds_of(user))
        .select_related("ground", "change__user", "allocation")
        .order_by("-made_at", "id")
    )
