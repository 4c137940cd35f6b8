"""The workbooks sent to a proving ground, and how far the import of one is."""

import uuid

from django.core.cache import cache
from django.db.models import QuerySet

from allocations import access
from allocations.enums import Role
from allocations.exceptions import NotFound
from allocations.models import ProvingGround, WorkbookImport
from dynosite.accounts.models import User


def imports_of(ground: ProvingGround, *, user: User) -> QuerySet[WorkbookImport]:
    """Without their files. Raises NotFound or NotAllowed if the user may not import into the ground."""
    access.require(user, ground.pk, Role.SCHEDULER)
    return WorkbookImport.objects.filter(ground=ground).select_related("user", "confirmed_by").defer("file")


def import_by_id(id_: uuid.UUID | str, *, user: User) -> WorkbookImport:
    """The import without its file. Raises NotFound, and NotAllowed if the user may not import into its ground."""
    upload = (
        WorkbookImport.objects.filter(pk=id_, ground__in=access.grounds_of(user))
        .select_related("ground", "user", "confirmed_by")
        .defer("file")
        .first()
    )
    if upload is None:
        raise NotFound(access.NOT_FOUND)
    access.require(user, upload.ground_id, Role.SCHEDULER)
    return upload


def import_progress(upload: WorkbookImport) -> tuple[int, int]:
    """Rows written so far, and of how many."""
    done, total = cache.get(upload.progress_key) or (0, 0)
    return done, total
