"""Every address of the assistant, walked with the whole cast. An address without a decision fails."""

from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from allocations.models import Membership
from assistant.conversations import conversations
from assistant.models import Conversation, Run
from assistant.web.tests.conftest import SECRET, Talk, client_of, talk_of


@dataclass(frozen=True)
class Decision:
    """Which methods are served, to any member; `of` names the thing, which is its owner's alone."""

    get: bool = True
    post: bool = False
    of: str = ""


G, P = Decision(), Decision(get=False, post=True)
DECISIONS = {
    "index": G,
    "panel": G,
    "conversation-list": G,
    "ask": P,
    "conversation": Decision(of="conversation"),
    "rename": Decision(False, True, "conversation"),
    "delete": Decision(False, True, "conversation"),
    "restore": Decision(False, True, "conversation"),
    "run": Decision(of="run"),
    "run-events": Decision(of="run"),
    "stop": Decision(False, True, "run"),
    "again": Decision(False, True, "run"),
    "message": Decision(of="answer"),
    "rate": Decision(False, True, "answer"),
    "inbox": G,
    "bars": G,
    "approve-all": P,
    "proposal": Decision(of="proposal"),
    "approve": Decision(False, True, "proposal"),
    "reject": Decision(False, True, "proposal"),
    "edit": Decision(True, True, "proposal"),
    "undo": Decision(False, True, "proposal"),
}
OF_THINGS = sorted(name for name, rule in DECISIONS.items() if rule.of)


def address_of(name: str, talk: Talk) -> str:
    rule = DECISIONS[name]
    return reverse(f"assistant:{name}", args=[getattr(talk, rule.of).pk] if rule.of else [])


def walk(client: Client, name: str, talk: Talk):
    rule, address = DECISIONS[name], address_of(name, talk)
    return (rule.get, client.get(address)), (rule.post, client.post(address))


def served(response) -> str:
    return "" if response.streaming else response.content.decode()


def own_addresses() -> set[str]:
    resolver = next(
        included for included in get_resolver().url_patterns if getattr(included, "namespace", "") == "assistant"
    )
    return {pattern.name for pattern in resolver.url_patterns}


def test_every_address_has_a_decision():
    assert own_addresses() == DECISIONS.keys()


@pytest.mark.parametrize("name", sorted(DECISIONS))
def test_a_stranger_is_sent_to_sign_in(name, talk):
    address = address_of(name, talk)
    for response in (Client().get(address), Client().post(address)):
        assert (response.status_code, response["Location"]) == (302, f"/accounts/sign-in/?next={address}")
    moved = Client(headers={"HX-Request": "true"}).get(address)
    assert (moved.status_code, moved["HX-Redirect"]) == (204, "/accounts/sign-in/?next=%2F")


@pytest.mark.parametrize("name", sorted(DECISIONS))
def test_its_owner_gets_it_by_the_methods_that_are_served(name, talk, mine):
    if name == "restore":
        mine.post(address_of("delete", talk))
    for is_served, response in walk(mine, name, talk):
        assert response.status_code in ((200, 302, 422) if is_served else (405,)), response.request["REQUEST_METHOD"]


@pytest.mark.parametrize("other", ["admin", "viewer", "outsider"])
@pytest.mark.parametrize("name", OF_THINGS)
def test_what_is_another_users_does_not_exist(name, other, talk):
    for is_served, response in walk(client_of(talk.world, other), name, talk):
        assert response.status_code == (404 if is_served else 405)
        assert SECRET not in served(response)
    talk.proposal.refresh_from_db()
    talk.conversation.refresh_from_db()
    assert (talk.proposal.status, talk.conversation.deleted_at) == ("waiting", None)


@pytest.mark.parametrize("name", OF_THINGS)
def test_who_is_a_member_no_more_sees_nothing_of_it(name, talk, mine):
    talk.world.users["scheduler"].memberships.all().delete()
    for is_served, response in walk(mine, name, talk):
        assert response.status_code == (404 if is_served else 405)
        assert SECRET not in served(response)


@pytest.mark.parametrize("other", ["admin", "viewer", "outsider"])
@pytest.mark.parametrize("name", sorted(name for name, rule in DECISIONS.items() if rule.get and not rule.of))
def test_lists_show_nothing_of_another_user(name, other, talk):
    address = address_of(name, talk)
    for client in (client_of(talk.world, other), Client(headers={"HX-Request": "true"})):
        client.force_login(talk.world.users[other])
        answer = client.get(address, {"q": "412W103"})
        assert answer.status_code in (200, 302)
        assert SECRET not in served(answer)
        assert str(talk.proposal.pk) not in served(answer)


def test_what_could_leak_is_there_for_its_owner(talk, mine):
    pages = served(mine.get(address_of("index", talk))) + served(mine.get(address_of("inbox", talk)))
    assert pages.count(SECRET) >= 2
    assert str(talk.proposal.pk) in pages


@pytest.mark.parametrize("name", sorted(name for name, rule in DECISIONS.items() if rule.get and not rule.of))
def test_another_ground_cannot_be_asked_for(name, talk, mine):
    assert mine.get(address_of(name, talk), {"ground": "SOUTH"}).status_code == 404


def test_what_is_deleted_is_gone_and_can_be_restored_by_its_owner_only(talk, mine):
    mine.post(address_of("delete", talk))
    for name in ("conversation", "run", "message", "proposal", "approve"):
        rule = DECISIONS[name]
        ask = mine.get if rule.get else mine.post
        assert ask(address_of(name, talk)).status_code == 404
    assert client_of(talk.world, "admin").post(address_of("restore", talk)).status_code == 404
    mine.post(address_of("restore", talk))
    talk.conversation.refresh_from_db()
    assert talk.conversation.deleted_at is None


def test_approve_all_takes_no_others_proposal(talk):
    other = talk_of(talk.world, "admin", first=21)
    client_of(talk.world, "admin").post(reverse("assistant:approve-all"), {"proposal": [talk.proposal.pk]})
    talk.proposal.refresh_from_db()
    other.proposal.refresh_from_db()
    assert (talk.proposal.status, other.proposal.status) == ("waiting", "waiting")


def test_a_ground_that_one_has_left_is_gone_from_inbox_badge_and_list(talk, mine, panel):
    """While one is a member of another."""
    user = talk.world.users["scheduler"]
    Membership.objects.create(user=user, ground=talk.world.south, role="viewer")
    assert "412W103" in served(panel.get(reverse("assistant:inbox")))
    user.memberships.filter(ground=talk.world.north).delete()
    inbox = panel.get(reverse("assistant:inbox"))
    assert inbox["X-Assistant-Waiting"] == "0"
    at_once = panel.post(reverse("assistant:approve-all"), {"proposal": [talk.proposal.pk]})
    Conversation.objects.update(deleted_at=timezone.now())
    deleted = mine.get(reverse("assistant:index"), {"deleted": str(talk.conversation.pk)})
    for response in (inbox, mine.get(reverse("assistant:inbox")), at_once, deleted):
        assert response.status_code == 200
        assert "412W103" not in served(response)
        assert SECRET not in served(response)
    talk.proposal.refresh_from_db()
    assert talk.proposal.status == "waiting"


NONSENSE = {
    "text": "x" * 8_001,
    "title": "x" * 999,
    "verdict": "sideways",
    "comment": "x" * 9_999,
    "word": "x" * 9_999,
    "page": '{"path": ' + "[" * 1900,
    "q": "%_\\" + "x" * 999,
    "message_id": "7",
    "proposal": "7",
    "c": "7",
    "deleted": "7",
    "ground": "7" * 99,
    "conversation": "7",
}
FIELDS_READ = {"ask": ("text", "page", "message_id", "ground", "conversation")}


@pytest.mark.parametrize("name", sorted(set(DECISIONS) - {"run-events", "delete"}))
def test_nonsense_is_no_fault_of_the_server(name, talk, panel, monkeypatch, settings):
    monkeypatch.setattr(conversations, "send", lambda run_id: None)
    settings.ASSISTANT_RATE = []
    address, method = address_of(name, talk), panel.get if DECISIONS[name].get else panel.post
    nul = method(address, {"q": "a\x00b"})
    assert (nul.status_code, "could not be read" in served(nul)) == (400, True)
    if name in FIELDS_READ:
        for field in FIELDS_READ[name]:
            assert method(address, {"text": "hello"} | {field: NONSENSE[field]}).status_code < 500, field
            Run.objects.update(status="done")
    else:
        assert method(address, NONSENSE).status_code < 500


def test_an_answers_id_is_no_message_to_send(talk, panel):
    response = panel.post(reverse("assistant:ask"), {"text": "hello", "message_id": str(talk.answer.pk)})
    assert response.status_code == 404
    assert talk.conversation.messages.count() == 2
