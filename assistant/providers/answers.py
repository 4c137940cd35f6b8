"""What a model's answer is worth: whole, cut, blocked, or nothing that could be used.

Providers tell it in `response_metadata`, each under a name of its own; where chunks of a stream each tell it, the
words stand one behind the other (`STOPSTOP`).
"""

import json
from collections.abc import Sequence
from enum import StrEnum

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

CUT_KEY = "cut"
"""In an answer's `additional_kwargs`: in which words it breaks off."""
REASON_KEYS = ("finish_reason", "stop_reason", "done_reason")
LENGTH = ("MAX_TOKENS", "LENGTH")
FILTERS = ("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION", "CONTENT_FILTER", "REFUSAL")
MALFORMED = ("MALFORMED", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS")
ENDS_WITHOUT_FAULT = ("STOP", "END_TURN", "TOOL", "FUNCTION_CALL", "EOS")

TOO_LONG = "The answer breaks off here: it reached the longest that the model may write at once. Ask it to go on."
FILTERED = "The answer breaks off here: the provider's filter stopped it. Ask in other words."
BROKEN_OFF = "The answer breaks off here: the model did not finish it. Ask it to go on."


class Worth(StrEnum):
    WHOLE = "whole"
    CUT = "cut"
    BLOCKED = "blocked"
    UNUSABLE = "unusable"
    """Empty, malformed, or broken off by the provider: another try may give a good one."""


def reason_of(answer: AIMessage) -> str:
    """Why the provider ended the answer, as it tells it, in capitals; nothing where it does not tell."""
    metadata = answer.response_metadata
    reasons = [str(metadata[key]) for key in REASON_KEYS if metadata.get(key)]
    feedback = metadata.get("prompt_feedback")
    block = feedback.get("block_reason") if isinstance(feedback, dict) else None
    if block:
        reasons.append(f"blocked: {getattr(block, 'value', block)}")
    return " ".join(reasons).upper()


def worth_of(answer: AIMessage | None, *, tells: bool = False) -> Worth:
    """What the answer is worth. `tells`: its provider tells a reason for every whole answer, so that one without has
    been broken off."""
    if answer is None:
        return Worth.UNUSABLE
    if answer.tool_calls:
        return Worth.WHOLE
    reason = reason_of(answer)
    if not answer.text.strip():
        return Worth.BLOCKED if _has(reason, (*FILTERS, "BLOCKED")) else Worth.UNUSABLE
    if answer.invalid_tool_calls or _has(reason, MALFORMED) or (tells and not reason):
        return Worth.UNUSABLE
    if _has(reason, (*LENGTH, *FILTERS)) or (reason and not _has(reason, ENDS_WITHOUT_FAULT)):
        return Worth.CUT
    return Worth.WHOLE


def cut_sentence(answer: AIMessage) -> str:
    reason = reason_of(answer)
    if _has(reason, LENGTH):
        return TOO_LONG
    return FILTERED if _has(reason, FILTERS) else BROKEN_OFF


def has_waiting_card(messages: Sequence[AnyMessage]) -> bool:
    """Whether a tool of this turn has proposed something: then all is said that has to be."""
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            return False
        if isinstance(message, ToolMessage) and _status(message) in ("waiting", "carried-out"):
            return True
    return False


def _status(message: ToolMessage) -> str:
    try:
        return str(json.loads(message.text).get("status", ""))
    except (ValueError, AttributeError):
        return ""


def _has(reason: str, words: Sequence[str]) -> bool:
    return any(word in reason for word in words)
