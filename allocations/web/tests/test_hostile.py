"""Hostile addresses, forms, headers and cookies: each is answered in words, none by a fault of ours."""

import re
import uuid
from contextlib import suppress
from html.parser import HTMLParser

import pytest
from django.db import transaction
from django.test import Client
from django.urls import NoReverseMatch, reverse

from allocations.web.tests.test_urls import ADDRESSES, DECISIONS, NAMED, address_of, client_of

KEYS = (2**63, "x", uuid.UUID(int=5))
NUMBER, DAY = "9" * 25, "9999-12-31"
DAYS = re.compile("day|date|until|start")
STREAMS = {"allocations:schedule-stream", "assistant:run-events", "api:assistant-run-events"}


class Forms(HTMLParser):
    """The forms of a page that post: each address with what a browser would send."""

    def __init__(self, page: str, html: str) -> None:
        super().__init__()
        self.page, self.found, self._fields, self._select = page, {}, None, ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        name, value = attributes.get("name"), attributes.get("value") or ""
        if tag == "form":
            posts = attributes.get("method", "").lower() == "post"
            self._fields = self.found.setdefault(attributes.get("action") or self.page, {}) if posts else None
        elif self._fields is None:
            return
        elif tag == "select":
            self._select = name
        elif tag == "option" and (not self._fields.get(self._select) or "selected" in attributes):
            self._fields[self._select] = value
        elif tag in ("input", "textarea", "button") and name and name != "csrfmiddlewaretoken":
            self._fields.setdefault(name, value)

    def handle_endtag(self, tag):
        if tag == "form":
            self._fields = None


def fault(ask, address: str, *args, **more) -> bool:
    """Whether the server fails; what it would have written is taken back."""
    with transaction.atomic():
        failed = ask(address, *args, **more).status_code >= 500
        transaction.set_rollback(True)
    return failed


def forgiving(client: Client) -> Client:
    client.raise_request_exception = False
    return client


def test_values_in_every_form(north_things):
    """As an admin, who has all of them."""
    client = forgiving(client_of(north_things.world.users["admin"]))
    forms: dict[str, dict[str, str]] = {}
    for name, rule in DECISIONS.items():
        if rule.get and name not in STREAMS:
            address = address_of(name, north_things)
            page = client.get(address)
            if not page.streaming and page["Content-Type"].startswith("text/html"):
                for action, fields in Forms(address, page.content.decode()).found.items():
                    forms.setdefault(action, {}).update(fields)
    wrong = [
        (action, name)
        for action, fields in forms.items()
        for name in fields
        if fault(client.post, action, fields | {name: DAY if DAYS.search(name) else NUMBER})
    ]
    assert wrong == []
    assert len(forms) > 30


@pytest.mark.parametrize(
    "query", [{"first_day": "9999-12-31"}, {"first_day": "2026-11-30", "last_day": "0001-01-01"}]
)
def test_days_that_cannot_be_meant_are_refused_where_places_are_looked_for(north_things, query):
    client = client_of(north_things.world.users["scheduler"])
    params = {"find": "1", "vehicle": "412W103", "test_type": str(north_things.world.tests["Brake"].pk), "days": "5"}
    page = client.get(reverse("allocations:allocation-create"), params | query)
    assert page.status_code == 200
    assert "day that can be meant is" in page.content.decode()


def test_a_place_and_an_option_beyond_the_calendar_are_none(north_things):
    client = client_of(north_things.world.users["scheduler"])
    params = {"vehicle": "412W103", "test_type": str(north_things.world.tests["Brake"].pk), "first_day": "2026-11-30"}
    place = f"{north_things.dyno}/9999-12-31"
    page = client.post(reverse("allocations:allocation-create"), params | {"days": "5", "place": place})
    assert (page.status_code, "Choose one of the places." in page.content.decode()) == (422, True)
    option = f"d/{north_things.allocation}/move/{north_things.dyno}/9999-12-31//"
    window = f"{north_things.dyno}/9999-12-31/0001-01-01"
    address = reverse("allocations:schedule")
    assert client.get(address, {"repair": option, "window": window}).status_code == 200


def test_keys_in_every_address(north_things):
    """As a superuser, to whom every page of the administration is open."""
    root = north_things.world.user("root")
    root.is_staff = root.is_superuser = True
    root.save()
    client, wrong, tries = forgiving(client_of(root)), [], 0
    for name in sorted(NAMED - STREAMS - {"admin:app_list"}):
        for key in KEYS if ADDRESSES[name] else ():
            with suppress(NoReverseMatch):
                address = reverse(name, kwargs=dict.fromkeys(ADDRESSES[name], key))
                wrong += [(name, key) for ask in (client.get, client.post) if fault(ask, address)]
                tries += 1
    assert wrong == []
    assert tries > len(DECISIONS)


def test_what_is_no_session_is_none(db):
    """Django takes a cookie's quotes off, and so a NUL can come in."""
    answer = Client().get("/schedule/", headers={"Cookie": 'sessionid="\\000abcdefghijk"'})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/sign-in/?next=/schedule/")


def test_a_page_that_is_no_address_is_not_gone_back_to(db):
    answer = Client().get("/schedule/", headers={"HX-Request": "true", "HX-Current-URL": "http://[x"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/accounts/sign-in/?next=%2F")


def test_a_name_that_is_too_long_is_refused_at_the_sign_in(db):
    page = Client().post("/accounts/sign-in/", {"username": "x" * 5000, "password": "x"})
    assert (page.status_code, "at most 150 characters" in page.content.decode()) == (200, True)


def test_who_is_signed_in_already_gets_past_the_administration_s_sign_in(north_things):
    admin = north_things.world.users["admin"]
    admin.is_staff = True
    admin.save()
    answer = client_of(admin).get("/admin/login/", {"next": "//evil.example"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
