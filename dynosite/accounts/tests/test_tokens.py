"""Tokens: shown once, kept as a digest, ended by time, by revoking and with their user."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dynosite.accounts import tokens
from dynosite.accounts.models import ApiToken, User

PAGE = reverse("accounts:token-list")


@pytest.fixture
def user(db) -> User:
    return User.objects.create_user("planner", password=None)


@pytest.fixture
def colleague(db) -> User:
    return User.objects.create_user("colleague", password=None)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_token_opens_as_its_user_and_no_table_holds_it(user):
    token, text = tokens.issue(user, "  build   server ", days=30)
    assert text.startswith("dyno_")
    assert len(text) >= 40
    assert (token.name, token.start) == ("build server", text[:9])
    assert tokens.holder(text).user == user
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM accounts_apitoken t")
        ((row,),) = cursor.fetchall()
    assert text[9:] not in row


def test_last_use_is_noted_and_not_with_every_request(user):
    token, text = tokens.issue(user, "x", days=30)
    assert token.last_used_at is None
    tokens.holder(text)
    token.refresh_from_db()
    first = token.last_used_at
    assert timezone.now() - first < dt.timedelta(seconds=10)
    tokens.holder(text)
    token.refresh_from_db()
    assert token.last_used_at == first
    ApiToken.objects.update(last_used_at=first - dt.timedelta(minutes=2))
    tokens.holder(text)
    token.refresh_from_db()
    assert token.last_used_at > first


@pytest.mark.parametrize("name", ["", "x" * 61])
def test_a_name_is_needed(user, name):
    with pytest.raises(tokens.TokenError, match="1 to 60"):
        tokens.issue(user, name, days=30)


@pytest.mark.parametrize("days", [0, -1, 367])
def test_every_token_ends(user, days):
    with pytest.raises(tokens.TokenError, match="1 to 366 days"):
        tokens.issue(user, "x", days=days)


def test_one_name_is_one_token_until_it_is_revoked(user, colleague):
    token, _ = tokens.issue(user, "x", days=30)
    tokens.issue(colleague, "x", days=30)
    with pytest.raises(tokens.TokenError, match="of the name x"):
        tokens.issue(user, "x", days=30)
    tokens.revoke(token.pk, user=user)
    assert tokens.issue(user, "x", days=30)[0].pk != token.pk


def test_there_is_an_end_to_their_number(user, monkeypatch):
    monkeypatch.setattr(tokens, "MAX_LIVE", 2)
    for name in "ab":
        tokens.issue(user, name, days=30)
    with pytest.raises(tokens.TokenError, match="You have 2 tokens"):
        tokens.issue(user, "c", days=30)


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        ("revoked", "This token was revoked."),
        ("expired", "This token has expired."),
        ("inactive", "The user of this token is not active."),
        ("other", "This token is not known."),
    ],
)
def test_token_that_is_no_good_opens_nothing(user, end, sentence):
    token, text = tokens.issue(user, "x", days=30)
    if end == "revoked":
        tokens.revoke(token.pk, user=user)
    elif end == "expired":
        ApiToken.objects.update(expires_at=timezone.now())
    elif end == "inactive":
        User.objects.update(is_active=False)
    else:
        text = text[:-1]
    with pytest.raises(tokens.TokenError) as error:
        tokens.holder(text)
    assert str(error.value) == sentence


def test_page_shows_the_text_once(user):
    client = client_of(user)
    answer = client.post(PAGE, {"name": "build server", "days": "90", "rights": "read"})
    assert answer.headers["Cache-Control"].count("no-store") == 1
    text = answer.content.decode().partition('id="new-token">')[2].partition("<")[0]
    assert tokens.holder(text).name == "build server"
    days_remaining = (tokens.holder(text).expires_at - timezone.now()).total_seconds() / 86_400
    assert 89.9 < days_remaining <= 90
    again = client.get(PAGE).content.decode()
    assert text not in again
    assert text[:9] in again


@pytest.mark.parametrize(
    ("rights", "may_write", "label"), [("read", False, "only read"), ("write", True, "read and write")]
)
def test_page_says_what_a_token_may(user, rights, may_write, label):
    page = client_of(user).post(PAGE, {"name": "x", "days": "90", "rights": rights}).content.decode()
    assert user.tokens.get().may_write is may_write
    assert page.count(f'<td data-label="May">{label}</td>') == 1


def test_token_only_reads_unless_it_is_said(user):
    assert tokens.issue(user, "x", days=30)[0].may_write is False
    answer = client_of(user).post(PAGE, {"name": "y", "days": "90"})
    assert (answer.status_code, user.tokens.count()) == (422, 1)


def test_page_sent_twice_makes_one(user):
    client = client_of(user)
    client.post(PAGE, {"name": "x", "days": "90", "rights": "read"})
    answer = client.post(PAGE, {"name": "x", "days": "90", "rights": "read"})
    assert answer.status_code == 422
    assert "You have a token of the name x." in answer.content.decode()
    assert user.tokens.count() == 1


def test_page_shows_nobody_else_s_and_revokes_only_one_s_own(user, colleague):
    token, text = tokens.issue(colleague, "of the colleague", days=30)
    client = client_of(user)
    assert "of the colleague" not in client.get(PAGE).content.decode()
    address = reverse("accounts:token-revoke", args=[token.pk])
    assert client.post(address).status_code == 404
    assert tokens.holder(text).pk == token.pk
    answer = client_of(colleague).post(address)
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    with pytest.raises(tokens.TokenError, match="revoked"):
        tokens.holder(text)


def test_a_stranger_is_sent_to_sign_in(db):
    for answer in (Client().get(PAGE), Client().post(PAGE, {"name": "x", "days": "90", "rights": "read"})):
        assert (answer.status_code, answer["Location"]) == (302, f"{reverse('accounts:sign-in')}?next={PAGE}")
    assert ApiToken.objects.count() == 0


def test_superuser_revokes_in_the_administration_and_reads_no_digest(user):
    token, text = tokens.issue(user, "build server", days=30)
    client = client_of(User.objects.create_superuser("root", password=None))
    address = reverse("admin:accounts_apitoken_changelist")
    page = client.get(reverse("admin:accounts_apitoken_change", args=[token.pk])).content.decode()
    assert "build server" in page
    assert token.digest not in page
    client.post(address, {"action": "revoke", "_selected_action": [token.pk]})
    with pytest.raises(tokens.TokenError, match="revoked"):
        tokens.holder(text)


def test_administration_of_tokens_is_for_superusers(user):
    user.is_staff = True
    user.save()
    assert client_of(user).get(reverse("admin:accounts_apitoken_changelist")).status_code in (302, 403)
