"""Bringing a workbook in: send it, read what would come of it, confirm; and taking the schedule out."""

import logging
import uuid
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from kombu.exceptions import OperationalError

from allocations import tasks
from allocations.enums import ImportState, Role
from allocations.exceptions import Refused
from allocations.exchange import uploads
from allocations.exchange.errors import WorkbookError
from allocations.exchange.export import export_csv, export_workbook
from allocations.exchange.pasting import NAME, pasted_workbook
from allocations.models import ProvingGround, WorkbookImport
from allocations.selectors.calendar import calendar
from allocations.selectors.workbook_imports import import_by_id, import_progress, imports_of
from allocations.web.forms.imports import PasteForm, UploadForm
from allocations.web.ground_context import current_ground, shell_of
from allocations.web.schedule.query import read_query
from dynosite.accounts.requests import UserRequest
from dynosite.lib.htmx import wants_fragment
from dynosite.lib.traits import takes_body

logger = logging.getLogger(__name__)

RECENT = 10
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@takes_body(uploads.MAX_BYTES + 1024 * 1024)  # a file that is slightly too large is told so beside the form
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: UserRequest) -> HttpResponse:
    """A workbook that is sent, or rows that are pasted: `?paste=1` in the address of the form."""
    ground = current_ground(request, Role.SCHEDULER)
    pastes = "paste" in request.GET
    data = request.POST if request.method == "POST" else None
    upload_form = UploadForm(*(() if pastes else (data, request.FILES or None)))
    paste_form = PasteForm(data if pastes else None)
    form = paste_form if pastes else upload_form
    if request.method == "POST" and form.is_valid():
        try:
            upload = _submit(request, ground, form.cleaned_data)
        except (Refused, WorkbookError) as error:
            form.add_error("rows" if pastes else "file", getattr(error, "sentence", str(error)))
        else:
            _queue(request, tasks.check_workbook, upload)
            return redirect("allocations:import-detail", upload.pk)
    context = {
        "form": upload_form,
        "paste_form": paste_form,
        "pastes": pastes,
        "recent": imports_of(ground, user=request.user)[:RECENT],
        "ground": ground,
    }
    return render(request, "allocations/imports/page.html", context, status=422 if form.is_bound else 200)


def _submit(request: UserRequest, ground: ProvingGround, data: dict[str, Any]) -> WorkbookImport:
    file = data.get("file") or SimpleUploadedFile(NAME, pasted_workbook(data["rows"], ground, user=request.user))
    return uploads.submit(file, ground, lanes=data["lanes"], user=request.user)


def _queue(request: UserRequest, task: Any, upload: WorkbookImport) -> None:
    try:
        task.delay(str(upload.pk))
    except OperationalError:
        logger.warning("workbook import %s was not queued: no broker", upload.pk)
        uploads.not_queued(upload.pk)
        messages.error(request, "No worker is available at the moment; send it again in a minute.")


@require_safe
def detail(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Where an import stands; while it is under way htmx asks again every second, without it there is a link."""
    upload = _upload(request, pk)
    done, total = import_progress(upload) if upload.under_way else (0, 0)
    role = shell_of(request).role
    report = upload.report or {}
    is_admin = role is not None and role.covers(Role.ADMIN)
    doubts = [
        doubt | {"may": is_admin or not _makes_what_admins_make(doubt["key"])} for doubt in report.get("doubts") or ()
    ]
    context = {
        "upload": upload,
        "doubts": doubts,
        "report": report,
        "made": [(name, number) for name, number in (report.get("made") or {}).items() if number],
        "done": done,
        "total": total,
        "stopping": upload.state == ImportState.STOPPING,
        "may_confirm": not report.get("needs_admin") or is_admin,
        "trail": [("Import", reverse("allocations:import")), (upload.name, "")],
    }
    part = wants_fragment(request, "import")
    template = "allocations/imports/_import.html" if part else "allocations/imports/detail.html"
    response = render(request, template, context)
    response["Vary"] = "HX-Request, Cookie"
    return response


@require_POST
def confirm(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    upload = _upload(request, pk)
    choices = request.POST.getlist("new")
    if (upload.report or {}).get("needs_admin") or any(map(_makes_what_admins_make, choices)):
        current_ground(request, Role.ADMIN)
    try:
        confirmed = uploads.confirm(pk, user=request.user, choices=choices)
    except Refused as refused:
        messages.error(request, refused.sentence)
        return redirect("allocations:import-detail", pk)
    if confirmed:
        _queue(request, tasks.import_workbook, upload)
    else:
        messages.info(request, f"Nothing was started: the workbook is {upload.get_state_display().lower()}.")
    return redirect("allocations:import-detail", pk)


def _makes_what_admins_make(choice: str) -> bool:
    return choice.startswith(("dyno:", "test:"))


@require_POST
def stop(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    upload = _upload(request, pk)
    if not uploads.stop(pk):
        messages.info(request, f"There was nothing to stop: the workbook is {upload.get_state_display().lower()}.")
    return redirect("allocations:import-detail", pk)


def _upload(request: UserRequest, pk: uuid.UUID) -> WorkbookImport:
    upload = import_by_id(pk, user=request.user)
    shell_of(request).show_ground(upload.ground_id)
    return upload


@require_safe
def export_xlsx(request: UserRequest) -> HttpResponse:
    ground = current_ground(request)
    name = f"schedule-{ground.code.lower()}-{ground.today()}.xlsx"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(export_workbook(ground, user=request.user), content_type=XLSX, headers=headers)


@require_safe
def export_as_csv(request: UserRequest) -> StreamingHttpResponse:
    """The whole schedule; with days or filters of the calendar in the address, the bookings that it shows by them."""
    ground = current_ground(request)
    when, only = str(ground.today()), None
    if any(name != "ground" for name in request.GET):
        query = read_query(request.GET, ground)
        board = calendar(ground, query.days, user=request.user, chosen=query.chosen)
        only = board.matching
        when = f"{query.days.first}-to-{query.days.last}"
    name = f"schedule-{ground.code.lower()}-{when}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    lines = export_csv(ground, user=request.user, only=only)
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)
