import csv
import datetime as dt
import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from allocations.enums import Door, PlanState
from allocations.models import Allocation, Plan, ProvingGround, TestRequest
from allocations.services.booking import book
from allocations.services.plans import apply_plan, ask_for_plan, solve_and_store
from allocations.tests.world import MONDAY, day
from allocations.web.plans.curve import curve_of
from allocations.web.tests.conftest import waiting
from dynosite.lib.ground_address import in_ground
from dynosite.tests.markup import markup

pytestmark = pytest.mark.usefixtures("monday")

FORM = {"which": "all", "first_day": "2026-11-16", "last_day": "2026-12-20", "movable": "nothing", "seconds": "1"}


@pytest.fixture
def request_(world):
    return TestRequest.objects.create(
        ground=world.north, vehicle=world.vehicles["412W103"], test_type=world.tests["Brake"], days=3
    )


def thought(world, **more):
    plan = ask_for_plan(world.north.pk, actor=world.actor(), first_day=day(0), last_day=day(20), seconds=1, **more)
    return solve_and_store(plan, steps=20)


@pytest.fixture
def plan(world, request_):
    return thought(world)


@pytest.fixture
def _queued(monkeypatch):
    """Thinking stays with the queue: what is asked for is under test."""
    monkeypatch.setattr("allocations.tasks.solve_plan.delay", lambda pk: None)


def test_a_plan_is_asked_for_and_thought_out_by_a_worker(committed_world, celery_worker, client):
    world = committed_world
    TestRequest.objects.create(
        ground=world.north, vehicle=world.vehicles["412W103"], test_type=world.tests["Brake"], days=3
    )
    client.force_login(world.users["scheduler"])
    response = client.post(reverse("allocations:plan-create"), FORM)
    plan = Plan.objects.get()
    assert response.headers["Location"] == reverse("allocations:plan-detail", args=[plan.pk])
    celery_worker.wait()
    plan.refresh_from_db()
    assert (plan.state, plan.error, plan.objective) == (PlanState.READY, "", 0)
    page = client.get(response.headers["Location"]).content.decode()
    assert "412W103" in page
    assert "NPG 1" in page


def test_apply_books_what_is_ticked_once(world, plan, client):
    client.force_login(world.users["scheduler"])
    (item,) = plan.items.all()
    for _ in range(2):
        client.post(reverse("allocations:plan-apply", args=[plan.pk]), {"item": [item.pk]})
    allocation = Allocation.objects.get(ground=world.north)
    assert (allocation.vehicle.tag, allocation.source, allocation.request_id) == (
        "412W103",
        Door.PLANNER,
        item.request_id,
    )


def test_an_overtaken_plan_says_item_by_item_what_stands_in_the_way(world, client):
    for vehicle, test in (("412W103", "Brake"), ("412W102", "4K Certification"), ("412W101", "Brake")):
        TestRequest.objects.create(
            ground=world.north, vehicle=world.vehicles[vehicle], test_type=world.tests[test], days=3
        )
    plan = thought(world)
    items = {item.test.vehicle.tag: item for item in plan.items.all()}
    assert items["412W103"].dyno.name == "NPG 1"
    place = items["412W101"]
    book(
        world.vehicles["412W101"].pk,
        place.dyno_id,
        test_type_id=world.tests["Brake"].pk,
        first_day=day(9),
        last_day=day(11),
        request_id=place.request_id,
        actor=world.actor("admin"),
    )
    world.vehicle("412W104")
    world.book("412W104", "NPG 1", 1, 1)
    before = Allocation.objects.filter(ground=world.north).count()
    client.force_login(world.users["scheduler"])
    response = client.post(
        reverse("allocations:plan-apply", args=[plan.pk]), {"item": [item.pk for item in items.values()]}
    )
    page = markup(response)
    assert response.status_code == 409
    assert Allocation.objects.filter(ground=world.north).count() == before
    assert "NPG 1 is taken by 412W104 (Brake): 17 Nov 2026." in page
    assert "Brake of 412W101 was changed since the plan was made: booked by admin (412W101 on" in page
    ticked = re.findall(r'name="item" value="(\d+)" checked', page)
    assert ticked == [str(items["412W102"].pk)]
    assert reverse("allocations:plan-again", args=[plan.pk]) in page
    client.post(reverse("allocations:plan-apply", args=[plan.pk]), {"item": ticked})
    again = client.get(reverse("allocations:plan-apply", args=[plan.pk]))
    assert again.headers["Location"] == in_ground(reverse("allocations:plan-detail", args=[plan.pk]), "NORTH")
    plan.refresh_from_db()
    assert plan.state == PlanState.APPLIED
    assert [item.test.vehicle.tag for item in plan.items.filter(applied=True)] == ["412W102"]


def test_wrong_days_are_said_beside_the_field_and_kept(world, client):
    client.force_login(world.users["scheduler"])
    response = client.post(reverse("allocations:plan-create"), FORM | {"last_day": "2026-11-01"})
    page = response.content.decode()
    assert response.status_code == 422
    assert "This is before 16 Nov 2026, the first day." in page
    assert 'value="2026-11-01"' in page
    assert Plan.objects.count() == 0


def test_viewer_looks_and_outsider_finds_nothing(world, plan, client):
    (item,) = plan.items.all()
    address = reverse("allocations:plan-detail", args=[plan.pk])
    client.force_login(world.users["viewer"])
    page = client.get(address).content.decode()
    assert "412W103" in page
    assert "Apply what is ticked" not in page
    assert client.post(reverse("allocations:plan-apply", args=[plan.pk]), {"item": [item.pk]}).status_code == 403
    client.force_login(world.users["outsider"])
    assert client.get(address).status_code == 404
    assert client.post(reverse("allocations:plan-stop", args=[plan.pk])).status_code == 404
    assert Allocation.objects.filter(ground=world.north).count() == 0


def test_curve_falls_in_steps():
    curve = curve_of([(0.0, 10, 0), (1.0, 5, 2), (2.0, 5, 5)])
    assert curve.best == "M0 0.0H0.0V0.0H300.0V70.0H600.0V70.0H600"
    assert (curve.seconds, curve.highest, curve.last_best, curve.last_bound) == (2.0, 10, 5, 5)
    assert curve_of([]) is None


@pytest.mark.usefixtures("_queued")
def test_only_the_requests_ticked_are_planned_and_planned_again(world, client):
    monday = waiting(world, 3)
    client.force_login(world.users["scheduler"])
    wrong = client.post(reverse("allocations:plan-create"), FORM | {"which": "picked"})
    assert (wrong.status_code, Plan.objects.count()) == (422, 0)
    assert "Tick at least one request" in wrong.content.decode()
    chosen = [monday[0].pk, monday[2].pk]
    client.post(
        reverse("allocations:plan-create"),
        FORM | {"which": "picked", "request": [*chosen, 999_999], "name": "Two of three"},
    )
    plan = solve_and_store(Plan.objects.get(), steps=20)
    assert (plan.name, plan.chosen, plan.seconds) == ("Two of three", chosen, 1)
    assert [item.request_id for item in plan.items.order_by("request")] == chosen
    client.post(reverse("allocations:plan-again", args=[plan.pk]))
    again = Plan.objects.get(again_of=plan)
    assert (again.chosen, again.last_day, again.movable, again.name) == (
        chosen,
        plan.last_day,
        plan.movable,
        "Two of three",
    )
    page = client.get(reverse("allocations:plan-detail", args=[plan.pk])).content.decode()
    assert f'?plan={plan.pk}&amp;plan={again.pk}"' in page


def test_requests_to_pick_from_can_be_searched_without_a_script(world, client):
    waiting(world, 3)
    client.force_login(world.users["scheduler"])
    page = client.get(reverse("allocations:plan-create"), {"q": "500w001"}).content.decode()
    assert re.findall(r'<th scope="row">(\w+)</th>', page) == ["500W001"]
    assert "3 requests of North Proving Ground wait" in page


def test_list_searches_sorts_and_says_when_it_is_empty(world, client):
    client.force_login(world.users["viewer"])
    assert "No plan yet" in client.get(reverse("allocations:plan-list")).content.decode()
    for name in ("Spring", "Autumn"):
        thought(world, name=name)

    def names(**query):
        page = client.get(reverse("allocations:plan-list"), query).content.decode()
        return re.findall(r'class="row-link"[^>]*>([^<]+)<', page)

    assert names() == ["Autumn", "Spring"]
    assert names(sort="-name") == ["Spring", "Autumn"]
    assert names(q="spri") == ["Spring"]
    assert names(show="applied") == []


def test_list_asks_the_same_number_of_queries_for_one_plan_and_for_three(world, client):
    client.force_login(world.users["scheduler"])
    client.get(reverse("allocations:plan-list"))  # the session remembers the ground from here on
    counts = []
    for more in (1, 2):
        for _ in range(more):
            thought(world)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(in_ground(reverse("allocations:plan-list"), "NORTH"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_deleted_plan_is_out_of_the_list_and_comes_back(world, plan, client):
    client.force_login(world.users["scheduler"])
    response = client.post(reverse("allocations:plan-delete", args=[plan.pk]), follow=True)
    page = response.content.decode()
    assert "row-link" not in page
    assert reverse("allocations:plan-restore", args=[plan.pk]) in page
    (item,) = plan.items.all()
    client.post(reverse("allocations:plan-apply", args=[plan.pk]), {"item": [item.pk]})
    assert Allocation.objects.filter(ground=world.north).count() == 0
    client.post(reverse("allocations:plan-restore", args=[plan.pk]))
    assert "row-link" in client.get(reverse("allocations:plan-list")).content.decode()


def test_name_and_note_are_kept_for_those_who_open_the_link(world, plan, client):
    client.force_login(world.users["scheduler"])
    client.post(
        reverse("allocations:plan-describe", args=[plan.pk]), {"name": "Before the winter", "note": "See <b>Tom</b>"}
    )
    client.force_login(world.users["viewer"])
    page = client.get(reverse("allocations:plan-detail", args=[plan.pk])).content.decode()
    assert "<h1>Before the winter</h1>" in page
    assert "See &lt;b&gt;Tom&lt;/b&gt;" in page


def test_an_applied_plan_is_undone_from_its_page(world, plan, client):
    change = apply_plan(plan.pk, actor=world.actor())
    client.force_login(world.users["scheduler"])
    address = reverse("allocations:plan-detail", args=[plan.pk])
    assert "Undo all of it" in client.get(address).content.decode()
    response = client.post(reverse("allocations:change-undo", args=[change.pk]), {"next": address}, follow=True)
    page = response.content.decode()
    assert response.redirect_chain == [(address, 302)]
    assert "undone by scheduler" in page
    assert "Undo all of it" not in page
    assert Allocation.objects.filter(ground=world.north, status="scheduled").count() == 0


def test_plans_side_by_side(world, request_, client):
    first = thought(world, name="As it is")
    world.book("412W101", "NPG 1", 0, 4)
    second = thought(world, name="After a booking")
    client.force_login(world.users["viewer"])
    page = markup(client.get(reverse("allocations:plan-compare"), {"plan": [first.pk, second.pk]}))
    cells = re.findall(r'<tr><th scope="row">Brake|<tr><th scope="row">412W103, Brake</th>(.*?)</tr>', page)
    assert re.findall(r"NPG 1, [^<]+", cells[0]) == ["NPG 1, 16 – 18 Nov 2026", "NPG 1, 21 – 23 Nov 2026"]
    assert "of 0 tests all say the same" in page
    alone = client.get(reverse("allocations:plan-compare"), {"plan": [first.pk]}).content.decode()
    assert "Choose at least two plans" in alone
    client.force_login(world.users["outsider"])
    assert client.get(reverse("allocations:plan-compare"), {"plan": [first.pk, second.pk]}).status_code == 404


@pytest.fixture
def _monday(monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: MONDAY)


def on_the_calendar(client, plan, **more):
    return client.get(reverse("allocations:schedule"), {"ground": "NORTH", "plan": str(plan.pk), **more})


@pytest.mark.usefixtures("_monday")
def test_a_plan_lies_over_the_calendar(world, client):
    moved = world.book("412W101", "NPG 1", 8, 12)
    TestRequest.objects.create(
        ground=world.north,
        vehicle=world.vehicles["412W103"],
        test_type=world.tests["Brake"],
        days=3,
        earliest_start=day(8),
        due_date=day(10),
        priority="urgent",
    )
    plan = thought(world, movable="all")
    client.force_login(world.users["scheduler"])
    page = markup(on_the_calendar(client, plan))
    ghosts = re.findall(r'class="cal-ghost (\w+)"\s+id="(\w+)-\d+"[^>]*style="--s:(\d+);--n:(\d+)"', page)
    assert sorted(ghosts) == [
        ("from", "from", "15", "5"),
        ("moved", "ghost", "15", "5"),
        ("new", "ghost", "15", "3"),
    ]
    row = page[page.index(f'data-dyno="{world.dynos["NPG 21"].pk}"') :]
    assert "instead of NPG 1, 24 – 28 Nov" in row[: row.index("data-dyno", 20)]
    (new,) = plan.items.exclude(request=None)
    assert f'href="#ghost-{new.pk}"' in page
    assert "1 placement, 1 moved" in page
    assert f'name="plan" value="{plan.pk}"' in page
    later = re.search(r'id="cal-later" href="([^"]+)"', page)[1]
    assert f"plan={plan.pk}" in later
    assert moved.items


@pytest.mark.usefixtures("_monday")
def test_rows_that_come_later_bring_their_ghosts(world, plan, client):
    (item,) = plan.items.all()
    client.force_login(world.users["viewer"])
    page = client.get(
        reverse("allocations:schedule-rows"),
        {"ground": "NORTH", "plan": str(plan.pk), "dynos": str(item.dyno_id), "changed": "1"},
    ).content.decode()
    assert f'id="ghost-{item.pk}"' in page


@pytest.mark.usefixtures("_monday")
def test_the_calendar_asks_two_more_queries_for_a_plan_and_none_without_one(world, client):
    waiting(world, 1)
    small = thought(world)
    waiting(world, 3, begin=1)
    large = thought(world)
    client.force_login(world.users["scheduler"])
    client.get(reverse("allocations:schedule"), {"ground": "NORTH"})

    def queries(**query):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("allocations:schedule"), {"ground": "NORTH", **query}).status_code == 200
        return len(captured)

    without = queries()
    assert queries(plan="nonsense") == without
    assert queries(plan=str(small.pk)) == queries(plan=str(large.pk)) <= without + 4


@pytest.mark.usefixtures("_monday")
def test_a_plan_over_the_calendar_is_applied_by_schedulers_only(world, plan, client):
    client.force_login(world.users["viewer"])
    page = markup(on_the_calendar(client, plan))
    assert "cal-ghost new" in page
    assert "Apply what is ticked" not in page
    client.force_login(world.users["outsider"])
    assert on_the_calendar(client, plan).status_code == 404
    assert client.get(reverse("allocations:schedule"), {"ground": "SOUTH", "plan": str(plan.pk)}).status_code == 404
    client.force_login(world.users["scheduler"])
    (item,) = plan.items.all()
    response = client.post(reverse("allocations:plan-apply", args=[plan.pk]), {"item": [item.pk], "back": "schedule"})
    assert response["Location"] == f"/schedule/?from={item.first_day}"
    assert "cal-ghost" not in on_the_calendar(client, plan).content.decode()


@pytest.mark.usefixtures("_monday")
def test_a_search_keeps_the_rows_where_it_finds_a_ghost(world, plan, client):
    (item,) = plan.items.all()
    client.force_login(world.users["scheduler"])
    page = on_the_calendar(client, plan, q="412w103").content.decode()
    assert re.findall(r'data-dyno="(\d+)"', page) == [str(item.dyno_id)]
    assert "Nothing matches" in on_the_calendar(client, plan, q="412w999").content.decode()


def test_the_list_is_given_as_csv(world, plan, client):
    client.force_login(world.users["viewer"])
    answer = client.get(reverse("allocations:plan-list"), {"format": "csv", "sort": "-moved"})
    (line,) = csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig")))
    figures = [line[name] for name in ("State", "Placed", "Moved", "Without a place", "Lateness, weighted")]
    assert figures == ["Ready", "1", "0", "0", "0"]


def test_a_plan_is_named_by_the_clock_of_its_ground(world, plan, client):
    Plan.objects.update(made_at=dt.datetime(2026, 11, 27, 4, 20, tzinfo=dt.UTC), name="")
    client.force_login(world.users["scheduler"])
    assert "Plan of 26 Nov 2026, 23:20" in client.get(reverse("allocations:plan-list")).content.decode()
