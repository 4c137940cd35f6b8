import datetime as dt

import pytest

from allocations.admin.tests.conftest import admin_url, errors_in, fields_of, messages_of
from allocations.enums import Priority
from allocations.models import Allocation, Change, TestRequest
from allocations.services import booking
from allocations.services.requests import create_request
from allocations.tests.world import allocation_of, day
from dynosite.lib.formats import day_range

pytestmark = pytest.mark.usefixtures("_today")

LIST = "/admin/allocations/allocation/"
ADD = "/admin/allocations/allocation/add/"
REQUESTS = "/admin/allocations/testrequest/"


def typed(world, vehicle="412W101", dyno="NPG 1", first=3, last=5, test="Brake", **more):
    return {
        "vehicle": world.vehicles[vehicle].pk,
        "dyno": world.dynos[dyno].pk,
        "test_type": world.tests[test].pk,
        "first_day": f"{day(first)}",
        "last_day": f"{day(last)}",
        "drive": "",
        "request": "",
        "note": "Quiet",
    } | more


def place_of(allocation):
    allocation.refresh_from_db()
    return allocation.dyno.name, allocation.first_day, allocation.last_day, allocation.status


def north():
    return Allocation.objects.filter(ground__code="NORTH")


def waiting(world, **more) -> TestRequest:
    create_request(
        world.vehicles["412W101"].pk, test_type_id=world.tests["Brake"].pk, days=3, actor=world.actor(), **more
    )
    return TestRequest.objects.latest("pk")


def test_an_allocation_is_booked_through_the_service(cast, keeper):
    keeper.post(ADD, typed(cast.world))
    allocation = north().get()
    assert place_of(allocation) == ("NPG 1", day(3), day(5), "scheduled")
    assert (allocation.source, allocation.created_by.username, allocation.note) == ("admin", "keeper", "Quiet")
    assert Change.objects.get(action="book", door="admin").user == cast.world.users["keeper"]


def test_a_clash_is_said_with_the_nearest_places(cast, keeper):
    cast.world.book("412W101", "NPG 1", 3, 5)
    answer = keeper.post(ADD, typed(cast.world, vehicle="412W103", first=4, last=6))
    assert errors_in(answer) == {
        "dyno": ["NPG 1 is taken by 412W101 (Brake): 19 – 21 Nov 2026. Booked by scheduler."],
        "__all__": ["The nearest places that would do: NPG 1 (NPG), 22 – 24 Nov 2026."],
    }
    assert fields_of(answer)["first_day"] == f"{day(4)}"
    assert north().count() == 1


@pytest.mark.parametrize(
    ("more", "field", "sentence"),
    [
        ({"last": 2}, "last_day", "The last day (18 Nov 2026) is before the first (19 Nov 2026)."),
        ({"last": 369}, "last_day", "367 days are too many; 366 days is the limit."),
        ({"first_day": "19/11/2026"}, "first_day", "This is not a date; write it like 2026-11-16."),
        ({"dyno": "NPG 2"}, "dyno", "NPG 2 does not run the test type Brake."),
    ],
)
def test_wrong_values_are_said_beside_the_field(cast, keeper, more, field, sentence):
    answer = keeper.post(ADD, typed(cast.world, **more))
    assert errors_in(answer)[field] == [sentence]
    assert north().count() == 0


def test_rows_of_two_grounds_do_not_go_together(cast, root):
    answer = root.post(ADD, typed(cast.world, vehicle="365W201"))
    assert errors_in(answer) == {"vehicle": ["365W201 is not of the proving ground of NPG 1."]}


def test_a_waiting_request_gets_its_place(cast, keeper):
    request = waiting(cast.world)
    keeper.post(ADD, typed(cast.world, request=request.pk))
    request.refresh_from_db()
    assert (request.status, north().get().request) == ("placed", request)
    answer = keeper.post(ADD, typed(cast.world, first=10, last=12, request=request.pk))
    assert list(errors_in(answer)) == ["request"]


def test_moving_to_another_place(cast, keeper):
    allocation = allocation_of(cast.world.book("412W101", "NPG 1", 3, 5))
    url = admin_url("allocation", "change", allocation.pk)
    posted = fields_of(keeper.get(url))
    assert set(posted) == {"dyno", "first_day", "last_day", "seen"}
    keeper.post(url, posted | {"dyno": cast.world.dynos["NPG 21"].pk, "last_day": f"{day(8)}"})
    assert place_of(allocation) == ("NPG 21", day(3), day(8), "scheduled")
    answer = keeper.post(url, posted)
    assert errors_in(answer) == {
        "__all__": ["Somebody else has changed this in the meantime; look at it as it is now and try again."]
    }
    assert place_of(allocation) == ("NPG 21", day(3), day(8), "scheduled")


def test_a_move_that_clashes_is_refused(cast, keeper):
    cast.world.book("412W103", "NPG 1", 8, 9)
    allocation = allocation_of(cast.world.book("412W101", "NPG 1", 3, 5))
    url = admin_url("allocation", "change", allocation.pk)
    answer = keeper.post(url, fields_of(keeper.get(url)) | {"last_day": f"{day(8)}"})
    assert errors_in(answer)["dyno"] == ["NPG 1 is taken by 412W103 (Brake): 24 – 25 Nov 2026. Booked by scheduler."]
    assert errors_in(answer)["__all__"][0].startswith("The nearest places that would do: NPG 21 (Annex), ")
    assert place_of(allocation) == ("NPG 1", day(3), day(5), "scheduled")


def test_cancelling_asks_first(cast, keeper):
    allocation = allocation_of(cast.world.book("412W101", "NPG 1", 3, 5))
    url = admin_url("allocation", "cancel", allocation.pk)
    page = keeper.get(url)
    assert place_of(allocation)[3] == "scheduled"
    answer = keeper.post(url, fields_of(page) | {"_confirmed": "1"}, follow=True)
    assert messages_of(answer) == ["412W101 on NPG 1, 19 – 21 Nov 2026 cancelled."]
    assert place_of(allocation)[3] == "cancelled"
    assert not answer.context["has_change_permission"]
    again = keeper.post(url, {"_confirmed": "1"}, follow=True)
    assert messages_of(again) == ["Nothing was changed. It is cancelled and cannot be cancelled."]


def test_several_are_started_completed_and_cancelled_all_or_none(cast, keeper):
    rows = [
        allocation_of(cast.world.book("412W101", "NPG 1", 1, 2)),
        allocation_of(cast.world.book("412W102", "NPG 1", 5, 6)),
    ]
    chosen = {"_selected_action": [row.pk for row in rows]}
    answer = keeper.post(LIST, {"action": "start"} | chosen, follow=True)
    assert messages_of(answer) == [
        "Nothing was changed. It is scheduled from 21 Nov 2026 on; move it to today to start it earlier."
    ]
    assert [place_of(row)[3] for row in rows] == ["scheduled", "scheduled"]
    keeper.post(LIST, {"action": "start", "_selected_action": rows[0].pk})
    assert place_of(rows[0])[3] == "running"
    keeper.post(LIST, fields_of(keeper.post(LIST, {"action": "cancel"} | chosen)) | {"_confirmed": "1"})
    assert [place_of(row)[3] for row in rows] == ["cancelled", "cancelled"]


def test_requests_are_made_changed_and_cancelled(cast, keeper):
    world = cast.world
    form = {
        "vehicle": world.vehicles["412W101"].pk,
        "test_type": world.tests["Brake"].pk,
        "days": "3",
        "priority": "high",
        "drive": "",
        "step": "2",
        "miles": "",
        "miles_per_day": "",
        "extra_days": "",
        "earliest_start": f"{day(4)}",
        "due_date": f"{day(20)}",
        "after": "",
        "note": "",
    }
    answer = keeper.post(f"{REQUESTS}add/", form | {"due_date": f"{day(2)}"})
    assert errors_in(answer) == {"__all__": ["The due date is before the earliest start."]}
    keeper.post(f"{REQUESTS}add/", form)
    request = TestRequest.objects.get()
    assert (request.vehicle.tag, request.days, request.priority, request.step) == ("412W101", 3, Priority.HIGH, "2")
    assert (request.status, request.created_by) == ("waiting", world.users["keeper"])
    url = admin_url("testrequest", "change", request.pk)
    posted = fields_of(keeper.get(url))
    keeper.post(url, posted | {"days": "4"})
    request.refresh_from_db()
    assert (request.days, request.version) == (4, 2)
    assert list(errors_in(keeper.post(url, posted | {"days": "9"}))) == ["__all__"]
    cancel = admin_url("testrequest", "cancel", request.pk)
    keeper.post(cancel, fields_of(keeper.get(cancel)) | {"_confirmed": "1"})
    request.refresh_from_db()
    assert (request.status, request.days) == ("cancelled", 4)
    assert Change.objects.filter(door="admin").count() == 3


def test_autocomplete_of_a_request_offers_those_that_wait(cast, keeper):
    offered, placed = waiting(cast.world, step="a"), waiting(cast.world, step="b")
    cast.world.book("412W101", "NPG 1", 3, 5, request_id=placed.pk)
    query = {"app_label": "allocations", "model_name": "allocation", "field_name": "request", "term": ""}
    rows = keeper.get("/admin/autocomplete/", query).json()["results"]
    assert [row["id"] for row in rows] == [str(offered.pk)]


def test_a_change_is_undone(cast, keeper):
    allocation = allocation_of(cast.world.book("412W101", "NPG 1", 3, 5))
    moved = booking.move(allocation.pk, first_day=day(10), actor=cast.world.actor())
    page = keeper.get(admin_url("change", "change", moved.pk))
    assert page.context["can_undo"] is True
    url = admin_url("change", "undo", moved.pk)
    assert keeper.get(url).status_code == 200
    answer = keeper.post(url, {"_confirmed": "1"}, follow=True)
    assert messages_of(answer) == ["Undone: 412W101 to NPG 1, 26 – 28 Nov 2026: Brake."]
    assert place_of(allocation) == ("NPG 1", day(3), day(5), "scheduled")
    assert Change.objects.get(undoes=moved).user == cast.world.users["keeper"]
    again = keeper.post(url, {"_confirmed": "1"}, follow=True)
    assert messages_of(again) == ["This is undone already."]


def test_changes_are_only_read(cast, root):
    change = cast.world.book("412W101", "NPG 1", 3, 5)
    url = admin_url("change", "change", change.pk)
    assert root.get(url).status_code == 200
    assert root.post(url, {"summary": "Nothing"}).status_code == 403
    assert root.get(admin_url("change", "add")).status_code == 403
    assert root.post(admin_url("change", "delete", change.pk), {"post": "yes"}).status_code == 403
    assert Change.objects.get(pk=change.pk).summary == "412W101 on NPG 1, 19 – 21 Nov 2026: Brake"


@pytest.mark.parametrize("model", ["allocation", "testrequest", "change", "vehicle", "maintenancewindow"])
def test_the_number_of_queries_does_not_grow(cast, keeper, django_assert_max_num_queries, model):
    for number in range(30):
        cast.world.vehicle(f"X{number:02}")
        cast.world.book(f"X{number:02}", "NPG 1", 10 + number, 10 + number)
        create_request(
            cast.world.vehicles[f"X{number:02}"].pk,
            test_type_id=cast.world.tests["Brake"].pk,
            days=3,
            actor=cast.world.actor(),
        )
    address = f"/g/NORTH{admin_url(model)}"
    keeper.get(address)  # the session holds the ground from here on
    with django_assert_max_num_queries(16):
        rows = keeper.get(address).context["cl"].result_list
    assert (
        len(rows) == {"allocation": 30, "testrequest": 30, "change": 50, "vehicle": 33, "maintenancewindow": 0}[model]
    )


def test_the_list_is_what_is_on_and_to_come_in_its_order(cast, keeper):
    world = cast.world
    past, later, soon, cancelled = (allocation_of(world.book("412W101", "NPG 1", at, at + 1)) for at in (0, 9, 3, 20))
    booking.cancel(cancelled.pk, actor=world.actor())
    today = day(2)
    for row, days in ((past, -9), (later, 20), (soon, 3)):
        first = today + dt.timedelta(days=days)
        north().filter(pk=row.pk).update(first_day=first, last_day=first + dt.timedelta(days=2))

    def listed(**query):
        return [row.pk for row in keeper.get(LIST, query).context["cl"].result_list]

    assert listed() == [soon.pk, later.pk]
    assert listed(shown="past") == [past.pk]
    assert listed(shown="cancelled") == [cancelled.pk]
    assert set(listed(shown="all")) == {past.pk, soon.pk, later.pk, cancelled.pk}
    assert listed(status__exact="cancelled") == [cancelled.pk]
    assert set(listed(q="412W101")) == {past.pk, soon.pk, later.pk, cancelled.pk}
    page = keeper.get(LIST).content.decode()
    first = today + dt.timedelta(days=3)
    assert f"{day_range(first, first + dt.timedelta(days=2))} · 3 days" in page
    assert f'<a href="/g/NORTH/schedule/?from={today}">On the schedule</a>' in page
    assert "Today and to come" in page
