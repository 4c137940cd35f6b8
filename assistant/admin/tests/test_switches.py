import datetime as dt
from decimal import Decimal

import pytest

from allocations.admin.tests.conftest import errors_in, fields_of, messages_of
from allocations.exceptions import NotAllowed, NotFound
from assistant.admin.tests.conftest import a_run, queries, url
from assistant.governance import decisions
from assistant.models import AssistantSettings, Budget, KillSwitch
from assistant.tools.registry import TOOLS
from dynosite.lib import clock


def test_the_switch_takes_a_reason_and_a_second_yes_and_keeps_its_history(cast, root):
    page = root.post(url("killswitch"), {"to": "off", "reason": " "})
    assert page.context["error"] == "Give a reason: everyone who asks the assistant sees it."
    confirmation = root.post(url("killswitch"), {"to": "off", "reason": "Odd answers."})
    assert "Everyone who asks sees: Odd answers." in confirmation.content.decode()
    assert not KillSwitch.objects.exists()
    done = root.post(url("killswitch"), fields_of(confirmation) | {"_confirmed": "Switch it off"}, follow=True)
    assert messages_of(done) == ["The assistant is off."]
    assert (KillSwitch.current().off, KillSwitch.current().reason) == (True, "Odd answers.")
    confirmation = root.post(url("killswitch"), {"to": "on"})
    root.post(url("killswitch"), fields_of(confirmation) | {"_confirmed": "Switch it on"})
    assert (KillSwitch.current().off, KillSwitch.current().reason) == (False, "")
    events = [
        (event.kind, event.who, event.door, event.why, event.differences)
        for event in root.get(url("killswitch", "history", 1)).context["page"]
    ]
    assert len(events) == 3
    assert events[0][:3] == ("Changed", "root", "Admin")
    assert events[1][1:4] == ("root", "Admin", "Odd answers.")
    assert ("Off", "no", "yes") in events[1][4]


def test_only_superusers_turn_the_switch_or_set_budgets(cast, keeper):
    world = cast.world
    assert keeper.get(url("killswitch")).status_code == 404
    assert keeper.post(url("killswitch"), {"to": "off", "reason": "x", "_confirmed": "1"}).status_code == 404
    assert keeper.get(url("budget", "add")).status_code == 403
    budget = Budget.objects.create(scope="whole", period="day", tokens=1)
    assert keeper.post(url("budget", "change", budget.pk), {"tokens": 9}).status_code == 403
    assert keeper.post(url("budget", "delete", budget.pk), {"post": "yes"}).status_code == 403
    for call in (
        lambda user: decisions.switch(True, user=user, reason="x"),
        lambda user: decisions.save_budget(budget, user=user),
        lambda user: decisions.delete_budget(budget.pk, user=user),
    ):
        with pytest.raises(NotAllowed):
            call(world.users["keeper"])
    assert not KillSwitch.objects.exists()


def test_a_grounds_settings_are_saved_by_its_admin(cast, keeper):
    world = cast.world
    assert [row.ground for row in keeper.get(url("assistantsettings")).context["cl"].queryset] == [world.north]
    row = AssistantSettings.objects.get()
    path = url("assistantsettings", "change", row.pk)
    values = fields_of(keeper.get(path))
    assert (values["enabled"], values["approval"], values["tools"]) == ("on", "every", list(TOOLS))
    values |= {"tools": [name for name in TOOLS if name not in ("query_database", "plan_requests")]}
    values |= {"approval": "not-single-bookings"}
    assert keeper.post(path, values).status_code == 302
    row.refresh_from_db()
    assert (row.enabled, row.approval, row.tools_off) == (
        True,
        "not-single-bookings",
        ["query_database", "plan_requests"],
    )
    (first, *_) = keeper.get(url("assistantsettings", "history", row.pk)).context["page"]
    assert (first.who, ("Tools off", "", "query_database, plan_requests") in first.differences) == ("keeper", True)


def test_another_grounds_settings_are_not_there(cast, keeper):
    row = AssistantSettings.objects.create(ground=cast.world.south)
    assert keeper.get(url("assistantsettings", "change", row.pk)).status_code == 404
    with pytest.raises(NotFound):
        decisions.set_ground(
            cast.world.south.pk, user=cast.world.users["keeper"], enabled=False, approval="every", tools_off=[]
        )
    with pytest.raises(NotAllowed):
        decisions.set_ground(
            cast.world.north.pk, user=cast.world.users["scheduler"], enabled=False, approval="every", tools_off=[]
        )


def test_a_budget_is_set_by_username_and_refused_in_words(cast, root):
    path = url("budget", "add")
    values = {"scope": "user", "period": "day", "user": "scheduler", "ground": "", "tokens": "", "cost": ""}
    assert errors_in(root.post(path, values)) == {"__all__": ["Give a limit of tokens, of cost, or of both."]}
    assert "There is no user of this name." in str(errors_in(root.post(path, values | {"user": "nobody"}))["user"])
    wrong = values | {"scope": "whole", "tokens": "5"}
    assert errors_in(root.post(path, wrong)) == {"user": ["Only a user's budget names one."]}
    assert root.post(path, values | {"tokens": "50000", "cost": "1.5"}).status_code == 302
    budget = Budget.objects.get()
    assert (budget.user, budget.tokens, budget.cost) == (cast.world.users["scheduler"], 50_000, Decimal("1.5"))
    again = root.post(path, values | {"tokens": "1"})
    assert "already exists" in str(errors_in(again))
    (event,) = root.get(url("budget", "history", budget.pk)).context["page"]
    assert (event.kind, event.who) == ("Added", "root")
    root.post(url("budget", "delete", budget.pk), {"post": "yes"})
    assert not Budget.objects.exists()


def spent(client) -> dict[str, str]:
    return {
        f"{row.scope} {row.period} {row.user or row.ground or ''}".strip(): row.spent_text
        for row in client.get(url("budget")).context["cl"].result_list
    }


def test_budgets_are_shown_with_what_is_spent_of_them(cast, root, keeper):
    world = cast.world
    for day in (3, 18):
        a_run(world, day=dt.date(2026, 11, day))
    a_run(world, "viewer")
    a_run(world, "viewer")
    a_run(world, "outsider", world.south)
    Budget.objects.create(scope="whole", period="month", tokens=10_000)
    Budget.objects.create(scope="user", period="day", tokens=10_000)
    Budget.objects.create(scope="user", period="month", user=world.users["scheduler"], tokens=10_000)
    Budget.objects.create(scope="ground", period="day", ground=world.south, tokens=10_000)
    Budget.objects.create(scope="ground", period="day", tokens=10_000)
    with clock.day_is(dt.date(2026, 11, 18)):
        assert spent(root) == {
            "whole month": "6,400 tokens, $0.0028",
            "user day": "most by viewer: 2,560 tokens, $0.0011",
            "user month scheduler": "2,560 tokens, $0.0011",
            "ground day South Test Centre": "1,280 tokens, $0.0006",
            "ground day": "most by North Proving Ground: 3,840 tokens, $0.0017",
        }
        # What other grounds have spent shows nowhere.
        assert spent(keeper) == {
            "whole month": "–",
            "user day": "–",
            "user month scheduler": "–",
            "ground day": "most by North Proving Ground: 3,840 tokens, $0.0017",
        }


def test_the_list_of_budgets_asks_as_many_questions_for_three_rows_as_for_one(cast, root):
    Budget.objects.create(scope="user", period="day", user=cast.world.users["viewer"], tokens=1)
    root.get(url("budget"))
    one = queries(root, url("budget"))
    Budget.objects.create(scope="user", period="day", user=cast.world.users["scheduler"], tokens=1)
    Budget.objects.create(scope="ground", period="day", ground=cast.world.south, tokens=1)
    assert queries(root, url("budget")) == one
