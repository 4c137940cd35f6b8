"""One call of a tool: rights, arguments, the call itself, its record. What comes back is data, whatever happens."""

import hashlib
import json
import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from pydantic import ValidationError

from allocations.exceptions import Busy, DomainError, Invalid, NotAllowed, NotFound, Refused
from assistant import approvals
from assistant.enums import ProposalStatus, ToolStatus
from assistant.exceptions import Unavailable, Unclear
from assistant.models import Proposal, ToolCall
from assistant.tools import rows
from assistant.tools.caller import Caller, Ctx
from assistant.tools.cards import card_text
from assistant.tools.registry import TOOLS, offered
from dynosite.lib.connections import given_back
from dynosite.lib.plain_text import storable, visible

logger = logging.getLogger(__name__)

MAX_ID_LENGTH = 100
MAX_NAME_LENGTH = 60
"""Characters of a tool's name that are recorded; a model may make up any."""
Run = Callable[[str, dict[str, Any], Ctx, str], dict[str, Any]]
ONE_TOO_MANY = (
    "This call was not carried out: one step has at most so many, and the calls before it were enough. Make it in"
    " the next step if it is still needed."
)
FAILED = "Something went wrong with this tool; it was noted. Try again, or do it on the page."


def call(name: str, raw: dict[str, Any], *, ctx: Ctx, call_id: str = "") -> dict[str, Any]:
    """Calls the tool by the user's rights. The result has `status`, `message` where there is one, and the data."""
    # The graph calls tools in threads of its own.
    with given_back():
        return _recorded(storable(name)[:MAX_NAME_LENGTH], storable(raw), ctx, call_id)


def refuse(name: str, raw: dict[str, Any], *, ctx: Ctx, call_id: str = "") -> dict[str, Any]:
    """Answers a call that comes on top of as many as one step may have: nothing is done, and it is recorded."""
    with given_back():
        return _recorded(storable(name)[:MAX_NAME_LENGTH], storable(raw), ctx, call_id, run=_one_too_many)


def fits(name: str, raw: dict[str, Any]) -> bool:
    """Whether there is such a tool and it takes these arguments."""
    try:
        TOOLS[name].args.model_validate(raw)
    except (KeyError, ValidationError):
        return False
    return True


def _recorded(name: str, raw: dict[str, Any], ctx: Ctx, call_id: str, run: Run | None = None) -> dict[str, Any]:
    began = time.monotonic()
    record = None
    if ctx.run_id and call_id:
        record = _record_of(ctx.run_id, call_id, name, _plain(raw))
        call_id = record.call_id
        if record.status != ToolStatus.RUNNING:
            return record.result
    result, error = _safely(run or _called, name, raw, ctx, call_id)
    # What nobody sees is no data either: words for the model alone, or a name that is written backwards.
    result = visible(_plain(result))
    if record:
        record.status, record.result, record.error = result["status"], result, error
        record.seconds = round(time.monotonic() - began, 4)
        record.save(update_fields=["status", "result", "error", "seconds"])
    return result


def _record_of(run_id: uuid.UUID, call_id: str, name: str, args: dict[str, Any]) -> ToolCall:
    """The call's row, which is the same when a run that is taken up again makes it again.

    Only with the same arguments: some providers give several calls of a run one id.
    """
    digest = hashlib.sha256(json.dumps([call_id, name, args], sort_keys=True).encode()).hexdigest()
    stored_id = call_id if len(call_id) <= MAX_ID_LENGTH else digest
    record, _ = ToolCall.objects.get_or_create(
        run_id=run_id, call_id=stored_id, defaults={"name": name, "args": args}
    )
    if (record.name, record.args) != (name, args):
        record, _ = ToolCall.objects.get_or_create(
            run_id=run_id, call_id=digest, defaults={"name": name, "args": args}
        )
    return record


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(data, cls=DjangoJSONEncoder))


def _safely(run: Run, name: str, raw: dict[str, Any], ctx: Ctx, call_id: str) -> tuple[dict[str, Any], str]:
    try:
        return run(name, raw, ctx, call_id), ""
    except Exception as error:
        if answer := _answer_of(error):
            return answer, ""
        logger.exception("The tool %s failed", name)
        return {"status": ToolStatus.FAILED, "message": FAILED}, f"{type(error).__name__}: {error}"


def _one_too_many(name: str, raw: dict[str, Any], ctx: Ctx, call_id: str) -> dict[str, Any]:
    raise Unavailable(ONE_TOO_MANY)


def _called(name: str, raw: dict[str, Any], ctx: Ctx, call_id: str) -> dict[str, Any]:
    caller = Caller(ctx)
    tool = TOOLS.get(name)
    if tool is None or tool not in offered(caller):
        if tool and not caller.role.covers(tool.role):
            needed = tool.role.label.lower()
            raise NotAllowed(f"You have no right to do this here; it takes the role {needed}.")
        raise Unavailable(f"The tool {name} is not available here.")
    try:
        args = tool.args.model_validate(raw)
    except ValidationError as error:
        raise approvals.invalid(error) from None
    if not tool.writes:
        return {"status": ToolStatus.OK} | tool.run(caller, args)
    return _result_of(approvals.propose(caller, tool, args, call_id=call_id))


def _result_of(proposal: Proposal) -> dict[str, Any]:
    result = {
        "proposal": str(proposal.pk),
        "tool": proposal.tool,
        "card": proposal.card,
        "card_text": card_text(proposal.card),
    }
    if proposal.status == ProposalStatus.APPROVED:
        message = "Carried out at once: in this proving ground single bookings need no approval."
        return {"status": ToolStatus.CARRIED_OUT, "message": message, "change": str(proposal.change_id)} | result
    message = f"Proposal {proposal.pk} waits for the user's approval; nothing is written yet."
    return {"status": ToolStatus.WAITING, "message": message} | result


def _answer_of(error: Exception) -> dict[str, Any] | None:
    match error:
        case Refused():
            reasons = [{"code": refusal.code, "sentence": refusal.sentence} for refusal in error.refusals]
            places = [rows.place(place) for place in error.places]
            message = " ".join(refusal.sentence for refusal in error.refusals)
            return {"status": ToolStatus.REFUSED, "message": message, "reasons": reasons, "places": places}
        case NotFound():
            return {"status": ToolStatus.NOT_FOUND, "message": error.sentence}
        case NotAllowed():
            return {"status": ToolStatus.NOT_ALLOWED, "message": error.sentence}
        case Invalid():
            return {"status": ToolStatus.INVALID, "message": error.sentence, "errors": error.errors}
        case Unclear():
            return {"status": ToolStatus.UNCLEAR, "message": error.sentence, "candidates": error.candidates}
        case Unavailable() | Busy():
            return {"status": ToolStatus.UNAVAILABLE, "message": error.sentence}
        case DomainError():
            return {"status": ToolStatus.INVALID, "message": error.sentence}
    return None
