"""The proving grounds of a user, the user's role in each, and what a ground has of its own."""

from typing import TYPE_CHECKING

from django.db.models import Count, Model, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from allocations import access
from allocations.enums import RequestStatus, Role
from allocations.models import Dyno, Membership, Notice, ProvingGround, TestRequest, TestType
from dynosite.accounts.models import User

if TYPE_CHECKING:
    from typing import TypedDict

    from django_stubs_ext import WithAnnotations

    class _Counts(TypedDict):
        role: str
        waiting: int
        dynos_there: int
        unseen: int

    CountedGround = WithAnnotations[ProvingGround, _Counts]


def grounds_of(user: User) -> QuerySet[ProvingGround]:
    """Returns the grounds in which the user is a member; all of them for a superuser."""
    return access.grounds_of(user)


def ground_for(user: User, ground_id: int) -> ProvingGround:
    """Returns the ground. Raises NotFound if the user is not a member of it."""
    access.require(user, ground_id, Role.VIEWER)
    return ProvingGround.objects.get(pk=ground_id)


def role_of(user: User, ground: ProvingGround) -> Role:
    """Returns the user's role in the ground. Raises NotFound if the user is not a member of it."""
    return access.require(user, ground.pk, Role.VIEWER)


def grounds_with_counts(user: User) -> "QuerySet[CountedGround]":
    """Returns the user's grounds by name, annotated with the user's `role` and with numbers.

    The numbers are the requests that wait (`waiting`), the dynos (`dynos_there`), and the notices that the user has
    not seen (`unseen`).
    """

    def number(model: type[Model], **conditions: object) -> Coalesce:
        rows = model._default_manager.filter(ground=OuterRef("pk"), **conditions).order_by().values("ground")
        return Coalesce(Subquery(rows.annotate(number=Count("pk")).values("number")), 0)

    membership = Membership.objects.filter(ground=OuterRef("pk"), user=user.pk).values("role")[:1]
    role = Value(Role.ADMIN.value) if user.is_superuser else Subquery(membership)
    return (
        access.grounds_of(user)
        .order_by("name")
        .annotate(
            role=role,
            waiting=number(TestRequest, status=RequestStatus.WAITING),
            dynos_there=number(Dyno),
            unseen=number(Notice, user=user.pk, seen_at=None),
        )
    )


def test_types(ground: ProvingGround, *, user: User) -> QuerySet[TestType]:
    """Returns the test types of a ground."""
    access.require(user, ground.pk, Role.VIEWER)
    return TestType.objects.filter(ground=ground)
