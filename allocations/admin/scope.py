"""What of the data a request may touch in the administration: rows of the grounds where its user is admin."""

from typing import Any

from django.db import models
from django.http import HttpRequest

from allocations import access
from allocations.enums import Door
from allocations.models import ProvingGround
from allocations.services.unit_of_work import Actor
from dynosite.accounts.requests import user_of


def actor_of(request: HttpRequest, reason: str = "") -> Actor:
    return Actor(user_of(request), Door.ADMIN, reason)


def ground_ids(request: Any) -> frozenset[int]:
    """Empty for who has no business here. Asked once a request."""
    if not hasattr(request, "administered_grounds"):
        user = request.user
        staff = user.is_active and (user.is_staff or user.is_superuser)
        grounds = access.administered_by(user).values_list("pk", flat=True) if staff else ()
        request.administered_grounds = frozenset(grounds)
    return request.administered_grounds


def within(request: HttpRequest, model: type[models.Model]) -> models.QuerySet:
    """The model's rows that the request may see or point at."""
    rows = model._default_manager.all()
    if model is ProvingGround:
        return rows.filter(pk__in=ground_ids(request))
    if any(field.name == "ground" for field in model._meta.fields):
        return rows.filter(ground__in=ground_ids(request)).select_related("ground")
    return rows if request.user.is_superuser else rows.none()
