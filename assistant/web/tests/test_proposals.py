"""Cards: approving, editing, rejecting, undoing, several at once, the inbox, the calendar's bars."""

import re

import pytest
from django.urls import reverse

from allocations.models import Allocation
from allocations.tests.world import day
from assistant import approvals
from assistant.models import Proposal
from assistant.tools.caller import Caller, Ctx
from assistant.tools.registry import TOOLS
from assistant.web.tests.conftest import propose
from dynosite.tests.markup import markup


def html(response) -> str:
    return markup(response)


def to(name: str, proposal) -> str:
    return reverse(f"assistant:{name}", args=[proposal.pk])


def booked() -> list[tuple[str, str, str]]:
    rows = Allocation.objects.filter(ground__code="NORTH").exclude(status="cancelled").order_by("first_day")
    return [(row.vehicle.tag, row.dyno.name, str(row.first_day)) for row in rows.select_related("vehicle", "dyno")]


def test_approving_books_and_undoing_takes_it_back(talk, panel):
    answer = panel.post(to("approve", talk.proposal))
    assert booked() == [("412W103", "NPG 1", "2026-11-23")]
    text = html(answer)
    allocation = Allocation.objects.get(vehicle__tag="412W103")
    assert (answer.status_code, answer["X-Assistant-Waiting"]) == (200, "0")
    assert f'<section class="ai-card is-approved" id="proposal-{talk.proposal.pk}"' in text
    assert f'href="/g/NORTH/allocations/{allocation.pk}/">The booking</a>' in text
    assert f'#show-a{allocation.pk}" data-ai-show="a{allocation.pk}"' in text
    assert to("undo", talk.proposal) in text
    text = html(panel.post(to("undo", talk.proposal)))
    assert booked() == []
    assert 'class="ai-card is-undone"' in text
    assert to("undo", talk.proposal) not in text


def test_without_javascript_the_same_by_forms_and_pages(talk, mine):
    answer = mine.post(to("approve", talk.proposal), follow=True)
    assert answer.redirect_chain[0][0] == f"/assistant/c/{talk.conversation.pk}/#proposal-{talk.proposal.pk}"
    assert "Done: " in html(answer)
    assert booked() == [("412W103", "NPG 1", "2026-11-23")]
    assert "Undone: Book 412W103 on NPG 1." in html(mine.post(to("undo", talk.proposal), follow=True))
    assert booked() == []


def test_approving_twice_books_once(talk, panel):
    for _ in range(2):
        assert panel.post(to("approve", talk.proposal)).status_code == 200
    assert len(booked()) == 1


def test_a_card_whose_facts_have_changed_writes_nothing_and_shows_what_would_do_now(talk, panel):
    talk.world.book("412W101", "NPG 1", 7, 9)
    answer = panel.post(to("approve", talk.proposal))
    text = html(answer)
    assert answer.status_code == 409
    assert 'class="ai-card is-changed"' in text
    assert "The schedule has changed since this card was drawn, and nothing was written." in text
    assert text.count("23 – 25 Nov 2026.") == 1
    card = html(panel.get(to("proposal", talk.proposal)))
    assert re.search(r'class="ai-card-why">NPG 1 is taken by 412W101 \(Brake\): 23 – 25 Nov 2026\.', card)
    assert booked() == [("412W101", "NPG 1", "2026-11-23")]


def test_the_new_best_stands_after_the_changed_card(talk, panel):
    caller = Caller(Ctx(talk.conversation.user_id, talk.world.north.pk, talk.conversation.pk, talk.run.pk))
    tool = TOOLS["auto_allocate_vehicle"]
    wish = tool.args(vehicle="412W101", test_type="Brake", start_date=day(14), days_to_complete=2)
    first = approvals.propose(caller, tool, wish, call_id="auto")
    best_dyno = next(bar["dyno"] for bar in first.card["bars"])
    talk.world.vehicle("412W104")
    talk.world.book("412W104", best_dyno, 14, 15)
    text = html(panel.post(to("approve", first)))
    newer = Proposal.objects.get(replaces=first)
    assert newer.card["bars"][0]["dyno"] != best_dyno
    assert f'id="proposal-{newer.pk}"' in text
    assert f'data-after="proposal-{first.pk}"' in text
    assert "There is a new card with what would do now." in text


def test_of_many_warnings_some_stand_on_the_card_and_the_rest_behind_it(talk, panel):
    talk.proposal.card["warnings"] = [f"{number} days late." for number in range(2, 9)]
    talk.proposal.save()
    text = html(panel.get(to("proposal", talk.proposal)))
    before, rest = text.split("<summary>3 more warnings</summary>")
    assert [int(number) for number in re.findall(r"(\d) days late", before)] == [2, 3, 4, 5]
    assert [int(number) for number in re.findall(r"(\d) days late", rest)] == [6, 7, 8]


def test_rejecting_keeps_the_word_of_why(talk, panel):
    text = html(panel.post(to("reject", talk.proposal), {"word": "Wrong week"}))
    assert "“Wrong week”" in text
    talk.proposal.refresh_from_db()
    assert (talk.proposal.status, talk.proposal.word) == ("rejected", "Wrong week")
    answer = panel.post(to("approve", talk.proposal))
    assert answer.status_code == 409
    assert "This was rejected; ask again for a new proposal." in html(answer)
    assert booked() == []


def edit(client, proposal, **changed):
    prefix = f"edit-{str(proposal.pk)[:8]}"
    return client.post(to("edit", proposal), {f"{prefix}-{k}": v for k, v in (proposal.args | changed).items()})


def test_the_edit_form_is_made_from_the_arguments(talk, panel):
    text = html(panel.get(to("edit", talk.proposal)))
    fields = re.findall(r'<(?:input|select)[^>]* name="edit-[0-9a-f]{8}-(\w+)"', text)
    assert fields == ["vehicle", "dyno", "test_type", "start_date", "end_date"]
    assert 'type="date" name="edit-' in text
    assert 'value="2026-11-23"' in text


def test_an_edit_is_checked_again_and_makes_a_new_card(talk, panel):
    text = html(edit(panel, talk.proposal, start_date=str(day(14)), end_date=str(day(15))))
    newer = Proposal.objects.get(replaces=talk.proposal)
    assert f'data-after="proposal-{talk.proposal.pk}"' in text
    assert "30 Nov – 1 Dec 2026 (2 days)" in text
    panel.post(to("approve", newer))
    assert booked() == [("412W103", "NPG 1", "2026-11-30")]
    assert panel.post(to("approve", talk.proposal)).status_code == 409
    assert len(booked()) == 1


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"start_date": "soon"}, "This is not a date; write it like 2026-11-16."),
        ({"vehicle": ""}, "This field is required."),
        ({"vehicle": "999X999"}, "999X999"),
        ({"dyno": "NPG 3"}, "NPG 3"),
        ({"end_date": "2026-11-20"}, "That would not do"),
    ],
)
def test_an_edit_that_would_not_do_says_why_and_keeps_what_was_typed(talk, panel, changed, sentence):
    answer = edit(panel, talk.proposal, **changed)
    assert answer.status_code == 422
    assert sentence in html(answer)
    for value in changed.values():
        assert f'value="{value}"' in html(answer) or value == ""
    talk.proposal.refresh_from_db()
    assert (talk.proposal.status, Proposal.objects.count()) == ("waiting", 1)


def test_without_javascript_the_edit_form_is_a_page(talk, mine):
    assert "Check the change" in html(mine.get(to("edit", talk.proposal)))
    answer = edit(mine, talk.proposal, vehicle="999X999")
    assert answer.status_code == 422
    assert "<!doctype html>" in html(answer)
    edit(mine, talk.proposal, start_date=str(day(14)), end_date=str(day(15)))
    assert Proposal.objects.filter(replaces=talk.proposal).count() == 1


def test_all_at_once_each_by_itself(talk, panel):
    more = propose(talk.world, "scheduler", talk.conversation, talk.run, first=14, vehicle="412W101")
    late = propose(talk.world, "scheduler", talk.conversation, talk.run, first=21, vehicle="412W102")
    talk.world.book("412W101", "NPG 1", 21, 23)
    text = html(panel.get(reverse("assistant:conversation", args=[talk.conversation.pk])))
    assert "3 changes need your approval" in text
    answer = panel.post(reverse("assistant:approve-all"), {"proposal": [talk.proposal.pk, more.pk, late.pk]})
    assert "2 of 3 changes carried out." in html(answer)
    assert [(tag, first) for tag, _, first in booked()] == [
        ("412W103", "2026-11-23"),
        ("412W101", "2026-11-30"),
        ("412W101", "2026-12-07"),
    ]
    late.refresh_from_db()
    assert late.status == "changed"


def test_the_inbox_has_what_waits_whichever_conversation_it_is_from(talk, panel, mine):
    assert "Book 412W103 on NPG 1" in html(panel.get(reverse("assistant:inbox")))
    assert "Book 412W103 on NPG 1" in html(mine.get(reverse("assistant:inbox")))
    panel.post(to("reject", talk.proposal))
    assert "Nothing waits" in html(panel.get(reverse("assistant:inbox")))


def test_bars_are_those_of_the_cards_that_wait(talk, panel):
    where = reverse("assistant:bars")
    (bar,) = panel.get(where, {"ground": "NORTH"}).json()["bars"]
    assert {name: bar[name] for name in ("proposal", "kind", "dyno_id", "first_day", "last_day", "vehicle")} == {
        "proposal": str(talk.proposal.pk),
        "kind": "new",
        "dyno_id": talk.world.dynos["NPG 1"].pk,
        "first_day": "2026-11-23",
        "last_day": "2026-11-25",
        "vehicle": "412W103",
    }
    panel.post(to("approve", talk.proposal))
    assert panel.get(where, {"ground": "NORTH"}).json()["bars"] == []


def test_right_that_is_gone_stops_the_approval(talk, panel):
    talk.world.users["scheduler"].memberships.update(role="viewer")
    answer = panel.post(to("approve", talk.proposal))
    assert answer.status_code == 409
    assert booked() == []
    talk.proposal.refresh_from_db()
    assert talk.proposal.status == "waiting"


def test_the_card_shows_nothing_that_a_model_said(talk, panel):
    text = html(panel.get(to("proposal", talk.proposal)))
    assert talk.answer.text not in text
    assert re.findall(r"<dt>(\w+)</dt><dd>([^<]+)</dd>", text) == [
        ("Vehicle", "412W103"),
        ("Test", "Brake"),
        ("Dyno", "NPG 1"),
        ("Days", "23 – 25 Nov 2026 (3 days)"),
    ]
    assert "#show-" + str(talk.proposal.pk) in text
