"""Bringing a workbook in through the page, with a real worker."""

import csv
import datetime as dt
import io
import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from allocations import exchange
from allocations.enums import ImportState
from allocations.exchange import uploads
from allocations.exchange.export import export_workbook
from allocations.exchange.importing import carry_out
from allocations.exchange.tests.test_importing import member
from allocations.models import Allocation, Change, Dyno, ProvingGround, TestRequest, WorkbookImport
from allocations.services import jobs
from allocations.services.requests import create_request
from allocations.tests.world import day

INDEX = reverse("allocations:import")
SAMPLE = Path(exchange.__file__).parent / "sample" / "forecast_sample.xlsx"


@pytest.fixture
def inbox(monkeypatch) -> list[tuple[str, str]]:
    """What would be handed to the worker."""
    queued: list[tuple[str, str]] = []
    for name in ("check_workbook", "import_workbook"):
        monkeypatch.setattr(f"allocations.tasks.{name}.delay", lambda id_, name=name: queued.append((name, id_)))
    return queued


def file_of(content: bytes, name: str = "forecast.xlsx") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def send(client, content: bytes, name: str = "forecast.xlsx"):
    return client.post(INDEX, {"file": file_of(content, name), "lanes": 12})


def page(client, upload: WorkbookImport, **headers) -> str:
    return client.get(reverse("allocations:import-detail", args=[upload.pk]), headers=headers).content.decode()


def post(client, name: str, upload: WorkbookImport):
    return client.post(reverse(f"allocations:import-{name}", args=[upload.pk]))


def test_workbook_is_checked_confirmed_and_brought_in(client, committed_world, celery_worker):
    world = committed_world
    client.force_login(world.users["admin"])
    answer = send(client, SAMPLE.read_bytes())
    upload = WorkbookImport.objects.get()
    assert answer["Location"] == reverse("allocations:import-detail", args=[upload.pk])
    celery_worker.wait(60)
    upload.refresh_from_db()
    assert (upload.state, upload.problem) == (ImportState.CHECKED, "")
    counts = upload.report
    assert counts["booked"] + counts["waiting"] + counts["cancelled"] + counts["refused"] == counts["rows"] == 302
    assert Allocation.objects.filter(ground=world.north).count() == 0
    checked = page(client, upload)
    assert "Nothing is written yet." in checked
    assert "Bring it in" in checked
    post(client, "confirm", upload)
    celery_worker.wait(120)
    upload.refresh_from_db()
    assert (upload.state, upload.file) == (ImportState.DONE, None)
    assert Allocation.objects.filter(ground=world.north).count() == upload.report["booked"]
    assert Change.objects.get(action="import").user == world.users["admin"]
    assert Dyno.objects.filter(ground=world.south).count() == 1


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"PK\x03\x04 and so on", "forecast.xls", "Choose an Excel workbook, .xlsx or .xlsm."),
        (b"<html>", "forecast.xlsx", "The file is no Excel workbook"),
        (b"", "forecast.xlsx", "The submitted file is empty."),
        (b"PK\x03\x04" + bytes(20 * (1 << 20)), "forecast.xlsm", "The file is larger than 20 MB."),
    ],
)
def test_file_that_is_no_workbook_is_refused_at_once(client, world, inbox, content, name, says):
    client.force_login(world.users["scheduler"])
    response = send(client, content, name)
    assert (response.status_code, says in response.content.decode()) == (422, True)
    assert (WorkbookImport.objects.count(), inbox) == (0, [])


def test_damaged_workbook_fails_with_a_sentence(client, world, inbox):
    client.force_login(world.users["scheduler"])
    send(client, b"PK\x03\x04 but nothing more")
    upload = WorkbookImport.objects.get()
    assert inbox == [("check_workbook", str(upload.pk))]
    uploads.check(upload.pk)
    upload.refresh_from_db()
    assert (upload.state, upload.file) == (ImportState.FAILED, None)
    assert "The workbook was not imported" in page(client, upload)


def test_page_asks_again_while_the_worker_is_at_it(client, world, inbox):
    client.force_login(world.users["scheduler"])
    send(client, SAMPLE.read_bytes())
    upload = WorkbookImport.objects.get()
    fragment = {"HX-Request": "true", "HX-Target": "div#import", "HX-Request-Type": "partial"}
    under_way = page(client, upload, **fragment)
    assert under_way.lstrip().startswith('<div class="stack" id="import" hx-get=')
    assert 'hx-trigger="every 1s"' in under_way
    uploads.check(upload.pk)
    assert "hx-trigger" not in page(client, upload, **fragment)


def test_import_is_stopped_without_a_trace(client, world, inbox, monkeypatch):
    client.force_login(world.users["admin"])
    send(client, SAMPLE.read_bytes())
    upload = WorkbookImport.objects.get()
    uploads.check(upload.pk)
    post(client, "confirm", upload)
    assert inbox[-1] == ("import_workbook", str(upload.pk))
    pages: list[str] = []

    def stopped_by_someone(key, value):
        if not pages:
            post(client, "stop", upload)
            pages.append(page(client, upload))

    monkeypatch.setattr(jobs, "tell", stopped_by_someone)
    uploads.carry(upload.pk)
    assert "Being stopped" in pages[0]
    upload.refresh_from_db()
    assert upload.state == ImportState.STOPPED
    assert Allocation.objects.filter(ground=world.north).count() == 0
    assert "Nothing of it was written." in page(client, upload)


def test_import_that_still_waits_is_stopped_at_once(client, world, inbox):
    client.force_login(world.users["admin"])
    send(client, SAMPLE.read_bytes())
    upload = WorkbookImport.objects.get()
    uploads.check(upload.pk)
    post(client, "confirm", upload)
    post(client, "stop", upload)
    upload.refresh_from_db()
    assert (upload.state, upload.file) == (ImportState.STOPPED, None)
    uploads.carry(upload.pk)
    assert Allocation.objects.filter(ground=world.north).count() == 0


def test_what_was_confirmed_is_not_confirmed_twice(client, world, inbox):
    client.force_login(world.users["admin"])
    send(client, SAMPLE.read_bytes())
    upload = WorkbookImport.objects.get()
    uploads.check(upload.pk)
    for _ in range(2):
        post(client, "confirm", upload)
    assert [name for name, _ in inbox] == ["check_workbook", "import_workbook"]


def test_dynos_of_a_workbook_take_an_admin(client, world, inbox):
    client.force_login(world.users["scheduler"])
    send(client, SAMPLE.read_bytes())
    upload = WorkbookImport.objects.get()
    uploads.check(upload.pk)
    assert "This takes an administrator" in page(client, upload)
    assert post(client, "confirm", upload).status_code == 403
    upload.refresh_from_db()
    assert upload.state == ImportState.CHECKED


def test_broker_that_is_away_leaves_nothing_hanging(client, world, monkeypatch):
    from kombu.exceptions import OperationalError

    def away(id_):
        raise OperationalError

    monkeypatch.setattr("allocations.tasks.check_workbook.delay", away)
    client.force_login(world.users["scheduler"])
    response = client.post(INDEX, {"file": file_of(SAMPLE.read_bytes()), "lanes": 12}, follow=True)
    assert "No worker is available at the moment" in response.content.decode()
    assert WorkbookImport.objects.get().state == ImportState.STOPPED


def test_uploads_expire(world):
    old, new = (WorkbookImport.objects.create(ground=world.north, user=world.users["admin"], name=n) for n in "ab")
    WorkbookImport.objects.filter(pk=old.pk).update(created_at=timezone.now() - dt.timedelta(days=8))
    assert uploads.forget_old() == 1
    assert list(WorkbookImport.objects.all()) == [new]


def test_exports_hold_the_schedule(client, world):
    world.book("412W101", "NPG 1", 0, 2)
    client.force_login(world.users["viewer"])
    lines = b"".join(client.get(reverse("allocations:export-csv")).streaming_content).decode()
    assert "412W101" in lines
    assert "365W201" not in lines
    answer = client.get(reverse("allocations:export-xlsx"))
    assert answer["Content-Disposition"].endswith(f'schedule-north-{ProvingGround.today(world.north)}.xlsx"')
    assert io.BytesIO(answer.content).read(4) == b"PK\x03\x04"
    assert len(export_workbook(world.north, user=world.users["viewer"])) > 1000


@pytest.mark.usefixtures("_monday")
def test_page_says_what_of_a_request_a_workbook_does_not_take_along(client, world):
    wish = {"test_type_id": world.tests["Brake"].pk, "days": 2, "miles": 90, "note": "Wet", "due_date": day(9)}
    first = create_request(world.vehicles["412W101"].pk, actor=world.actor(), **wish)
    wish |= {"priority": "high", "after_id": first.items[0]["id"], "earliest_start": day(1)}
    create_request(world.vehicles["412W102"].pk, actor=world.actor(), **wish)
    empty = ProvingGround.objects.create(code="WEST", name="West")
    carry_out(export_workbook(world.north, user=world.users["viewer"]), empty, actor=member(empty))
    requests = TestRequest.objects.filter(ground=empty).order_by("vehicle__tag")
    assert list(requests.values_list("vehicle__tag", "days", "miles", "note", "due_date", "earliest_start")) == [
        ("412W101", 2, 90, "Wet", day(9), None),
        ("412W102", 2, 90, "Wet", day(9), day(1)),
    ]
    assert set(requests.values_list("priority", "after", "created_by__username")) == {("normal", None, "importer")}
    client.force_login(world.users["scheduler"])
    words = " ".join(client.get(INDEX).content.decode().split())
    assert "priorities, owners, the order of requests, days off and travel stay here." in words


def test_rows_against_days_off_are_shown_before_the_import(client, world):
    client.force_login(world.users["admin"])
    misfit = {"row": 12, "test": "Brake", "vehicle": "412W101", "reason": "It begins on a day off: Sun 7 Mar 2027."}
    upload = WorkbookImport.objects.create(
        ground=world.north, user=world.users["admin"], state=ImportState.CHECKED, report={"misfits": [misfit]}
    )
    text = page(client, upload)
    assert "Against days off or travel" in text
    assert misfit["reason"] in text


def exported(client, **query):
    answer = client.get(reverse("allocations:export-csv"), query)
    heading, *rows = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))
    return [(row[heading.index("Dyno")], row[heading.index("Tag")], row[heading.index("First day")]) for row in rows]


@pytest.mark.usefixtures("_monday")
def test_csv_takes_the_days_and_filters_of_the_calendar(client, world):
    world.book("412W101", "NPG 1", 0, 2)
    world.book("412W102", "NPG 2", 2, 4, test="4K Certification")
    world.book("412W101", "NPG 1", 20, 22)
    client.force_login(world.users["viewer"])
    first, later = ("NPG 1", "412W101", str(day(0))), ("NPG 1", "412W101", str(day(20)))
    other = ("NPG 2", "412W102", str(day(2)))
    assert exported(client) == [first, other, later]
    days = {"from": str(day(1)), "to": str(day(5))}
    assert exported(client, **days) == [first, other]
    assert exported(client, **days, q="412w102") == [other]
    assert exported(client, **{"from": str(day(3)), "to": str(day(3))}) == [other]
    assert exported(client, **{"from": str(day(20)), "to": str(day(30))}) == [later]
    assert exported(client, **days, status="running") == []
    page = client.get(reverse("allocations:schedule"), days | {"q": "412w102"})
    (link,) = re.findall(r'href="([^"]*export/schedule.csv[^"]*)"', page.content.decode())
    answer = client.get(link.replace("&amp;", "&"))
    assert f"-{day(1)}-to-{day(5)}.csv" in answer["Content-Disposition"]
    text = answer.getvalue()
    assert (b"412W101" in text, b"412W102" in text) == (False, True)


DOUBTS = [
    {"sentence": "The dyno 'Bay 1' was renamed here.", "key": "dyno:bay 1", "choice": "'Bay 1' is a new dyno"},
    {"sentence": "Row 7 looks like another.", "key": "row:abc", "choice": "Row 7 is another test"},
    {"sentence": "Row 9 is hidden.", "key": "", "choice": ""},
]


def test_doubts_are_shown_with_their_choices_before_the_import(client, world, inbox):
    upload = WorkbookImport.objects.create(
        ground=world.north, user=world.users["admin"], state=ImportState.CHECKED, report={"doubts": DOUBTS}
    )
    client.force_login(world.users["scheduler"])
    text = page(client, upload)
    assert all(doubt["sentence"].replace("'", "&#x27;") in text for doubt in DOUBTS)
    assert re.findall(r'name="new" value="([^"]+)"', text) == ["row:abc"]
    address = reverse("allocations:import-confirm", args=[upload.pk])
    assert client.post(address, {"new": "dyno:bay 1"}).status_code == 403
    client.force_login(world.users["admin"])
    assert re.findall(r'name="new" value="([^"]+)"', page(client, upload)) == ["dyno:bay 1", "row:abc"]
    client.post(address, {"new": ["row:abc", "row:other"]})
    upload.refresh_from_db()
    assert (upload.state, upload.choices) == (ImportState.IMPORTING, ["row:abc"])
