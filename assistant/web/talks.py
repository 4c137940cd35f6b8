"""Conversations: the one in the panel, each as a page, the list of them, and renaming, deleting, restoring."""

import contextlib
import uuid
from typing import Any

from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from allocations.exceptions import Invalid, NotFound
from allocations.selectors import grounds
from assistant import selectors
from assistant.conversations import conversations
from assistant.enums import ProposalStatus
from assistant.models import Conversation
from assistant.web.answers import about, ground_named, in_panel, page, parts
from assistant.web.entries import Turn, turns_of
from dynosite.accounts.requests import GroundRequest

MAX_LISTED = 30
NEW = "new"


@require_safe
def index(request: GroundRequest) -> HttpResponse:
    """A new conversation, and those that there are."""
    if not grounds.grounds_of(request.user).exists():
        return render(request, "assistant/no_ground.html")
    ground = ground_named(request)
    return page(request, talk_context(request, None) | list_context(request, ground))


@require_safe
def panel(request: GroundRequest) -> HttpResponse:
    """The conversation that the panel opens with: the one that its tab had, else the latest."""
    ground = ground_named(request)
    key = request.GET.get("c", "")
    chosen = None if key == NEW else _wanted_or_latest(request, ground, key)
    if not in_panel(request):
        return redirect(address_of(chosen)) if chosen else redirect("assistant:index")
    return parts(request, ("_talk", talk_context(request, chosen)))


def _wanted_or_latest(request: GroundRequest, ground: Any, key: str) -> Conversation | None:
    try:
        chosen = selectors.conversation_by_id(uuid.UUID(key), user=request.user)
        if chosen.ground_id == ground.pk:
            return chosen
    except (ValueError, NotFound):
        pass
    return selectors.conversations_of(request.user, ground_id=ground.pk).first()


@require_safe
def conversation(request: GroundRequest, pk: uuid.UUID) -> HttpResponse:
    conversation = selectors.conversation_by_id(pk, user=request.user)
    about(request, conversation.ground_id)
    if in_panel(request):
        return parts(request, ("_talk", talk_context(request, conversation)))
    return page(request, talk_context(request, conversation) | list_context(request, conversation.ground))


@require_safe
def conversation_list(request: GroundRequest) -> HttpResponse:
    """A page of its own too: on phones the list has no room beside a conversation."""
    ground = ground_named(request)
    if not in_panel(request):
        return page(request, talk_context(request, None, listed=True) | list_context(request, ground))
    part = "_found" if "q" in request.GET else "_list"
    return parts(request, (part, list_context(request, ground)))


@require_POST
def rename(request: GroundRequest, pk: uuid.UUID) -> HttpResponse:
    conversation = selectors.conversation_by_id(pk, user=request.user)
    about(request, conversation.ground_id)
    with contextlib.suppress(Invalid):  # The field says the same before it is sent.
        conversation = conversations.rename(pk, request.POST.get("title", ""), user=request.user)
    if not in_panel(request):
        return redirect(address_of(conversation))
    return parts(request, ("_title", {"conversation": conversation}))


@require_POST
def delete(request: GroundRequest, pk: uuid.UUID) -> HttpResponse:
    conversation = selectors.conversation_by_id(pk, user=request.user)
    about(request, conversation.ground_id)
    conversations.delete(pk, user=request.user)
    if not in_panel(request):
        query = urlencode({"deleted": str(pk)})
        return redirect(f"{reverse('assistant:conversation-list')}?{query}")
    return parts(request, ("_list", list_context(request, conversation.ground) | {"deleted": conversation}))


@require_POST
def restore(request: GroundRequest, pk: uuid.UUID) -> HttpResponse:
    about(request, selectors.conversation_by_id(pk, user=request.user, deleted=True).ground_id)
    conversations.restore(pk, user=request.user)
    conversation = selectors.conversation_by_id(pk, user=request.user)
    if not in_panel(request):
        return redirect(address_of(conversation))
    return parts(request, ("_list", list_context(request, conversation.ground)))


def address_of(conversation: Conversation) -> str:
    return reverse("assistant:conversation", args=[conversation.pk])


def talk_context(request: GroundRequest, conversation: Conversation | None, **more: Any) -> dict[str, Any]:
    turns: list[Turn] = turns_of(conversation, request.user) if conversation else []
    return {
        "conversation": conversation,
        "turns": turns,
        "waiting": [proposal for turn in turns for proposal in turn.waiting],
        "under_way": any(turn.under_way for turn in turns),
        **more,
    }


def list_context(request: GroundRequest, ground: Any) -> dict[str, Any]:
    search = request.GET.get("q", "").strip()[:200]
    waits = Q(proposals__status=ProposalStatus.WAITING, proposals__expires_at__gt=timezone.now())
    rows = selectors.conversations_of(request.user, ground_id=ground.pk, search=search)
    listed = list(rows.annotate(changes_waiting=Count("proposals", filter=waits, distinct=True))[: MAX_LISTED + 1])
    return {
        "conversations": listed[:MAX_LISTED],
        "more": len(listed) > MAX_LISTED,
        "search": search,
        "current": request.GET.get("c", ""),
        "deleted": _deleted(request),
    }


def _deleted(request: GroundRequest) -> Conversation | None:
    """What was deleted a moment ago, to offer undoing it."""
    try:
        pk = uuid.UUID(request.GET.get("deleted", ""))
        return selectors.conversation_by_id(pk, user=request.user, deleted=True)
    except (ValueError, NotFound):
        return None
