"""What if: made, edited, asked, compared, deleted and brought back; the schedule stays as it is."""

import csv
import io
import re

import pytest
from django.urls import reverse

from allocations.enums import Door, Priority, ScenarioState
from allocations.exceptions import NotAllowed, NotFound, Refused
from allocations.models import Allocation, Change, Scenario, TestRequest
from allocations.selectors.scenarios import scenario_by_id, scenarios_of
from allocations.services import scenarios
from allocations.services.scenario_answer import answer
from allocations.services.unit_of_work import Actor
from allocations.tests.world import day
from dynosite.tests.markup import markup

LIST = reverse("allocations:scenario-list")


def page_of(scenario, view="detail"):
    return reverse(f"allocations:scenario-{view}", args=[scenario.pk])


@pytest.fixture
def crowded(world):
    """Four heavy brake tests that only NPG 1 runs, all due at once."""
    for number in range(4):
        vehicle = world.vehicle(f"700W{number}", weight_class=">10K")
        TestRequest.objects.create(
            ground=world.north,
            vehicle=vehicle,
            test_type=world.tests["Brake"],
            days=3,
            earliest_start=day(0),
            due_date=day(2),
            priority=Priority.LOW,
        )
    return world


def new_scenario(world, *edits, name="One more", **more):
    values = {"first_day": day(0), "last_day": day(40), "seconds": 2} | more
    scenario = scenarios.make_scenario(world.north.pk, actor=world.actor(), name=name, **values)
    for data in edits:
        scenario = scenarios.add_edit(scenario.pk, actor=world.actor(), data=data)
    return scenario


def answered(world, *edits, **more):
    scenario = new_scenario(world, *edits, **more)
    scenario.result, scenario.state = answer(scenario, steps=200), ScenarioState.READY
    scenario.save()
    return scenario


def test_a_dyno_more_is_compared_with_today_and_nothing_is_written(crowded):
    world = crowded
    changes = Change.objects.count()
    like = {"do": "add-dyno", "like": world.dynos["NPG 1"].pk}
    result = answered(world, like).result
    # One after the other they are 0 + 3 + 6 + 9 days late; on two dynos 0 + 0 + 3 + 3.
    assert (result["today"]["late_days"], result["then"]["late_days"]) == (18, 6)
    assert (result["today"]["unplaced"], result["then"]["dynos"]) == (0, result["today"]["dynos"] + 1)
    use = {row["name"]: (row["today"], row["then"]) for row in result["dynos"]}
    assert use["NPG 1"][0] == round(100 * 12 / 41)
    assert use["New 1 (like NPG 1)"] == (None, round(100 * 6 / 41))
    (shortage,) = result["shortages"]
    assert shortage["group"] == "Brake, 2WD, >10K"
    # With a third dyno one test alone is three days late.
    assert shortage["saved"] == {"shortfall": 3, "unplaced": 0, "late_days": 3}
    assert shortage["price"] >= 3
    assert (Change.objects.count(), Allocation.objects.filter(ground=world.north).count()) == (changes, 0)


def test_a_scenario_is_made_edited_and_asked_without_a_script(committed_world, celery_worker, client):
    world = committed_world
    TestRequest.objects.create(
        ground=world.north, vehicle=world.vehicles["412W103"], test_type=world.tests["Brake"], days=3
    )
    client.force_login(world.users["scheduler"])
    form = {
        "name": "May",
        "first_day": "2026-11-16",
        "last_day": "2026-12-31",
        "movable": "nothing",
        "seconds": "1",
    }
    response = client.post(reverse("allocations:scenario-create"), form)
    scenario = Scenario.objects.get()
    assert response["Location"] == page_of(scenario)
    wrong = client.post(page_of(scenario, "add-edit"), {"kind": "tests", "count": "9", "month": "May"})
    assert wrong.status_code == 422
    assert "A month is written like 2027-05." in wrong.content.decode()
    client.post(
        page_of(scenario, "add-edit"),
        {"kind": "tests", "test_type": world.tests["Brake"].pk, "count": "5", "month": "2026-12"},
    )
    client.post(page_of(scenario, "add-edit"), {"kind": "weekends", "pause": "on"})
    client.post(page_of(scenario, "remove-edit"), {"number": "1"})
    assert "5 more tests Brake in December 2026" in client.get(page_of(scenario)).content.decode()
    client.post(page_of(scenario, "ask"))
    celery_worker.wait()
    scenario.refresh_from_db()
    assert (scenario.state, scenario.error) == (ScenarioState.READY, "")
    assert (scenario.result["today"]["tests"], scenario.result["then"]["tests"]) == (1, 6)
    page = markup(client.get(page_of(scenario)))
    assert "What is in the way" in page
    assert re.search(r'<th scope="row">Tests</th><td[^>]*><span>1</span>.*?<span>6 <small class="muted">\+5<', page)


def test_an_edit_makes_the_answer_void(crowded, client):
    scenario = answered(crowded)
    client.force_login(crowded.users["scheduler"])
    client.post(page_of(scenario, "add-edit"), {"kind": "weekends", "pause": "on"})
    scenario.refresh_from_db()
    assert (scenario.state, scenario.result) == (ScenarioState.DRAFT, {})
    assert scenario.edits == [{"do": "close-weekends", "pause": True}]


def test_edits_name_only_the_grounds_own(world, client):
    scenario = new_scenario(world)
    client.force_login(world.users["scheduler"])
    response = client.post(page_of(scenario, "add-edit"), {"kind": "without", "dyno": world.dynos["STC #1"].pk})
    assert response.status_code == 422
    scenario.refresh_from_db()
    assert scenario.edits == []


def test_scenarios_side_by_side(crowded, client):
    first = answered(crowded, {"do": "add-dyno", "like": crowded.dynos["NPG 1"].pk}, name="More")
    second = answered(crowded, {"do": "remove-dyno", "dyno": crowded.dynos["NPG 1"].pk}, name="Less")
    client.force_login(crowded.users["viewer"])
    page = markup(client.get(reverse("allocations:scenario-compare"), {"scenario": [first.pk, second.pk]}))
    row = re.search(r'<th scope="row">Days late</th>(.*?)</tr>', page)[1]
    assert re.findall(r"<span>(\d+)", row) == ["18", "6", "0"]
    row = re.search(r'<th scope="row">Without a place</th>(.*?)</tr>', page)[1]
    assert re.findall(r"<span>(\d+)", row) == ["0", "0", "4"]
    client.force_login(crowded.users["outsider"])
    assert client.get(reverse("allocations:scenario-compare"), {"scenario": [first.pk]}).status_code == 404


def test_list_searches_and_a_deleted_one_comes_back(world, client):
    client.force_login(world.users["viewer"])
    assert "No scenario yet" in client.get(LIST).content.decode()
    spring, _ = new_scenario(world, name="Spring"), new_scenario(world, name="Autumn")

    def names(**query):
        return re.findall(r'class="row-link"[^>]*>([^<]+)<', client.get(LIST, query).content.decode())

    assert names() == ["Autumn", "Spring"]
    assert names(q="spr") == ["Spring"]
    client.force_login(world.users["scheduler"])
    page = client.post(page_of(spring, "delete"), follow=True).content.decode()
    assert page_of(spring, "restore") in page
    assert names() == ["Autumn"]
    client.post(page_of(spring, "restore"))
    assert names(sort="name") == ["Autumn", "Spring"]


def test_stopping_before_there_is_anything_to_compare_leaves_a_draft(crowded):
    scenario = scenarios.ask_scenario(new_scenario(crowded).pk, actor=crowded.actor())
    with pytest.raises(Refused, match="being solved"):
        scenarios.add_edit(scenario.pk, actor=crowded.actor(), data={"do": "close-weekends"})
    Scenario.objects.filter(pk=scenario.pk).update(state=ScenarioState.SOLVING)
    scenarios.stop_scenario(scenario.pk, actor=crowded.actor())
    scenarios.solve_scenario(scenario.pk)
    scenario.refresh_from_db()
    assert (scenario.state, scenario.result) == (ScenarioState.DRAFT, {})


def test_rights(world):
    scenario = new_scenario(world)
    viewer, outsider = (Actor(world.users[name], Door.FORM) for name in ("viewer", "outsider"))
    with pytest.raises(NotAllowed):
        scenarios.ask_scenario(scenario.pk, actor=viewer)
    with pytest.raises(NotFound):
        scenarios.ask_scenario(scenario.pk, actor=outsider)
    with pytest.raises(NotFound):
        scenarios_of(world.north.pk, user=world.users["outsider"])
    assert scenario_by_id(scenario.pk, user=world.users["viewer"]) == scenario


def test_days_that_are_too_many_are_refused(world):
    with pytest.raises(Refused, match="too many to look at"):
        new_scenario(world, last_day=day(900))


def test_the_list_is_given_as_csv_with_what_was_found(crowded, client):
    world = crowded
    answered(world, {"do": "add-dyno", "like": world.dynos["NPG 1"].pk}, name="=One more")
    new_scenario(world, name="Not asked")
    client.force_login(world.users["viewer"])
    lines = list(
        csv.DictReader(io.StringIO(client.get(f"{LIST}?format=csv&sort=late").getvalue().decode("utf-8-sig")))
    )
    assert [line["Scenario"] for line in lines] == ["'=One more", "Not asked"]
    values = [lines[0][name] for name in ("Changes", "Days late today", "Days late then")]
    assert values == ["1 more dyno, like NPG 1", "18", "6"]
    assert lines[1]["Days late then"] == ""
