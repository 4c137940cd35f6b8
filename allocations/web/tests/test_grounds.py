"""A page belongs to the ground of its address, a form to its page, whatever is chosen elsewhere meanwhile."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import resolve, reverse

from allocations.enums import Role
from allocations.exchange.export import export_workbook
from allocations.models import Plan, TestRequest, Vehicle, WorkbookImport
from allocations.tests.world import day
from allocations.web.tests.test_urls import DECISIONS, PACKED, address_of
from dynosite.lib.ground_address import in_ground, split_ground

ADDRESSES = {
    "href",
    "action",
    "hx-get",
    "hx-post",
    "formaction",
    "data-rows",
    "data-stream",
    "data-booking",
    "data-source",
    "data-bars",
    "data-events",
    "data-address",
}
NEUTRAL = {"theme", "sign-out"}
"""Of no ground: they lead back to the page that they are on."""


class Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag, attrs) -> None:
        if tag not in ("link", "use", "script"):
            self.found += [(name, value) for name, value in attrs if name in ADDRESSES and value is not None]


def addresses_in(response) -> list[tuple[str, str]]:
    parser = Addresses()
    parser.feed(response.content.decode())
    return parser.found


def without_ground(response, code: str) -> list[tuple[str, str]]:
    """Addresses of the page that name no ground or another; only the switcher leads to another ground's schedule."""
    lost = []
    for name, address in addresses_in(response):
        path = urlsplit(address).path
        if urlsplit(address).netloc or not path.startswith("/"):
            continue  # relative: the page's own
        at, rest = split_ground(path)
        if (
            path == "/g/SOUTH/schedule/"
            or path.startswith("/static/")
            or at == code
            or resolve(rest).url_name in NEUTRAL
        ):
            continue
        lost.append((name, address))
    return lost


@pytest.fixture
def both(world):
    return world.user("both", north=Role.ADMIN, south=Role.ADMIN)


@pytest.fixture
def client(both) -> Client:
    client = Client()
    client.force_login(both)
    return client


def switch_to(client: Client, code: str) -> None:
    """What another tab does."""
    assert client.get(f"/g/{code}/schedule/").status_code == 200
    assert client.session["ground"] == code


@pytest.mark.parametrize("name", sorted(name for name, rule in DECISIONS.items() if rule.get and name not in PACKED))
def test_all_that_a_page_leads_to_is_in_its_ground(name, client, north_things, south_things):
    switch_to(client, "SOUTH")
    address = in_ground(address_of(name, north_things), "NORTH")
    for headers in ({}, {"HX-Request": "true"}):
        response = client.generic("GET", address, headers=headers)
        if response.status_code in (301, 302):
            assert split_ground(response["Location"])[0] == "NORTH"
        if response.status_code == 200 and response["Content-Type"].startswith("text/html"):
            assert without_ground(response, "NORTH") == []


def test_the_walk_sees_an_address_without_a_ground():
    class Page:
        content = b'<a href="/vehicles/new/">x</a><a href="?page=2">x</a><form action="/g/SOUTH/vehicles/new/">'

    assert [address for _, address in without_ground(Page, "NORTH")] == ["/vehicles/new/", "/g/SOUTH/vehicles/new/"]


@pytest.mark.parametrize(
    "name", sorted(name for name, rule in DECISIONS.items() if not rule.of and rule.get and name not in PACKED)
)
def test_an_address_without_a_ground_leads_to_the_one_looked_at_last(name, client, north_things):
    for code in ("NORTH", "SOUTH"):
        switch_to(client, code)
        response = client.generic("GET", f"{address_of(name, north_things)}?q=x")
        if not name.endswith(("-stream", "home")):
            assert (response.status_code, response["Location"]) == (
                302,
                f"{in_ground(address_of(name, north_things), code)}?q=x",
            )


@pytest.mark.parametrize("name", sorted(name for name, rule in DECISIONS.items() if rule.of))
def test_a_thing_is_only_shown_and_written_in_its_own_ground(name, client, north_things, south_things):
    """By GET the address leads to the thing's ground; a form of another ground's page is refused in words."""
    rule, address = DECISIONS[name], address_of(name, south_things)
    if rule.get:
        for start in (address, in_ground(address, "NORTH"), f"{address}?ground=NORTH"):
            response = client.generic("GET", start)
            if response["Location"].startswith("/g/NORTH/"):
                response = client.generic("GET", response["Location"])
            assert (response.status_code, response["Location"]) == (302, in_ground(address, "SOUTH"))
    if rule.post:
        response = client.post(in_ground(address, "NORTH"), headers={"HX-Request": "true"})
        assert response.status_code == 409
        assert "This page belongs to North" in response.content.decode()


def test_what_another_tab_chooses_changes_no_list(client, north_things, south_things):
    fragment = {"HX-Request": "true", "HX-Target": "section#list"}
    page = client.get("/g/NORTH/vehicles/")
    switch_to(client, "SOUTH")
    for address in re.findall(r'<a href="(\?[^"]+)"', page.content.decode()):
        text = client.get(f"/g/NORTH/vehicles/{address.replace('&amp;', '&')}").content.decode()
        assert ("412W101" in text, "365W202" in text) == (True, False), address
    part = client.get("/g/NORTH/vehicles/", {"q": "W"}, headers=fragment).content.decode()
    assert ("412W101" in part, "365W202" in part) == (True, False)
    exported = b"".join(client.get("/g/NORTH/vehicles/", {"format": "csv"}).streaming_content).decode()
    assert ("412W101" in exported, "365W202" in exported) == (True, False)
    for name in ("xlsx", "csv"):
        answer = client.get(f"/g/NORTH/export/schedule.{name}")
        assert "schedule-north-" in answer["Content-Disposition"]


def test_what_another_tab_chooses_changes_no_form(client, world, monkeypatch):
    for task in ("solve_plan", "check_workbook"):
        monkeypatch.setattr(f"allocations.tasks.{task}.delay", lambda id_: None)
    models = (Vehicle, TestRequest, Plan, WorkbookImport)
    before = [model.objects.filter(ground=world.north).count() for model in models]
    others = [model.objects.exclude(ground=world.north).count() for model in models]
    switch_to(client, "SOUTH")
    book = SimpleUploadedFile("forecast.xlsx", export_workbook(world.north, user=world.users["admin"]))
    forms = {
        "vehicles/new/": {"tag": "777W001", "drive": "AWD", "weight_class": "<10K"},
        "requests/new/": {
            "vehicle": "412W101",
            "test_type": world.tests["Brake"].pk,
            "days": 3,
            "priority": "normal",
        },
        "plans/new/": {
            "which": "all",
            "first_day": day(0),
            "last_day": day(30),
            "movable": "nothing",
            "seconds": "5",
        },
        "import/": {"file": book, "lanes": 12},
    }
    for path, data in forms.items():
        response = client.post(f"/g/NORTH/{path}", data)
        assert response.status_code == 302, (path, response.content.decode())
        assert split_ground(response["Location"])[0] == "NORTH"
    assert [model.objects.filter(ground=world.north).count() for model in models] == [number + 1 for number in before]
    assert [model.objects.exclude(ground=world.north).count() for model in models] == others


@pytest.mark.parametrize("name", ["vehicle-create", "plan-create", "request-create", "import", "dyno-create"])
def test_a_form_that_names_no_ground_is_refused_where_it_could_be_either(name, client, world):
    """It was opened before addresses had a ground."""
    before = Vehicle.objects.count()
    response = client.post(reverse(f"allocations:{name}"), {"tag": "777W001", "drive": "AWD", "weight_class": "<10K"})
    assert response.status_code == 409
    assert "does not say which proving ground" in response.content.decode()
    assert Vehicle.objects.count() == before


def test_a_ground_that_is_not_the_users_does_not_exist(world):
    client = Client()
    client.force_login(world.users["scheduler"])
    for path in ("schedule/", "vehicles/new/", "assistant/", "accounts/tokens/", "notices/"):
        assert client.generic("GET", f"/g/SOUTH/{path}").status_code == 404
        assert client.generic("GET", f"/g/NOWHERE/{path}").status_code == 404
    assert client.post("/g/SOUTH/vehicles/new/", {"tag": "777W001"}).status_code == 404
    assert client.generic("GET", "/g/NORTH/api/v1/assistant/conversations").status_code == 404


def test_the_prefix_does_not_outlive_its_request(client, world):
    client.get("/g/SOUTH/schedule/")
    assert reverse("allocations:schedule") == "/schedule/"
