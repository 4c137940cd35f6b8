"""What a user is told about bookings of theirs, in the grounds where they are members."""

from django.db.models import QuerySet

from allocations import access
from allocations.models import Notice
from dynosite.accounts.models import User


def notices_of(user: User) -> QuerySet[Notice]:
    """Newest first."""
    return (
        Notice.objects.filter(user=user, ground__in=access.grounds_of(user))
        .select_related("ground", "change__user", "allocation")
        .order_by("-made_at", "id")
    )
