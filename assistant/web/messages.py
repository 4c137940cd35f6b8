"""One message, and what the user thinks of it."""

import uuid

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from assistant.conversations import conversations
from assistant.enums import Verdict
from assistant.models import Message
from assistant.selectors import message_by_id
from assistant.web.answers import about, in_panel, parts
from assistant.web.entries import words_of
from assistant.web.talks import address_of
from dynosite.accounts.requests import GroundRequest


@require_safe
def message(request: GroundRequest, pk: uuid.UUID) -> HttpResponse:
    message = _message(request, pk)
    if not in_panel(request):
        return redirect(f"{address_of(message.conversation)}#message-{pk}")
    return parts(request, ("_words", {"words": words_of(message, request.user)}))


@require_POST
def rate(request: GroundRequest, pk: uuid.UUID) -> HttpResponse:
    """A verdict, or none to take it back; then the word of why, if there is one."""
    message = _message(request, pk)
    verdict, comment = request.POST.get("verdict", ""), request.POST.get("comment")
    if verdict not in ("", *Verdict.values):
        verdict = ""
    conversations.rate(pk, verdict, (comment or "").strip()[:500], user=request.user)
    if not in_panel(request):
        return redirect(f"{address_of(message.conversation)}#message-{pk}")
    context = {"words": words_of(message, request.user), "ask_why": comment is None, "thanked": comment is not None}
    return parts(request, ("_rating", context))


def _message(request: GroundRequest, pk: uuid.UUID) -> Message:
    message = message_by_id(pk, user=request.user)
    about(request, message.conversation.ground_id)
    return message
