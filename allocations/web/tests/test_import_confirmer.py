"""A workbook that one user sends and another confirms: what it changes is the deed of who confirmed it."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from kombu.exceptions import OperationalError

from allocations import tasks
from allocations.enums import ImportState
from allocations.exchange import uploads
from allocations.exchange.tests.books import book, row
from allocations.models import Allocation, Change, Dyno, Membership, TestRequest, WorkbookImport
from allocations.tests.world import ANY_DRIVE, ANY_WEIGHT

NOT_THEIRS = (
    "{}, who confirmed it, does not have the rights that it takes; nothing was written. "
    "Someone who has them can send and confirm it again."
)


@pytest.fixture(autouse=True)
def _messages(monkeypatch):
    """Nobody works on it before the test does."""
    monkeypatch.setattr(tasks.import_workbook, "delay", lambda id_: None)


@pytest.fixture
def people(world):
    for name in ("admin", "scheduler"):
        world.users[name].first_name, world.users[name].last_name = "The", name.title()
        world.users[name].save()
    return world.users


def a_checked_workbook(world, sender: str, dyno: int = 1) -> WorkbookImport:
    """One row, a week on the dyno NPG `dyno`."""
    content = book([row("412W101", dyno=dyno)], rules=[("4k certification", "any", "any", f"NPG {dyno}")])
    file = SimpleUploadedFile("forecast.xlsx", content)
    upload = uploads.submit(file, world.north, lanes=12, user=world.users[sender])
    uploads.check(upload.pk)
    upload.refresh_from_db()
    assert (upload.state, upload.report["booked"], upload.report["needs_admin"]) == (ImportState.CHECKED, 1, False)
    return upload


def confirm(client, upload: WorkbookImport, user):
    client.force_login(user)
    return client.post(reverse("allocations:import-confirm", args=[upload.pk]), follow=True)


def carry(upload: WorkbookImport) -> tuple[str, str]:
    uploads.carry(upload.pk)
    upload.refresh_from_db()
    return upload.state, upload.problem


def lead(client, upload: WorkbookImport) -> str:
    text = client.get(reverse("allocations:import-detail", args=[upload.pk])).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", re.search(r'<p class="lead">(.*?)</p>', text, re.DOTALL)[1]).split())


def of_the_list(client) -> str:
    text = client.get(reverse("allocations:import")).content.decode()
    (cell,) = re.findall(r"<td>\s*(The Scheduler[^<]*)</td>", text)
    return " ".join(cell.split())


@pytest.mark.parametrize(("sender", "confirmer"), [("scheduler", "admin"), ("admin", "scheduler")])
def test_changes_are_those_of_who_confirmed(client, world, people, sender, confirmer):
    upload = a_checked_workbook(world, sender)
    confirm(client, upload, people[confirmer])
    assert carry(upload) == (ImportState.DONE, "")
    change = Change.objects.get(action="import")
    assert change.user == people[confirmer]
    assert (upload.user, upload.confirmed_by) == (people[sender], people[confirmer])
    imported = (Allocation.objects.get(ground=world.north), TestRequest.objects.get(ground=world.north))
    assert {row.created_by for row in imported} == {people[confirmer]}
    history = client.get(reverse("allocations:change-list")).content.decode()
    assert (f"The {confirmer.title()}" in history, f"The {sender.title()}" in history) == (True, False)


def test_page_says_who_sent_and_who_confirmed(client, world, people):
    upload = a_checked_workbook(world, "scheduler")
    client.force_login(people["admin"])
    assert lead(client, upload).startswith("Uploaded by The Scheduler, ")
    assert ("onfirmed" in lead(client, upload), of_the_list(client)) == (False, "The Scheduler")
    confirm(client, upload, people["admin"])
    assert lead(client, upload).endswith(" · Confirmed by The Admin")
    assert of_the_list(client) == "The Scheduler · Confirmed by The Admin"
    carry(upload)
    assert lead(client, upload).endswith(" · Confirmed by The Admin")


def test_list_names_a_user_who_sent_and_confirmed_once(client, world, people):
    upload = a_checked_workbook(world, "scheduler")
    confirm(client, upload, people["scheduler"])
    assert of_the_list(client) == "The Scheduler"
    assert lead(client, upload).endswith(" · Confirmed by The Scheduler")


def test_rights_of_the_sender_are_no_help(client, world, people):
    """The dyno was there when the workbook was checked; since then it takes an admin to make it."""
    dyno = world.dyno("NPG 9", (world.tests["4K Certification"], ANY_DRIVE, ANY_WEIGHT))
    upload = a_checked_workbook(world, "admin", dyno=9)
    dyno.delete()
    confirm(client, upload, people["scheduler"])
    assert carry(upload) == (ImportState.FAILED, NOT_THEIRS.format("The Scheduler"))
    detail = client.get(reverse("allocations:import-detail", args=[upload.pk])).content.decode()
    assert NOT_THEIRS.format("The Scheduler") in detail
    assert not Dyno.objects.filter(name="NPG 9").exists()
    assert not Change.objects.filter(action="import").exists()
    assert not Allocation.objects.filter(ground=world.north).exists()


def test_rights_of_who_confirmed_are_asked_when_it_is_carried_out(client, world, people):
    upload = a_checked_workbook(world, "admin")
    confirm(client, upload, people["scheduler"])
    Membership.objects.filter(user=people["scheduler"]).delete()
    assert carry(upload) == (ImportState.FAILED, NOT_THEIRS.format("The Scheduler"))
    assert Allocation.objects.filter(ground=world.north).count() == 0


def test_sender_may_have_gone_by_then(client, world, people):
    upload = a_checked_workbook(world, "scheduler")
    Membership.objects.filter(user=people["scheduler"]).delete()
    confirm(client, upload, people["admin"])
    assert carry(upload) == (ImportState.DONE, "")
    assert Allocation.objects.filter(ground=world.north).count() == 1


def test_nobody_stands_in_for_an_account_that_was_deleted(client, world, people):
    upload = a_checked_workbook(world, "admin")
    confirm(client, upload, people["scheduler"])
    people["scheduler"].delete()
    assert carry(upload) == (
        ImportState.FAILED,
        "The account of the user who confirmed it was deleted; nothing was written. Send and confirm it again.",
    )
    assert Allocation.objects.filter(ground=world.north).count() == 0


def test_what_could_not_be_queued_is_not_confirmed(client, world, people, monkeypatch):
    def away(id_):
        raise OperationalError

    monkeypatch.setattr(tasks.import_workbook, "delay", away)
    upload = a_checked_workbook(world, "scheduler")
    confirm(client, upload, people["admin"])
    upload.refresh_from_db()
    assert (upload.state, upload.confirmed_by, "onfirmed" in lead(client, upload)) == (
        ImportState.CHECKED,
        None,
        False,
    )
