"""The addresses: thin, each asks the assistant's own doors and says what came of it."""

import uuid
from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from allocations.exceptions import Invalid, KeyReused, NotFound
from allocations.selectors.grounds import grounds_of
from assistant import approvals, selectors
from assistant.api import bodies, data
from assistant.approvals import Decision
from assistant.conversations import conversations
from assistant.models import Run
from assistant.selectors import proposal_by_id, proposals_of, run_by_id
from assistant.tools.registry import TOOLS
from dynosite.accounts.models import User
from dynosite.lib.api.errors import EMPTY
from dynosite.lib.api.views import Body, View, read

MAX_KEY_LENGTH = 200


def ground_id_for(user: User, *, code: str | None, conversation: uuid.UUID | None = None) -> int:
    """The ground that is named, else the conversation's, else the only one. Raises NotFound and Invalid."""
    if conversation:
        about = selectors.conversation_by_id(conversation, user=user).ground
        if code and code != about.code:
            raise Invalid({"ground": [f"This conversation is about {about.code}."]})
        return about.pk
    grounds = list(grounds_of(user).order_by("code"))
    if code:
        grounds = [ground for ground in grounds if ground.code == code]
    if not grounds:
        raise NotFound("There is no such proving ground here.")
    if len(grounds) > 1:
        codes = ", ".join(ground.code for ground in grounds)
        raise Invalid({"ground": [f"Name one of your proving grounds: {codes}."]})
    return grounds[0].pk


def _page(request: Request, rows: QuerySet, query: dict[str, Any], as_data: Callable) -> Response:
    first, limit = query["offset"], query["limit"]
    return Response({"count": rows.count(), "results": [as_data(row) for row in rows[first : first + limit]]})


def _query(body: type[Body], request: Request) -> dict[str, Any]:
    sent = body(data=request.query_params.dict())
    sent.is_valid(raise_exception=True)
    return sent.validated_data


class Messages(View):
    def post(self, request: Request) -> Response:
        """Asks; the same `Idempotency-Key` with the same message again is the same run."""
        sent = read(bodies.MessageBody, request)
        conversation = sent.get("conversation")
        ground_id = ground_id_for(request.user, code=sent.get("ground"), conversation=conversation)
        message_id = self._message_id(request)
        run = conversations.ask(
            request.user, ground_id=ground_id, text=sent["text"], conversation_id=conversation, message_id=message_id
        )
        if message_id and not _is_same(run, sent["text"], conversation):
            raise KeyReused("This Idempotency-Key came with another message before.")
        address = reverse("api:assistant-run", args=[run.pk])
        return Response(
            {"run": run.pk, "conversation": run.conversation_id}, status=202, headers={"Location": address}
        )

    def _message_id(self, request: Request) -> uuid.UUID | None:
        key = request.headers.get("Idempotency-Key", "").strip()
        if len(key) > MAX_KEY_LENGTH:
            raise Invalid({"Idempotency-Key": [f"A key has at most {MAX_KEY_LENGTH} characters."]})
        return uuid.uuid5(uuid.NAMESPACE_URL, f"api:{request.user.pk}:{key}") if key else None


def _is_same(run: Run, text: str, conversation: uuid.UUID | None) -> bool:
    question = run.question.text if run.question else ""
    return question == text.strip() and conversation in (None, run.conversation_id)


class Conversations(View):
    def get(self, request: Request) -> Response:
        query = _query(bodies.ConversationQuery, request)
        ground_id = ground_id_for(request.user, code=query["ground"])
        rows = selectors.conversations_of(request.user, ground_id=ground_id, search=query["search"])
        return _page(request, rows.select_related("ground"), query, data.conversation)


class OneConversation(View):
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        conversation = selectors.conversation_by_id(pk, user=request.user)
        entries = [data.entry(entry) for entry in selectors.timeline(conversation)]
        return Response(data.conversation(conversation) | {"entries": entries})


class OneRun(View):
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return Response(data.run(run_by_id(pk, user=request.user)))


class Stop(View):
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        read(bodies.NoBody, request)
        run = conversations.stop(run_by_id(pk, user=request.user).pk, user=request.user)
        return Response({"run": run.pk, "status": run.status}, status=202)


class Again(View):
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        read(bodies.NoBody, request)
        run = conversations.again(pk, user=request.user)
        return Response({"run": run.pk, "conversation": run.conversation_id}, status=202)


class Proposals(View):
    def get(self, request: Request) -> Response:
        query = _query(bodies.ProposalQuery, request)
        rows = proposals_of(request.user).order_by("-created_at", "-id")
        if query["status"] == "waiting":
            rows = rows.filter(pk__in=selectors.waiting_proposals(request.user))
        elif query["status"]:
            rows = rows.filter(status=query["status"])
        return _page(request, rows, query, data.proposal)


class OneProposal(View):
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return Response(data.proposal(proposal_by_id(pk, user=request.user)))


class Approve(View):
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """200 when it is carried out, now or before; 409 when the facts have changed and nothing was written."""
        read(bodies.NoBody, request)
        decision = approvals.approve(proposal_by_id(pk, user=request.user).pk, user=request.user)
        return Response(_decided(decision), status=200 if decision.carried_out else 409)


def _decided(decision: Decision) -> data.Data:
    new, refused = decision.replacement, decision.refused
    return (
        {"code": "approved" if decision.carried_out else "changed", "message": decision.sentence}
        | EMPTY
        | (refused.details() if refused else {})
        | {
            "change": decision.change_id,
            "proposal": data.proposal(decision.proposal),
            "replacement": data.proposal(new) if new else None,
        }
    )


class Reject(View):
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        sent = read(bodies.WordBody, request)
        proposal = proposal_by_id(pk, user=request.user)
        return Response(data.proposal(approvals.reject(proposal.pk, user=request.user, word=sent["word"])))


class Edit(View):
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """The proposal that takes the old one's place, with the arguments that are given changed."""
        sent = read(bodies.EditBody, request)
        proposal = proposal_by_id(pk, user=request.user)
        # A model's slip is passed over where a program's is told.
        if unknown := set(sent["args"]) - set(TOOLS[proposal.tool].args.model_fields):
            raise Invalid({name: ["There is no such field."] for name in sorted(unknown)})
        return Response(data.proposal(approvals.edit(proposal.pk, user=request.user, args=sent["args"])))


class Undo(View):
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        read(bodies.NoBody, request)
        change = approvals.undo(proposal_by_id(pk, user=request.user).pk, user=request.user)
        return Response(
            {
                "change": change.pk,
                "message": change.summary,
                "proposal": data.proposal(proposal_by_id(pk, user=request.user)),
            }
        )
