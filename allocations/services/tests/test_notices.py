"""Those concerned are told: on their page with the change itself, by mail once it is written."""

import datetime as dt
import uuid

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from allocations.enums import Action, DisplacedTo, Door, MaintenanceKind, Role
from allocations.exceptions import Refused
from allocations.models import Allocation, Membership, Notice, TestRequest
from allocations.selectors.maintenance import Answer
from allocations.selectors.notices import notices_of
from allocations.services import booking
from allocations.services.fleet import change_dyno
from allocations.services.mailing import MAX_BREAKS, mail_notices
from allocations.services.maintenance import set_maintenance
from allocations.services.notices import MAX_SINGLY, choose_mail, mark_seen, tell
from allocations.services.requests import cancel_request, change_request, create_request
from allocations.services.tests.smtp_stub import SmtpStub, closed_port
from allocations.services.undo import undo
from allocations.services.unit_of_work import Actor, UnitOfWork
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
        world.dynos["NPG 1"].pk,
        first_day=day(first),
        last_day=day(last),
        kind=MaintenanceKind.OUTAGE,
        answers={pk: answer},
        actor=world.actor(by),
        **more,
    )


def move_to(world, dyno, first):
    return Answer(DisplacedTo.MOVE, world.dynos[dyno].pk, day(first))


def sentences_for(world, name="scheduler"):
    return [notice.sentence for notice in notices_of(world.users[name])]


def test_who_booked_is_told_where_it_went_and_why(world, booked):
    change = window(world, move_to(world, "NPG 21", 4))
    assert sentences_for(world) == ["412W101, Brake: moved from NPG 1, 19 – 21 Nov 2026 to NPG 21, 20 – 22 Nov 2026."]
    assert Notice.objects.get().change == change
    assert sentences_for(world, "admin") == sentences_for(world, "viewer") == sentences_for(world, "outsider") == []


@pytest.mark.parametrize(
    ("answer", "first", "sentence"),
    [
        (DisplacedTo.WAIT, 3, "412W101, Brake: off NPG 1, 19 – 21 Nov 2026; it waits for another place."),
        (DisplacedTo.CANCEL, 3, "412W101, Brake: off NPG 1, 19 – 21 Nov 2026; cancelled."),
        (
            DisplacedTo.SHORTEN,
            5,
            "412W101, Brake: cut on NPG 1, 19 – 21 Nov 2026; it ends on 20 Nov 2026 and its rest waits.",
        ),
    ],
)
def test_each_fate_has_its_sentence(world, booked, answer, first, sentence):
    window(world, Answer(answer), first=first)
    assert sentences_for(world) == [sentence]


def test_who_asked_is_told_as_well_and_once(world, booked):
    world.user("asker", north=Role.VIEWER)
    request = TestRequest.objects.create(
        ground=world.north,
        vehicle=booked.vehicle,
        test_type=booked.test_type,
        days=3,
        created_by=world.users["asker"],
        status="placed",
    )
    Allocation.objects.filter(pk=booked.pk).update(request=request)
    window(world, move_to(world, "NPG 21", 4))
    assert sentences_for(world, "asker") == sentences_for(world, "scheduler")
    assert Notice.objects.count() == 2


def test_the_author_is_not_told_of_the_own_change(world, booked):
    booking.move(booked.pk, dyno_id=booked.dyno_id, first_day=day(4), last_day=day(6), version=1, actor=world.actor())
    assert not Notice.objects.exists()


def test_a_colleagues_move_and_cancelling_are_told(world, booked):
    admin = world.actor("admin")
    booking.move(booked.pk, dyno_id=booked.dyno_id, first_day=day(4), last_day=day(6), version=1, actor=admin)
    booking.cancel(booked.pk, actor=admin)
    assert sentences_for(world) == [
        "412W101, Brake: off NPG 1, 20 – 22 Nov 2026; cancelled.",
        "412W101, Brake: moved from NPG 1, 19 – 21 Nov 2026 to NPG 1, 20 – 22 Nov 2026.",
    ]


def test_undoing_is_told(world, booked):
    change = window(world, Answer(DisplacedTo.CANCEL))
    undo(change.pk, actor=world.actor("admin"))
    assert sentences_for(world)[0] == "412W101, Brake: back on NPG 1, 19 – 21 Nov 2026."


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
    assert sentences_for(world) == []
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
        "admin: 412W101 to NPG 1, 20 – 22 Nov 2026: Brake (Customer asked)\n"
        "- 412W101, Brake: moved from NPG 1, 19 – 21 Nov 2026 to NPG 1, 20 – 22 Nov 2026.\n"
        "\n"
        f"admin: {Notice.objects.latest('id').change.summary}\n"
        "- 412W101, Brake: off NPG 1, 20 – 22 Nov 2026; cancelled.\n"
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
        choose_mail(world.users["scheduler"], enabled=False)
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


@pytest.fixture
def smtp(settings):
    """A mail server on this machine, which the real backend talks to."""
    with SmtpStub() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, False
        yield server


@pytest.fixture
def two_told(world, booked):
    """Notices of the scheduler and of one more, whose name stands before or after in the order of ids."""
    world.user("asker", north=Role.VIEWER)
    User.objects.filter(username="asker").update(email="asker@dynosite.test")
    request = TestRequest.objects.create(
        ground=world.north,
        vehicle=booked.vehicle,
        test_type=booked.test_type,
        days=3,
        created_by=world.users["asker"],
        status="placed",
    )
    Allocation.objects.filter(pk=booked.pk).update(request=request)
    window(world, move_to(world, "NPG 21", 4))
    assert Notice.objects.count() == 2


def test_a_server_that_is_away_is_tried_again(world, two_told, smtp, settings, caplog):
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, closed_port()
    assert mail_notices() == 0
    assert "the mail server is not reached" in caplog.text
    settings.EMAIL_PORT = port
    assert mail_notices() == 2
    assert sorted(smtp.delivered) == ["asker@dynosite.test", "scheduler@dynosite.test"]


@pytest.mark.parametrize("refused", ["asker", "scheduler"])
def test_one_refused_address_never_stops_the_rest_and_is_marked(world, two_told, smtp, refused):
    other = {"asker": "scheduler", "scheduler": "asker"}[refused]
    smtp.replies[f"{refused}@dynosite.test"] = "550 5.1.1 No such user here"
    assert mail_notices() == 1
    assert smtp.delivered == [f"{other}@dynosite.test"]
    user = User.objects.get(username=refused)
    assert user.mail_problem == "550 5.1.1 No such user here"
    assert User.objects.get(username=other).mail_problem == ""
    assert Notice.objects.filter(user=user, mailed_at=None).count() == 1
    # It is not asked again, until the user has another address.
    attempts = len(smtp.recipients)
    assert mail_notices() == 0
    assert len(smtp.recipients) == attempts
    User.objects.filter(pk=user.pk).update(email="new@dynosite.test")
    assert mail_notices() == 1
    assert smtp.delivered[-1] == "new@dynosite.test"
    assert User.objects.get(pk=user.pk).mail_problem == ""


def test_what_is_refused_for_now_is_tried_again_and_not_marked(world, two_told, smtp):
    smtp.replies["asker@dynosite.test"] = "451 4.7.1 Greylisted, try again later"
    assert mail_notices() == 1
    assert User.objects.get(username="asker").mail_problem == ""
    del smtp.replies["asker@dynosite.test"]
    assert mail_notices() == 1
    assert sorted(smtp.delivered) == ["asker@dynosite.test", "scheduler@dynosite.test"]


def test_a_server_that_hangs_up_on_one_address_still_takes_the_others(world, two_told, smtp):
    smtp.replies["asker@dynosite.test"] = SmtpStub.HANG_UP
    for _ in range(MAX_BREAKS):
        mail_notices()
    assert smtp.delivered == ["scheduler@dynosite.test"]


def test_what_is_no_address_is_marked_and_stops_nobody(world, two_told, smtp):
    User.objects.filter(username="asker").update(email="asker at work\n@dynosite.test")
    assert mail_notices() == 1
    assert smtp.delivered == ["scheduler@dynosite.test"]
    assert User.objects.get(username="asker").mail_problem.startswith("It is no address")


@pytest.mark.usefixtures("_server")
def test_a_change_that_is_rolled_back_is_not_mailed(world, booked):
    with transaction.atomic():
        window(world, move_to(world, "NPG 21", 4))
        transaction.set_rollback(True)
    assert mail_notices() == 0
    assert not Notice.objects.exists()


def asked_by(world, name, booked, *, due=None):
    request = TestRequest.objects.create(
        ground=world.north,
        vehicle=booked.vehicle,
        test_type=booked.test_type,
        days=3,
        due_date=due,
        created_by=world.users[name],
        status="placed",
    )
    Allocation.objects.filter(pk=booked.pk).update(request=request)
    return request


def waiting_request(world, name="scheduler", tag="412W102", **more):
    change = create_request(
        world.vehicles[tag].pk, test_type_id=world.tests["Brake"].pk, days=3, actor=world.actor(name), **more
    )
    return TestRequest.objects.get(pk=change.items[0]["id"])


@pytest.mark.parametrize(
    ("due", "words"),
    [
        (day(9), "; it ends 3 days before its due date, 25 Nov 2026."),
        (day(6), "; it ends on its due date, 22 Nov 2026."),
        (day(5), "; it ends 1 day after its due date, 21 Nov 2026."),
    ],
)
def test_a_notice_says_how_far_the_new_place_is_from_the_due_date(world, booked, due, words):
    asked_by(world, "scheduler", booked, due=due)
    window(world, move_to(world, "NPG 21", 4))
    assert sentences_for(world) == [
        "412W101, Brake: moved from NPG 1, 19 – 21 Nov 2026 to NPG 21, 20 – 22 Nov 2026" + words
    ]


def test_who_asked_is_told_that_the_request_has_its_place(world):
    request = waiting_request(world, due_date=day(9))
    booking.book(
        request.vehicle_id,
        world.dynos["NPG 1"].pk,
        test_type_id=request.test_type_id,
        first_day=day(3),
        last_day=day(5),
        request_id=request.pk,
        actor=world.actor("admin"),
    )
    assert sentences_for(world) == [
        "412W102, Brake: your request has its place, NPG 1, 19 – 21 Nov 2026; it ends 4 days before its due"
        " date, 25 Nov 2026."
    ]
    assert sentences_for(world, "admin") == []


def test_who_asked_is_told_of_changes_to_a_waiting_request_and_of_its_end(world):
    request = waiting_request(world, due_date=day(9))
    change_request(request.pk, due_date=day(12), days=2, actor=world.actor("admin"))
    cancelled = cancel_request(request.pk, actor=world.actor("admin"))
    undo(cancelled.pk, actor=world.actor("admin"))
    assert sentences_for(world)[::-1] == [
        "Your request for Brake of 412W102: changed (days 3 to 2; due date 25 Nov 2026 to 28 Nov 2026).",
        "Your request for Brake of 412W102: cancelled.",
        "Your request for Brake of 412W102: waits for a place again.",
    ]
    change_request(request.pk, days=4, actor=world.actor())
    assert Notice.objects.count() == 3
    assert {notice.request_id for notice in Notice.objects.all()} == {request.pk}


def test_who_booked_is_told_that_a_test_was_completed_early(world, booked, monkeypatch):
    monkeypatch.setattr("allocations.models.ProvingGround.today", lambda self: day(4))
    booking.start(booked.pk, actor=world.actor("admin"))
    booking.complete(booked.pk, last_day=day(3), actor=world.actor("admin"))
    assert sentences_for(world) == [
        "412W101, Brake: completed on NPG 1, 19 Nov 2026, 2 days before the planned last day."
    ]


def test_who_booked_is_told_that_the_dyno_is_disabled(world, booked):
    change_dyno(booked.dyno_id, enabled=False, actor=world.actor("admin"))
    assert sentences_for(world) == ["412W101, Brake: NPG 1, where it stands 19 – 21 Nov 2026, is now disabled."]
    change_dyno(booked.dyno_id, enabled=True, actor=world.actor("admin"))
    change_dyno(booked.dyno_id, available_to=day(4), actor=world.actor("admin"))
    assert sentences_for(world)[0] == (
        "412W101, Brake: NPG 1, where it stands 19 – 21 Nov 2026, is now available until 20 Nov 2026 only."
    )
    assert Notice.objects.count() == 2


def test_what_is_long_past_is_no_news(world, booked, monkeypatch):
    monkeypatch.setattr("allocations.models.ProvingGround.today", lambda self: day(60))
    booking.cancel(booked.pk, actor=world.actor("admin"))
    change_dyno(booked.dyno_id, enabled=False, actor=world.actor("admin"))
    assert not Notice.objects.exists()


@pytest.mark.usefixtures("_server")
def test_many_bookings_of_one_change_are_one_line_and_one_mail(world, booked):
    number = MAX_SINGLY + 1
    for row in range(number - 1):
        world.book("412W101", "NPG 1", 10 + 4 * row, 11 + 4 * row)
    rows = {row.pk: row for row in Allocation.objects.filter(vehicle__tag="412W101")}
    change = set_maintenance(
        world.dynos["NPG 1"].pk,
        first_day=day(3),
        last_day=day(60),
        kind=MaintenanceKind.OUTAGE,
        answers={pk: Answer(DisplacedTo.CANCEL) for pk in rows},
        actor=world.actor("admin"),
    )
    notice = Notice.objects.get()
    assert notice.sentence == f"{number} of your bookings and requests were changed."
    assert (notice.change, notice.allocation_id) == (change, None)
    assert {line["allocation_id"] for line in notice.lines} == set(rows)
    assert "412W101, Brake: off NPG 1, 19 – 21 Nov 2026; cancelled." in [line["sentence"] for line in notice.lines]
    undo(change.pk, actor=world.actor("admin"))
    assert sentences_for(world)[0] == f"{number} of your bookings and requests were put back, as a change was undone."
    assert Notice.objects.count() == 2
    assert mail_notices() == 1
    (sent,) = mail.outbox
    assert sent.subject == f"{2 * number} of your bookings were changed"
    assert len([line for line in sent.body.splitlines() if line.startswith("- ")]) == 2


def test_who_asked_is_told_of_a_change_to_a_request_that_has_its_place(world, booked):
    request = asked_by(world, "scheduler", booked, due=day(9))
    work = UnitOfWork(world.actor("admin"), Action.CHANGE_REQUEST, uuid.uuid4(), ground_id=world.north.pk)
    with transaction.atomic():
        work.update(request, due_date=day(7))
        tell(work, work.published())
    assert sentences_for(world) == [
        "Your request for Brake of 412W101: changed (due date 25 Nov 2026 to 23 Nov 2026)."
    ]
