"""Hashes are bounded in cost and number, hold no database connection, and old ones are made anew."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher, check_password, make_password
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from dynosite.accounts import hashing
from dynosite.accounts.models import User

PASSWORD = "a long enough phrase"
SIGN_IN = reverse("accounts:sign-in")


@contextmanager
def one_place_at_work(places: hashing.Places) -> Iterator[None]:
    """One of the places is at work."""
    begun, end = threading.Event(), threading.Event()
    thread = threading.Thread(target=places.carry_out, args=(lambda: (begun.set(), end.wait(20)),))
    thread.start()
    begun.wait(20)
    yield
    end.set()
    thread.join(20)


@pytest.fixture
def no_place(monkeypatch) -> Iterator[None]:
    """All places are taken, and nobody waits."""
    places = hashing.Places(at_once=1, most_waiting=0, longest_wait=20)
    monkeypatch.setattr(hashing, "places", places)
    with one_place_at_work(places):
        yield


def test_a_hash_has_the_parameters_that_were_chosen():
    parameters = make_password(PASSWORD).split("$")
    assert parameters[:4] == ["argon2", "argon2id", "v=19", "m=19456,t=2,p=1"]


@pytest.mark.parametrize("hasher", [Argon2PasswordHasher(), PBKDF2PasswordHasher()], ids=["argon2", "pbkdf2"])
def test_an_older_hash_is_made_anew_when_its_user_signs_in(db, hasher):
    user = User.objects.create(username="planner", password=hasher.encode(PASSWORD, "asaltasaltasaltasaltasalt"))
    answer = Client().post(SIGN_IN, {"username": "planner", "password": PASSWORD})
    user.refresh_from_db()
    assert (answer.status_code, user.password.split("$")[3]) == (302, "m=19456,t=2,p=1")
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize("encoded", [make_password(PASSWORD), PBKDF2PasswordHasher().encode(PASSWORD, "asalt")])
def test_who_finds_no_place_is_refused_at_once(encoded, no_place):
    with pytest.raises(hashing.HashingBusyError):
        check_password(PASSWORD, encoded)
    with pytest.raises(hashing.HashingBusyError):
        make_password(PASSWORD)


def test_so_many_hash_at_once_and_the_others_wait():
    places, inside, most = hashing.Places(2, 10, 20), [], []
    both_in = threading.Barrier(2)

    def work(waits: bool) -> None:
        inside.append(1)
        most.append(len(inside))
        if waits:
            both_in.wait(20)
        inside.pop()

    threads = [threading.Thread(target=places.carry_out, args=(partial(work, number < 2),)) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join(20) for thread in threads]
    assert (len(most), max(most), inside) == (8, 2, [])


def test_who_has_waited_too_long_is_refused_and_hashes_no_more():
    places, hashed = hashing.Places(1, 1, 0.01), []
    with one_place_at_work(places), pytest.raises(hashing.HashingBusyError):
        places.carry_out(lambda: hashed.append(1))
    places = hashing.Places(1, 1, 20)
    assert (places.carry_out(lambda: "done"), hashed) == ("done", [])


def test_a_place_is_given_back_after_an_error():
    places = hashing.Places(1, 0, 20)
    with pytest.raises(ZeroDivisionError):
        places.carry_out(lambda: 1 / 0)
    assert places.carry_out(lambda: "done") == "done"


@pytest.mark.django_db(transaction=True)
def test_a_hash_holds_no_connection_but_a_transaction_keeps_its_own():
    connection.ensure_connection()
    make_password(PASSWORD)
    assert connection.connection is None
    with transaction.atomic():
        make_password(PASSWORD)
        assert connection.connection is not None


def test_sign_in_without_a_place_keeps_the_name_and_says_what_to_do(db, no_place):
    answer = Client().post(f"{SIGN_IN}?next=/vehicles/", {"username": "planner", "password": PASSWORD})
    page = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Too many people sign in at this moment." in page
    assert page.count('value="planner"') == 1
    assert page.count('name="next" value="/vehicles/"') == 1


def test_any_other_page_that_hashes_says_it_too(db, no_place):
    root = User.objects.create_superuser("root", password=None)
    client = Client()
    client.force_login(root)
    words = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    answer = client.post(reverse("admin:auth_user_password_change", args=[root.pk]), words)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Too many people sign in at this moment." in answer.content.decode()
