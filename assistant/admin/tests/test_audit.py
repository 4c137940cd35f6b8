import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from django.urls import reverse

from assistant.admin.tests.conftest import GEMINI, a_run, queries, url
from assistant.enums import ProposalStatus
from assistant.governance import usage_figures
from assistant.models import Feedback, Proposal, Run, Spend, ToolCall
from assistant.providers.troubles import Troubles
from dynosite.lib.ground_address import in_ground
from dynosite.lib.redis_client import shared_text

LISTS = ["run", "spend", "proposal", "toolcall", "modelcall", "feedback"]
ALL = [*LISTS, "assistantsettings", "budget", "killswitch"]


def tables(response) -> dict[str, list[tuple]]:
    return {table.title: table.rows for table in response.context["tables"]}


@pytest.mark.parametrize("name", ["scheduler", "viewer", "outsider", "admin", "climber"])
def test_nobody_but_admins_who_are_staff_gets_in(cast, name):
    run = a_run(cast.world)
    client = cast.client(name)
    assert {client.get(url(model)).status_code for model in ALL} == {403}
    assert client.get(url("run", "change", run.pk)).status_code == 403
    assert client.get(url("spend", "export")).status_code == 403


@pytest.mark.parametrize("model", LISTS)
def test_an_admin_sees_their_own_grounds_rows_and_a_superuser_all(cast, keeper, root, model):
    a_run(cast.world)
    a_run(cast.world, "outsider", cast.world.south)
    assert keeper.get(url(model)).context["cl"].queryset.count() == (2 if model in ("toolcall", "modelcall") else 1)
    assert root.get(url(model)).context["cl"].queryset.count() == (4 if model in ("toolcall", "modelcall") else 2)
    page = keeper.get(url(model)).content.decode()
    assert "outsider" not in page
    assert "South" not in page
    if model != "feedback":
        exported = keeper.get(url(model, "export")).getvalue().decode("utf-8-sig")
        assert "outsider" not in exported
        assert exported.count("\r\n") > 1


@pytest.mark.parametrize("query", [{"day__gte": "soon"}, {"q": "a\x00b"}, {"user__password": "x"}])
def test_a_filter_that_makes_no_sense_is_no_fault_of_the_server(cast, root, query):
    assert root.get(url("spend"), query).status_code in (200, 302, 400)
    assert root.get(url("spend", "export"), query).status_code == 400


def test_another_grounds_run_is_not_there(cast, keeper, root):
    run = a_run(cast.world, "outsider", cast.world.south)
    assert keeper.get(url("run", "change", run.pk)).status_code == 404
    assert root.get(url("run", "change", run.pk)).status_code == 200


@pytest.mark.parametrize("model", LISTS)
def test_the_audit_is_read_and_never_written(cast, root, model):
    run = a_run(cast.world)
    assert root.get(url(model, "add")).status_code == 403
    response = root.post(url(model), {"action": "delete_selected", "_selected_action": [str(run.pk)], "post": "yes"})
    assert response.status_code in (200, 302)
    assert root.post(url(model, "delete", run.pk if model == "run" else 1), {"post": "yes"}).status_code in (403, 404)
    assert Run.objects.count() == 1


@pytest.mark.parametrize("model", LISTS)
def test_a_list_asks_as_many_questions_for_three_rows_as_for_one(cast, root, model):
    a_run(cast.world)
    root.get(url(model))
    one = queries(root, url(model))
    a_run(cast.world, "viewer", day=dt.date(2026, 11, 17))
    a_run(cast.world, "outsider", cast.world.south)
    assert queries(root, url(model)) == one


def test_a_runs_page_asks_as_many_questions_for_three_of_each_as_for_one(cast, root):
    run = a_run(cast.world)
    path = url("run", "change", run.pk)
    root.get(path)
    one = queries(root, path)
    for _ in range(2):
        other = a_run(cast.world, "viewer")
        for number, rows in enumerate((other.model_calls, other.tool_calls, other.proposals, other.messages)):
            values = {"run": run, "call_id": f"{other.pk}{number}"} if number in (1, 2) else {"run": run}
            for row in rows.all():
                if number == 1:
                    values["call_id"] += "x"
                type(row).objects.filter(pk=row.pk).update(**values)
    assert queries(root, path) == one
    assert root.get(path).content.decode().count("Proposed: ") == 3


def test_a_runs_page_tells_what_happened_in_its_order(cast, keeper):
    run = a_run(cast.world, text="Book <b>412W101</b>")
    response = keeper.get(url("run", "change", run.pk))
    moments = [(moment.kind, moment.title, moment.text) for moment in response.context["moments"]]
    assert moments[0] == ("user", "User", "Book <b>412W101</b>")
    assert ("model", GEMINI, "GoogleRateLimitError: later") in moments
    assert ("tool", "list_dynos", "KeyError: 'x'") in moments
    assert ("proposal", "Proposed: Book 412W101 on NPG 1", "") in moments
    assert ("decision", "Rejected by scheduler: Book 412W101 on NPG 1", "Not this week.") in moments
    assert ("feedback", "Not helpful, says scheduler", "Wrong dyno.") in moments
    facts = dict(response.context["figures"])
    assert (facts["Took"], facts["Waited"], facts["Cost"], facts["Tokens in"]) == (
        "4.0 s",
        "4.0 s",
        "$0.0006",
        "1,200",
    )
    page = response.content.decode()
    assert "Book &lt;b&gt;412W101&lt;/b&gt;" in page
    assert "&quot;vehicle&quot;: &quot;412W101&quot;" in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "412W102"}, ["Move 412W102"]),
        ({"status__exact": "failed"}, ["Move 412W102"]),
        ({"user__id__exact": "viewer"}, ["Move 412W102"]),
        ({"model__exact": GEMINI, "status__exact": "done"}, ["Book 412W101 for brake"]),
        (
            {"created_at__day": "18", "created_at__month": "11", "created_at__year": "2026", "q": "Book"},
            ["Book 412W101 for brake"],
        ),
    ],
)
def test_runs_are_found_by_filters_and_search(cast, keeper, query, expected):
    a_run(cast.world)
    other = a_run(cast.world, "viewer", text="Move 412W102")
    Run.objects.filter(pk=other.pk).update(status="failed", created_at=dt.datetime(2026, 11, 2, tzinfo=dt.UTC))
    if "user__id__exact" in query:
        query = {"user__id__exact": cast.world.users["viewer"].pk}
    rows = keeper.get(url("run"), query).context["cl"].queryset
    assert [run.question.text for run in rows] == expected


def test_spend_adds_up_by_user_and_by_day_for_the_rows_shown(cast, root):
    scheduler, viewer = cast.world.users["scheduler"], cast.world.users["viewer"]
    for day, user, cost in ((16, scheduler, "1.50"), (17, scheduler, "2.25"), (17, viewer, "0.5")):
        Spend.objects.create(
            day=dt.date(2026, 11, day),
            user=user,
            ground=cast.world.north,
            calls=2,
            tokens_in=1_000,
            tokens_out=100,
            cost=Decimal(cost),
        )
    response = root.get(url("spend"))
    assert tables(response)["By user"] == [
        ("scheduler", 2, 4, 2_000, 200, "$3.75"),
        ("viewer", 1, 2, 1_000, 100, "$0.5000"),
    ]
    assert '<td class="end">2,000</td>' in response.content.decode()
    assert tables(response)["By proving ground"] == [("North Proving Ground", 6, 3_000, 300, "$4.25")]
    chart = response.context["chart"]
    assert [(bar.label, bar.height) for bar in chart.bars] == [
        ("16 Nov 2026: 1,100 tokens, $1.50", 65.5),
        ("17 Nov 2026: 2,200 tokens, $2.75", 120.0),
    ]
    assert (chart.first, chart.last, chart.highest) == ("2026-11-16", "2026-11-17", "$2.75")
    only = root.get(url("spend"), {"user__id__exact": viewer.pk})
    assert tables(only)["By user"] == [("viewer", 1, 2, 1_000, 100, "$0.5000")]


def test_spend_is_exported_as_it_is_filtered_and_harmless_to_spreadsheets(cast, root):
    evil = cast.world.user("=cmd()", north="viewer")
    a_run(cast.world)
    a_run(cast.world, "=cmd()")
    page = root.get(url("spend"), {"user__id__exact": evil.pk})
    export = in_ground(url("spend", "export"), "NORTH")
    assert page.context["export"] == f"{export}?user__id__exact={evil.pk}"
    rows = list(csv.reader(io.StringIO(root.get(page.context["export"]).getvalue().decode("utf-8-sig"))))
    assert rows == [
        ["day", "user username", "ground code", "calls", "tokens_in", "tokens_out", "cost"],
        ["2026-11-18", "'=cmd()", "NORTH", "2", "1200", "80", "0.000560"],
    ]


def test_prices_are_shown_and_a_model_without_one_is_named(cast, root, settings):
    settings.ASSISTANT_MODELS = [GEMINI, "openai:gpt-x"]
    assert tables(root.get(url("spend")))["Prices, for a million tokens"] == [
        (GEMINI, "$0.30", "$2.50"),
        ("openai:gpt-x", "no price", "no price"),
        ("offline", "free", "free"),
    ]


def test_failures_are_counted_by_tool_and_by_model(cast, root):
    run = a_run(cast.world)
    ToolCall.objects.create(run=run, call_id="c", name="list_dynos", status="ok", seconds=1)
    assert tables(root.get(url("toolcall")))["By tool"] == [
        ("list_dynos", 2, 1, "50 %", 0, 0, 0, "0.50 s"),
        ("auto_allocate_vehicle", 1, 0, "0 %", 0, 0, 0, "0.25 s"),
    ]
    assert tables(root.get(url("modelcall")))["By model"] == [(GEMINI, 2, 1, "50 %", "0.75 s", 1_280, 0, "$0.0006")]
    failed = root.get(url("modelcall"), {"failed": "yes"})
    assert [call.error for call in failed.context["cl"].queryset] == ["GoogleRateLimitError: later"]


def test_the_approval_rate_is_of_what_was_decided(cast, root):
    run = a_run(cast.world)
    first = Proposal.objects.get()
    for number, status in enumerate(ProposalStatus):
        Proposal.objects.create(
            run=run,
            conversation=run.conversation,
            user=run.user,
            ground=run.ground,
            tool=first.tool,
            call_id=f"p{number}",
            status=status,
            expires_at=first.expires_at,
        )
    # 8 in all: approved and undone are both approved; edited, rejected twice; changed, expired, waiting undecided.
    assert tables(root.get(url("proposal")))["By tool"] == [(first.tool, 8, 2, 1, 1, 2, 1, 1, 1, "40 %")]


def test_feedback_leads_to_its_run(cast, keeper):
    run = a_run(cast.world)
    page = keeper.get(url("feedback")).content.decode()
    address = in_ground(reverse("admin:assistant_run_change", args=[run.pk]), "NORTH")
    assert f'href="{address}"' in page
    assert "Wrong dyno." in page
    assert "Here it is." in page


def test_small_costs_are_not_shown_as_nothing():
    assert [usage_figures.dollars(Decimal(amount)) for amount in ("0", "0.0004", "0.31", "1", "1234.5")] == [
        "$0.00",
        "$0.0004",
        "$0.3100",
        "$1.00",
        "$1,234.50",
    ]


def test_a_model_that_refuses_its_key_is_told_on_every_page_of_the_administration(cast, root, keeper, settings):
    settings.ASSISTANT_MODELS = [GEMINI]
    sentence = f"The assistant’s model {GEMINI} has refused how it is set up since"
    assert sentence not in root.get(reverse("admin:index")).content.decode()
    Troubles(shared_text()).begin(GEMINI, "API key not valid. <b>")
    for address in (reverse("admin:index"), url("run")):
        page = root.get(address).content.decode()
        assert sentence in page
        assert "API key not valid. &lt;b&gt;" in page
        assert sentence not in keeper.get(address).content.decode()
    Troubles(shared_text()).end(GEMINI)
    assert sentence not in root.get(reverse("admin:index")).content.decode()


def test_an_answer_is_shown_as_the_panel_shows_it(cast, keeper):
    run = a_run(cast.world)
    run.messages.filter(author="assistant").delete()
    text = "**Free**: [NPG 1](/dynos/7/) & <b>[more](https://evil.example/)</b>"
    message = run.messages.create(conversation=run.conversation, author="assistant", text=text)
    page = keeper.get(url("run", "change", run.pk)).content.decode()
    assert '<strong>Free</strong>: <a href="/g/NORTH/dynos/7/">NPG 1</a> &amp; &lt;b&gt;' in page
    assert "[NPG 1]" not in page
    assert 'href="https://evil.example/"' not in page
    run.question.text = "**Plain** as typed"
    run.question.save()
    assert "**Plain** as typed" in keeper.get(url("run", "change", run.pk)).content.decode()
    Feedback.objects.all().delete()
    Feedback.objects.create(message=message, user=run.user, verdict="down")
    listed = keeper.get(url("feedback")).content.decode()
    assert "Free: NPG 1 &amp; &lt;b&gt;" in listed


@pytest.mark.parametrize(("model", "title"), [("user", "Users"), ("failedsignins", "Failed sign-ins")])
def test_every_list_has_its_own_title(cast, root, model, title):
    page = root.get(reverse(f"admin:accounts_{model}_changelist")).context["title"]
    assert not page.startswith("Select")
    assert title in page
