"""Turns: asking, following, stopping, trying again."""

import uuid

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from allocations.exceptions import DomainError, NotFound
from assistant import selectors
from assistant.conversations import conversations
from assistant.models import Conversation, Run
from assistant.selectors import run_by_id
from assistant.web.answers import about, ground_named, in_panel, page, parts
from assistant.web.entries import turn_of
from assistant.web.pages import page_in_view
from assistant.web.talks import address_of, list_context, talk_context
from dynosite.accounts.requests import GroundRequest
from dynosite.lib.params import uuid_of


@require_POST
def ask(request: GroundRequest) -> HttpResponse:
    """Sends a message. What stands in the way is said beside what was typed, which is kept."""
    form = request.POST
    text = form.get("starter") or form.get("text", "")
    conversation = _conversation(request, form.get("conversation", ""))
    ground = conversation.ground if conversation else ground_named(request, form.get("ground", ""))
    about(request, ground.pk)
    try:
        run = conversations.ask(
            request.user,
            ground_id=ground.pk,
            text=text,
            conversation_id=conversation.pk if conversation else None,
            page=page_in_view(form.get("page", "")),
            message_id=uuid_of(form.get("message_id", "")),
        )
    except NotFound:
        raise
    except DomainError as refusal:
        if in_panel(request):
            return parts(request, ("_refusal", {"refusal": refusal.sentence}), status=422)
        context = talk_context(request, conversation, refusal=refusal.sentence, typed=text) | list_context(
            request, ground
        )
        return page(request, context, status=422)
    return _answer(request, run)


@require_safe
def run(request: GroundRequest, pk: uuid.UUID) -> HttpResponse:
    run = run_by_id(pk, user=request.user)
    if not in_panel(request):
        return redirect(f"{address_of(run.conversation)}#run-{pk}")
    turn = turn_of(run, request.user)
    waiting = talk_context(request, run.conversation)["waiting"] if turn.waiting else []
    return parts(request, ("_turn", {"turn": turn}), ("_pending", {"waiting": waiting}))


@require_POST
def stop(request: GroundRequest, pk: uuid.UUID) -> HttpResponse:
    about(request, run_by_id(pk, user=request.user).ground_id)
    return _answer(request, conversations.stop(pk, user=request.user))


@require_POST
def again(request: GroundRequest, pk: uuid.UUID) -> HttpResponse:
    run = run_by_id(pk, user=request.user)
    about(request, run.ground_id)
    try:
        run = conversations.again(pk, user=request.user)
    except NotFound:
        raise
    except DomainError as refusal:
        if in_panel(request):
            return parts(request, ("_refusal", {"refusal": refusal.sentence}), status=422)
        context = talk_context(request, run.conversation, refusal=refusal.sentence)
        return page(request, context | list_context(request, run.ground), status=422)
    return _answer(request, run)


def _answer(request: GroundRequest, run: Run) -> HttpResponse:
    about(request, run.ground_id)
    if not in_panel(request):
        return redirect(f"{address_of(run.conversation)}#run-{run.pk}")
    return parts(request, ("_talk", talk_context(request, run.conversation)))


def _conversation(request: GroundRequest, value: str) -> Conversation | None:
    if not value:
        return None
    return selectors.conversation_by_id(value, user=request.user)
