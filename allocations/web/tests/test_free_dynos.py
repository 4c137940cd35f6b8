"""Which dyno is free from … to … for a test without a vehicle: the list, the others, CSV, the ways there."""

import csv
import io
import re

import pytest
from django.urls import reverse

from allocations.models import Allocation, ProvingGround
from allocations.tests.boards import maintain
from allocations.tests.world import MONDAY, allocation_of, day

DYNOS = reverse("allocations:dyno-list")
WEEK = {"from": day(0).isoformat(), "to": day(6).isoformat()}


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: MONDAY)


@pytest.fixture
def scheduler(client, world):
    client.force_login(world.users["scheduler"])
    return client


def page(client, **params) -> str:
    response = client.get(DYNOS, params)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def free(client, **params) -> list[str]:
    return re.findall(r'class="row-link"[^>]*>([^<]+)</a>', page(client, **params))


def test_those_free_on_all_the_days_are_listed_and_the_others_say_why_not(scheduler, world):
    world.book("412W101", "NPG 1", 4, 9)
    maintain(world.dynos["NPG 2"], day(2), day(3), reason="Roller service")
    assert free(scheduler, **WEEK) == ["NPG 3", "NPG 21"]
    text = page(scheduler, **WEEK)
    assert "Free on all of <b>16 – 22 Nov 2026</b>" in text
    others = text[text.index("2 dynos not free on all of them") :]
    assert "NPG 1 is taken by 412W101" in others
    assert "Free 16 – 19 Nov 2026." in others
    assert "Roller service" in others
    assert "Free 16 – 17 Nov 2026, 20 – 22 Nov 2026." in others
    assert free(scheduler, **{"from": day(10).isoformat()}) == ["NPG 1", "NPG 2", "NPG 3", "NPG 21"]


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"drive": "AWD"}, ["NPG 1", "NPG 2", "NPG 3"]),
        ({"weight": ">10K"}, ["NPG 1", "NPG 2"]),
        ({"runs": "brake"}, ["NPG 1", "NPG 21"]),
        ({"runs": "brake", "drive": "AWD", "weight": ">10K"}, ["NPG 1"]),
        ({"drive": "8x8", "weight": "1", "runs": "nothing", "from": "soon"}, ["NPG 1", "NPG 2", "NPG 3", "NPG 21"]),
    ],
)
def test_drive_weight_and_test_narrow_with_days_and_without(scheduler, world, params, names):
    assert free(scheduler, **params) == names
    assert free(scheduler, **WEEK | params) == names


def test_a_test_past_its_end_holds_its_dyno_on_days_to_come(scheduler, world):
    allocation = allocation_of(world.book("412W101", "NPG 1", -9, -3))
    Allocation.objects.filter(pk=allocation.pk).update(status="running")
    days = {"from": day(20).isoformat(), "to": day(22).isoformat()}
    assert free(scheduler, runs="brake", **days) == ["NPG 21"]
    assert "412W101" in page(scheduler, runs="brake", **days)


def test_days_off_count_for_a_test_as_they_do_for_a_booking(scheduler, world):
    ProvingGround.objects.filter(pk=world.north.pk).update(days_off=[5, 6])
    saturday = {"from": day(5).isoformat(), "to": day(7).isoformat()}
    assert free(scheduler, **saturday) == ["NPG 1", "NPG 2", "NPG 3", "NPG 21"]
    assert free(scheduler, runs="brake", **saturday) == []
    assert "No dyno is free on all of these days" in page(scheduler, runs="brake", **saturday)


def test_days_the_wrong_way_round_are_said(scheduler, world):
    text = page(scheduler, **{"from": day(6).isoformat(), "to": day(0).isoformat()})
    assert "The last day is before the first." in text
    assert "Free on all of" not in text


def test_csv_has_all_that_may_run_the_test_and_what_is_in_the_way(scheduler, world):
    world.book("412W101", "NPG 1", 4, 9)
    answer = scheduler.get(DYNOS, {**WEEK, "runs": "brake", "format": "csv"})
    heading, *rows = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode()))
    assert heading[-2:] == ["Free on these days", "In the way"]
    verdicts = {row[0]: row[-2:] for row in rows}
    assert set(verdicts) == {"NPG 1", "NPG 21"}
    assert verdicts["NPG 21"] == ["yes", ""]
    assert verdicts["NPG 1"][0] == "no"
    assert "412W101" in verdicts["NPG 1"][1]


def test_a_free_dyno_leads_to_its_booking_with_days_and_test_filled_in(scheduler, client, world):
    text = page(scheduler, runs="brake", drive="AWD", **WEEK)
    link = re.search(r'aria-label="Book NPG 1 on these days" href="([^"]*)"', text)[1].replace("&amp;", "&")
    form = scheduler.get(link).content.decode()
    assert f'name="first_day" value="{day(0)}"' in form
    assert f'name="last_day" value="{day(6)}"' in form
    client.force_login(world.users["viewer"])
    assert "/allocations/new/?dyno" not in page(client, **WEEK)


def test_the_calendar_and_a_booking_without_a_vehicle_lead_there(scheduler, world):
    board = scheduler.get(reverse("allocations:schedule"), {"drive": "AWD", "runs": "brake"}).content.decode()
    form = re.search(r'<form class="cal-free-days" action="/g/NORTH/dynos/".*?</form>', board, re.DOTALL)[0]
    assert '<input type="hidden" name="drive" value="AWD">' in form
    assert '<input type="hidden" name="runs" value="brake">' in form
    brake = world.tests["Brake"].pk
    new = reverse("allocations:allocation-create")
    params = {"find": "1", "test_type": brake, "first_day": day(3).isoformat(), "days": "4"}
    text = scheduler.get(new, params).content.decode()
    assert "This field is required" in text
    link = re.search(r'href="([^"]*/dynos/\?[^"]*)"', text)[1].replace("&amp;", "&")
    assert link == f"/g/NORTH/dynos/?from={day(3)}&to={day(6)}&runs={brake}"
    assert re.findall(r'class="row-link"[^>]*>([^<]+)</a>', scheduler.get(link).content.decode()) == [
        "NPG 1",
        "NPG 21",
    ]
    assert "No vehicle yet?" in scheduler.get(new).content.decode()
    assert "No vehicle yet?" not in scheduler.get(new, {**params, "vehicle": "412W101"}).content.decode()
