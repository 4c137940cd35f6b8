"""Everybody changes their own password; what goes with the old one ends, API tokens too unless they are to go on."""

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from dynosite.accounts import tokens
from dynosite.accounts.models import User

OLD, NEW = "a long enough phrase", "another phrase that is long"
PAGE, PROFILE, TOKENS = (reverse(f"accounts:{name}") for name in ("password", "profile", "token-list"))


@pytest.fixture
def user(db) -> User:
    return User.objects.create_user("planner", password=OLD, first_name="Pat", last_name="Lane")


def signed_in(password: str = OLD) -> Client:
    client = Client()
    assert client.post(reverse("accounts:sign-in"), {"username": "planner", "password": password}).status_code == 302
    return client


def change(client: Client, old: str = OLD, new: str = NEW, again: str = NEW, **more):
    words = {"old_password": old, "new_password1": new, "new_password2": again}
    return client.post(PAGE, words | more, follow=True)


def opens(text: str) -> bool:
    headers = {"Authorization": f"Bearer {text}"}
    return Client().get("/api/v1/assistant/proposals", headers=headers).status_code == 200


def test_a_viewer_changes_the_password_and_only_other_sessions_end(user):
    changing, other = signed_in(), signed_in()
    answer = change(changing)
    assert answer.redirect_chain == [(PROFILE, 302)]
    assert "Your password was changed. Everywhere else you are signed out." in answer.content.decode()
    user.refresh_from_db()
    assert (user.check_password(NEW), user.check_password(OLD)) == (True, False)
    assert (changing.get(PROFILE).status_code, other.get(PROFILE).status_code) == (200, 302)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"old": "wrong"}, "Your old password was entered incorrectly."),
        ({"again": "something else entirely"}, "The two password fields didn"),
        ({"new": "short", "again": "short"}, "at least 12 characters"),
        ({"new": "password1234", "again": "password1234"}, "too common"),
    ],
)
def test_a_password_that_will_not_do_is_refused_with_the_reason(user, words, sentence):
    answer = change(signed_in(), **words)
    assert (answer.status_code, sentence in answer.content.decode()) == (422, True)
    user.refresh_from_db()
    assert user.check_password(OLD)


def test_who_has_the_session_cannot_guess_the_password(user):
    client = Client()
    client.force_login(user)
    answers = [change(client, old=f"guess {number}").status_code for number in range(7)]
    assert answers == [422] * 6 + [429]
    assert change(client).status_code == 429


def test_tokens_end_with_the_password_unless_they_are_to_go_on(user):
    _, text = tokens.issue(user, "nightly", days=30, may_write=True)
    client = signed_in()
    assert 'name="end_tokens" ' in client.get(PAGE).content.decode()
    assert "checked" in client.get(PAGE).content.decode().partition('name="end_tokens"')[2].partition(">")[0]
    assert "Your API tokens go on." in change(client).content.decode()
    assert opens(text)
    answer = change(client, old=NEW, new=OLD, again=OLD, end_tokens="on")
    assert "Your API tokens have ended." in answer.content.decode()
    assert not opens(text)
    user.refresh_from_db()
    assert tokens.issue(user, "nightly", days=30)[1] != text


def test_who_has_no_tokens_is_not_asked_about_them(user):
    client = signed_in()
    assert "end_tokens" not in client.get(PAGE).content.decode()
    assert "token" not in change(client).content.decode().partition('id="toasts"')[2]


def by_administrator(user: User) -> None:
    root = Client()
    root.force_login(User.objects.create_superuser("root", password=None))
    words = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    answer = root.post(reverse("admin:auth_user_password_change", args=[user.pk]), words, follow=True)
    assert "API tokens of the old password ended" in answer.content.decode()


def taken_away_by_administrator(user: User) -> None:
    root = Client()
    root.force_login(User.objects.create_superuser("root", password=None))
    words = {"usable_password": "false", "unset-password": "1"}
    assert root.post(reverse("admin:auth_user_password_change", args=[user.pk]), words).status_code == 302


def by_command(user: User, monkeypatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda **_: NEW)
    call_command("changepassword", user.username, verbosity=0)


@pytest.mark.parametrize("way", [by_administrator, taken_away_by_administrator, by_command])
def test_tokens_end_whoever_changes_the_password(user, way, monkeypatch):
    _, text = tokens.issue(user, "nightly", days=30)
    assert opens(text)
    way(user, monkeypatch) if way is by_command else way(user)
    with pytest.raises(tokens.TokenError, match=r"ended when the password of its user was changed\."):
        tokens.holder(text)
    assert not opens(text)
    page = Client()
    page.force_login(User.objects.get(pk=user.pk))
    assert "ended with your old password" in page.get(TOKENS).content.decode()


def test_a_hash_that_is_made_anew_at_sign_in_ends_nothing(user):
    from django.contrib.auth.hashers import Argon2PasswordHasher

    User.objects.update(password=Argon2PasswordHasher().encode(OLD, "asaltasaltasaltasaltasalt"))
    _, text = tokens.issue(user, "nightly", days=30)
    signed_in()
    user.refresh_from_db()
    assert ("m=19456,t=2,p=1" in user.password, user.password_changed_at, opens(text)) == (True, None, True)


def test_the_administration_s_own_page_leads_to_this_one(user):
    root = Client()
    root.force_login(User.objects.create_superuser("root", password=None))
    answer = root.get(reverse("admin:password_change"))
    assert (answer.status_code, answer["Location"]) == (302, PAGE)


def test_profile_says_who_one_is_and_keeps_the_mail_address(user):
    client = signed_in()
    page = client.get(PROFILE).content.decode()
    assert "<h1>Pat Lane</h1>" in page
    assert "You sign in as planner." in page
    assert client.post(PROFILE, {"email": "pat@example.com", "first_name": "Root"}).status_code == 302
    user.refresh_from_db()
    assert (user.email, user.mail_notices, user.first_name) == ("pat@example.com", False, "Pat")
    assert client.post(PROFILE, {"email": "no address"}).status_code == 422


def test_the_account_menu_leads_to_both(user):
    menu = signed_in().get(TOKENS).content.decode().partition('<div class="menu-list">')[2]
    assert [menu.count(f'href="{address}"') for address in (PAGE, PROFILE)] == [1, 1]
