"""Propose → approve → carry out once. The only way by which the assistant writes."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from pydantic import ValidationError

from allocations.enums import Door
from allocations.exceptions import DomainError, Invalid, NotFound, Refused, Stale
from allocations.services import undo as undoing
from allocations.services.unit_of_work import Actor
from assistant import metrics
from assistant.enums import Approval, ProposalStatus
from assistant.exceptions import Decided
from assistant.models import Proposal
from assistant.selectors import NO_PROPOSAL, id_of, waiting_proposals
from assistant.tools import commands
from assistant.tools.caller import Caller, Ctx
from assistant.tools.commands import Draft
from assistant.tools.declaring import Tool
from assistant.tools.registry import TOOLS
from dynosite.accounts.models import User
from dynosite.lib.plain_text import storable


@dataclass(frozen=True)
class Decision:
    """What came of approving. `sentence` is for the user.

    Where the facts had changed, nothing was written: `replacement` is the new best, if there is one, and `refused`
    says what stands in the way otherwise.
    """

    proposal: Proposal
    sentence: str
    change_id: uuid.UUID | None = None
    replacement: Proposal | None = None
    refused: Refused | None = field(default=None)

    @property
    def carried_out(self) -> bool:
        return self.change_id is not None


def propose(
    caller: Caller, tool: Tool, args: Any, *, call_id: str = "", replaces: Proposal | None = None
) -> Proposal:
    """Checks the arguments by a rehearsal and keeps them with a card for the user to decide on.

    The same call of the same run, or the same step that waits already, gives the proposal that is there. Raises what
    the services raise, and nothing is kept then.
    """
    ctx = caller.ctx
    if call_id and replaces is None and (existing := _of_call(ctx, call_id)):
        return existing
    draft: Draft = tool.run(caller, args)
    step = _plain(draft.step)
    waiting = Proposal.objects.filter(
        conversation_id=ctx.conversation_id,
        user=caller.user,
        status=ProposalStatus.WAITING,
        tool=tool.name,
        step=step,
    ).first()
    if waiting and replaces is None:
        return waiting
    try:
        with transaction.atomic():
            proposal = Proposal.objects.create(
                conversation_id=ctx.conversation_id,
                run_id=ctx.run_id,
                call_id=call_id,
                user=caller.user,
                ground_id=caller.ground.pk,
                tool=tool.name,
                args=args.model_dump(mode="json"),
                step=step,
                card=_plain(draft.card),
                replaces=replaces,
                expires_at=timezone.now() + dt.timedelta(days=settings.ASSISTANT_PROPOSAL_DAYS),
            )
    except IntegrityError:
        if existing := _of_call(ctx, call_id):
            return existing
        raise
    alone = tool.single_booking and replaces is None and not step.get("confirmed")
    if alone and caller.settings.approval == Approval.NOT_SINGLE_BOOKINGS:
        return approve(proposal.pk, user=caller.user).proposal
    return proposal


def _of_call(ctx: Ctx, call_id: str) -> Proposal | None:
    if ctx.run_id is None:
        return None
    return Proposal.objects.filter(run_id=ctx.run_id, call_id=call_id, replaces=None).first()


def _plain(data: Mapping[str, object]) -> dict[str, Any]:
    """As it is read back from the database."""
    return {name: _plain_value(value) for name, value in data.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, dict):
        return _plain(value)
    if isinstance(value, list | tuple):
        return [_plain_value(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def approve(proposal_id: uuid.UUID | str, *, user: User) -> Decision:
    """Carries the proposal out, once, with the rights that the user has now.

    Approving again gives the same change. Raises NotFound, NotAllowed, Busy, and Decided for what was rejected,
    replaced or has expired.
    """
    with transaction.atomic():
        proposal = _locked(proposal_id, user)
        if proposal.status == ProposalStatus.APPROVED:
            return Decision(proposal, "This is carried out already.", proposal.change_id)
        _expect_waiting(proposal)
        caller = _caller(proposal, user)
        try:
            with transaction.atomic():
                change = commands.carry_out(proposal.step, user=user, key=proposal.key)
        except (Refused, Stale, NotFound) as refusal:
            return _changed(caller, proposal, refusal)
        _decide(proposal, ProposalStatus.APPROVED, user, change_id=change.pk)
        return Decision(proposal, f"Done: {change.summary}.", change.pk)


def approve_all(user: User, ids: list[uuid.UUID | str] | None = None) -> list[Decision]:
    """Approves those given (all that wait without it), oldest first, each by itself."""
    waiting = waiting_proposals(user)
    chosen = waiting.filter(pk__in=ids) if ids is not None else waiting
    return [approve(pk, user=user) for pk in chosen.order_by("created_at", "id").values_list("pk", flat=True)]


def reject(proposal_id: uuid.UUID | str, *, user: User, word: str = "") -> Proposal:
    with transaction.atomic():
        proposal = _locked(proposal_id, user)
        if proposal.status == ProposalStatus.REJECTED:
            return proposal
        _expect_waiting(proposal)
        _decide(proposal, ProposalStatus.REJECTED, user, word=word.strip())
        return proposal


def edit(proposal_id: uuid.UUID | str, *, user: User, args: dict[str, Any]) -> Proposal:
    """A new proposal with the arguments changed, checked as the first was; the old one is replaced.

    Raises Invalid by argument, and Refused with places, after which the old one still waits.
    """
    with transaction.atomic():
        old = _locked(proposal_id, user)
        _expect_waiting(old)
        caller = _caller(old, user)
        tool = TOOLS[old.tool]
        try:
            checked = tool.args.model_validate(old.args | storable(args))
        except ValidationError as error:
            raise invalid(error) from None
        new = propose(caller, tool, checked, replaces=old)
        _decide(old, ProposalStatus.REPLACED, user)
        return new


def undo(proposal_id: uuid.UUID | str, *, user: User) -> Any:
    """Undoes what an approved proposal wrote and returns that change. Raises Refused where it cannot be any more."""
    with transaction.atomic():
        proposal = _locked(proposal_id, user)
        if proposal.change_id is None:
            raise Decided("This was not carried out; there is nothing to undo.")
        key = f"{proposal.key}:undo"
        change = undoing.undo(proposal.change_id, actor=Actor(user, Door.ASSISTANT), key=key)
        proposal.status = ProposalStatus.UNDONE
        proposal.save(update_fields=["status"])
        return change


def expire() -> int:
    """Ends the proposals that have waited for too long; returns how many."""
    late = Proposal.objects.filter(status=ProposalStatus.WAITING, expires_at__lte=timezone.now())
    number = late.update(status=ProposalStatus.EXPIRED, decided_at=timezone.now())
    metrics.count("proposals", ProposalStatus.EXPIRED, by=number)
    return number


def invalid(error: ValidationError) -> Invalid:
    """Pydantic's words as sentences by argument."""
    sentences: dict[str, list[str]] = {}
    for problem in error.errors():
        name = str(problem["loc"][0]) if problem["loc"] else ""
        sentences.setdefault(name, []).append(f"{name.replace('_', ' ').capitalize()}: {problem['msg']}.")
    return Invalid(sentences)


def _locked(proposal_id: uuid.UUID | str, user: User) -> Proposal:
    pk = id_of(proposal_id, NO_PROPOSAL)
    proposal = Proposal.objects.select_for_update(of=("self",)).filter(pk=pk, user=user).first()
    if proposal is None:
        raise NotFound(NO_PROPOSAL)
    return proposal


def _expect_waiting(proposal: Proposal) -> None:
    if proposal.status == ProposalStatus.WAITING and proposal.expires_at > timezone.now():
        return
    status = ProposalStatus(proposal.status)
    if status == ProposalStatus.WAITING:
        status = ProposalStatus.EXPIRED
    sentences = {
        ProposalStatus.APPROVED: "This is carried out already.",
        ProposalStatus.REJECTED: "This was rejected; ask again for a new proposal.",
        ProposalStatus.REPLACED: "This was edited since; decide on the newer card.",
        ProposalStatus.CHANGED: "The facts have changed since; look at the newer card, or ask again.",
        ProposalStatus.EXPIRED: "This has waited too long and expired; ask again for a new proposal.",
        ProposalStatus.UNDONE: "This was carried out and undone; ask again for a new proposal.",
    }
    raise Decided(sentences[status])


def _caller(proposal: Proposal, user: User) -> Caller:
    return Caller(Ctx(user.pk, proposal.ground_id, proposal.conversation_id, proposal.run_id))


def _decide(proposal: Proposal, status: ProposalStatus, user: User, **values: Any) -> None:
    for name, value in values.items():
        setattr(proposal, name, value)
    proposal.status, proposal.decided_by, proposal.decided_at = status, user, timezone.now()
    proposal.save(update_fields=["status", "decided_by", "decided_at", *values])
    metrics.count("proposals", status)


def _changed(caller: Caller, proposal: Proposal, refusal: DomainError) -> Decision:
    """The world is not as it was on the card: nothing is written, and the new best takes its place."""
    sentence = f"The schedule has changed since this card was drawn, and nothing was written. {refusal.sentence}"
    replacement, refused = None, refusal if isinstance(refusal, Refused) else None
    try:
        tool = TOOLS[proposal.tool]
        replacement = propose(caller, tool, tool.args.model_validate(proposal.args), replaces=proposal)
        sentence += " There is a new card with what would do now."
    except Refused as again:
        refused = again
    except DomainError as again:
        sentence += f" {again.sentence}"
    _decide(proposal, ProposalStatus.CHANGED, caller.user, word=refusal.sentence)
    return Decision(proposal, sentence, replacement=replacement, refused=refused)
