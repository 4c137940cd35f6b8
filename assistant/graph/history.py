"""What a turn begins with: a history that every provider accepts, whatever became of the turn before."""

from collections.abc import Collection, Mapping, Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, RemoveMessage, ToolCall, ToolMessage
from langgraph.graph.message import REMOVE_ALL_MESSAGES

CUT_OFF = '{"status": "failed", "message": "The turn ended before this call did; nothing came of it."}'
NO_ANSWER = "(This turn ended before there was an answer.)"


def has(messages: Sequence[BaseMessage], question_id: str) -> bool:
    return any(message.id == question_id for message in messages)


def opening(
    messages: Sequence[BaseMessage],
    question: HumanMessage,
    *,
    results: Mapping[str, str] | None = None,
    partial_answer: str = "",
    superseded: Collection[str] = (),
) -> list[BaseMessage]:
    """What to add to the messages of the state for a turn to begin.

    A call that never got its result gets it from `results`, or one that says so. A turn without an answer is closed
    with `partial_answer`, what it said half. Turns whose question's id is `superseded` are taken out: this one tries
    them again.
    """
    whole = _closed(_without(messages, superseded), results or {})
    if whole and not isinstance(whole[-1], AIMessage):
        whole.append(AIMessage(partial_answer or NO_ANSWER))
    if list(messages) == whole[: len(messages)]:
        return [*whole[len(messages) :], question]
    return [RemoveMessage(id=REMOVE_ALL_MESSAGES), *whole, question]


def _without(messages: Sequence[BaseMessage], superseded: Collection[str]) -> list[BaseMessage]:
    retained, dropping = [], False
    for message in messages:
        if isinstance(message, HumanMessage):
            dropping = message.id in superseded
        if not dropping:
            retained.append(message)
    return retained


def _closed(messages: Sequence[BaseMessage], results: Mapping[str, str]) -> list[BaseMessage]:
    """Each call followed by its result: providers refuse a history in which one is missing."""
    answered = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
    whole: list[BaseMessage] = []
    open_calls: list[ToolCall] = []
    for message in messages:
        if not isinstance(message, ToolMessage):
            whole += [_result(call, results) for call in open_calls]
            open_calls = []
        whole.append(message)
        if isinstance(message, AIMessage):
            open_calls = [call for call in message.tool_calls if call["id"] not in answered]
    return whole + [_result(call, results) for call in open_calls]


def _result(call: ToolCall, results: Mapping[str, str]) -> ToolMessage:
    result = results.get(call["id"] or "")
    return ToolMessage(
        result or CUT_OFF, tool_call_id=call["id"], name=call["name"], status="success" if result else "error"
    )
