"""Workbooks that are sent in: kept, checked, carried out, stopped, forgotten."""

import datetime as dt
import uuid
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

from django.core.cache import cache
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.utils import timezone

from allocations import access
from allocations.enums import Door, ImportState, Role
from allocations.exceptions import DomainError, NotFound
from allocations.exchange.errors import WorkbookError
from allocations.exchange.importing import Report, carry_out, preview
from allocations.exchange.opening import MAX_BYTES, MEGABYTE
from allocations.models import ProvingGround, WorkbookImport
from allocations.services.work import Actor
from dynosite.accounts.models import User

SUFFIXES = (".xlsx", ".xlsm")
KEPT = dt.timedelta(days=7)
"""For so long a workbook can still be confirmed, and its report be read."""

_SENTENCE = "The import failed for a reason that is ours, not the workbook's; nothing was written."


class Stopped(Exception):
    """Somebody asked the import to stop; its transaction is rolled back."""


def check_file(file: UploadedFile) -> None:
    """Raises WorkbookError for what is no workbook by its name, its size or its first bytes."""
    if PurePath(file.name or "").suffix.lower() not in SUFFIXES:
        raise WorkbookError("Choose an Excel workbook, .xlsx or .xlsm.")
    if (file.size or 0) > MAX_BYTES:
        raise WorkbookError(f"The file is larger than {MAX_BYTES // MEGABYTE} MB.")
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    if start != b"PK\x03\x04":
        raise WorkbookError("The file is no Excel workbook: what it begins with is something else.")


def submit(file: UploadedFile, ground: ProvingGround, *, lanes: int, user: User) -> WorkbookImport:
    """Keeps the file, ready to be checked. Raises WorkbookError."""
    access.require(user, ground.pk, Role.SCHEDULER)
    check_file(file)
    name = PurePath(file.name or "workbook").name[-200:]
    return WorkbookImport.objects.create(ground=ground, user=user, name=name, file=file.read(), lanes=lanes)


def imports_of(ground: ProvingGround, *, user: User) -> QuerySet[WorkbookImport]:
    access.require(user, ground.pk, Role.SCHEDULER)
    return WorkbookImport.objects.filter(ground=ground).select_related("user").defer("file")


def import_by_id(id_: uuid.UUID | str, *, user: User) -> WorkbookImport:
    """Raises NotFound, and NotAllowed for who may not import there."""
    found = (
        WorkbookImport.objects.filter(pk=id_, ground__in=access.grounds_of(user))
        .select_related("ground", "user")
        .defer("file")
        .first()
    )
    if found is None:
        raise NotFound(access.NOT_FOUND)
    access.require(user, found.ground_id, Role.SCHEDULER)
    return found


def progress_of(id_: uuid.UUID | str) -> tuple[int, int]:
    """Rows written so far, and of how many."""
    done, total = cache.get(_key(id_)) or (0, 0)
    return done, total


def check(id_: uuid.UUID | str) -> None:
    """The dry run: what an import would do now."""
    upload = (
        WorkbookImport.objects.filter(pk=id_, state=ImportState.CHECKING).select_related("ground", "user").first()
    )
    if upload is None or upload.file is None:
        return
    try:
        report = preview(
            bytes(upload.file), upload.ground, actor=Actor(upload.user, Door.IMPORT), lanes=upload.lanes
        )  # fmt: skip
    except (WorkbookError, DomainError) as error:
        _end(id_, ImportState.FAILED, problem=str(error))
    except Exception:
        _end(id_, ImportState.FAILED, problem=_SENTENCE)
        raise
    else:
        WorkbookImport.objects.filter(pk=id_, state=ImportState.CHECKING).update(
            state=ImportState.CHECKED, report=_as_json(report)
        )


def confirm(id_: uuid.UUID | str) -> bool:
    """Marks a checked import as to be carried out; False where it is not, or no longer, waiting for that."""
    return bool(WorkbookImport.objects.filter(pk=id_, state=ImportState.CHECKED).update(state=ImportState.IMPORTING))


def stop(id_: uuid.UUID | str) -> bool:
    """Ends an import that is checked, or asks one that runs to stop before it is committed."""
    rows = WorkbookImport.objects.filter(pk=id_)
    if rows.filter(state=ImportState.IMPORTING).update(state=ImportState.STOPPING):
        return True
    before = (ImportState.CHECKING, ImportState.CHECKED)
    return bool(
        rows.filter(state__in=before).update(state=ImportState.STOPPED, file=None, finished_at=timezone.now())
    )  # fmt: skip


def not_queued(id_: uuid.UUID | str) -> None:
    """Takes back what was to be worked on, when nobody could be told of it."""
    rows = WorkbookImport.objects.filter(pk=id_)
    rows.filter(state=ImportState.CHECKING).update(state=ImportState.STOPPED, file=None)
    rows.filter(state=ImportState.IMPORTING).update(state=ImportState.CHECKED)


def carry(id_: uuid.UUID | str) -> None:
    """Carries out a confirmed import with the rights of who sent it. A second delivery of the task does no harm."""
    upload = (
        WorkbookImport.objects.filter(pk=id_, state__in=(ImportState.IMPORTING, ImportState.STOPPING))
        .select_related("ground", "user")
        .first()
    )
    if upload is None or upload.file is None:
        return

    def told(done: int, total: int) -> None:
        cache.set(_key(id_), (done, total), timeout=3600)
        if WorkbookImport.objects.filter(pk=id_, state=ImportState.STOPPING).exists():
            raise Stopped

    try:
        report = carry_out(
            bytes(upload.file), upload.ground, actor=Actor(upload.user, Door.IMPORT), lanes=upload.lanes,
            on_progress=told,
        )  # fmt: skip
    except Stopped:
        _end(id_, ImportState.STOPPED)
    except (WorkbookError, DomainError) as error:
        _end(id_, ImportState.FAILED, problem=str(error))
    except Exception:
        _end(id_, ImportState.FAILED, problem=_SENTENCE)
        raise
    else:
        _end(id_, ImportState.DONE, report=_as_json(report))


def forget_old(now: dt.datetime | None = None) -> int:
    """Removes uploads that have expired; returns how many."""
    before = (now or timezone.now()) - KEPT
    return WorkbookImport.objects.filter(created_at__lt=before).delete()[0]


def _end(id_: uuid.UUID | str, state: ImportState, **values: Any) -> None:
    WorkbookImport.objects.filter(pk=id_).update(state=state, file=None, finished_at=timezone.now(), **values)


def _as_json(report: Report) -> dict[str, Any]:
    return asdict(report) | {"needs_admin": report.needs_admin}


def _key(id_: uuid.UUID | str) -> str:
    return f"workbook-import:{id_}"
