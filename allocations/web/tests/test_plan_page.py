"""A plan's page says first what the plan means, and its rows can be put in order."""

import pytest
from django.urls import reverse

from allocations.models import Plan, PlanItem
from allocations.services.requests import create_request
from allocations.tests.world import day


@pytest.fixture(autouse=True)
def _today(_monday):
    pass


@pytest.fixture
def plan(world):
    """Of three requests one is placed in time, one late, and one has no place."""
    plan = Plan.objects.create(
        ground=world.north, first_day=day(0), last_day=day(30), state="ready", made_by=world.users["scheduler"]
    )
    rows = ((None, 0, "NPG 1", ""), (day(9), 4, "NPG 21", ""), (day(20), 0, None, "Only NPG 2 runs it."))
    for number, (due, late, dyno, reason) in enumerate(rows):
        change = create_request(
            world.vehicles["412W101"].pk,
            test_type_id=world.tests["Brake"].pk,
            days=3,
            due_date=due,
            actor=world.actor(),
            step=str(number),
        )
        PlanItem.objects.create(
            plan=plan,
            request_id=change.items[0]["id"],
            dyno=world.dynos[dyno] if dyno else None,
            late=late,
            first_day=day(10 * number) if dyno else None,
            last_day=day(10 * number + 2) if dyno else None,
            reason=reason,
            version=1,
        )
    return plan


@pytest.fixture
def scheduler(client, world):
    client.force_login(world.users["scheduler"])
    return client


def test_plan_leads_with_what_it_means(scheduler, plan):
    response = scheduler.get(reverse("allocations:plan-detail", args=[plan.pk]))
    page = " ".join(response.content.decode().split())
    assert "2 placed: 1 in time, 1 late; 1 without a place" in page
    assert "<b>1</b> without a place: Only NPG 2 runs it." in page
    assert page.index("2 placed") < page.index("How the planner searched")


@pytest.mark.parametrize(
    ("sort", "steps"),
    [("", "012"), ("due", "120"), ("-due", "210"), ("-late", "102"), ("place", "012"), ("nonsense", "012")],
)
def test_rows_are_sorted_and_what_has_no_value_comes_last(scheduler, plan, sort, steps):
    response = scheduler.get(reverse("allocations:plan-detail", args=[plan.pk]), {"sort": sort})
    assert "".join(row["item"].request.step for row in response.context["items"]) == steps
