"""The maintenance form sets windows that come again, on one dyno or several, and the pages say which one each is."""

import datetime as dt
import re

import pytest

from allocations.models import Allocation, Change, Displacement, MaintenanceWindow, ProvingGround
from allocations.services.maintenance import set_maintenance
from allocations.tests.world import allocation_of, day

NEW = "/maintenance/new/"
FIRST_MONDAYS = [dt.date(2026, 12, 7), dt.date(2027, 3, 1), dt.date(2027, 6, 7)]


@pytest.fixture
def ground(world, monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: day(0))
    return world


@pytest.fixture
def admin(client, ground):
    client.force_login(ground.users["admin"])
    return client


def quarterly(world, **more):
    """A day of calibration on the first Monday of each third month, from 7 Dec 2026 on."""
    days = {"first_day": "2026-12-07", "last_day": "2026-12-07"}
    again = {"repeat": "month-weekday", "every": 3, "times": 3}
    sent = {"dyno": world.dynos["NPG 1"].pk, "kind": "calibration", "others": "move", **days, **again, **more}
    return {name: value for name, value in sent.items() if value is not None}


def preview_page(client, world, **more):
    return client.get(NEW, quarterly(world, preview=1, **more)).content.decode()


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def boxes(page):
    """Each window's value, and whether it is ticked or cannot be."""
    inputs = re.findall(r'<input type="checkbox"\s+name="window"\s+value="([^"]+)"([^>]*)>', page)
    return {value: " ".join(more.split()) for value, more in inputs}


def starts():
    return list(MaintenanceWindow.objects.filter(lifted_at=None).values_list("dyno__name", "first_day"))


def ticks(world, *names):
    return [f"{world.dynos[name].pk}/{start}" for name in names for start in FIRST_MONDAYS]


def test_every_window_is_shown_with_what_it_hits(admin, ground):
    ground.book("412W101", "NPG 1", 104, 106)
    page = preview_page(admin, ground)
    assert boxes(page) == dict.fromkeys(ticks(ground, "NPG 1"), "checked")
    text = words(page)
    assert "3 windows · 1 booking" in text
    assert "It comes every 3 months on the first Monday." in text
    assert text.count("hits nothing") == 2
    assert "Mon 7 Dec 2026" in text
    hit = page[page.index("2027-03-01") : page.index("2027-06-07")]
    assert "412W101" in hit
    assert "proposed" in hit
    assert MaintenanceWindow.objects.count() == 0


def test_the_windows_are_set_as_one_change_with_their_answers(admin, ground):
    hit = allocation_of(ground.book("412W101", "NPG 1", 104, 106))
    data = quarterly(ground, window=ticks(ground, "NPG 1"), **{f"answer-{hit.pk}": "wait"})
    answer = admin.post(NEW, data, follow=True)
    assert answer.redirect_chain[-1][0].endswith(f"/dynos/{ground.dynos['NPG 1'].pk}/")
    assert starts() == [("NPG 1", start) for start in FIRST_MONDAYS]
    assert "Maintenance set: NPG 1: Calibration every 3 months on the first Monday, 3 windows" in words(
        answer.content.decode()
    )
    hit.refresh_from_db()
    assert hit.status == "cancelled"
    assert Change.objects.filter(action="set-maintenance").count() == 1
    admin.post(f"/changes/{Change.objects.get(action='set-maintenance').pk}/undo/")
    assert starts() == []
    assert Allocation.objects.get(pk=hit.pk).status == "scheduled"


def test_a_window_that_is_unticked_is_left_out_and_stays_so_while_the_form_changes(admin, ground):
    shown_ones = ticks(ground, "NPG 1")
    page = preview_page(admin, ground, shown=shown_ones, window=shown_ones[:1] + shown_ones[2:], reason="Holidays")
    assert boxes(page) == {shown_ones[0]: "checked", shown_ones[1]: "", shown_ones[2]: "checked"}
    admin.post(NEW, quarterly(ground, shown=shown_ones, window=shown_ones[:1] + shown_ones[2:]))
    assert starts() == [("NPG 1", FIRST_MONDAYS[0]), ("NPG 1", FIRST_MONDAYS[2])]


def test_one_day_on_several_dynos_is_set_together_without_repeating(admin, ground):
    also = [ground.dynos["NPG 2"].pk, ground.dynos["NPG 3"].pk]
    data = quarterly(ground, repeat="", times="", also=also)
    page = admin.get(NEW, data | {"preview": 1}).content.decode()
    values = [f"{ground.dynos[name].pk}/2026-12-07" for name in ("NPG 1", "NPG 2", "NPG 3")]
    assert list(boxes(page)) == values
    assert "It comes" not in words(page)
    admin.post(NEW, data | {"window": values})
    assert starts() == [(name, FIRST_MONDAYS[0]) for name in ("NPG 1", "NPG 2", "NPG 3")]
    assert set(MaintenanceWindow.objects.values_list("series", "repeats")) == {(None, None)}


def test_a_window_with_other_maintenance_in_its_way_cannot_be_ticked_and_the_others_can_be_set(admin, ground):
    set_maintenance(
        ground.dynos["NPG 1"].pk,
        first_day=dt.date(2027, 3, 1),
        last_day=dt.date(2027, 3, 5),
        kind="outage",
        reason="Bearing",
        actor=ground.actor("admin"),
    )
    page = preview_page(admin, ground)
    values = ticks(ground, "NPG 1")
    assert boxes(page) == {values[0]: "checked", values[1]: "disabled", values[2]: "checked"}
    assert "NPG 1 is in maintenance (outage: Bearing): 1 – 5 Mar 2027." in words(page)
    assert "1 window cannot be set" in words(page)
    refused = admin.post(NEW, quarterly(ground, shown=values, window=values))
    assert refused.status_code == 422
    assert len(starts()) == 1
    admin.post(NEW, quarterly(ground, shown=values, window=[values[0], values[2]]))
    assert len(starts()) == 3


def test_an_answer_that_is_missing_is_named_and_what_was_chosen_stays(admin, ground):
    ground.book("412W101", "NPG 1", 104, 106)
    values = ticks(ground, "NPG 1")
    answer = admin.post(NEW, quarterly(ground, shown=values, window=values[:2]))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "need an answer each: 412W101 on NPG 1, 28 Feb – 2 Mar 2027." in words(page)
    assert boxes(page) == {values[0]: "checked", values[1]: "checked", values[2]: ""}
    assert starts() == []


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"times": None}, "Say how many times, or until which day."),
        ({"times": 53}, "Ensure this value is less than or equal to 52."),
        ({"times": None, "until": "2027-02-28"}, "By this day it comes only once; choose a later day."),
        (
            {"times": None, "until": "2029-01-01", "repeat": "week", "every": 1},
            "It would come more than 52 times; choose an earlier day.",
        ),
        (
            {"repeat": "week", "every": 1, "last_day": "2026-12-14"},
            "A window of 8 days would still last when the next one begins.",
        ),
        ({"every": 0}, "Ensure this value is greater than or equal to 1."),
        ({"repeat": "daily"}, "Select a valid choice. daily is not one of the available choices."),
        ({"also": "8" * 30}, None),
        ({"also": "x"}, "“x” is not a valid value."),
    ],
)
def test_a_repeat_that_makes_no_sense_is_said_beside_its_field(admin, ground, more, sentence):
    data = quarterly(ground, **more)
    page = admin.get(NEW, data | {"preview": 1})
    assert page.status_code == 200
    if sentence:
        assert sentence in words(page.content.decode())
        assert admin.post(NEW, data | {"window": ticks(ground, "NPG 1")}).status_code == 422
        assert starts() == []


def test_more_windows_than_may_be_set_at_once_are_refused(admin, ground):
    also = [ground.dyno(f"D{number}").pk for number in range(4)]
    page = preview_page(admin, ground, repeat="week", every=1, times=52, also=also)
    assert "These are 260 windows; 200 are the most at once." in words(page)


def test_the_dynos_of_another_ground_are_no_choice(admin, ground):
    page = preview_page(admin, ground, also=[ground.dynos["STC #1"].pk])
    assert "Select a valid choice." in words(page)
    assert "STC #1" not in page


def test_an_outage_of_a_scheduler_does_not_repeat(client, ground):
    client.force_login(ground.users["scheduler"])
    page = client.get(NEW, {"dyno": ground.dynos["NPG 1"].pk}).content.decode()
    assert 'name="repeat"' not in page
    client.post(NEW, quarterly(ground, kind="outage", window=ticks(ground, "NPG 1")))
    assert starts() == [("NPG 1", FIRST_MONDAYS[0])]


def test_the_dyno_the_window_and_its_card_say_which_one_it_is(admin, ground):
    admin.post(NEW, quarterly(ground, window=ticks(ground, "NPG 1")))
    second = MaintenanceWindow.objects.get(first_day=FIRST_MONDAYS[1])
    dyno = words(admin.get(f"/dynos/{second.dyno_id}/").content.decode())
    for number in (1, 2, 3):
        assert f"Every 3 months on the first Monday, {number} of 3" in dyno
    for address in (f"/maintenance/{second.pk}/", f"/maintenance/{second.pk}/card/"):
        text = words(admin.get(address).content.decode())
        assert "Every 3 months on the first Monday, 2 of 3" in text
    assert 'name="repeat"' not in admin.get(f"/maintenance/{second.pk}/change/").content.decode()


def test_one_is_lifted_or_it_and_all_later_ones(admin, ground):
    hit = allocation_of(ground.book("412W101", "NPG 1", 104, 106))
    values = ticks(ground, "NPG 1")
    admin.post(NEW, quarterly(ground, window=values, **{f"answer-{hit.pk}": "wait"}))
    first, second, third = MaintenanceWindow.objects.order_by("first_day")
    page = words(admin.get(f"/maintenance/{first.pk}/lift/").content.decode())
    assert "Only this one This and 2 later ones" in page
    assert "Bring back" not in page
    page = words(admin.get(f"/maintenance/{first.pk}/lift/?later=1").content.decode())
    assert "Lift 3 maintenance windows?" in page
    assert "NPG 1, 1 Mar 2027" in page
    assert "Put back what it displaced 412W101" in page
    admin.post(f"/maintenance/{first.pk}/lift/", {"version": first.version})
    assert starts() == [("NPG 1", FIRST_MONDAYS[1]), ("NPG 1", FIRST_MONDAYS[2])]
    back = Displacement.objects.get().pk
    admin.post(f"/maintenance/{second.pk}/lift/", {"version": second.version, "later": 1, "back": back})
    assert starts() == []
    assert Allocation.objects.get(pk=hit.pk).status == "scheduled"
    third.refresh_from_db()
    assert third.lifted_at
