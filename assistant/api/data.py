"""Rows of the assistant as plain data: what the addresses answer."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from assistant.enums import Author, ProposalStatus
from assistant.models import Conversation, Message, Proposal, Run, ToolCall
from assistant.selectors import TimelineEntry
from assistant.tools.cards import card_text

Data = dict[str, Any]


def conversation(row: Conversation) -> Data:
    return {
        "id": row.pk,
        "title": row.title,
        "ground": row.ground.code,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def message(row: Message) -> Data:
    return {
        "id": row.pk,
        "author": row.author,
        "text": row.text,
        "cut": row.cut,
        "run": row.run_id,
        "created_at": row.created_at,
    }


def tool_call(row: ToolCall) -> Data:
    return {
        "id": row.call_id,
        "name": row.name,
        "args": row.args,
        "status": row.status,
        "result": row.result,
        "seconds": row.seconds,
    }


def proposal(row: Proposal) -> Data:
    return {
        "id": row.pk,
        "tool": row.tool,
        "args": row.args,
        "status": status_of(row),
        "card": row.card,
        "card_text": card_text(row.card),
        "word": row.word,
        "conversation": row.conversation_id,
        "run": row.run_id,
        "ground": row.ground.code,
        "replaces": row.replaces_id,
        "change": row.change_id,
        "created_at": row.created_at,
        "decided_at": row.decided_at,
        "expires_at": row.expires_at,
    }


def status_of(row: Proposal) -> str:
    """Expired also where no nightly job has said so yet."""
    late = row.status == ProposalStatus.WAITING and row.expires_at <= timezone.now()
    return ProposalStatus.EXPIRED if late else row.status


def run(row: Run) -> Data:
    messages = list(row.messages.all())
    return {
        "id": row.pk,
        "conversation": row.conversation_id,
        "ground": row.ground.code,
        "status": row.status,
        "outcome": row.outcome,
        "question": row.question.text if row.question else "",
        "answer": _text(messages, Author.ASSISTANT),
        "note": _text(messages, Author.NOTE),
        "tool_calls": [tool_call(call) for call in row.tool_calls.all()],
        "proposals": [proposal(item) for item in row.proposals.select_related("ground")],
        "usage": _usage(row),
        "created_at": row.created_at,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
    }


def _text(messages: Iterable[Message], author: Author) -> str:
    return "\n\n".join(message.text for message in messages if message.author == author)


def _usage(row: Run) -> Data:
    return {
        "model": row.model,
        "calls": row.model_calls.count(),
        "tokens_in": row.tokens_in,
        "tokens_out": row.tokens_out,
        "cost": float(row.cost),
    }


def entry(row: TimelineEntry) -> Data:
    """One thing of a timeline; of a run only how it stands, for all else of it has entries of its own."""
    item = row.item
    if row.kind == "message":
        data = message(item)
    elif row.kind == "tool":
        data = tool_call(item) | {"run": item.run_id}
    elif row.kind == "proposal":
        data = proposal(item)
    else:
        data = {"id": item.pk, "status": item.status}
    return {"kind": row.kind, "at": row.at} | data
