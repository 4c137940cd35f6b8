"""Workbooks that are sent in: kept, checked, carried out, stopped, forgotten."""

import datetime as dt
import logging
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from allocations import access
from allocations.enums import Door, ImportState, RefusalCode, Role
from allocations.exceptions import DomainError, NotAllowed, NotFound, Refused
from allocations.exchange.errors import WorkbookError
from allocations.exchange.importing import Report, carry_out, preview
from allocations.exchange.opening import MAX_BYTES, MEGABYTE
from allocations.models import ProvingGround, WorkbookImport
from allocations.services import jobs
from allocations.services.importing import Progress
from allocations.services.unit_of_work import Actor
from dynosite.accounts.models import User

logger = logging.getLogger(__name__)

SUFFIXES = (".xlsx", ".xlsm")
RETENTION = dt.timedelta(days=7)
"""For so long a workbook can still be confirmed, and its report be read."""

_SENTENCE = "The import failed for a reason that is ours, not the workbook's; nothing was written."
_NOBODY = "The account of the user who confirmed it was deleted; nothing was written. Send and confirm it again."


class ImportStoppedError(Exception):
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
    """Keeps the file, ready to be checked. Raises WorkbookError, and Refused where too many of the user's wait."""
    access.require(user, ground.pk, Role.SCHEDULER)
    check_file(file)
    name = PurePath(file.name or "workbook").name[-200:]
    with transaction.atomic():
        jobs.expect_room(user, ground.pk)
        _expect_few_unconfirmed(user)
        return WorkbookImport.objects.create(
            ground=ground, user=user, name=name, file=file.read(), lanes=lanes, **jobs.queued(user)
        )


def _expect_few_unconfirmed(user: User) -> None:
    """Each keeps its file for as long as it may be confirmed."""
    most = settings.WORKBOOKS_PER_USER
    if WorkbookImport.objects.filter(user=user, state=ImportState.CHECKED).count() >= most:
        sentence = f"{most} workbooks of yours are checked and wait; confirm or stop one of them first."
        raise Refused.because(RefusalCode.TOO_MANY_AT_ONCE, sentence)


def check(id_: uuid.UUID | str) -> None:
    """The dry run: what an import would do now. Raises jobs.HeldError where another worker is at it."""
    upload = jobs.claim(jobs.IMPORTS, id_, (ImportState.CHECKING,))
    if upload is None:
        return
    with jobs.Hold(jobs.IMPORTS, upload), _told_of_failure(upload):
        report = preview(bytes(upload.file), upload.ground, actor=Actor(upload.user, Door.IMPORT), lanes=upload.lanes)
        jobs.end(jobs.IMPORTS, upload, state=ImportState.CHECKED, report=_as_json(report))


@contextmanager
def _told_of_failure(upload: WorkbookImport) -> Iterator[None]:
    """Writes down why nothing came of it; what nobody expected is raised on."""
    try:
        yield
    except (WorkbookError, DomainError) as error:
        _end(upload, ImportState.FAILED, problem=str(error))
    except Exception:
        _end(upload, ImportState.FAILED, problem=_SENTENCE)
        raise


def confirm(id_: uuid.UUID | str, *, user: User, choices: Collection[str] = ()) -> bool:
    """Marks a checked import as to be carried out as the user's deed, whoever sent it.

    False where it is not, or no longer, waiting for that. `choices` are keys of doubts in its report; what is none of
    them is left out.

    Raises NotFound or NotAllowed if the user may not import into its ground, and Refused where too much of the user's
    or the ground's is under way.
    """
    with transaction.atomic():
        upload = WorkbookImport.objects.filter(pk=id_, state=ImportState.CHECKED).defer("file").first()
        if upload is None:
            return False
        access.require(user, upload.ground_id, Role.SCHEDULER)
        jobs.expect_room(user, upload.ground_id)
        rows = WorkbookImport.objects.filter(pk=id_, state=ImportState.CHECKED)
        keys = {doubt["key"] for doubt in (upload.report or {}).get("doubts", ()) if doubt["key"]}
        chosen = sorted(keys.intersection(choices))
        values = {"state": ImportState.IMPORTING, "choices": chosen, "confirmed_by": user}
        return bool(rows.update(**values, **jobs.queued(user)))


def stop(id_: uuid.UUID | str) -> bool:
    """Ends an import that nobody works on, or asks one that runs to stop before it is committed."""
    before = WorkbookImport.objects.filter(pk=id_, state__in=(ImportState.CHECKING, ImportState.CHECKED))
    if before.update(holder=None, held_until=None, **jobs.IMPORTS.stopped()):
        return True
    return jobs.stop(jobs.IMPORTS, id_)


def not_queued(id_: uuid.UUID | str) -> None:
    """Takes back what was to be worked on, when nobody could be told of it; what a worker has goes on."""
    rows = WorkbookImport.objects.filter(pk=id_, holder=None)
    rows.filter(state=ImportState.CHECKING).update(state=ImportState.STOPPED, file=None)
    rows.filter(state=ImportState.IMPORTING).update(state=ImportState.CHECKED, confirmed_by=None)


def carry(id_: uuid.UUID | str) -> None:
    """Carries out a confirmed import with the rights of who confirmed it. A second delivery of the task does no harm.

    Raises jobs.HeldError where another worker is at it.
    """
    upload = jobs.claim(jobs.IMPORTS, id_, (ImportState.IMPORTING, ImportState.STOPPING))
    if upload is None:
        return

    def report_progress(done: int, total: int) -> None:
        jobs.tell(upload.progress_key, (done, total))
        if WorkbookImport.objects.filter(pk=id_, stop_asked=True).exists():
            raise ImportStoppedError
        if done == total:
            # Until it is committed nobody stops it or takes it up.
            jobs.expect_mine(jobs.IMPORTS, upload)

    with jobs.Hold(jobs.IMPORTS, upload), _told_of_failure(upload):
        try:
            report = _carry_out_as_confirmed(upload, report_progress)
        except ImportStoppedError:
            _end(upload, ImportState.STOPPED)
        except jobs.LeaseLostError:
            logger.warning("workbook import %s was taken from its worker, which writes nothing", id_)
        else:
            _end(upload, ImportState.DONE, report=_as_json(report))


def _carry_out_as_confirmed(upload: WorkbookImport, on_progress: Progress) -> Report:
    """Raises NotAllowed where who confirmed it may not, or no longer, do all of it, whatever its sender may."""
    user = upload.confirmed_by
    if user is None:
        raise NotAllowed(_NOBODY)
    try:
        return carry_out(
            bytes(upload.file or b""),
            upload.ground,
            actor=Actor(user, Door.IMPORT),
            lanes=upload.lanes,
            choices=upload.choices,
            on_progress=on_progress,
        )
    except (NotAllowed, NotFound) as error:
        raise NotAllowed(
            f"{user.display_name}, who confirmed it, does not have the rights that it takes; nothing was written. "
            "Someone who has them can send and confirm it again."
        ) from error


def forget_old(now: dt.datetime | None = None) -> int:
    """Removes uploads that have expired; returns how many."""
    before = (now or timezone.now()) - RETENTION
    return WorkbookImport.objects.filter(created_at__lt=before).delete()[0]


def _end(upload: WorkbookImport, state: ImportState, **values: Any) -> None:
    jobs.end(jobs.IMPORTS, upload, state=state, file=None, finished_at=timezone.now(), **values)


def _as_json(report: Report) -> dict[str, Any]:
    return asdict(report) | {"needs_admin": report.needs_admin}
