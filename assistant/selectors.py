"""Reads of conversations: a user's own, of grounds that they may still see, and not deleted."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from allocations.exceptions import NotFound
from allocations.selectors.grounds import ground_for, grounds_of
from assistant.enums import ProposalStatus, RunStatus
from assistant.models import Conversation, Feedback, Message, Proposal, Run, ToolCall
from dynosite.accounts.models import User
from dynosite.lib.params import uuid_of

NO_CONVERSATION = "There is no such conversation here."
NO_MESSAGE = "There is no such message here."
NO_PROPOSAL = "There is no such proposal here."
NO_RUN = "There is no such run here."

Id = uuid.UUID | str


@dataclass(frozen=True)
class TimelineEntry:
    """One thing of a conversation. `kind` is message, tool, proposal or run; of runs those that have not gone well
    or are under way."""

    kind: str
    at: dt.datetime
    item: Any


def conversation_by_id(pk: Id, *, user: User, deleted: bool = False) -> Conversation:
    """Raises NotFound, also if the user is no longer a member of the conversation's ground."""
    candidates = Conversation.objects.select_related("ground").filter(pk=id_of(pk, NO_CONVERSATION), user=user)
    conversation = candidates.filter(deleted_at__isnull=not deleted).first()
    if conversation is None:
        raise NotFound(NO_CONVERSATION)
    ground_for(user, conversation.ground_id)
    return conversation


def conversations_of(user: User, *, ground_id: int, search: str = "") -> QuerySet[Conversation]:
    """Newest first; with a search, those with the words in the title or in a message."""
    ground = ground_for(user, ground_id)
    conversations = Conversation.objects.filter(user=user, ground=ground, deleted_at=None).order_by("-updated_at")
    if search := search.strip():
        messages = Message.objects.filter(conversation=OuterRef("pk"), text__icontains=search)
        conversations = conversations.filter(Q(title__icontains=search) | Exists(messages))
    return conversations


def timeline(conversation: Conversation) -> list[TimelineEntry]:
    """All that a panel shows of it, in order."""
    entries = [
        TimelineEntry("message", message.created_at, message)
        for message in conversation.messages.select_related("run")
    ]
    entries += [TimelineEntry("tool", call.at, call) for call in tool_calls_of(conversation)]
    proposals = Proposal.objects.filter(conversation=conversation).select_related("replaces", "ground")
    entries += [TimelineEntry("proposal", proposal.created_at, proposal) for proposal in proposals]
    runs = conversation.runs.exclude(status=RunStatus.DONE)
    entries += [TimelineEntry("run", run.ended_at or timezone.now(), run) for run in runs]
    return sorted(entries, key=lambda entry: entry.at)


def tool_calls_of(conversation: Conversation) -> QuerySet[ToolCall]:
    return ToolCall.objects.filter(run__conversation=conversation)


def message_by_id(pk: uuid.UUID, *, user: User) -> Message:
    """The message with its conversation and run. Raises NotFound."""
    message = (
        Message.objects.select_related("conversation", "run")
        .filter(pk=pk, conversation__user=user, conversation__deleted_at=None)
        .first()
    )
    if message is None:
        raise NotFound(NO_MESSAGE)
    ground_for(user, message.conversation.ground_id)
    return message


def feedback_on(messages: Iterable[Message], *, user: User) -> dict[uuid.UUID, Feedback]:
    """The user's verdicts, by message."""
    return {row.message_id: row for row in Feedback.objects.filter(message__in=list(messages), user=user)}


def run_by_id(run_id: Id, *, user: User | AnonymousUser) -> Run:
    """The run with its conversation and question. Raises NotFound, also for a user who is not signed in."""
    if isinstance(user, AnonymousUser):
        raise NotFound(NO_RUN)
    runs = Run.objects.select_related("conversation", "question").filter(
        pk=id_of(run_id, NO_RUN), user=user, ground__in=grounds_of(user), conversation__deleted_at=None
    )
    if (run := runs.first()) is None:
        raise NotFound(NO_RUN)
    return run


def proposals_of(user: User) -> QuerySet[Proposal]:
    """The user's proposals, decided or not, each with its ground."""
    return Proposal.objects.select_related("ground").filter(
        user=user, ground__in=grounds_of(user), conversation__deleted_at=None
    )


def proposal_by_id(pk: uuid.UUID, *, user: User) -> Proposal:
    """The proposal with its ground and conversation. Raises NotFound."""
    proposal = proposals_of(user).select_related("conversation").filter(pk=pk).first()
    if proposal is None:
        raise NotFound(NO_PROPOSAL)
    return proposal


def waiting_proposals(user: User) -> QuerySet[Proposal]:
    """The user's inbox: what waits for their decision, newest first."""
    waiting = proposals_of(user).filter(status=ProposalStatus.WAITING, expires_at__gt=timezone.now())
    return waiting.order_by("-created_at")


def id_of(value: Id, missing: str) -> uuid.UUID:
    """Raises NotFound with the sentence `missing` if the text is no id."""
    pk = value if isinstance(value, uuid.UUID) else uuid_of(str(value))
    if pk is None:
        raise NotFound(missing)
    return pk
