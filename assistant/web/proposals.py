"""Cards that wait for approval: approve, edit, reject, undo, several at once, the inbox, bars for the calendar."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allocations.exceptions import DomainError, Invalid, Refused
from assistant import approvals, selectors
from assistant.models import Proposal
from assistant.selectors import proposal_by_id
from assistant.web.answers import about, ground_named, in_panel, page, parts
from assistant.web.entries import card_of
from assistant.web.forms import changed_args, edit_form, is_editable
from assistant.web.talks import address_of, list_context, talk_context
from dynosite.accounts.requests import GroundRequest


@require_safe
def inbox(request: GroundRequest) -> HttpResponse:
    waiting = list(selectors.waiting_proposals(request.user).select_related("ground", "conversation"))
    context = {"cards": [card_of(proposal, request.user) for proposal in waiting], "waiting": waiting, "inbox": True}
    if in_panel(request):
        return parts(request, ("_inbox", context))
    ground = ground_named(request)
    return page(request, context | list_context(request, ground))


@require_safe
def bars(request: GroundRequest) -> JsonResponse:
    """What waits, as bars of a proving ground's calendar."""
    ground = ground_named(request)
    waiting = selectors.waiting_proposals(request.user).filter(ground_id=ground.pk)
    return JsonResponse(
        {
            "bars": [
                {
                    "proposal": str(proposal.pk),
                    "conversation": str(proposal.conversation_id),
                    "title": str(proposal),
                    **bar,
                }
                for proposal in waiting
                for bar in proposal.card.get("bars", [])
            ]
        },
        headers={"Cache-Control": "no-store"},
    )


@require_safe
def proposal(request: GroundRequest, pk: uuid.UUID) -> HttpResponse:
    proposal = _proposal(request, pk)
    return _card(request, proposal) if in_panel(request) else redirect(_place(proposal))


@require_POST
def approve(request: GroundRequest, pk: uuid.UUID) -> HttpResponse:
    proposal = _proposal(request, pk)
    sentence, done = _approved(request, proposal)
    if not in_panel(request):
        messages.add_message(request, messages.SUCCESS if done else messages.WARNING, sentence)
        return redirect(_place(proposal))
    proposal.refresh_from_db()
    return _card(request, proposal, note="" if done else sentence, status=200 if done else 409)


def _approved(request: GroundRequest, proposal: Proposal) -> tuple[str, bool]:
    """The sentence, and whether it is carried out."""
    try:
        decision = approvals.approve(proposal.pk, user=request.user)
    except DomainError as refusal:
        return refusal.sentence, False
    return decision.sentence, decision.carried_out


@require_POST
def approve_all(request: GroundRequest) -> HttpResponse:
    """Each by itself, oldest first: one that cannot be done any more does not hold up the others."""
    chosen = {str(pk) for pk in request.POST.getlist("proposal")}
    proposals = [
        proposal
        for proposal in selectors.waiting_proposals(request.user).order_by("created_at", "id")
        if str(proposal.pk) in chosen
    ]
    outcomes = {proposal.pk: _approved(request, proposal) for proposal in proposals}
    done = sum(good for _, good in outcomes.values())
    sentence = f"{done} of {len(proposals)} changes carried out." if proposals else "Nothing of this waits any more."
    if not in_panel(request):
        messages.add_message(
            request, messages.SUCCESS if proposals and done == len(proposals) else messages.WARNING, sentence
        )
        return redirect(_place(proposals[0]) if proposals else "assistant:inbox")
    templates: list[tuple[str, dict[str, Any]]] = []
    for proposal in proposals:
        proposal.refresh_from_db()
        sentence_of, good = outcomes[proposal.pk]
        templates += _cards(request, proposal, note="" if good else sentence_of)
    return parts(request, *templates, ("_said", {"sentence": sentence}), ("_pending", {"waiting": []}))


@require_POST
def reject(request: GroundRequest, pk: uuid.UUID) -> HttpResponse:
    proposal = _proposal(request, pk)
    try:
        approvals.reject(pk, user=request.user, word=request.POST.get("word", "")[:300])
    except DomainError as refusal:
        return _not_done(request, proposal, refusal)
    proposal.refresh_from_db()
    return _card(request, proposal) if in_panel(request) else redirect(_place(proposal))


@require_POST
def undo(request: GroundRequest, pk: uuid.UUID) -> HttpResponse:
    proposal = _proposal(request, pk)
    try:
        approvals.undo(pk, user=request.user)
    except DomainError as refusal:
        return _not_done(request, proposal, refusal)
    proposal.refresh_from_db()
    if in_panel(request):
        return _card(request, proposal)
    messages.success(request, f"Undone: {proposal}.")
    return redirect(_place(proposal))


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: GroundRequest, pk: uuid.UUID) -> HttpResponse:
    """By GET the form. What is changed is checked again, and makes a new card in place of this one."""
    proposal = _proposal(request, pk)
    card = card_of(proposal, request.user)
    if not card.waiting or not is_editable(proposal):
        return _card(request, proposal, status=409) if in_panel(request) else redirect(_place(proposal))
    if request.method != "POST":
        return _edited(request, card, edit_form(proposal, request.user))
    form = edit_form(proposal, request.user, request.POST)
    refused: list[str] = []
    if form.is_valid():
        try:
            approvals.edit(pk, user=request.user, args=changed_args(form))
        except DomainError as refusal:
            refused = _sentences_for(form, refusal)
        else:
            proposal.refresh_from_db()
            return _card(request, proposal) if in_panel(request) else redirect(_place(proposal))
    return _edited(request, card, form, refused=refused, status=422)


def _sentences_for(form: Any, refusal: DomainError) -> list[str]:
    """Errors go beside their fields; the sentences that are left are given back."""
    if isinstance(refusal, Invalid):
        remaining = []
        for name, sentences in refusal.errors.items():
            if name in form.fields:
                form.add_error(name, [sentence.partition(": ")[2] or sentence for sentence in sentences])
            else:
                remaining += sentences
        return remaining
    if isinstance(refusal, Refused):
        reasons = [part.sentence for part in refusal.refusals]
        places = [f"{place.where}, {place.days}" for place in refusal.places[:3]]
        return [*reasons, *([f"These would do: {'; '.join(places)}."] if places else [])]
    return [refusal.sentence]


def _edited(
    request: GroundRequest, card: Any, form: Any, *, refused: list[str] | None = None, status: int = 200
) -> HttpResponse:
    context = {"card": card, "form": form, "refused": refused}
    if in_panel(request):
        return parts(request, ("_card_edit", context), status=status)
    context |= {"card_edited": card} | list_context(request, card.proposal.ground)
    return page(request, context, status=status)


def _not_done(request: GroundRequest, proposal: Proposal, refusal: DomainError) -> HttpResponse:
    if in_panel(request):
        proposal.refresh_from_db()
        return _card(request, proposal, note=refusal.sentence, status=409)
    messages.warning(request, refusal.sentence)
    return redirect(_place(proposal))


def _card(request: GroundRequest, proposal: Proposal, *, note: str = "", status: int = 200) -> HttpResponse:
    waiting = talk_context(request, proposal.conversation)["waiting"]
    return parts(request, *_cards(request, proposal, note=note), ("_pending", {"waiting": waiting}), status=status)


def _cards(request: GroundRequest, proposal: Proposal, *, note: str = "") -> list[tuple[str, dict[str, Any]]]:
    """The card, and after it the newer one that takes its place."""
    card = card_of(proposal, request.user)
    templates: list[tuple[str, dict[str, Any]]] = [("_card", {"card": card, "note": note})]
    if card.replaced_by:
        newer = card_of(card.replaced_by, request.user)
        templates.append(("_card", {"card": newer, "after": card.key}))
    return templates


def _proposal(request: GroundRequest, pk: uuid.UUID) -> Proposal:
    proposal = proposal_by_id(pk, user=request.user)
    about(request, proposal.ground_id)
    return proposal


def _place(proposal: Proposal) -> str:
    return f"{address_of(proposal.conversation)}#proposal-{proposal.pk}"
