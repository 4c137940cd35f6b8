"""The page of notices, the number in the header, and the switch for mails."""

import pytest

from allocations.models import Notice, ProvingGround, TestRequest
from allocations.services import booking
from allocations.tests.world import allocation_of, day
from dynosite.accounts.models import User


@pytest.fixture
def notice(world, monkeypatch) -> Notice:
    monkeypatch.setattr(ProvingGround, "today", lambda ground: day(0))
    booked = allocation_of(world.book("412W101", "NPG 1", 3, 5))
    booking.cancel(booked.pk, actor=world.actor("admin"))
    return Notice.objects.get()


@pytest.fixture
def scheduler(client, world):
    client.force_login(world.users["scheduler"])
    return client


def test_page_lists_what_is_new_and_the_header_counts_it(scheduler, notice):
    page = scheduler.get("/notices/").content.decode()
    assert "412W101, Brake: off NPG 1, 19 – 21 Nov 2026; cancelled." in page
    assert "1 new notice" in page
    scheduler.post("/notices/seen/", {"notice": notice.pk})
    page = scheduler.get("/notices/").content.decode()
    assert "412W101, Brake: off NPG 1" in page
    assert "new notice" not in page
    assert "Mark all as seen" not in page


def test_all_are_marked_at_once(scheduler, notice):
    scheduler.post("/notices/seen/")
    notice.refresh_from_db()
    assert notice.seen_at is not None


@pytest.mark.parametrize("name", ["admin", "viewer", "outsider"])
def test_notices_of_others_do_not_exist(client, world, notice, name):
    client.force_login(world.users[name])
    page = client.get("/notices/").content.decode()
    assert "412W101" not in page
    assert "new notice" not in page
    client.post("/notices/seen/", {"notice": notice.pk})
    client.post("/notices/seen/")
    notice.refresh_from_db()
    assert notice.seen_at is None


def test_page_is_for_who_is_signed_in(client, notice):
    assert client.get("/notices/").status_code == 302


def test_mail_can_be_switched_off_and_on(scheduler, notice, settings):
    settings.EMAIL_HOST = "mail.dynosite.test"
    User.objects.filter(username="scheduler").update(email="scheduler@dynosite.test")
    assert "No mails, please" in scheduler.get("/notices/").content.decode()
    scheduler.post("/notices/mail/", {"mail": "off"})
    assert not User.objects.get(username="scheduler").mail_notices
    assert "Send them to scheduler@dynosite.test too" in scheduler.get("/notices/").content.decode()
    scheduler.post("/notices/mail/", {"mail": "on"})
    assert User.objects.get(username="scheduler").mail_notices


def test_without_a_mail_server_the_page_says_so(scheduler, notice):
    assert "This site has no mail server" in scheduler.get("/notices/").content.decode()


def test_many_at_once_are_one_line_that_opens_to_each(scheduler, world, notice):
    request = TestRequest.objects.create(
        ground=world.north, vehicle=world.vehicles["412W102"], test_type=world.tests["Brake"], days=3
    )
    parts = [
        {"allocation": notice.allocation_id, "request": None, "sentence": "412W101, Brake: cancelled."},
        {"allocation": None, "request": request.pk, "sentence": "Your request for Brake of 412W102: cancelled."},
    ]
    Notice.objects.update(sentence="56 of your bookings and requests were changed.", allocation=None, parts=parts)
    page = scheduler.get("/notices/").content.decode()
    assert page.count("56 of your bookings and requests were changed.") == 2  # and in the button's label
    assert "<summary>Show the 2</summary>" in page
    assert f'href="/g/NORTH/allocations/{notice.allocation_id}/">412W101, Brake: cancelled.</a>' in page
    assert f'href="/g/NORTH/requests/{request.pk}/">Your request for Brake of 412W102: cancelled.</a>' in page


def test_a_user_reads_that_the_address_is_refused(scheduler, world, settings):
    settings.EMAIL_HOST = "mail.dynosite.test"
    address = "scheduler@dynosite.test"
    User.objects.filter(username="scheduler").update(
        email=address, refused_email=address, mail_refusal="550 No such user"
    )
    assert "takes nothing for <b>scheduler@dynosite.test</b> (550 No such user)" in (
        scheduler.get("/notices/").content.decode()
    )
    User.objects.filter(username="scheduler").update(email="other@dynosite.test")
    assert "takes nothing" not in scheduler.get("/notices/").content.decode()
