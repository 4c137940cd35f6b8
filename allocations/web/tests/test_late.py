"""The list of what is late, and how the calendar tells its kinds apart."""

import csv
import io
import re

import pytest
from django.urls import reverse

from allocations.models import Allocation, ProvingGround
from allocations.services.requests import create_request
from allocations.tests.world import allocation_of, day

LATE = reverse("allocations:late-list")
BOARD = reverse("allocations:schedule")


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: day(7))


@pytest.fixture
def late(client, world):
    """412W101 runs 3 days past its end, 412W102 should have begun 5 days ago, 412W103 ends 20 after its due date."""
    client.force_login(world.users["scheduler"])
    for vehicle, dyno, first, last, status, due in (
        ("412W103", "NPG 1", 28, 30, "scheduled", 10),
        ("412W101", "NPG 1", 0, 4, "running", None),
        ("412W102", "NPG 2", 2, 9, "scheduled", None),
    ):
        booked = allocation_of(world.book(vehicle, dyno, first, last, test="4K Certification"))
        wish = create_request(
            world.vehicles[vehicle].pk,
            test_type_id=world.tests["4K Certification"].pk,
            days=3,
            actor=world.actor(),
            due_date=due and day(due),
        ).items[0]["id"]
        Allocation.objects.filter(pk=booked.pk).update(status=status, request=wish if due else None)
    return client


def text(client, url=LATE, **params) -> str:
    response = client.get(url, params)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def vehicles(page: str) -> list[str]:
    return re.findall(r'class="row-link"[^>]*>([^<]+)</a>', page)


def test_the_longest_late_comes_first_and_says_why(late):
    page = text(late)
    assert vehicles(page) == ["412W103", "412W102", "412W101"]
    assert re.findall(r'data-label="Days late">(\d+)<', page) == ["20", "5", "3"]
    assert "It should have ended on Fri 20 Nov." in page
    assert page.count("Extend to today") == 1
    for words in ("Overrun: <b>1</b>", "Not started: <b>1</b>", "Past due: <b>1</b>"):
        assert words in page


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"kind": "overrun"}, ["412W101"]),
        ({"kind": "unstarted"}, ["412W102"]),
        ({"kind": "past-due"}, ["412W103"]),
        ({"kind": "nonsense"}, ["412W103", "412W102", "412W101"]),
        ({"q": "w103"}, ["412W103"]),
        ({"sort": "late"}, ["412W101", "412W102", "412W103"]),
        ({"sort": "vehicle"}, ["412W101", "412W102", "412W103"]),
    ],
)
def test_it_is_narrowed_searched_and_sorted(late, params, names):
    assert vehicles(text(late, **params)) == names


def test_csv_has_kind_days_and_reason(late):
    answer = late.get(LATE, {"format": "csv", "kind": "past-due"})
    heading, row = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode()))
    cells = dict(zip(heading, row, strict=True))
    assert (cells["Late"], cells["Days late"], cells["Due"]) == ("Past due", "20", str(day(10)))
    assert cells["Why"] == "It ends after its due date, Thu 26 Nov."


def test_an_empty_list_says_what_it_means(client, world):
    client.force_login(world.users["viewer"])
    assert "Nothing is late" in text(client)
    assert "Nothing late matches" in text(client, kind="overrun")


def test_another_grounds_members_see_nothing_of_it(late, client, world):
    client.force_login(world.users["outsider"])
    assert client.get("/g/NORTH/late/").status_code == 404


def test_the_calendar_tells_the_kinds_apart_and_filters_by_each(late, world):
    def looks(**params):
        page = text(late, BOARD, **{"from": day(0).isoformat(), "to": day(40).isoformat()}, **params)
        return [look.split()[0] for look in re.findall(r'class="bar ([^"]*)"', page) if "dim" not in look.split()]

    assert looks() == ["status-overrun", "status-past-due", "status-unstarted"]
    assert looks(status="late") == looks()
    for kind in ("overrun", "unstarted", "past-due"):
        assert looks(status=kind) == [f"status-{kind}"]
    page = text(late, BOARD)
    assert 'href="/g/NORTH/late/?kind=overrun">Overrun</a>' in page
    card = text(late, reverse("allocations:allocation-card", args=[Allocation.objects.get(status="running").pk]))
    assert "badge status-overrun" in card
    assert "It should have ended on Fri 20 Nov." in card
