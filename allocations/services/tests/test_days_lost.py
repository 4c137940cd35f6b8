"""Days off change under tests that pause: each is listed with an answer, and keeps its days worked."""

import re

import pytest

from allocations.enums import LostDaysTo, RefusalCode
from allocations.exceptions import Refused, Stale
from allocations.models import Allocation, ProvingGround, Shutdown, TestRequest
from allocations.services import booking
from allocations.services.days_lost import DaysLost, LossAnswer
from allocations.services.members import change_ground
from allocations.services.undo import undo
from allocations.services.working import ShutDays
from allocations.tests.world import allocation_of, day
from dynosite.lib import clock
from dynosite.tests.markup import markup


@pytest.fixture
def pausing(world):
    """Monday to Friday; 412W101 has five days worked on NPG 1 from Wednesday, day 2, until Tuesday, day 8."""
    ProvingGround.objects.filter(pk=world.north.pk).update(days_off=[5, 6])
    world.north.refresh_from_db()
    world.tests["Brake"].runs_through = False
    world.tests["Brake"].save()
    with clock.day_is(day(0)):
        world.stay = allocation_of(world.book("412W101", "NPG 1", 2, 8))
        yield world


def shut(world, first, last, **more):
    return change_ground(
        world.north.pk, actor=world.actor("admin"), shutdowns=[ShutDays("Power", day(first), day(last))], **more
    )


def lost(call) -> DaysLost:
    with pytest.raises(DaysLost) as info:
        call()
    return info.value


def test_shutdown_over_a_test_that_pauses_asks_what_becomes_of_it(pausing):
    error = lost(lambda: shut(pausing, 7, 7))
    assert [refusal.code for refusal in error.refusals] == [RefusalCode.DAYS_LOST]
    assert error.sentence == ("412W101 on NPG 1, 18 – 24 Nov 2026, would lose 1 day of its 5 worked.")
    (loss,) = error.losses
    assert (loss.allocation, loss.length, loss.lost, loss.extended.last) == (pausing.stay, 5, 1, day(9))
    assert loss.answers == (LostDaysTo.EXTEND, LostDaysTo.MOVE, LostDaysTo.WAIT, LostDaysTo.KEEP)
    assert not Shutdown.objects.exists()


def test_extending_gives_the_lost_day_back_and_is_undone_by_itself(pausing):
    shut(pausing, 7, 7, answers={pausing.stay.pk: LossAnswer(LostDaysTo.EXTEND, version=1)})
    pausing.stay.refresh_from_db()
    assert (pausing.stay.first_day, pausing.stay.last_day) == (day(2), day(9))
    assert Shutdown.objects.count() == 1
    booking.move(pausing.stay.pk, first_day=day(3), actor=pausing.actor())
    pausing.stay.refresh_from_db()
    assert (pausing.stay.first_day, pausing.stay.last_day) == (day(3), day(10))


def test_what_cannot_be_extended_is_moved_or_goes_back_to_waiting(pausing):
    pausing.book("412W103", "NPG 1", 9, 11)
    (loss,) = lost(lambda: shut(pausing, 7, 7)).losses
    assert loss.answers == (LostDaysTo.MOVE, LostDaysTo.WAIT, LostDaysTo.KEEP)
    place = (loss.place.dyno_id, loss.place.first_day)
    with pytest.raises(Refused):
        shut(pausing, 7, 7, answers={pausing.stay.pk: LossAnswer(LostDaysTo.EXTEND)})
    assert not Shutdown.objects.exists()
    shut(pausing, 7, 7, answers={pausing.stay.pk: LossAnswer(LostDaysTo.MOVE, place=place)})
    pausing.stay.refresh_from_db()
    assert (pausing.stay.dyno, pausing.stay.first_day, pausing.stay.last_day) == (
        pausing.dynos["NPG 21"],
        day(2),
        day(9),
    )


def test_back_to_waiting_keeps_the_days_worked_and_can_be_undone(pausing):
    shut(pausing, 7, 7, answers={pausing.stay.pk: LossAnswer(LostDaysTo.WAIT)})
    request = TestRequest.objects.get()
    pausing.stay.refresh_from_db()
    assert (pausing.stay.status, request.days, request.status) == ("cancelled", 5, "waiting")
    change = pausing.north.changes.get(action="move")
    undo(change.pk, actor=pausing.actor("admin"))
    pausing.stay.refresh_from_db()
    assert pausing.stay.status == "scheduled"


def test_kept_shorter_it_stays_as_it_is(pausing):
    shut(pausing, 7, 7, answers={pausing.stay.pk: LossAnswer(LostDaysTo.KEEP)})
    pausing.stay.refresh_from_db()
    assert (pausing.stay.last_day, pausing.stay.version) == (day(8), 1)


def test_running_test_is_extended_or_kept(pausing):
    Allocation.objects.filter(pk=pausing.stay.pk).update(status="running")
    with clock.day_is(day(4)):
        (loss,) = lost(lambda: shut(pausing, 7, 7)).losses
    assert loss.answers == (LostDaysTo.EXTEND, LostDaysTo.KEEP)


def test_weekday_that_is_off_from_now_on_asks_too_and_what_is_over_or_runs_through_does_not(pausing):
    (loss,) = lost(lambda: change_ground(pausing.north.pk, actor=pausing.actor("admin"), days_off=[0, 5, 6])).losses
    assert (loss.lost, loss.extended.last) == (1, day(9))
    with clock.day_is(day(20)):
        change_ground(pausing.north.pk, actor=pausing.actor("admin"), days_off=[0, 5, 6])
    pausing.tests["Brake"].runs_through = True
    pausing.tests["Brake"].save()
    shut(pausing, 8, 8)


def test_days_off_that_take_no_day_worked_ask_nothing(pausing):
    shut(pausing, 5, 6)
    shut(pausing, 12, 13)
    change_ground(pausing.north.pk, actor=pausing.actor("admin"), days_off=[5])


def test_answer_to_an_older_version_is_stale_and_nothing_is_saved(pausing):
    booking.move(pausing.stay.pk, dyno_id=pausing.dynos["NPG 21"].pk, actor=pausing.actor())
    with pytest.raises(Stale):
        shut(pausing, 7, 7, answers={pausing.stay.pk: LossAnswer(LostDaysTo.EXTEND, version=1)})
    assert not Shutdown.objects.exists()


def test_administration_lists_them_with_an_answer_each(pausing, client):
    pausing.users["admin"].is_staff = True
    pausing.users["admin"].save()
    client.force_login(pausing.users["admin"])
    address = f"/admin/allocations/provingground/{pausing.north.pk}/change/"
    page = client.get(address).content.decode()
    data = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    data |= {
        "code": "NORTH",
        "name": "North Proving Ground",
        "time_zone": "America/Detroit",
        "days_off": [5, 6],
        "holidays_country": "",
        "holidays_subdivision": "",
        "shutdowns-TOTAL_FORMS": "1",
        "shutdowns-0-name": "Power",
        "shutdowns-0-first_day": "2026-11-23",
        "shutdowns-0-last_day": "2026-11-23",
        "travel-TOTAL_FORMS": "0",
    }
    question = markup(client.post(address, data))
    assert "1 day of 5 worked would be lost" in question
    name = f"lost-{pausing.stay.pk}"
    values = re.findall(rf'name="{name}" value="([^"]+)"( checked)?> ?([^<]+)<', question)
    assert [(value.split(":")[0], bool(mark)) for value, mark, _ in values] == [
        ("extend", True),
        ("move", False),
        ("wait", False),
        ("keep", False),
    ]
    assert values[0][2] == "Extend by the days lost, until 25 Nov 2026"
    assert not Shutdown.objects.exists()
    answer = client.post(address, data | {name: values[0][0], "_confirmed": "1"})
    assert answer.status_code == 302
    pausing.stay.refresh_from_db()
    assert pausing.stay.last_day == day(9)
    assert Shutdown.objects.get().name == "Power"
