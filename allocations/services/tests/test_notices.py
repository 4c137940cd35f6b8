"""Those concerned are told: on their page with the change itself, by mail once it is written."""

import datetime as dt
import smtplib

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from allocations.enums import DisplacedTo, Door, MaintenanceKind, Role
from allocations.exceptions import Refused
from allocations.models import Allocation, Membership, Notice, TestRequest
from allocations.selectors.maintenance import Answer
from allocations.selectors.notices import notices_of
from allocations.services import booking
from allocations.services.maintenance import set_maintenance
from allocations.services.notices import choose_mail, mail_notices, mark_seen
from allocations.services.undo import undo
from allocations.services.work import Actor
from allocations.tests.world import allocation_of, day
from dynosite.accounts.models import User


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr("allocations.models.ProvingGround.today", lambda self: day(0))


@pytest.fixture
def booked(world):
    User.objects.filter(username="scheduler").update(email="scheduler@dynosite.test")
    return allocation_of(world.book("412W101", "NPG 1", 3, 5))


@pytest.fixture
def _server(settings):
    settings.EMAIL_HOST = "mail.dynosite.test"


def window(world, answer, *, by="admin", first=3, last=8, **more):
    (pk,) = [*Allocation.objects.filter(vehicle__tag="412W101").values_list("pk", flat=True)]
    return set_maintenance(
        world.dynos["NPG 1"].pk, first_day=day(first), last_day=day(last), kind=MaintenanceKind.OUTAGE,
        answers={pk: answer}, actor=world.actor(by), **more,
    )  # fmt: skip


def move_to(world, dyno, first):
    return Answer(DisplacedTo.MOVE, world.dynos[dyno].pk, day(first))


def told(world, name="scheduler"):
    return [notice.sentence for notice in notices_of(world.users[name])]


def test_who_booked_is_told_where_it_went_and_why(world, booked):
    change = window(world, move_to(world, "NPG 21", 4))
    assert told(world) == [
        "412W101, Brake: moved from NPG 1, 2026-11-19 to 2026-11-21 to NPG 21, 2026-11-20 to 2026-11-22."
    ]
    assert Notice.objects.get().change == change
    assert told(world, "admin") == told(world, "viewer") == told(world, "outsider") == []


@pytest.mark.parametrize(
    ("answer", "first", "sentence"),
    [
        (DisplacedTo.WAIT, 3, "412W101, Brake: off NPG 1, 2026-11-19 to 2026-11-21; it waits for another place."),
        (DisplacedTo.CANCEL, 3, "412W101, Brake: off NPG 1, 2026-11-19 to 2026-11-21; cancelled."),
        (
            DisplacedTo.SHORTEN,
            5,
            "412W101, Brake: cut on NPG 1, 2026-11-19 to 2026-11-21; it ends on 2026-11-20 and its rest waits.",
        ),
    ],
)
def test_each_fate_has_its_sentence(world, booked, answer, first, sentence):
    window(world, Answer(answer), first=first)
    assert told(world) == [sentence]


def test_who_asked_is_told_as_well_and_once(world, booked):
    world.user("asker", north=Role.VIEWER)
    request = TestRequest.objects.create(
        ground=world.north, vehicle=booked.vehicle, test_type=booked.test_type, days=3,
        created_by=world.users["asker"], status="placed",
    )  # fmt: skip
    Allocation.objects.filter(pk=booked.pk).update(request=request)
    window(world, move_to(world, "NPG 21", 4))
    assert told(world, "asker") == told(world, "scheduler")
    assert Notice.objects.count() == 2


def test_the_author_is_not_told_of_the_own_change(world, booked):
    booking.move(booked.pk, dyno_id=booked.dyno_id, first_day=day(4), last_day=day(6), version=1, actor=world.actor())
    assert not Notice.objects.exists()


def test_a_colleagues_move_and_cancelling_are_told(world, booked):
    admin = world.actor("admin")
    booking.move(booked.pk, dyno_id=booked.dyno_id, first_day=day(4), last_day=day(6), version=1, actor=admin)
    booking.cancel(booked.pk, actor=admin)
    assert told(world) == [
        "412W101, Brake: off NPG 1, 2026-11-20 to 2026-11-22; cancelled.",
        "412W101, Brake: moved from NPG 1, 2026-11-19 to 2026-11-21 to NPG 1, 2026-11-20 to 2026-11-22.",
    ]


def test_undoing_is_told(world, booked):
    change = window(world, Answer(DisplacedTo.CANCEL))
    undo(change.pk, actor=world.actor("admin"))
    assert told(world)[0] == "412W101, Brake: back on NPG 1, 2026-11-19 to 2026-11-21."


def test_what_does_not_move_is_not_told(world, booked, monkeypatch):
    monkeypatch.setattr("allocations.models.ProvingGround.today", lambda self: day(3))
    booking.start(booked.pk, actor=world.actor("admin"))
    assert not Notice.objects.exists()


def test_a_refused_change_tells_nothing(world, booked):
    with pytest.raises(Refused):
        window(world, move_to(world, "NPG 1", 4))
    assert not Notice.objects.exists()


def test_who_is_no_member_any_more_is_not_told_and_sees_nothing(world, booked):
    window(world, move_to(world, "NPG 21", 4))
    Membership.objects.filter(user=world.users["scheduler"]).delete()
    assert told(world) == []
    booking.cancel(booked.pk, actor=world.actor("admin"))
    assert Notice.objects.count() == 1


def test_seen_is_each_ones_own(world, booked):
    window(world, move_to(world, "NPG 21", 4))
    notice = Notice.objects.get()
    assert mark_seen(world.users["outsider"], ids=[notice.pk]) == 0
    assert mark_seen(world.users["scheduler"], ids=[notice.pk]) == 1
    assert mark_seen(world.users["scheduler"]) == 0


@pytest.mark.usefixtures("_server")
def test_one_mail_holds_all_that_is_new_and_goes_once(world, booked, settings):
    settings.PUBLIC_URL = "https://dynosite.test"
    actor = Actor(world.users["admin"], Door.FORM, "Customer asked")
    booking.move(booked.pk, dyno_id=booked.dyno_id, first_day=day(4), last_day=day(6), version=1, actor=actor)
    booking.cancel(booked.pk, actor=world.actor("admin"))
    assert mail_notices() == 1
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["scheduler@dynosite.test"], "2 of your bookings were changed")
    assert sent.body == (
        "admin: 412W101 to NPG 1, 2026-11-20 to 2026-11-22: Brake (Customer asked)\n"
        "- 412W101, Brake: moved from NPG 1, 2026-11-19 to 2026-11-21 to NPG 1, 2026-11-20 to 2026-11-22.\n"
        "\n"
        f"admin: {Notice.objects.latest('id').change.summary}\n"
        "- 412W101, Brake: off NPG 1, 2026-11-20 to 2026-11-22; cancelled.\n"
        "\n"
        "All of it, and a switch for these mails, is at https://dynosite.test/notices/.\n"
    )
    assert mail_notices() == 0


def test_without_a_server_nothing_is_mailed(world, booked):
    window(world, move_to(world, "NPG 21", 4))
    assert mail_notices() == 0
    assert mail.outbox == []


@pytest.mark.usefixtures("_server")
@pytest.mark.parametrize("how", ["opted out", "no address", "left", "inactive", "old"])
def test_who_is_not_to_be_mailed_is_not(world, booked, how):
    window(world, move_to(world, "NPG 21", 4))
    scheduler = User.objects.filter(username="scheduler")
    if how == "opted out":
        choose_mail(world.users["scheduler"], wanted=False)
    elif how == "no address":
        scheduler.update(email="")
    elif how == "left":
        Membership.objects.filter(user__in=scheduler).delete()
    elif how == "inactive":
        scheduler.update(is_active=False)
    else:
        Notice.objects.update(made_at=timezone.now() - dt.timedelta(days=2))
    assert mail_notices() == 0
    assert mail.outbox == []


@pytest.mark.usefixtures("_server")
def test_what_the_server_does_not_take_is_tried_again(world, booked, monkeypatch, caplog):
    window(world, move_to(world, "NPG 21", 4))

    def refuse(*args, **kwargs):
        raise smtplib.SMTPConnectError(421, "away")

    with monkeypatch.context() as patched:
        patched.setattr("allocations.services.notices.send_mail", refuse)
        assert mail_notices() == 0
    assert "notices were not mailed" in caplog.text
    assert mail_notices() == 1


@pytest.mark.usefixtures("_server")
def test_a_change_that_is_rolled_back_is_not_mailed(world, booked):
    with transaction.atomic():
        window(world, move_to(world, "NPG 21", 4))
        transaction.set_rollback(True)
    assert mail_notices() == 0
    assert not Notice.objects.exists()
