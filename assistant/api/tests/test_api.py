"""The addresses with the whole cast: what each says, to whom, and in which words it refuses."""

import datetime as dt
import json
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from allocations.enums import Role
from allocations.models import Allocation, Membership
from assistant import selectors
from assistant.api.tests.conftest import BOOK, ROOT, Program, program_of
from assistant.conftest import context
from assistant.conversations import conversations
from assistant.enums import Author, ProposalStatus, RunStatus
from assistant.exceptions import Limited
from assistant.graph.calling import call
from assistant.models import Conversation, KillSwitch, Message, Proposal, Run
from dynosite.accounts import tokens
from dynosite.accounts.models import ApiToken, User

SHAPE = {"code", "message", "refusals", "places", "errors"}


def booked(world) -> int:
    return Allocation.objects.filter(ground=world.north).count()


# Who may.


def test_the_owner_sees_the_run_and_what_it_did(world, owner, proposal, ctx):
    run = Run.objects.get(pk=ctx.run_id)
    question = Message.objects.create(conversation=run.conversation, author=Author.USER, text="book it", run=run)
    Message.objects.create(conversation=run.conversation, author=Author.ASSISTANT, text="Shall I?", run=run)
    Message.objects.create(conversation=run.conversation, author=Author.NOTE, text="Stopped here.", run=run)
    Run.objects.filter(pk=run.pk).update(
        question=question, status=RunStatus.DONE, outcome="proposal", tokens_in=12, tokens_out=3, cost="0.25"
    )
    answer = owner.get(f"/runs/{run.pk}")
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.body
    assert (body["id"], body["conversation"], body["ground"]) == (str(run.pk), str(run.conversation_id), "NORTH")
    assert (body["status"], body["outcome"], body["question"]) == ("done", "proposal", "book it")
    assert (body["answer"], body["note"]) == ("Shall I?", "Stopped here.")
    assert body["usage"] == {"model": "", "calls": 0, "tokens_in": 12, "tokens_out": 3, "cost": 0.25}
    (tool_call,) = body["tool_calls"]
    assert (tool_call["name"], tool_call["args"], tool_call["status"]) == ("book_allocation", BOOK, "waiting")
    assert tool_call["result"]["proposal"] == str(proposal.pk)
    (waits,) = body["proposals"]
    assert (waits["id"], waits["tool"], waits["status"]) == (str(proposal.pk), "book_allocation", "waiting")
    assert waits["args"]["start_date"] == "2026-12-21"
    assert waits["card"]["title"] == "Book 412W103 on NPG 1"
    assert "Days: 21 – 22 Dec 2026 (2 days)" in waits["card_text"]


def addresses(proposal: Proposal) -> list[tuple[str, str]]:
    """Every address about one thing, with its method."""
    run = f"/runs/{proposal.run_id}"
    one = f"/proposals/{proposal.pk}"
    return [
        ("get", f"/conversations/{proposal.conversation_id}"),
        ("get", run),
        ("get", f"{run}/events"),
        ("post", f"{run}/stop"),
        ("post", f"{run}/again"),
        ("get", one),
        ("post", f"{one}/approve"),
        ("post", f"{one}/reject"),
        ("post", f"{one}/edit"),
        ("post", f"{one}/undo"),
    ]


def body_for(path: str) -> dict:
    return {"args": {"end_date": "2026-12-23"}} if path.endswith("/edit") else {}


def ask(program: Program, method: str, path: str):
    return program.get(path) if method == "get" else program.post(path, body_for(path))


@pytest.mark.parametrize("name", ["admin", "viewer", "outsider"])
def test_nobody_else_s_things_exist(world, proposal, name):
    program = program_of(world, name)
    for method, path in addresses(proposal):
        answer = ask(program, method, path)
        assert (answer.status, answer.body["code"], set(answer.body)) == (404, "not-found", SHAPE), path
    assert program.get("/proposals").body == {"count": 0, "results": []}
    assert program.get("/conversations").body == {"count": 0, "results": []}
    proposal.refresh_from_db()
    assert (proposal.status, booked(world)) == (ProposalStatus.WAITING, 0)


@pytest.mark.parametrize("who", ["stranger", "unknown", "revoked", "expired", "inactive", "malformed"])
def test_who_has_no_token_gets_nothing(world, owner, proposal, who):
    token = ApiToken.objects.get()
    if who == "revoked":
        tokens.revoke(token.pk, user=token.user)
    elif who == "expired":
        ApiToken.objects.update(expires_at=timezone.now())
    elif who == "inactive":
        User.objects.filter(pk=token.user_id).update(is_active=False)
    text = {"stranger": "", "unknown": "dyno_guess", "malformed": "a b c"}.get(who, owner.text)
    program = Program(text)
    for method, path in [
        *addresses(proposal),
        ("post", "/messages"),
        ("get", "/proposals"),
        ("get", "/conversations"),
    ]:
        answer = ask(program, method, path)
        assert (answer.status, answer.body["code"]) == (401, "not-signed-in"), path
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Dynosite"', path
        assert set(answer.body) == SHAPE
    assert booked(world) == 0


def test_a_token_that_only_reads_writes_nothing(world, owner, proposal):
    reader = Program(tokens.issue(world.users["scheduler"], "a report", days=30)[1])
    for method, path in [*addresses(proposal), ("post", "/messages")]:
        answer = ask(reader, method, path)
        if method == "get":
            assert answer.status == 200, path
        else:
            assert (answer.status, answer.body["code"], set(answer.body)) == (403, "not-allowed", SHAPE), path
            assert answer.body["message"].startswith("This token only reads."), path
    proposal.refresh_from_db()
    assert (proposal.status, Run.objects.count(), booked(world)) == (ProposalStatus.WAITING, 1, 0)


def test_a_fault_of_the_server_is_told_as_data_with_the_id_of_the_request(owner, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(selectors, "conversations_of", fail)
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {owner.text}"})
    answer = client.get(f"{ROOT}/conversations", headers={"X-Request-ID": "abcdef-0123"})
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/json")
    assert answer.json() == {
        "code": "failed",
        "message": "Something went wrong here. The fault has been recorded.",
        "refusals": [],
        "places": [],
        "errors": {},
        "request_id": "abcdef-0123",
    }


def test_what_django_itself_refuses_is_told_as_data(owner, proposal):
    client = Client(enforce_csrf_checks=True)
    refused = client.post(f"{ROOT}/runs/{proposal.run_id}/events")
    assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")
    foreign = Client().get(f"{ROOT}/conversations", headers={"Host": "evil.example"})
    assert (foreign.status_code, foreign.json()["code"]) == (400, "malformed")


def test_who_is_a_member_no_more_sees_nothing_of_the_ground(world, owner, proposal):
    Membership.objects.filter(user=world.users["scheduler"]).delete()
    for method, path in addresses(proposal):
        assert ask(owner, method, path).status == 404, path
    assert owner.get("/proposals").body["count"] == 0
    assert owner.post("/messages", {"text": "list the dynos"}).status == 404


def test_rights_that_were_taken_away_are_missed_at_the_approval(world, owner, proposal):
    Membership.objects.filter(user=world.users["scheduler"]).update(role=Role.VIEWER)
    answer = owner.post(f"/proposals/{proposal.pk}/approve")
    assert (answer.status, answer.body["code"]) == (403, "not-allowed")
    assert "takes the role scheduler" in answer.body["message"]
    assert booked(world) == 0


def test_session_serves_as_well_and_needs_the_csrf_token(world, proposal):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.users["scheduler"])
    path = f"{ROOT}/proposals/{proposal.pk}"
    assert client.get(path).json()["id"] == str(proposal.pk)
    answer = client.post(f"{path}/approve", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    assert booked(world) == 0
    client.get("/accounts/tokens/")
    csrf = client.cookies["csrftoken"].value
    answer = client.post(f"{path}/approve", content_type="application/json", headers={"X-CSRFToken": csrf})
    assert (answer.status_code, booked(world)) == (200, 1)


def test_a_token_that_is_no_good_is_refused_whatever_the_session_says(world, proposal):
    client = Client(headers={"Authorization": "Bearer dyno_guess"})
    client.force_login(world.users["scheduler"])
    assert client.get(f"{ROOT}/proposals").status_code == 401


# Asking.


@pytest.fixture
def sent(monkeypatch, django_capture_on_commit_callbacks):
    """Ids of the runs that would go to a worker."""
    run_ids: list[str] = []
    monkeypatch.setattr(conversations, "send", lambda run_id: run_ids.append(str(run_id)))
    return run_ids


def test_a_message_is_a_run_that_is_queued(world, owner, sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        answer = owner.post("/messages", {"text": " list the dynos "})
    run = Run.objects.get()
    assert (answer.status, answer.body) == (202, {"run": str(run.pk), "conversation": str(run.conversation_id)})
    assert answer.headers["Location"] == f"{ROOT}/runs/{run.pk}"
    assert sent == [str(run.pk)]
    assert (run.user, run.ground, run.question.text) == (world.users["scheduler"], world.north, "list the dynos")
    assert owner.get(f"/runs/{run.pk}").body["status"] == "queued"
    busy = owner.post("/messages", {"text": "and more", "conversation": str(run.conversation_id)})
    assert (busy.status, busy.body["code"]) == (409, "waiting")


def test_the_same_key_again_is_the_same_run(owner, sent):
    first = owner.post("/messages", {"text": "list the dynos"}, **{"Idempotency-Key": "k-1"})
    again = owner.post("/messages", {"text": "list the dynos"}, **{"Idempotency-Key": "k-1"})
    assert (again.status, again.body) == (202, first.body)
    other = owner.post("/messages", {"text": "something else"}, **{"Idempotency-Key": "k-1"})
    assert (other.status, other.body["code"]) == (409, "idempotency-key-reused")
    assert Run.objects.count() == 1
    long = owner.post("/messages", {"text": "x"}, **{"Idempotency-Key": "k" * 201})
    assert (long.status, list(long.body["errors"])) == (422, ["Idempotency-Key"])


def test_another_user_s_key_is_another_run(world, owner, sent):
    owner.post("/messages", {"text": "list the dynos"}, **{"Idempotency-Key": "k-1"})
    program_of(world, "viewer").post("/messages", {"text": "list the dynos"}, **{"Idempotency-Key": "k-1"})
    assert Run.objects.count() == 2


def test_the_ground_is_named_where_there_are_several(world, owner, sent):
    Membership.objects.create(user=world.users["scheduler"], ground=world.south, role=Role.VIEWER)
    answer = owner.post("/messages", {"text": "list the dynos"})
    assert answer.status == 422
    assert answer.body["errors"] == {"ground": ["Name one of your proving grounds: NORTH, SOUTH."]}
    answer = owner.post("/messages", {"text": "list the dynos", "ground": "SOUTH"})
    assert Run.objects.get(pk=answer.body["run"]).ground == world.south
    follow = {"text": "more", "conversation": answer.body["conversation"]}
    Run.objects.update(status=RunStatus.DONE)
    assert owner.post("/messages", follow).status == 202
    Run.objects.update(status=RunStatus.DONE)
    assert owner.post("/messages", follow | {"ground": "NORTH"}).body["errors"] == {
        "ground": ["This conversation is about SOUTH."]
    }


def test_another_ground_does_not_exist(owner):
    answer = owner.post("/messages", {"text": "list the dynos", "ground": "SOUTH"})
    assert (answer.status, answer.body["message"]) == (404, "There is no such proving ground here.")


def test_nobody_else_s_conversation_can_be_gone_on_with(world, proposal):
    answer = program_of(world, "admin").post(
        "/messages", {"text": "hello", "conversation": str(proposal.conversation_id)}
    )
    assert (answer.status, answer.body["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"text": ["This field is required."]}),
        ({"text": "  "}, {"text": ["This field may not be blank."]}),
        ({"text": "x" * 8_001}, {"text": ["Ensure this field has no more than 8000 characters."]}),
        ({"text": "x", "conversation": "7"}, {"conversation": ["Must be a valid UUID."]}),
        ({"text": "x", "txet": "y", "a": 1}, {"a": ["There is no such field."], "txet": ["There is no such field."]}),
        (["x"], {"": ["Invalid data. Expected a dictionary, but got list."]}),
        ({"text": "a\x00b"}, {"text": ["Null characters are not allowed."]}),
        ({"text": ["x"]}, {"text": ["Not a valid string."]}),
    ],
)
def test_what_is_sent_is_checked(owner, body, errors):
    answer = owner.post("/messages", body)
    assert (answer.status, answer.body["code"], answer.body["errors"]) == (422, "invalid", errors)
    assert set(answer.body) == SHAPE
    assert Run.objects.count() == 0


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b'{"text": ', "application/json", 400, "malformed"),
        (b'{"text": NaN}', "application/json", 400, "malformed"),
        (b"\xff", "application/json", 400, "malformed"),
        (b"[" * 100_000, "application/json", 400, "malformed"),
        (b'{"text": "' + b"x" * 300_000 + b'"}', "application/json", 413, "too-large"),
        (b"text=x", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        (b"<x/>", "text/xml", 415, "unsupported-media-type"),
    ],
)
def test_what_is_no_small_json_is_refused(owner, content, content_type, status, code):
    answer = owner.post("/messages", content, content_type=content_type)
    assert (answer.status, answer.body["code"]) == (status, code)
    assert set(answer.body) == SHAPE


def test_who_asks_too_often_is_told_when_to_come_again(owner, monkeypatch):
    def limited(*args, **kwargs):
        raise Limited("That is enough for now.", 42)

    monkeypatch.setattr(conversations, "ask", limited)
    answer = owner.post("/messages", {"text": "x"})
    assert (answer.status, answer.body["code"], answer.headers["Retry-After"]) == (429, "limited", "42")


def test_where_the_assistant_is_off_it_says_so(owner):
    KillSwitch.objects.create(off=True, reason="We move house.")
    answer = owner.post("/messages", {"text": "x"})
    assert (answer.status, answer.body["code"]) == (503, "assistant-off")
    assert answer.body["message"] == "The assistant is switched off at the moment. We move house."


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/runs", "/runs/7", "/messages/"])
def test_an_address_that_there_is_not_is_said_so_as_data(owner, path):
    answer = owner.get(path)
    assert (answer.status, answer.body["code"], set(answer.body)) == (404, "not-found", SHAPE)


def test_other_methods_are_refused(owner, proposal):
    for answer in (owner.get("/messages"), owner.post(f"/runs/{proposal.run_id}/events")):
        assert (answer.status, answer.body["code"]) == (405, "method-not-allowed")


# Deciding.


def test_approved_twice_is_carried_out_once(world, owner, proposal):
    first = owner.post(f"/proposals/{proposal.pk}/approve")
    again = owner.post(f"/proposals/{proposal.pk}/approve")
    assert (first.status, again.status, booked(world)) == (200, 200, 1)
    assert (first.body["code"], first.body["proposal"]["status"]) == ("approved", "approved")
    assert first.body["message"].startswith("Done: ")
    assert again.body["message"] == "This is carried out already."
    assert first.body["change"] == again.body["change"] == again.body["proposal"]["change"]
    row = Allocation.objects.get(ground=world.north)
    assert (row.vehicle.tag, row.dyno.name, row.source) == ("412W103", "NPG 1", "assistant")
    undone = owner.post(f"/proposals/{proposal.pk}/undo")
    assert (undone.status, undone.body["proposal"]["status"]) == (200, "undone")
    row.refresh_from_db()
    assert row.status == "cancelled"
    last = owner.post(f"/proposals/{proposal.pk}/approve")
    assert (last.status, last.body["code"]) == (409, "decided")


def test_changed_facts_write_nothing_and_are_told_with_the_new_card(world, owner, ctx):
    args = {"vehicle": "412W103", "test_type": "brake", "start_date": "2026-12-21", "days_to_complete": 2}
    proposed = call("auto_allocate_vehicle", args | {"backup": True}, ctx=ctx, call_id="one")
    world.book("412W101", "NPG 1", 35, 35)
    answer = owner.post(f"/proposals/{proposed['proposal']}/approve")
    assert (answer.status, answer.body["code"], answer.body["change"]) == (409, "changed", None)
    assert "has changed" in answer.body["message"]
    new = answer.body["replacement"]
    assert (new["status"], new["replaces"], new["card"]["bars"][0]["first_day"]) == (
        "waiting",
        proposed["proposal"],
        "2026-12-22",
    )
    assert answer.body["proposal"]["status"] == "changed"
    assert booked(world) == 1
    assert owner.post(f"/proposals/{new['id']}/approve").status == 200


def test_changed_facts_without_another_card_name_reasons_and_places(world, owner, proposal):
    world.book("412W101", "NPG 1", 35, 35)
    answer = owner.post(f"/proposals/{proposal.pk}/approve")
    assert (answer.status, answer.body["replacement"]) == (409, None)
    assert answer.body["refusals"][0]["message"].startswith("NPG 1 is taken by 412W101")
    assert answer.body["refusals"][0]["code"]
    assert answer.body["places"][0] == {
        "dyno_id": world.dynos["NPG 1"].pk,
        "dyno": "NPG 1",
        "facility": "NPG",
        "first_day": "2026-12-22",
        "last_day": "2026-12-23",
        "alike": [],
    }


def test_rejected_with_a_word(owner, proposal):
    answer = owner.post(f"/proposals/{proposal.pk}/reject", {"word": "too late"})
    assert (answer.status, answer.body["status"], answer.body["word"]) == (200, "rejected", "too late")
    assert owner.post(f"/proposals/{proposal.pk}/reject").status == 200
    late = owner.post(f"/proposals/{proposal.pk}/approve")
    assert (late.status, late.body["code"]) == (409, "decided")


def test_an_edit_is_checked_and_takes_the_old_one_s_place(owner, proposal):
    path = f"/proposals/{proposal.pk}/edit"
    refused = owner.post(path, {"args": {"dyno": "NPG 3"}})
    assert (refused.status, refused.body["code"]) == (422, "refused")
    assert "does not run" in refused.body["refusals"][0]["message"]
    invalid = owner.post(path, {"args": {"start_date": "soon"}})
    assert (invalid.status, list(invalid.body["errors"])) == (422, ["start_date"])
    assert list(owner.post(path, {}).body["errors"]) == ["args"]
    assert list(owner.post(path, {"args": {"colour": "red"}}).body["errors"]) == ["colour"]
    new = owner.post(path, {"args": {"end_date": "2026-12-23"}}).body
    assert (new["replaces"], new["card"]["bars"][0]["last_day"]) == (str(proposal.pk), "2026-12-23")
    assert [row["id"] for row in owner.get("/proposals", status="waiting").body["results"]] == [new["id"]]
    assert owner.get(f"/proposals/{proposal.pk}").body["status"] == "replaced"


def test_undo_of_what_was_not_carried_out(owner, proposal):
    answer = owner.post(f"/proposals/{proposal.pk}/undo")
    assert (answer.status, answer.body["code"]) == (409, "decided")


def test_stop_ends_a_run_that_waits(owner, ctx):
    answer = owner.post(f"/runs/{ctx.run_id}/stop")
    assert (answer.status, answer.body) == (202, {"run": str(ctx.run_id), "status": "stopped"})
    assert owner.get(f"/runs/{ctx.run_id}").body["note"] == "Stopped before it began."


def test_bodies_of_decisions_are_strict(owner, proposal):
    for name in ("approve", "undo"):
        answer = owner.post(f"/proposals/{proposal.pk}/{name}", {"force": True})
        assert (answer.status, answer.body["errors"]) == (422, {"force": ["There is no such field."]})


# Lists.


def test_proposals_by_status_and_in_parts(world, owner, proposal, ctx):
    other = call("book_allocation", BOOK | {"vehicle": "412W101", "dyno": "NPG 21"}, ctx=ctx, call_id="two")
    owner.post(f"/proposals/{proposal.pk}/reject")
    assert [row["id"] for row in owner.get("/proposals").body["results"]] == [other["proposal"], str(proposal.pk)]
    assert [row["id"] for row in owner.get("/proposals", status="rejected").body["results"]] == [str(proposal.pk)]
    second = owner.get("/proposals", limit=1, offset=1).body
    assert (second["count"], [row["id"] for row in second["results"]]) == (2, [str(proposal.pk)])
    Proposal.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert owner.get("/proposals", status="waiting").body["count"] == 0
    assert owner.get(f"/proposals/{other['proposal']}").body["status"] == "expired"
    for wrong in ({"status": "lost"}, {"limit": 0}, {"limit": 201}, {"page": 2}):
        assert list(owner.get("/proposals", **wrong).body["errors"]) == list(wrong)


def test_conversations_are_listed_searched_and_read(world, owner, proposal, ctx):
    conversation = Conversation.objects.get(pk=ctx.conversation_id)
    Conversation.objects.filter(pk=conversation.pk).update(title="December")
    Message.objects.create(conversation=conversation, author=Author.USER, text="book the van")
    context(world, "admin")
    listed = owner.get("/conversations").body
    assert [(row["id"], row["title"], row["ground"]) for row in listed["results"]] == [
        (str(conversation.pk), "December", "NORTH")
    ]
    assert owner.get("/conversations", search="VAN").body["count"] == 1
    assert owner.get("/conversations", search="lorry").body["count"] == 0
    entries = owner.get(f"/conversations/{conversation.pk}").body["entries"]
    assert sorted(entry["kind"] for entry in entries) == ["message", "proposal", "run", "tool"]
    shown_proposal = next(entry for entry in entries if entry["kind"] == "proposal")
    assert (shown_proposal["id"], shown_proposal["card"]["title"]) == (str(proposal.pk), "Book 412W103 on NPG 1")
    assert owner.get(f"/conversations/{uuid.uuid4()}").status == 404


def queries_of(owner: Program, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert owner.get(path).status == 200
    return len(queries)


@pytest.mark.parametrize("path", ["/proposals", "/conversations", "/run", "/conversation"])
def test_more_rows_are_no_more_queries(world, owner, proposal, ctx, path):
    path = {"/run": f"/runs/{ctx.run_id}", "/conversation": f"/conversations/{ctx.conversation_id}"}.get(path, path)
    owner.get(path)
    few = queries_of(owner, path)
    for number in range(3):
        context(world)
        args = BOOK | {"vehicle": "412W101", "dyno": "NPG 21", "end_date": f"2026-12-2{number + 3}"}
        call("book_allocation", args, ctx=ctx, call_id=f"more-{number}")
        Message.objects.create(conversation_id=ctx.conversation_id, run_id=ctx.run_id, author="user", text="x")
    assert queries_of(owner, path) == few


@pytest.mark.parametrize(
    ("args", "status"),
    [
        ({"vehicle": "a\x00b"}, 404),
        ({"dyno": "\ud800"}, 422),
        ({"vehicle": [["x"]]}, 422),
        ({"vehicle": 10**40}, 404),
        ({"vehicle": "9" * 61}, 422),
        ({"start_date": "9999-12-30", "end_date": "9999-12-31"}, 422),
        ({"start_date": True}, 422),
    ],
)
def test_an_edit_that_makes_no_sense_is_told_so(owner, proposal, args, status):
    answer = owner.post(f"/proposals/{proposal.pk}/edit", json.dumps({"args": args}))
    assert (answer.status, set(answer.body) >= SHAPE) == (status, True)
    assert answer.body["message"]
    assert list(Proposal.objects.values_list("status", flat=True)) == ["waiting"]
