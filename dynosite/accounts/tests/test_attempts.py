"""Guessing is slowed by name, address and both; nobody's attempts make a user wait at a browser of theirs."""

import datetime as dt
import threading

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dynosite.accounts import attempts
from dynosite.accounts.models import FailedSignIns, User
from dynosite.accounts.tasks import clear_up

PASSWORD = "a long enough phrase"
WRONG = "wrong"
SIGN_IN = reverse("accounts:sign-in")
OFFICE, HOME, ATTACKER = "198.51.100.7", "203.0.113.20", "192.0.2.66"


@pytest.fixture
def user(db) -> User:
    return User.objects.create_user("Planner", password=PASSWORD)


def attempt(password: str, name: str = "Planner", *, address: str = OFFICE, client: Client | None = None):
    return (client or Client()).post(SIGN_IN, {"username": name, "password": password}, REMOTE_ADDR=address)


def statuses(number: int, password: str = WRONG, **more) -> list[int]:
    return [attempt(password, **more).status_code for _ in range(number)]


def pass_time(**time: int) -> None:
    """Everything that was counted happened so much earlier."""
    earlier = dt.timedelta(**time)
    FailedSignIns.objects.update(last_at=F("last_at") - earlier, wait_until=F("wait_until") - earlier)


def test_waits_begin_after_some_failures_and_say_how_long(user):
    assert statuses(settings.SIGN_IN_ATTEMPTS) == [200] * 6
    answer = attempt(PASSWORD)
    assert (answer.status_code, answer["Retry-After"]) == (429, "5")
    assert "Wait 5 seconds, then try again." in answer.content.decode()
    pass_time(seconds=6)
    assert attempt(PASSWORD).status_code == 302


def test_waits_double_up_to_a_quarter_of_an_hour(user, monkeypatch):
    now = timezone.now()  # at which the clock stands: on a busy machine a second of the wait would be over
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    statuses(6)
    waits = []
    for _ in range(12):
        waits.append(int(attempt("wrong")["Retry-After"]))
        FailedSignIns.objects.update(wait_until=None)
        attempt("wrong")
    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == 15 * 60


def test_an_attempt_during_a_wait_tries_nothing_and_counts_nothing(user):
    statuses(6)
    before = list(FailedSignIns.objects.order_by("pk").values())
    assert statuses(5, PASSWORD) == [429] * 5
    assert list(FailedSignIns.objects.order_by("pk").values()) == before


def test_nobody_locks_out_a_user_at_a_browser_that_has_signed_in_before(user):
    """From the user's own address too: behind a proxy that is not named, everybody has one."""
    own = Client()
    assert attempt(PASSWORD, client=own).status_code == 302
    own.post(reverse("accounts:sign-out"))
    assert 429 in statuses(40)
    assert attempt(PASSWORD).status_code == 429
    assert attempt(PASSWORD, client=own).status_code == 302


def test_a_browser_is_known_for_its_own_users_only_and_counted_by_itself(user):
    User.objects.create_user("intruder", password=PASSWORD)
    intruder = Client()
    attempt(PASSWORD, "intruder", client=intruder)
    assert statuses(7, client=intruder) == [200] * 6 + [429]
    assert statuses(8, name="intruder", client=intruder) == [200] * 6 + [429] * 2
    assert attempt(PASSWORD, "intruder", address=HOME).status_code == 302


@pytest.mark.parametrize("change", [lambda text: text[:-1], lambda text: "x", lambda text: ""])
def test_a_cookie_that_is_not_ours_makes_no_browser_known(user, change):
    own = Client()
    attempt(PASSWORD, client=own)
    cookie = own.cookies[settings.BROWSER_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], "lanner" in cookie.value) == (True, "Lax", False)
    forged = Client()
    forged.cookies[settings.BROWSER_COOKIE_NAME] = change(cookie.value)
    statuses(6, client=forged)
    assert set(FailedSignIns.objects.values_list("scope", flat=True)) == {"address", "name", "pair"}


def test_a_user_at_a_new_browser_gets_in_while_others_attack_the_name_from_elsewhere(user):
    for number in range(10):
        statuses(4, address=f"192.0.2.{number}")
    assert statuses(2, address="192.0.2.99") == [200, 429]
    assert attempt(PASSWORD, address=HOME).status_code == 302


def test_one_address_is_slowed_whatever_names_it_tries(user):
    spray = [attempt("Spring2026!!", f"user-{number}", address=ATTACKER).status_code for number in range(40)]
    assert spray == [200] * 30 + [429] * 10
    assert FailedSignIns.objects.filter(scope="pair").count() == 30
    assert attempt(PASSWORD, address=OFFICE).status_code == 302


def test_signing_in_with_an_account_of_one_s_own_does_not_reset_the_address(user):
    User.objects.create_user("intruder", password=PASSWORD)
    for number in range(30):
        attempt("wrong", f"user-{number}", address=ATTACKER)
        if number % 5 == 0:
            attempt(PASSWORD, "intruder", address=ATTACKER)
    assert attempt("wrong", "another", address=ATTACKER).status_code == 429


def test_addresses_within_one_subscriber_s_network_count_together(user):
    tries = [attempt("wrong", address=f"2001:db8:1:2::{number}").status_code for number in range(7)]
    assert tries == [200] * 6 + [429]
    assert attempt(PASSWORD, address="2001:db8:1:3::1").status_code == 302


def test_letters_are_one_name_in_either_case_and_unknown_names_wait_alike(user):
    assert [attempt("wrong", name).status_code for name in ["planner", "PLANNER"] * 3 + ["Planner"]][-1] == 429
    assert statuses(7, name="nobody", address=HOME) == [200] * 6 + [429]


def test_success_begins_anew_and_failures_are_forgotten(user):
    statuses(5)
    assert attempt(PASSWORD).status_code == 302
    assert statuses(6, client=Client()) == [200] * 6
    pass_time(minutes=16)
    assert statuses(2) == [200, 429]
    pass_time(hours=2)
    assert statuses(6) == [200] * 6


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_many_attempts_at_once_are_no_way_past_the_limit():
    User.objects.create_user("Planner", password=PASSWORD)
    together, answers = threading.Barrier(12), []

    def work() -> None:
        together.wait(30)
        answers.append(attempt("wrong").status_code)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(12)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]
    assert sorted(answers) == [200] * 6 + [429] * 6


def test_the_log_has_name_and_address(user, caplog):
    attempt("wrong", "plan\nner", address=ATTACKER)
    statuses(7, address=ATTACKER)
    lines = [record.getMessage() for record in caplog.records if record.name == attempts.__name__]
    assert lines[1] == "sign-in failed: name='Planner' address=192.0.2.66 browser=new"
    assert lines[-1] == "sign-in refused: name='planner' address=192.0.2.66 wait=5s"
    assert not any("\n" in line for line in lines)


def test_old_counts_and_ended_sessions_are_removed(user):
    attempt("wrong")
    FailedSignIns.objects.filter(scope="pair").update(last_at=timezone.now() - dt.timedelta(days=2))
    live, ended = Client(), Client()
    for client in (live, ended):
        client.force_login(user)
    key = ended.cookies[settings.SESSION_COOKIE_NAME].value
    Session.objects.filter(pk=key).update(expire_date=timezone.now())
    clear_up()
    assert set(FailedSignIns.objects.values_list("scope", flat=True)) == {"address", "name"}
    assert [session.pk for session in Session.objects.all()] == [live.cookies[settings.SESSION_COOKIE_NAME].value]


def test_beat_clears_up(settings):
    assert "dynosite.accounts.tasks.clear_up" in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
