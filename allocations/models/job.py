from django.conf import settings
from django.db import models


class Job(models.Model):
    """Work that somebody has asked for and a worker does: who has it, for how long, and whether it is to stop.

    Whoever works on it holds it for some seconds at a time (`allocations.services.jobs`). It is kept here and not in
    Redis, which may be emptied: without a message, or with its worker lost, it is found and taken up again.
    """

    queued_at = models.DateTimeField(null=True, editable=False, help_text="When it was last handed to the workers.")
    queued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    attempts = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="How often a worker has taken it up since it was asked for."
    )
    holder = models.UUIDField(null=True, editable=False, help_text="Of the attempt that is under way.")
    held_until = models.DateTimeField(null=True, editable=False, help_text="Unless its worker renews it.")
    stop_asked = models.BooleanField(default=False, editable=False, help_text="Of the attempt that is under way.")

    class Meta:
        abstract = True

    @property
    def progress_key(self) -> str:
        """Under which its worker tells in the cache how far it is."""
        return f"{self._meta.model_name}:{self.pk}:progress"
