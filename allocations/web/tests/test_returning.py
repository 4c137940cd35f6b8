"""A session that is over in mid-form costs nobody what they typed, and sends nothing by itself."""

import re

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from allocations.models import TestRequest
from allocations.tests.world import allocation_of
from dynosite.accounts import returning

PASSWORD = "a long enough phrase"
SIGN_IN = reverse("accounts:sign-in")
NEW = "/g/NORTH" + reverse("allocations:request-create")
FROM_NEW = {"Referer": f"http://testserver{NEW}?vehicle=412W101"}
TYPED = {"vehicle": "412W101", "days": "7", "priority": "high", "note": 'Hold "x" & <y>', "csrfmiddlewaretoken": "t"}


@pytest.fixture
def north(world):
    for name in ("scheduler", "viewer"):
        world.users[name].set_password(PASSWORD)
        world.users[name].save()
    return world


@pytest.fixture
def client(north) -> Client:
    """A scheduler's browser, whose session is over."""
    client = Client()
    sign_in(client)
    Session.objects.all().delete()
    return client


def sign_in(client: Client, name: str = "scheduler", address: str = SIGN_IN):
    return client.post(address, {"username": name, "password": PASSWORD})


def form_of(page: str) -> str:
    return page.partition('id="put-back"')[2].partition("</form>")[0]


def test_the_form_is_back_as_it_was_typed_and_nothing_was_sent(client):
    sent = client.post(NEW, TYPED, headers=FROM_NEW)
    assert (sent.status_code, sent["Location"]) == (
        302,
        f"{SIGN_IN}?next={NEW}%3Fvehicle%3D412W101&reason=signed-out",
    )
    words = client.get(sent["Location"]).content.decode()
    assert "You were signed out before this was sent." in words
    assert "what you typed is back in its" in words
    back = sign_in(client, address=sent["Location"])
    assert back["Location"] == f"{NEW}?vehicle=412W101#put-back"
    page = client.get(back["Location"]).content.decode()
    form = form_of(page)
    assert "What you typed is back. It has not been sent." in form
    assert ">\nHold &quot;x&quot; &amp; &lt;y&gt;</textarea>" in form
    assert re.search(r'name="days"[^>]* value="7"', form)
    assert '<option value="high" selected>' in form
    assert TestRequest.objects.count() == 0
    assert 'id="put-back"' not in client.get(back["Location"]).content.decode()


def test_a_wrong_password_on_the_way_loses_nothing(client):
    address = client.post(NEW, TYPED, headers=FROM_NEW)["Location"]
    client.post(address, {"username": "scheduler", "password": "wrong"})
    assert "Hold &quot;x" in client.get(sign_in(client, address=address)["Location"]).content.decode()


def test_another_user_sees_nothing_of_it(client):
    address = client.post(NEW, TYPED, headers=FROM_NEW)["Location"]
    sign_in(client, "viewer", address)
    page = client.get("/g/NORTH" + reverse("allocations:request-list")).content.decode()
    assert "What was typed here before belongs to another user and is not shown." in page
    assert returning.SESSION_KEY not in client.session
    client.post(reverse("accounts:sign-out"))
    assert "Hold &quot;x" not in client.get(sign_in(client)["Location"]).content.decode()


def test_a_form_that_htmx_sends_comes_back_to_its_page(client):
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{NEW}?vehicle=412W101"}
    sent = client.post(NEW, TYPED, headers=headers)
    assert sent.status_code == 204
    assert sent["HX-Redirect"] == (
        f"{SIGN_IN}?next=%2Fg%2FNORTH%2Frequests%2Fnew%2F%3Fvehicle%3D412W101&reason=signed-out"
    )
    back = sign_in(client, address=sent["HX-Redirect"])["Location"]
    assert "Hold &quot;x" in form_of(client.get(back).content.decode())


@pytest.mark.parametrize("action", ["move", "start", "complete"])
def test_an_address_for_forms_leads_back_to_the_page_it_was_pressed_on(client, north, action):
    booking = allocation_of(north.book("412W101", "NPG 1", 0, 2))
    page = "/g/NORTH" + reverse("allocations:allocation-detail", args=[booking.pk])
    address = reverse(f"allocations:allocation-{action}", args=[booking.pk])
    sent = client.post(address, {"version": "1"}, headers={"Referer": f"http://testserver{page}"})
    back = sign_in(client, address=sent["Location"])
    assert back["Location"].partition("#")[0] == page
    assert client.get(back["Location"]).status_code == 200


def test_a_browser_that_names_no_page_is_led_there_too(client, north):
    booking = allocation_of(north.book("412W101", "NPG 1", 0, 2))
    address = "/g/NORTH" + reverse("allocations:allocation-move", args=[booking.pk])
    back = sign_in(client, address=client.post(address, {"version": "1"})["Location"])
    answer = client.get(back["Location"], headers={"Accept": "text/html"}, follow=True)
    assert answer.redirect_chain == [
        (("/g/NORTH" + reverse("allocations:allocation-detail", args=[booking.pk])), 302)
    ]


def test_a_mere_button_says_that_nothing_was_changed(client):
    page = "/g/NORTH" + reverse("allocations:notice-list")
    headers = {"Referer": f"http://testserver{page}"}
    sent = client.post(("/g/NORTH" + reverse("allocations:notice-seen")), headers=headers)
    back = sign_in(client, address=sent["Location"])
    assert back["Location"] == page
    assert "You were signed out when you sent this. Nothing was changed: do it again." in (
        client.get(page).content.decode()
    )


def test_what_was_typed_is_shown_where_its_form_is_gone(client):
    page = "/g/NORTH" + reverse("allocations:request-list")
    sent = client.post(NEW, TYPED | {"key": "abc"}, headers={"Referer": f"http://testserver{page}"})
    sign_in_page = client.get(sign_in(client, address=sent["Location"])["Location"]).content.decode()
    listed = sign_in_page.partition('id="put-back"')[2].partition("</ul>")[0]
    assert "the form is no longer on this page" in listed
    assert "<li>note: Hold &quot;x&quot; &amp; &lt;y&gt;</li>" in listed
    assert "abc" not in listed


def test_passwords_and_files_are_not_kept_and_that_is_said(client):
    page = reverse("accounts:password")
    words = {"old_password": PASSWORD, "new_password1": "secret words", "end_tokens": "on"}
    sent = client.post(page, words, headers={"Referer": f"http://testserver{page}"})
    assert "apart from passwords and files" in client.get(sent["Location"]).content.decode()
    draft = Session.objects.get().get_decoded()[returning.SESSION_KEY]
    assert (draft["typed"], draft["left_out"]) == ({"end_tokens": ["on"]}, True)


def test_what_is_too_long_or_too_old_is_not_kept(client, monkeypatch):
    sent = client.post(NEW, TYPED | {"note": "x" * returning.MAX_CHARACTERS}, headers=FROM_NEW)
    assert "What you typed is too long to be kept." in client.get(sent["Location"]).content.decode()
    sent = client.post(NEW, TYPED, headers=FROM_NEW)
    monkeypatch.setattr(returning, "LIFETIME", -1)
    back = sign_in(client, address=sent["Location"])["Location"]
    assert "Hold &quot;x" not in client.get(back).content.decode()


def test_nobody_leads_anybody_to_another_site(client):
    for headers in (
        {"Referer": "https://evil.example/x"},
        {"HX-Request": "true", "HX-Current-URL": "//evil.example"},
    ):
        sent = client.post(NEW, TYPED, headers=headers)
        address = sent.get("Location") or sent["HX-Redirect"]
        assert "evil" not in address


def test_a_stranger_s_form_is_not_kept(db):
    stranger = Client()
    stranger.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    sent = stranger.post(NEW, TYPED, headers=FROM_NEW)
    assert (sent.status_code, Session.objects.count()) == (302, 0)
