"""Rows that are copied out of Excel and pasted: checked and confirmed like a workbook."""

import re

import pytest
from django.urls import reverse

from allocations.enums import ImportState
from allocations.exchange import uploads
from allocations.exchange.headings import NAMES
from allocations.models import Capability, Change, MaintenanceWindow, TestRequest, WorkbookImport
from allocations.services.maintenance import set_maintenance
from allocations.services.undo import undo
from allocations.tests.world import day

PASTE = f"{reverse('allocations:import')}?paste=1"
ROWS = (
    {
        "test": "Brake",
        "facility": "NPG",
        "dyno": "NPG 1",
        "tag": "412W101",
        "status": "G",
        "estimated": "2026-11-23",
        "weight": "<10K",
        "constraint": "2WD",
        "days": "3",
    },
    {
        "test": "Brake",
        "facility": "NPG",
        "dyno": "",
        "tag": "999W001",
        "status": "TBD",
        "estimated": "23 Nov 2026",
        "weight": "<10K",
        "constraint": "2WD",
        "days": "2",
        "notes": "=1+1\nsecond line",
    },
)


@pytest.fixture(autouse=True)
def _worker(monkeypatch):
    for name in ("check_workbook", "import_workbook"):
        monkeypatch.setattr(f"allocations.tasks.{name}.delay", lambda id_: None)


@pytest.fixture
def scheduler(client, world):
    client.force_login(world.users["scheduler"])
    return client


def copied(rows, *, heading: bool = True) -> str:
    """The rows as Excel puts them on the clipboard."""

    def cell(value: str) -> str:
        return f'"{value}"' if "\n" in value else value

    lines = [list(NAMES.values())] if heading else []
    lines += [[row.get(name, "") for name in NAMES] for row in rows]
    return "\r\n".join("\t".join(map(cell, line)) for line in lines)


def paste(client, words: str):
    return client.post(PASTE, {"paste-rows": words, "paste-lanes": 12})


def test_pasted_rows_are_checked_brought_in_and_undone(scheduler, world):
    set_maintenance(
        world.dynos["NPG 2"].pk, first_day=day(20), last_day=day(22), kind="planned", actor=world.actor("admin")
    )
    capabilities = list(Capability.objects.order_by("pk").values("dyno", "test_type", "drives", "weight_classes"))
    answer = paste(scheduler, copied(ROWS))
    upload = WorkbookImport.objects.get()
    assert answer["Location"] == reverse("allocations:import-detail", args=[upload.pk])
    assert upload.name == "Pasted rows.xlsx"
    uploads.check(upload.pk)
    upload.refresh_from_db()
    report = upload.report
    assert (upload.state, upload.problem) == (ImportState.CHECKED, "")
    assert (report["rows"], report["booked"], report["waiting"], report["refused"]) == (2, 1, 1, 0)
    assert report["needs_admin"] is False
    scheduler.post(reverse("allocations:import-confirm", args=[upload.pk]))
    uploads.carry(upload.pk)
    rows = {row.vehicle.tag: row for row in TestRequest.objects.filter(ground=world.north)}
    assert {tag: (row.status, row.days, row.earliest_start) for tag, row in rows.items()} == {
        "412W101": ("placed", 3, day(7)),
        "999W001": ("waiting", 2, day(7)),
    }
    assert "=1+1 second line" in rows["999W001"].note
    assert MaintenanceWindow.objects.count() == 1
    now = list(Capability.objects.order_by("pk").values("dyno", "test_type", "drives", "weight_classes"))
    assert now == capabilities
    undo(Change.objects.get(action="import").pk, actor=world.actor())
    assert set(TestRequest.objects.values_list("status", flat=True)) == {"cancelled"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "This field is required."),
        (copied(ROWS, heading=False), "The sheet 'pasted rows' has no heading row"),
        ("hello", "The sheet 'pasted rows' has no heading row"),
        ("Test\tEstimated Start\nBrake\t2026-11-23", "The sheet 'pasted rows' has no column"),
    ],
)
def test_what_is_no_part_of_the_forecast_is_told_beside_the_field(scheduler, world, words, says):
    answer = paste(scheduler, words)
    assert answer.status_code == 422
    page = answer.content.decode().replace("&#x27;", "'")
    assert re.search(r'<ul class="errorlist"[^>]*>\s*<li>' + re.escape(says), page)
    assert WorkbookImport.objects.count() == 0


def test_viewer_may_not_paste(client, world):
    client.force_login(world.users["viewer"])
    assert paste(client, copied(ROWS)).status_code == 403
