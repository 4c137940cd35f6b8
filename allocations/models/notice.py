from typing import Any

from django.conf import settings
from django.db import models

from allocations.models.allocation import Allocation
from allocations.models.change import Change
from allocations.models.ground import ProvingGround
from allocations.models.request import TestRequest


class Notice(models.Model):
    """What somebody is told: another person changed a booking that they made or asked for, a request of theirs, or
    many at once. It is written with the change itself, and mailed later where that is wanted."""

    ground = models.ForeignKey(ProvingGround, on_delete=models.CASCADE, related_name="notices")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="notices")
    allocation = models.ForeignKey(
        Allocation, on_delete=models.CASCADE, null=True, blank=True, related_name="notices"
    )
    request = models.ForeignKey(TestRequest, on_delete=models.CASCADE, null=True, blank=True, related_name="notices")
    sentence = models.TextField()
    parts = models.JSONField(
        default=list,
        blank=True,
        help_text="What it puts together: allocation or request, and the sentence, of each.",
    )
    made_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "change", "allocation", "request"], nulls_distinct=False, name="notice_once"
            ),
        ]
        indexes = [
            models.Index(fields=["user", "ground"], condition=models.Q(seen_at=None), name="notice_unseen"),
            models.Index(fields=["made_at"], condition=models.Q(mailed_at=None), name="notice_unmailed"),
        ]

    def __str__(self) -> str:
        return self.sentence

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Of a notice that puts many together, each, with the names of fields as the notice itself has them."""
        return [
            {"allocation_id": part["allocation"], "request_id": part["request"], "sentence": part["sentence"]}
            for part in self.parts
        ]
