"""Ticks in the Requests list: what the page between says, and what it writes."""

import re

import pytest
from django.urls import reverse

from allocations.models import Change, TestRequest
from allocations.services.requests import cancel_request, change_request
from allocations.tests.world import day
from allocations.web.tests.conftest import waiting
from allocations.web.tests.test_wishes import text
from dynosite.tests.markup import markup

LIST, CHANGE, CANCEL = (
    reverse(f"allocations:{name}") for name in ("request-list", "request-change-many", "request-cancel-many")
)


@pytest.fixture(autouse=True)
def _today(_monday):
    pass


@pytest.fixture
def scheduler(client, world):
    client.force_login(world.users["scheduler"])
    return client


def ticks(response) -> list[str]:
    return re.findall(r'type="checkbox" name="request" value="(\d+)"', markup(response))


def confirm(client, address: str, response, **more):
    """The button of the page between: its form as the page filled it in."""
    main = response.content.decode().partition("<main")[2].partition("</main>")[0]
    form = main.partition('method="post"')[2].partition("</form>")[0]
    data: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form):
        data.setdefault(name, []).append(value.replace("&amp;", "&"))
    return client.post(address, data | more)


def test_waiting_requests_have_ticks_for_schedulers(scheduler, client, world):
    first, second = waiting(world, 2)
    cancel_request(second.pk, actor=world.actor())
    assert ticks(scheduler.get(LIST, {"status": "all"})) == [str(first.pk)]
    assert "0 of 1" in text(scheduler.get(LIST, {"status": "all"}))
    assert ticks(scheduler.get(LIST, {"status": "cancelled"})) == []
    assert "Change ticked" not in text(scheduler.get(LIST, {"status": "cancelled"}))
    client.force_login(world.users["viewer"])
    assert ticks(client.get(LIST)) == []


def test_page_between_says_what_becomes_of_each_and_writes_it_as_one(scheduler, world):
    first, second, third, fourth = waiting(world, 4)
    change_request(second.pk, priority="urgent", due_date=day(9), actor=world.actor())
    change_request(third.pk, due_date=None, earliest_start=day(20), actor=world.actor())
    ids = [row.pk for row in (first, second, third, fourth)]
    page = scheduler.get(CHANGE, {"request": ids, "list": "q=500W"})
    assert "Choose above what to set." in text(page)
    number = Change.objects.count()
    page = scheduler.get(CHANGE, {"request": ids, "list": "q=500W", "priority": "urgent", "due_date": day(9)})
    says = text(page)
    assert "2 requests will be changed: priority Urgent, due 25 Nov 2026." in says
    assert "1 request is so already." in says
    assert "1 request cannot be changed like this and is left as it is" in says
    assert "It is due 25 Nov 2026, before its earliest start 6 Dec 2026." in says
    assert Change.objects.count() == number, "nothing is written by looking"
    answer = confirm(scheduler, CHANGE, page)
    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?q=500W")
    rows = {row.pk: (row.priority, row.due_date) for row in TestRequest.objects.filter(pk__in=ids)}
    changed = ("urgent", day(9))
    assert rows == {first.pk: changed, second.pk: changed, third.pk: ("normal", None), fourth.pk: changed}
    assert Change.objects.count() == number + 1
    done = text(scheduler.get(answer["Location"]))
    assert "2 requests changed: priority Urgent, due 25 Nov 2026. Undo" in done
    # The same press again is the same change.
    assert confirm(scheduler, CHANGE, page).status_code == 302
    assert Change.objects.count() == number + 1
    scheduler.post(reverse("allocations:change-undo", args=[Change.objects.latest("at").pk]))
    first.refresh_from_db()
    assert (first.priority, first.due_date) == ("normal", day(0))


def test_owner_and_no_due_date_are_set(scheduler, world):
    first, second = waiting(world, 2)
    query = {"request": [first.pk, second.pk], "owner": world.users["admin"].pk, "no_due_date": "on"}
    page = scheduler.get(CHANGE, query)
    assert "2 requests will be changed: no due date, owner admin." in text(page)
    confirm(scheduler, CHANGE, page)
    assert list(TestRequest.objects.values_list("created_by__username", "due_date")) == [("admin", None)] * 2
    page = scheduler.get(CHANGE, query | {"due_date": day(3)})
    assert "Choose a due date or none." in text(page)
    assert 'name="row"' in scheduler.get(CHANGE, query | {"priority": "low"}).content.decode()
    assert 'name="row"' not in page.content.decode()


def test_several_are_cancelled_with_a_reason(scheduler, world):
    first, second = waiting(world, 2)
    page = scheduler.get(CANCEL, {"request": [first.pk, second.pk]})
    assert "2 requests will be cancelled and left out of planning." in text(page)
    answer = confirm(scheduler, CANCEL, page, reason="The program ended")
    assert answer["Location"] == LIST
    assert set(TestRequest.objects.values_list("status", flat=True)) == {"cancelled"}
    change = Change.objects.latest("at")
    assert (change.summary, change.reason) == ("2 requests cancelled", "The program ended")


@pytest.mark.parametrize("address", [CHANGE, CANCEL])
def test_what_somebody_changed_meanwhile_is_named_and_nothing_is_lost(scheduler, world, address):
    first, second = waiting(world, 2)
    page = scheduler.get(address, {"request": [first.pk, second.pk], "priority": "urgent"})
    change_request(second.pk, note="Call first", actor=world.actor("admin"))
    answer = confirm(scheduler, address, page)
    assert answer.status_code == 409
    assert "Somebody else has changed Brake of 500W001 in the meantime." in text(answer)
    assert set(TestRequest.objects.values_list("priority", "status")) == {("normal", "waiting")}
    # The page now has them as they are, and the next press goes through.
    assert confirm(scheduler, address, answer).status_code == 302
    assert TestRequest.objects.exclude(priority="normal", status="waiting").count() == 2


def test_without_ticks_one_is_led_back(scheduler, world):
    waiting(world, 1)
    for address in (CHANGE, CANCEL):
        answer = scheduler.get(f"{address}?list=sort%3Ddue", follow=True)
        assert answer.redirect_chain[-1][0].endswith("/requests/?sort=due")
        assert "Tick the requests first." in text(answer)


def test_requests_of_another_ground_do_not_exist(scheduler, south_things, world):
    for address in (CHANGE, CANCEL):
        assert scheduler.get(address, {"request": south_things.request}).status_code == 404
        data = {"row": f"{south_things.request}/1", "priority": "urgent", "key": "k"}
        assert scheduler.post(address, data).status_code == 404
    assert TestRequest.objects.get(pk=south_things.request).priority == "normal"


def test_queries_do_not_grow_with_the_rows(scheduler, world, django_assert_max_num_queries):
    rows = waiting(world, 12)
    scheduler.get(LIST)
    with django_assert_max_num_queries(16):
        scheduler.get(CHANGE, {"request": [row.pk for row in rows], "priority": "urgent"})
