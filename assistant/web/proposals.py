"""Cards that wait for approval: approve, edit, reject, undo, several at once, the inbox, bars for the calendar."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allocations.exceptions import DomainError, Invalid, NotFound, Refused
from assistant import approvals
from assistant.conversations import conversations
from assistant.models import Proposal
from assistant.web.answers import about, ground_named, in_panel, page, parts
from assistant.web.entries import card_of
from assistant.web.forms import changed_args, edit_form, is_editable
from assistant.web.talks import address_of, list_context, talk_context


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    found = list(approvals.waiting(request.user).select_related("ground", "conversation"))
    context = {"cards": [card_of(each, request.user) for each in found], "waiting": found, "inbox": True}
    if in_panel(request):
        return parts(request, ("_inbox", context))
    ground = ground_named(request)
    return page(request, context | list_context(request, ground))


@require_safe
def bars(request: HttpRequest) -> JsonResponse:
    """What waits, as bars of a proving ground's calendar."""
    ground = ground_named(request)
    found = approvals.waiting(request.user).filter(ground_id=ground.pk)
    return JsonResponse(
        {
            "bars": [
                {"proposal": str(each.pk), "conversation": str(each.conversation_id), "title": str(each), **bar}
                for each in found
                for bar in each.card.get("bars", [])
            ]
        },
        headers={"Cache-Control": "no-store"},
    )


@require_safe
def proposal(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    found = _proposal(request, pk)
    return _card(request, found) if in_panel(request) else redirect(_place(found))


@require_POST
def approve(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    found = _proposal(request, pk)
    sentence, done = _approved(request, found)
    if not in_panel(request):
        messages.add_message(request, messages.SUCCESS if done else messages.WARNING, sentence)
        return redirect(_place(found))
    found.refresh_from_db()
    return _card(request, found, note="" if done else sentence, status=200 if done else 409)


def _approved(request: HttpRequest, found: Proposal) -> tuple[str, bool]:
    """The sentence, and whether it is carried out."""
    try:
        decision = approvals.approve(found.pk, user=request.user)
    except DomainError as refusal:
        return refusal.sentence, False
    return decision.sentence, decision.carried_out


@require_POST
def approve_all(request: HttpRequest) -> HttpResponse:
    """Each by itself, oldest first: one that cannot be done any more does not hold up the others."""
    chosen = {str(pk) for pk in request.POST.getlist("proposal")}
    found = [each for each in approvals.waiting(request.user).order_by("created_at", "id") if str(each.pk) in chosen]
    outcomes = {each.pk: _approved(request, each) for each in found}
    done = sum(good for _, good in outcomes.values())
    sentence = f"{done} of {len(found)} changes carried out." if found else "Nothing of this waits any more."
    if not in_panel(request):
        messages.add_message(
            request, messages.SUCCESS if found and done == len(found) else messages.WARNING, sentence
        )
        return redirect(_place(found[0]) if found else "assistant:inbox")
    shown: list[tuple[str, dict[str, Any]]] = []
    for each in found:
        each.refresh_from_db()
        sentence_of, good = outcomes[each.pk]
        shown += _cards(request, each, note="" if good else sentence_of)
    return parts(request, *shown, ("_said", {"sentence": sentence}), ("_pending", {"waiting": []}))


@require_POST
def reject(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    found = _proposal(request, pk)
    try:
        approvals.reject(pk, user=request.user, word=request.POST.get("word", "")[:300])
    except DomainError as refusal:
        return _not_done(request, found, refusal)
    found.refresh_from_db()
    return _card(request, found) if in_panel(request) else redirect(_place(found))


@require_POST
def undo(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    found = _proposal(request, pk)
    try:
        approvals.undo(pk, user=request.user)
    except DomainError as refusal:
        return _not_done(request, found, refusal)
    found.refresh_from_db()
    if in_panel(request):
        return _card(request, found)
    messages.success(request, f"Undone: {found}.")
    return redirect(_place(found))


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """By GET the form. What is changed is checked again, and makes a new card in place of this one."""
    found = _proposal(request, pk)
    card = card_of(found, request.user)
    if not card.waiting or not is_editable(found):
        return _card(request, found, status=409) if in_panel(request) else redirect(_place(found))
    if request.method != "POST":
        return _edited(request, card, edit_form(found, request.user))
    form = edit_form(found, request.user, request.POST)
    refused: list[str] = []
    if form.is_valid():
        try:
            approvals.edit(pk, user=request.user, args=changed_args(form))
        except DomainError as refusal:
            refused = _told(form, refusal)
        else:
            found.refresh_from_db()
            return _card(request, found) if in_panel(request) else redirect(_place(found))
    return _edited(request, card, form, refused=refused, status=422)


def _told(form: Any, refusal: DomainError) -> list[str]:
    """Errors go beside their fields; the sentences that are left are given back."""
    if isinstance(refusal, Invalid):
        left = []
        for name, sentences in refusal.errors.items():
            if name in form.fields:
                form.add_error(name, [sentence.partition(": ")[2] or sentence for sentence in sentences])
            else:
                left += sentences
        return left
    if isinstance(refusal, Refused):
        told = [each.sentence for each in refusal.refusals]
        places = [f"{place.where}, {place.days}" for place in refusal.places[:3]]
        return [*told, *([f"These would do: {'; '.join(places)}."] if places else [])]
    return [refusal.sentence]


def _edited(
    request: HttpRequest, card: Any, form: Any, *, refused: list[str] | None = None, status: int = 200
) -> HttpResponse:
    context = {"card": card, "form": form, "refused": refused}
    if in_panel(request):
        return parts(request, ("_card_edit", context), status=status)
    context |= {"card_edited": card} | list_context(request, card.proposal.ground)
    return page(request, context, status=status)


def _not_done(request: HttpRequest, found: Proposal, refusal: DomainError) -> HttpResponse:
    if in_panel(request):
        found.refresh_from_db()
        return _card(request, found, note=refusal.sentence, status=409)
    messages.warning(request, refusal.sentence)
    return redirect(_place(found))


def _card(request: HttpRequest, found: Proposal, *, note: str = "", status: int = 200) -> HttpResponse:
    waiting = talk_context(request, found.conversation)["waiting"]
    return parts(request, *_cards(request, found, note=note), ("_pending", {"waiting": waiting}), status=status)


def _cards(request: HttpRequest, found: Proposal, *, note: str = "") -> list[tuple[str, dict[str, Any]]]:
    """The card, and after it the newer one that takes its place."""
    card = card_of(found, request.user)
    shown: list[tuple[str, dict[str, Any]]] = [("_card", {"card": card, "note": note})]
    if card.replaced_by:
        newer = card_of(card.replaced_by, request.user)
        shown.append(("_card", {"card": newer, "after": card.key}))
    return shown


def _proposal(request: HttpRequest, pk: uuid.UUID) -> Proposal:
    """The user's own, in a conversation of a ground that the user may still see."""
    found = Proposal.objects.select_related("conversation", "ground").filter(pk=pk, user=request.user).first()
    if found is None:
        raise NotFound(approvals.NOT_FOUND)
    conversations.conversation_by_id(found.conversation_id, user=request.user)
    about(request, found.ground_id)
    return found


def _place(found: Proposal) -> str:
    return f"{address_of(found.conversation)}#proposal-{found.pk}"
