"""The maintenance form offers repairs side by side and carries the chosen one out."""

import re

import pytest
from django.urls import reverse

from allocations.enums import DisplacedTo, Drive
from allocations.models import Allocation, Change, MaintenanceWindow, ProvingGround, TestRequest
from allocations.selectors.maintenance import Answer
from allocations.tests.world import ANY_WEIGHT, allocation_of, day
from allocations.web.schedule.repair_text import read
from dynosite.tests.markup import markup


@pytest.fixture
def crowd(world, monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: day(0))
    world.dyno("NPG 4", (world.tests["Brake"], [Drive.TWO_WHEEL], ANY_WEIGHT))
    a = allocation_of(world.book("412W102", "NPG 1", 5, 8))
    b = allocation_of(world.book("412W101", "NPG 1", 9, 19))
    return world, a, b


@pytest.fixture
def admin(client, world):
    client.force_login(world.users["admin"])
    return client


def form_data(world, **more):
    days = {"first_day": day(4).isoformat(), "last_day": day(8).isoformat()}
    return {"dyno": world.dynos["NPG 1"].pk, "kind": "outage", "reason": "Bearing", **days, **more}


NEW = "/maintenance/new/"


def preview_page(client, world, **more):
    return markup(client.get(NEW, form_data(world, preview=1, **more)))


def options_of(page):
    return re.findall(r'name="option-(\d)" value="([^"]*)"', page)


def test_page_shows_the_displaced_only_at_once_and_asks_for_more(admin, crowd):
    world, a, _ = crowd
    page = preview_page(admin, world)
    assert options_of(page) == [("0", f"d/{a.pk}/move/{a.dyno_id}/{day(20)}/{day(23)}/1")]
    assert 'value="0" aria-controls="moves-0" checked' in page
    assert 'hx-trigger="load"' in page
    assert "Look for repairs that are less late" in page
    assert "15 days late: NPG 1 alone runs Brake" in page


def test_the_page_says_how_long_it_is_how_many_it_hits_and_what_becomes_of_them(admin, crowd):
    world, *_ = crowd
    world.book("412W103", "NPG 1", 24, 25)
    page = re.sub(r"<[^>]+>|\s+", " ", preview_page(admin, world, last_day=day(30).isoformat()))
    assert "27 days · 3 bookings" in page
    assert "The displaced only: 3 move" in page
    assert "This window is" not in page
    long = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", preview_page(admin, world, last_day=day(280).isoformat())))
    assert "This window is 277 days long It ends on Mon 23 Aug 2027." in long
    sixty = preview_page(admin, world, last_day=day(63).isoformat())
    assert "This window is" not in sixty


def test_a_proposed_place_says_how_late_it_is(admin, crowd):
    world, a, _ = crowd
    wish = TestRequest.objects.create(
        ground=world.north, vehicle=a.vehicle, test_type=a.test_type, days=4, due_date=day(8), status="placed"
    )
    type(a).objects.filter(pk=a.pk).update(request=wish)
    page = preview_page(admin, world, first_day=day(0).isoformat())
    proposed = re.search(rf'name="answer-{a.pk}" value="move".*?</label>', page, re.S)[0]
    assert "checked" in proposed
    assert '<b class="bad">15 days late</b>' in proposed


def test_all_options_stand_side_by_side_without_javascript(admin, crowd):
    world, _a, _b = crowd
    page = preview_page(admin, world, repair="more")
    assert [number for number, _ in options_of(page)] == ["0", "1"]
    assert "1 other makes room" in page
    assert 'hx-trigger="load"' not in page
    row = re.search(r"<tr>\s*<th scope=\"row\"><label[^>]*><input[^>]*value=\"1\".*?</tr>", page, re.S)[0]
    figures = re.findall(r'data-label="([A-Z][a-z ]+)"[^>]*>([^<]*)', row)
    assert figures[:5] == [
        ("Moves", "2"),
        ("Days later", "4"),
        ("Days late", "+4"),
        ("Weighted", "+8"),
        ("Vehicles", "2"),
    ]


def test_the_further_options_come_as_a_fragment(admin, crowd):
    world, a, _ = crowd
    stamp = f"repairs-{a.dyno_id}-20261120-20261124"
    headers = {"HX-Request": "true", "HX-Target": f"fieldset#{stamp}"}
    text = admin.get(NEW, form_data(world, preview=1, repair="more"), headers=headers).content.decode()
    assert text.lstrip().startswith(f'<fieldset class="repairs" id="{stamp}">')
    assert [number for number, _ in options_of(text)] == ["0", "1"]
    assert "<html" not in text


def test_nobody_else_moves_where_that_is_asked_for(admin, crowd):
    world, *_ = crowd
    page = preview_page(admin, world, repair="more", others="stay")
    assert [number for number, _ in options_of(page)] == ["0"]
    assert "No other test was allowed to move." in page
    assert 'hx-trigger="load"' not in page


def test_a_running_test_that_is_hit_is_said_to_be_cut(admin, crowd):
    world, a, _b = crowd
    Allocation.objects.filter(pk=a.pk).update(status="running", first_day=day(2))
    page = preview_page(admin, world)
    assert "A running test is cut, not moved" in page
    assert (
        "it ends there on 19 Nov 2026, the day before the window, and its rest goes to the waiting requests" in page
    )
    page = preview_page(admin, world, first_day=day(2).isoformat())
    assert "No day before the window is left to it" in page
    page = preview_page(admin, world, last_day=day(9).isoformat())
    assert "+ 1 cut" in page
    assert "without a place" not in page


def test_an_option_on_the_calendar_names_only_what_this_ground_has(admin, crowd):
    world, a, _b = crowd
    stranger = world.south.allocations.get()
    forged = f"d/{a.pk}/wait//// o/{stranger.pk}/move/{a.dyno_id}/{day(6)}/{day(7)}/1 d/no"
    address = {
        "ground": "NORTH",
        "from": day(0).isoformat(),
        "repair": forged,
        "window": "x/y",
        "back": "//evil.test/",
    }
    page = admin.get("/schedule/", address).content.decode()
    assert f'id="from-{a.pk}"' in page
    assert f"ghost-{stranger.pk}" not in page
    assert "evil.test" not in re.search(r'<aside class="cal-plan".*?</aside>', page, re.S)[0]


def test_the_chosen_option_is_carried_out_and_offers_undo(admin, crowd):
    world, a, b = crowd
    options = dict(options_of(preview_page(admin, world, repair="more")))
    sent = form_data(world, repair="1", **{f"option-{number}": text for number, text in options.items()})
    answer = admin.post(NEW, sent, follow=True)
    a.refresh_from_db()
    b.refresh_from_db()
    assert (a.dyno.name, a.first_day) == ("NPG 1", day(9))
    assert b.dyno.name in ("NPG 4", "NPG 21")
    assert MaintenanceWindow.objects.get().reason == "Bearing"
    change = Change.objects.get(action="set-maintenance")
    undo = reverse("allocations:change-undo", args=[change.pk])
    assert "1 displaced (1 moves), 1 moved to make room." in answer.content.decode()
    assert f'action="{undo}"' in answer.content.decode()
    admin.post(undo)
    b.refresh_from_db()
    assert (b.dyno.name, b.first_day) == ("NPG 1", day(9))


def test_what_changed_meanwhile_is_said_beside_new_options(admin, crowd):
    world, _a, _ = crowd
    options = dict(options_of(preview_page(admin, world, repair="more")))
    world.book("412W103", "NPG 1", 4, 4)
    answer = admin.post(NEW, form_data(world, repair="1", **{f"option-{n}": text for n, text in options.items()}))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "These are within the window and need an answer each: 412W103 on NPG 1, 20 Nov 2026." in page
    assert len(options_of(page)) >= 1
    assert all(text.count("d/") == 2 for _, text in options_of(page))
    assert not MaintenanceWindow.objects.exists()


def test_each_booking_can_still_be_answered_by_itself(admin, crowd):
    world, a, b = crowd
    sent = form_data(world, repair="each") | {f"answer-{a.pk}": "wait", f"version-{a.pk}": 1}
    admin.post(NEW, sent)
    a.refresh_from_db()
    b.refresh_from_db()
    assert (a.status, b.first_day) == ("cancelled", day(9))


def test_a_forged_option_gains_nothing(admin, crowd):
    world, a, b = crowd
    stranger = world.south.allocations.get()
    forged = f"d/{a.pk}/wait//// o/{stranger.pk}/move/{b.dyno_id}/{day(40)}/{day(44)}/1"
    assert admin.post(NEW, form_data(world, repair="0", **{"option-0": forged})).status_code == 404
    assert admin.post(NEW, form_data(world, repair="7")).status_code == 422
    assert not MaintenanceWindow.objects.exists()


def test_who_may_not_schedule_gets_no_options(client, crowd):
    world, *_ = crowd
    for name, status in (("viewer", 403), ("outsider", 403)):
        client.force_login(world.users[name])
        answer = client.get(NEW, form_data(world, preview=1, repair="more"))
        assert answer.status_code in (status, 404)
        assert "option-0" not in answer.content.decode()


@pytest.mark.parametrize(
    ("text", "hit", "others"),
    [
        ("", {}, {}),
        ("d/1/wait////", {1: Answer(DisplacedTo.WAIT)}, {}),
        ("x/1/wait//// d/1/elsewhere//// d/one/wait//// d/1 o/²/wait////", {}, {}),
        ("o/3/move/4/2026-11-20/2026-11-22/9", {}, {3: Answer(DisplacedTo.MOVE, 4, day(4), 9, day(6))}),
        ("d/99999999999999999999/wait////", {}, {}),
        ("d/1/move/4/2026-02-30//", {}, {}),
    ],
)
def test_what_makes_no_sense_is_left_out(text, hit, others):
    assert read(text) == (hit, others)
