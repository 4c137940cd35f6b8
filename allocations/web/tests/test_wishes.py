"""New booking and the request that waits for it, and what has to be confirmed before it is written."""

import re

import pytest
from django.urls import reverse

from allocations.models import Allocation, TestRequest
from allocations.services.requests import create_request
from allocations.tests.world import allocation_of, day
from allocations.web.tests.test_booking import NEW, at
from dynosite.lib import clock
from dynosite.tests.markup import markup


@pytest.fixture
def scheduler(client, world):
    client.force_login(world.users["scheduler"])
    with clock.day_is(day(0)):
        yield client


def wish(world, *, vehicle="412W101", test="Brake", days=5, **more) -> TestRequest:
    change = create_request(
        world.vehicles[vehicle].pk, test_type_id=world.tests[test].pk, days=days, actor=world.actor(), **more
    )
    return TestRequest.objects.get(pk=change.items[0]["id"])


def text(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def checked(response) -> str:
    return re.search(r'name="request" value="(\w+)" checked', response.content.decode())[1]


def test_new_booking_proposes_the_request_that_waits_for_the_vehicle(scheduler, world):
    waiting = wish(world, days=4, due_date=day(30), step="5K-75K", earliest_start=day(3))
    other = wish(world, days=2, test="4K Certification")
    page = scheduler.get(NEW, {"vehicle": "412W101", "test_type": "", "first_day": day(0), "days": ""})
    assert "412W101 waits for" in text(page)
    assert "Brake 5K-75K , 4 days, due 16 Dec 2026, from 19 Nov 2026 on" in text(page)
    assert checked(page) == str(waiting.pk)
    assert f'value="{other.pk}"' in page.content.decode()
    assert f'value="{at(world, "NPG 1", 3)}"' in page.content.decode()
    answer = scheduler.post(
        NEW,
        {
            "request": waiting.pk,
            "vehicle": "412W101",
            "test_type": world.tests["Brake"].pk,
            "days": 4,
            "first_day": day(3),
            "place": at(world, "NPG 1", 3),
            "key": "k",
        },
    )
    assert answer.status_code == 302
    waiting.refresh_from_db()
    assert waiting.status == "placed"


def test_test_beside_what_waits_can_be_booked_and_another_vehicle_forgets_the_request(scheduler, world):
    waiting = wish(world)
    page = scheduler.get(NEW, {"vehicle": "412W101", "request": "none"})
    assert checked(page) == "none"
    page = scheduler.get(NEW, {"vehicle": "412W103", "request": waiting.pk})
    assert "waits for" not in text(page)
    page = scheduler.get(NEW, {"vehicle": "412W101", "test_type": world.tests["4K Certification"].pk})
    assert checked(page) == "none"
    assert f'value="{waiting.pk}"' in page.content.decode()


def test_places_say_what_the_request_asks_that_they_do_not_hold_to(scheduler, world):
    waiting = wish(world, earliest_start=day(10), due_date=day(12))
    page = scheduler.get(NEW, {"request": waiting.pk, "first_day": day(0), "days": 3})
    assert "The request asks for 5 days; this is 2 days fewer." in text(page)
    assert "The request starts on 26 Nov 2026 at the earliest; this is 16 Nov 2026." in text(page)
    page = scheduler.get(NEW, {"request": waiting.pk})
    assert f'value="{at(world, "NPG 1", 10)}"' in page.content.decode()
    assert "It ends 2 days after its due date, 28 Nov 2026." in text(page)


def test_fewer_days_are_confirmed_or_the_rest_waits(scheduler, world):
    waiting = wish(world)
    data = {"request": waiting.pk, "first_day": day(0), "days": 3, "place": at(world, "NPG 1"), "key": "k"}
    page = scheduler.post(NEW, data)
    assert page.status_code == 422
    assert "Is this meant so?" in text(page)
    assert not Allocation.objects.filter(ground=world.north).exists()
    buttons = re.findall(r'name="anyway" value="([^"]+)"', markup(page))
    assert buttons == [f"{at(world, 'NPG 1')} rest", f"{at(world, 'NPG 1')} fewer-days"]
    del data["place"]
    assert scheduler.post(NEW, data | {"anyway": buttons[0]}).status_code == 302
    rest = TestRequest.objects.get(status="waiting")
    assert (rest.days, rest.after_id, rest.earliest_start) == (2, waiting.pk, day(3))


def test_fewer_days_are_booked_like_this(scheduler, world):
    waiting = wish(world)
    data = {"request": waiting.pk, "first_day": day(0), "days": 3, "key": "k"}
    answer = scheduler.post(NEW, data | {"anyway": f"{at(world, 'NPG 1')} fewer-days"})
    assert answer.status_code == 302
    assert not TestRequest.objects.filter(status="waiting").exists()


def test_mistyped_year_is_asked_about(scheduler, world, far_days):
    data = {"vehicle": "412W101", "test_type": world.tests["Brake"].pk, "first_day": "2062-03-01", "days": 2}
    place = f"{world.dynos['NPG 1'].pk}/2062-03-01"
    page = scheduler.post(NEW, data | {"place": place, "key": "k"})
    assert "It would start on 1 Mar 2062" in text(page)
    assert not Allocation.objects.filter(ground=world.north).exists()
    assert scheduler.post(NEW, data | {"anyway": f"{place} far-ahead", "key": "k"}).status_code == 302


def test_move_is_confirmed_by_its_own_button(scheduler, world):
    waiting = wish(world, earliest_start=day(2))
    stay = allocation_of(world.book("412W101", "NPG 1", 2, 6, request_id=waiting.pk))
    address = reverse("allocations:allocation-move", args=[stay.pk])
    data = {"dyno": stay.dyno_id, "first_day": day(1), "last_day": day(5), "version": 1, "key": "k"}
    page = scheduler.post(address, data)
    assert page.status_code == 422
    assert "The request starts on 18 Nov 2026 at the earliest; this is 17 Nov 2026." in text(page)
    assert 'name="confirm" value="before-earliest-start"' in markup(page)
    assert scheduler.post(address, data | {"confirm": "before-earliest-start"}).status_code == 302
    stay.refresh_from_db()
    assert stay.first_day == day(1)


def test_administration_asks_on_a_page_between(client, world):
    world.users["admin"].is_staff = True
    world.users["admin"].save()
    client.force_login(world.users["admin"])
    waiting = wish(world, earliest_start=day(10))
    data = {
        "vehicle": world.vehicles["412W101"].pk,
        "test_type": world.tests["Brake"].pk,
        "drive": "",
        "dyno": world.dynos["NPG 1"].pk,
        "first_day": day(2),
        "last_day": day(6),
        "request": waiting.pk,
        "note": "",
    }
    page = client.post("/admin/allocations/allocation/add/", data)
    assert "The request starts on 26 Nov 2026 at the earliest" in text(page)
    assert not Allocation.objects.filter(ground=world.north).exists()
    answer = client.post(
        "/admin/allocations/allocation/add/", data | {"_codes": "before-earliest-start", "_confirmed": "1"}
    )
    assert answer.status_code == 302
    assert Allocation.objects.get(ground=world.north).request == waiting


def placed(world):
    waiting = wish(world, days=3)
    return waiting, allocation_of(world.book("412W101", "NPG 1", 2, 4, request_id=waiting.pk, by="admin"))


def test_details_of_a_booking_are_changed_on_its_page(scheduler, world):
    _, stay = placed(world)
    page = scheduler.get(reverse("allocations:allocation-detail", args=[stay.pk]))
    assert "Note, drive and owner" in text(page)
    owner = world.users["viewer"]
    data = {"note": "Trailer", "drive": "AWD", "owner": owner.pk, "version": stay.version, "key": "k"}
    answer = scheduler.post(reverse("allocations:allocation-change", args=[stay.pk]), data)
    assert answer.status_code == 302
    stay.refresh_from_db()
    assert (stay.note, stay.drive, stay.created_by) == ("Trailer", "AWD", owner)
    page = markup(scheduler.get(reverse("allocations:allocation-detail", args=[stay.pk])))
    assert re.search(r"<dt>Owner</dt><dd><del>admin</del>.*?<ins>viewer</ins>", page)
    stale = scheduler.post(reverse("allocations:allocation-change", args=[stay.pk]), data | {"note": "Again"})
    assert stale.status_code == 409


def test_due_date_of_a_placed_request_is_changed_on_its_form(scheduler, world):
    waiting, _ = placed(world)
    address = reverse("allocations:request-edit", args=[waiting.pk])
    page = scheduler.get(address).content.decode()
    assert re.search(r'name="days"[^>]* disabled', page)
    assert not re.search(r'name="due_date"[^>]* disabled', page)
    data = {"due_date": day(20), "priority": "high", "note": "Sooner", "version": 2, "drive": "", "days": 99}
    answer = scheduler.post(address, data | {"owner": world.users["admin"].pk})
    assert answer.status_code == 302
    waiting.refresh_from_db()
    assert (waiting.due_date, waiting.priority, waiting.days) == (day(20), "high", 3)
    assert waiting.created_by == world.users["admin"]


def test_mine_is_what_i_asked_for_too(client, world):
    placed(world)  # asked by the scheduler, booked by the admin
    for name, number in (("scheduler", 1), ("admin", 1), ("viewer", 0)):
        client.force_login(world.users[name])
        page = client.get(reverse("allocations:schedule"), {"mine": "1", "from": day(0), "ground": "NORTH"})
        assert len(re.findall(r'data-kind="allocation"|class="bar ', page.content.decode())) == number, name
