"""What a turn came to, read from its messages."""

from typing import Any

from langchain_core.messages import ToolMessage

from assistant.enums import RunOutcome


def outcome_of(messages: list[Any], *, proposed: bool) -> RunOutcome:
    """What a turn came to. The offline model says so itself; of others it is read from what they did."""
    if proposed:
        return RunOutcome.PROPOSAL
    last = messages[-1]
    if outcome := last.additional_kwargs.get("outcome"):
        return RunOutcome(outcome)
    results = [message for message in messages if isinstance(message, ToolMessage)]
    if results and any(
        f'"status": "{status}"' in results[-1].text for status in ("refused", "not-found", "not-allowed")
    ):
        return RunOutcome.REFUSED
    text = last.text.strip()
    if not results and text.endswith("?"):
        return RunOutcome.CLARIFY
    opening = text[:200].casefold()
    if not results and any(
        word in opening for word in ("can't", "cannot", "can not", "sorry", "unable", "not able", "no right")
    ):
        return RunOutcome.REFUSED
    return RunOutcome.ANSWER
