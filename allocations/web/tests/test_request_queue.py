"""Going through the waiting requests of a list: each place booked leads to the next request."""

import html
import re

import pytest
from django.urls import reverse
from django.utils.http import urlencode

from allocations.enums import RequestStatus
from allocations.models import Allocation, TestRequest
from allocations.services.requests import create_request
from allocations.tests.world import day
from allocations.web.tests.conftest import waiting
from allocations.web.tests.test_booking import NEW, at
from allocations.web.tests.test_wishes import text
from dynosite.tests.markup import markup

LIST = reverse("allocations:request-list")


@pytest.fixture(autouse=True)
def _today(_monday):
    pass


@pytest.fixture
def scheduler(client, world):
    client.force_login(world.users["scheduler"])
    return client


def find_links(response) -> list[str]:
    pattern = r'href="([^"]+)" aria-label="Find a place for'
    links = re.findall(pattern, markup(response))
    return [html.unescape(link).removeprefix("/g/NORTH") for link in links]


def onward(response) -> list[str]:
    return re.findall(r'name="anyway" value="(\S+ next)"', markup(response))


def press(client, wish: TestRequest, place: str, list_query: str, **more):
    """The button of a place beside which it goes on to the next request of the list `list_query`."""
    data = {"request": wish.pk, "list": list_query, "first_day": day(0), "days": wish.days, "key": f"k{wish.pk}"}
    return client.post(NEW, data | {"anyway": f"{place} next"} | more)


def address_for(wish: TestRequest, list_query: str) -> str:
    return f"{NEW}?{urlencode({'request': wish.pk, 'list': list_query})}"


def placed() -> set[str]:
    return set(TestRequest.objects.filter(status=RequestStatus.PLACED).values_list("vehicle__tag", flat=True))


def test_requests_of_a_list_are_placed_one_after_the_other(scheduler, world):
    first, second, third = waiting(world, 3)
    links = find_links(scheduler.get(LIST))
    assert links[0] == address_for(first, "status=waiting")
    page = scheduler.get(links[0])
    assert "2 more requests in the list. Skip to Brake of 500W001" in text(page)
    assert onward(page)[:2] == [f"{at(world, 'NPG 21')} next", f"{at(world, 'NPG 1')} next"]
    answer = press(scheduler, first, at(world, "NPG 21"), "status=waiting")
    assert answer["Location"] == links[1] == address_for(second, "status=waiting")
    page = scheduler.get(answer["Location"])
    assert "Booked: 500W000 on NPG 21, 16 – 17 Nov 2026: Brake. Undo" in text(page)
    assert "1 more request in the list." in text(page)
    answer = press(scheduler, second, at(world, "NPG 1"), "status=waiting")
    assert answer["Location"] == address_for(third, "status=waiting")
    assert "The last request of the list. Back to the list" in text(scheduler.get(answer["Location"]))
    answer = press(scheduler, third, at(world, "NPG 1", 2), "status=waiting", first_day=day(2))
    assert answer["Location"] == f"{LIST}?status=waiting"
    assert "That was the last request of the list." in text(scheduler.get(answer["Location"]))
    assert placed() == {"500W000", "500W001", "500W002"}


def test_next_is_the_one_of_the_lists_own_order_and_filters(scheduler, world):
    first, second, third = waiting(world, 3)
    other = create_request(
        world.vehicles["412W101"].pk, test_type_id=world.tests["4K Certification"].pk, days=2, actor=world.actor()
    )
    listed = urlencode({"q": "500W", "sort": "-vehicle"})
    assert find_links(scheduler.get(LIST, {"q": "500W", "sort": "-vehicle", "page": "1"}))[0] == (
        address_for(third, listed)
    )
    assert press(scheduler, third, at(world, "NPG 1"), listed)["Location"] == address_for(second, listed)
    assert press(scheduler, first, at(world, "NPG 21"), listed)["Location"] == f"{LIST}?{listed}", "the last of it"
    assert TestRequest.objects.get(pk=other.items[0]["id"]).status == "waiting"


def test_pressing_twice_books_once_and_leads_to_the_same_next(scheduler, world):
    first, second = waiting(world, 2)
    answers = [press(scheduler, first, at(world, "NPG 1"), "status=waiting")["Location"] for _ in range(2)]
    assert answers == [address_for(second, "status=waiting")] * 2
    assert Allocation.objects.filter(request=first).count() == 1


def test_what_has_to_be_confirmed_still_leads_on(scheduler, world):
    first, second = waiting(world, 2)
    answer = press(scheduler, first, at(world, "NPG 1"), "status=waiting", days=1)
    assert answer.status_code == 422
    again = f"{at(world, 'NPG 1')} fewer-days next"
    assert f'value="{again}"' in answer.content.decode()
    answer = press(scheduler, first, at(world, "NPG 1"), "status=waiting", days=1, anyway=again)
    assert answer["Location"] == address_for(second, "status=waiting")


def test_without_a_list_nothing_leads_on(scheduler, world):
    first, _ = waiting(world, 2)
    for query in ({"request": first.pk}, {"request": first.pk, "list": "q=%00"}, {"request": first.pk, "list": ""}):
        page = scheduler.get(NEW, query)
        assert page.status_code == 200
        assert onward(page) == []
        assert "Skip to Brake" not in text(page)
    answer = press(scheduler, first, at(world, "NPG 1"), "")
    assert answer["Location"] == reverse(
        "allocations:allocation-detail", args=[Allocation.objects.get(request=first).pk]
    )
