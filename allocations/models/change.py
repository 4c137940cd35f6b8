import uuid
from typing import Any, TypedDict

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from allocations.enums import Action, Door
from allocations.models.ground import ProvingGround

State = dict[str, Any]
"""A row's fields by name."""


class Item(TypedDict):
    """What a change did to one row: before it None where the change made the row, after it None where it is gone."""

    model: str
    id: int
    before: State | None
    after: State | None


class Change(models.Model):
    """One write through the services: who, by which door, why, and each row before and after it.

    It answers three needs: the same idempotency key gives the same answer, a change can be undone as one, and
    people read what happened. (The history of every single row is kept apart from it, by the database.)
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ground = models.ForeignKey(ProvingGround, on_delete=models.PROTECT, related_name="changes")
    action = models.CharField(max_length=20, choices=Action.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="changes")
    door = models.CharField(max_length=10, choices=Door.choices)
    request_id = models.CharField(max_length=64, blank=True)
    reason = models.TextField(blank=True)
    summary = models.TextField(blank=True)
    items = models.JSONField(default=list, encoder=DjangoJSONEncoder)
    idempotency_key = models.CharField(max_length=100, null=True, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    undoes = models.OneToOneField("self", on_delete=models.SET_NULL, null=True, related_name="undone_by")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["user", "idempotency_key"], name="change_idempotency_key_once"),
        ]
        indexes = [models.Index(fields=["ground", "-at"], name="change_ground_at")]

    def __str__(self) -> str:
        return self.summary or self.get_action_display()
