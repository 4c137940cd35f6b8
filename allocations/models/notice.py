from django.conf import settings
from django.db import models

from allocations.models.allocation import Allocation
from allocations.models.change import Change
from allocations.models.ground import ProvingGround


class Notice(models.Model):
    """What somebody is told: a booking that they made, or that was made for a request of theirs, was changed by
    another person. It is written with the change itself, and mailed later where that is wanted."""

    ground = models.ForeignKey(ProvingGround, on_delete=models.CASCADE, related_name="notices")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="notices")
    allocation = models.ForeignKey(Allocation, on_delete=models.CASCADE, related_name="notices")
    sentence = models.TextField()
    made_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "change", "allocation"], name="notice_once"),
        ]
        indexes = [
            models.Index(fields=["user", "ground"], condition=models.Q(seen_at=None), name="notice_unseen"),
            models.Index(fields=["made_at"], condition=models.Q(mailed_at=None), name="notice_unmailed"),
        ]

    def __str__(self) -> str:
        return self.sentence
