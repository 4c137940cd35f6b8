import uuid

from django.conf import settings
from django.db import models

from allocations.enums import ImportState
from allocations.models.ground import ProvingGround
from allocations.models.job import Job


class WorkbookImport(Job):
    """A workbook that somebody has sent in, what came of checking it, and of carrying it out.

    The file is kept here, where web and worker both reach it, until the import is carried out or has expired.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ground = models.ForeignKey(ProvingGround, on_delete=models.CASCADE, related_name="workbook_imports")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="workbook_imports")
    """Who sent it in."""
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    """With whose rights and name it is carried out."""
    name = models.CharField(max_length=200)
    file = models.BinaryField(null=True)
    lanes = models.PositiveSmallIntegerField(default=12)
    choices = models.JSONField(default=list)
    """Keys of doubts in the report, of which whoever confirmed it chose the less likely way."""
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.CHECKING)
    report = models.JSONField(null=True)
    problem = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=ImportState.values), name="workbook_import_state"),
        ]
        indexes = [models.Index(fields=["ground", "-created_at"], name="workbook_import_ground_at")]

    def __str__(self) -> str:
        return self.name

    @property
    def under_way(self) -> bool:
        return self.state in (ImportState.CHECKING, ImportState.IMPORTING, ImportState.STOPPING)
