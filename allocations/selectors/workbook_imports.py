"""The workbooks uploaded to a proving ground, and how far the import of one has come."""

import uuid

from django.core.cache import cache
from django.db.models import QuerySet

from allocations import access
from allocations.enums import Role
from allocations.exceptions import NotFound
from allocations.models import ProvingGround, WorkbookImport
from dynosite.accounts.models import User


def imports_of(ground: ProvingGround, *, user: User) -> QuerySet[WorkbookImport]:
    """Returns the imports of a ground without their files.

    Raises NotFound or NotAllowed if the user may not import into the ground: it takes the role scheduler.
    """
    access.require(user, ground.pk, Role.SCHEDULER)
    return WorkbookImport.objects.filter(ground=ground).select_related("user", "confirmed_by").defer("file")


def import_by_id(id_: uuid.UUID | str, *, user: User) -> WorkbookImport:
    """Returns the import without its file.

    Raises NotFound or NotAllowed if the user may not import into its ground: it takes the role scheduler.
    """
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
    """Returns how many rows are written so far, and of how many."""
    done, total = cache.get(upload.progress_key) or (0, 0)
    return done, total
