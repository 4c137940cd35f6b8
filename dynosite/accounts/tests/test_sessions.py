"""Sessions end some hours after their last use, and at once when they are ended."""

import datetime as dt

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dynosite.accounts.models import User

PAGE = reverse("accounts:profile")
FULL = dt.timedelta(hours=12)


@pytest.fixture
def client(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("planner", password=None))
    return client


def remaining() -> dt.timedelta:
    return Session.objects.get().expire_date - timezone.now()


def leave(hours: float) -> None:
    Session.objects.update(expire_date=timezone.now() + dt.timedelta(hours=hours))


def test_use_lets_a_session_go_on_for_its_full_time(client):
    leave(hours=0.5)
    answer = client.get(PAGE)
    assert FULL - dt.timedelta(minutes=1) < remaining() <= FULL
    cookie = answer.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["max-age"], cookie["httponly"], cookie["samesite"]) == (12 * 3600, True, "Lax")


def test_use_is_not_noted_with_every_request(client):
    assert settings.SESSION_COOKIE_NAME not in client.get(PAGE).cookies
    leave(hours=11.95)
    assert settings.SESSION_COOKIE_NAME not in client.get(PAGE).cookies
    assert remaining() < FULL - dt.timedelta(minutes=2)


@pytest.mark.parametrize("headers", [{"HX-Request": "true"}, {"Accept": "text/event-stream"}])
def test_what_a_page_asks_for_by_itself_is_no_use(client, headers):
    leave(hours=1)
    client.get(PAGE, headers=headers)
    assert remaining() <= dt.timedelta(hours=1)


def test_an_ended_session_does_not_come_back(client):
    other = Client()
    other.cookies = client.cookies.copy()
    leave(hours=-0.01)
    assert client.get(PAGE).status_code == 302
    leave(hours=1)
    other.post(reverse("accounts:sign-out"))
    assert (Session.objects.count(), other.get(PAGE).status_code) == (0, 302)


def test_a_session_that_ends_meanwhile_is_not_extended(client):
    from dynosite.accounts.sessions import SessionStore

    session = SessionStore(client.cookies[settings.SESSION_COOKIE_NAME].value)
    session.load()
    Session.objects.all().delete()
    assert (session.extend(), Session.objects.count()) == (False, 0)
