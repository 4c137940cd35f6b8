import pytest
from django.urls import reverse

from allocations.enums import Door, PlanState
from allocations.models import Allocation, Plan, TestRequest
from allocations.services.plans import ask_for_plan, think
from allocations.tests.world import day
from allocations.web.curve import curve_of

FORM = {"first_day": "2026-11-16", "last_day": "2026-12-20", "movable": "nothing", "seconds": "1"}


@pytest.fixture
def request_(world):
    return TestRequest.objects.create(
        ground=world.north, vehicle=world.vehicles["412W103"], test_type=world.tests["Brake"], days=3
    )


@pytest.fixture
def plan(world, request_):
    asked = ask_for_plan(world.north.pk, actor=world.actor(), first_day=day(0), last_day=day(20), seconds=1)
    return think(asked, steps=20)


def test_a_plan_is_asked_for_and_thought_out_by_a_worker(committed_world, celery_worker, client):
    world = committed_world
    TestRequest.objects.create(
        ground=world.north, vehicle=world.vehicles["412W103"], test_type=world.tests["Brake"], days=3
    )
    client.force_login(world.users["scheduler"])
    response = client.post(reverse("allocations:plan-list"), FORM)
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


def test_an_overtaken_plan_says_what_stands_in_the_way(world, plan, client):
    (item,) = plan.items.all()
    world.book("412W101", "NPG 1", 0, 1)
    client.force_login(world.users["scheduler"])
    page = client.post(reverse("allocations:plan-apply", args=[plan.pk]), {"item": [item.pk]}, follow=True)
    assert "NPG 1 is taken by 412W101 (Brake): 2026-11-16 to 2026-11-17." in page.content.decode()
    assert Allocation.objects.filter(ground=world.north).count() == 1


def test_wrong_days_are_said_beside_the_field_and_kept(world, client):
    client.force_login(world.users["scheduler"])
    response = client.post(reverse("allocations:plan-list"), FORM | {"last_day": "2026-11-01"})
    page = response.content.decode()
    assert response.status_code == 422
    assert "This is before 2026-11-16, the first day." in page
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
