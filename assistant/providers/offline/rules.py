"""The offline model's brain: from a conversation to words and tool calls. Pure: the same in, the same out."""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage

from assistant.providers.offline import bookings, dialogue, lookups, moves, phrases, small_talk
from assistant.providers.offline.days import DAY
from assistant.providers.offline.intent import Plan, Utterance, iso, refused
from assistant.providers.offline.page_in_view import NOWHERE, with_names
from assistant.providers.offline.reading import Sentence, Vocabulary, read

MAX_WORDS, MAX_TEXT_LENGTH = 400, 2_400
"""Words, and characters, of a message that are read: rules over more than that take long and understand no more."""
NOT_READ = f"I read only the first {MAX_WORDS} words or so of this message, and nothing after “…{{end}}”."


def plan(messages: Sequence[BaseMessage], tools: Sequence[str], vocabulary: Vocabulary) -> Plan:
    """What comes next: parse what was said, go on after a tool's result, or phrase the results."""
    at = max((i for i, message in enumerate(messages) if isinstance(message, HumanMessage)), default=None)
    if at is None:
        return Plan(phrases.HELLO)
    whole, messages = _text(messages[at]), [_shortened(message) for message in messages]
    answer = _answer(messages, at, tools, vocabulary)
    is_first = not any(isinstance(message, ToolMessage) for message in messages[at + 1 :])
    if is_first and _text(messages[at]) != whole:
        end = " ".join(_text(messages[at]).split()[-4:])
        return replace(answer, text=f"{NOT_READ.format(end=end[-60:])}\n\n{answer.text}".strip())
    return answer


def _shortened(message: BaseMessage) -> BaseMessage:
    """A message of the user, as far as it is read."""
    if not isinstance(message, HumanMessage):
        return message
    text = _text(message)
    words = text[: MAX_TEXT_LENGTH + 1].split()
    if len(text) <= MAX_TEXT_LENGTH and len(words) <= MAX_WORDS:
        return message
    head = " ".join(words[:MAX_WORDS])
    if len(head) > MAX_TEXT_LENGTH:
        head = head[:MAX_TEXT_LENGTH].rpartition(" ")[0] or head[:MAX_TEXT_LENGTH]
    return HumanMessage(head, id=message.id)


def _answer(messages: Sequence[BaseMessage], at: int, tools: Sequence[str], vocabulary: Vocabulary) -> Plan:
    messages, vocabulary = _pointed(messages, at, vocabulary)
    done = [
        (message.name or "", _data(message)) for message in messages[at + 1 :] if isinstance(message, ToolMessage)
    ]
    heard = dialogue.heard(messages, at, vocabulary, lambda sentence: _first(sentence, tools, vocabulary).kind)
    if not done:
        return _about_before(messages, at, heard, tools, vocabulary) or _first(heard, tools, vocabulary)
    if follow := _follow_up(heard, done, tools, vocabulary):
        return follow
    text, outcome = phrases.phrase(done)
    return Plan(text, outcome=outcome)


def _about_before(
    messages: Sequence[BaseMessage], at: int, sentence: Sentence, tools: Sequence[str], vocabulary: Vocabulary
) -> Plan | None:
    """What can only be understood from the last turn's call: a choice among what it found, why, yes and no."""
    last = dialogue.last_turn(messages, at)
    if last is None:
        return None
    turn = Utterance(sentence, vocabulary, frozenset(tools))
    if call := dialogue.choice(_text(messages[at]), last, vocabulary):
        return turn.call(call[0], **call[1])
    words = _text(messages[at]).casefold()
    if dialogue.WHY.fullmatch(words) and last.args.get("vehicle"):
        return _why(turn, last.args)
    if last.status == "waiting" and dialogue.YES.fullmatch(words):
        return Plan("Approve it on the card, please: I can't do that for you.")
    if last.status == "waiting" and (dialogue.NO.fullmatch(words) or dialogue.DROP_IT.fullmatch(words)):
        return Plan("All right: nothing is written. Reject the card, and it is gone.")
    return None


def _why(turn: Utterance, args: dict[str, Any]) -> Plan:
    """Why the last call came to what it did."""
    start, end = args.get("start_date"), args.get("end_date")
    if start and args.get("days_to_complete"):
        end = iso(dt.date.fromisoformat(start) + DAY * (args["days_to_complete"] - 1))
    return turn.call(
        "explain_fit",
        vehicle=args["vehicle"],
        dyno=args.get("dyno"),
        test_type=args.get("test_type"),
        start_date=start,
        end_date=end,
    )


def _pointed(
    messages: Sequence[BaseMessage], at: int, vocabulary: Vocabulary
) -> tuple[Sequence[BaseMessage], Vocabulary]:
    """The messages, with what the last points at on the page by name; without the page where it does not."""
    text = _text(messages[at])
    if vocabulary.page != NOWHERE and not read(text, vocabulary).vehicle:
        begins = not any(isinstance(message, HumanMessage) for message in messages[:at])
        named = with_names(text, vocabulary.page, begins=begins)
        if named != text:
            return [*messages[:at], HumanMessage(named), *messages[at + 1 :]], vocabulary
    return messages, replace(vocabulary, page=NOWHERE)


def _text(message: BaseMessage) -> str:
    return message.text if isinstance(message.text, str) else str(message.content)


def _data(message: ToolMessage) -> dict[str, Any]:
    try:
        data = json.loads(_text(message))
    except ValueError:
        return {"status": "failed", "message": _text(message)}
    return data if isinstance(data, dict) else {"status": "ok", "data": data}


def _first(sentence: Sentence, tools: Sequence[str], vocabulary: Vocabulary) -> Plan:
    turn = Utterance(sentence, vocabulary, frozenset(tools))
    for rule in _RULES:
        if decision := rule(turn):
            return decision
    return refused(phrases.OFF_TOPIC)


_RULES: tuple[Callable[[Utterance], Plan | None], ...] = (
    small_talk.forbidden,
    small_talk.greeting,
    small_talk.what_time,
    lookups.by_query,
    lookups.vehicles_list,
    bookings.undo,
    bookings.plan_all,
    bookings.set_maintenance,
    lookups.fit,
    small_talk.what_it_can,
    bookings.cancel,
    moves.move,
    lookups.conflicts,
    bookings.book,
    lookups.completed,
    lookups.maintenance,
    lookups.available,
    lookups.utilisation,
    lookups.late,
    lookups.requests,
    lookups.by_status,
    lookups.vehicle,
    lookups.dynos,
    bookings.incomplete_booking,
)
"""In the order in which they are tried: the first that understands the sentence has it."""


def _follow_up(
    sentence: Sentence, done: list[tuple[str, dict]], tools: Sequence[str], vocabulary: Vocabulary
) -> Plan | None:
    """A move by some days needs the booking's own days first."""
    name, data = done[-1]
    if name != "check_vehicle_allocation" or len(done) != 1 or data.get("status") != "ok":
        return None
    turn = Utterance(sentence, vocabulary, frozenset(tools))
    if _first(sentence, tools, vocabulary).calls[:1] != (
        ("check_vehicle_allocation", {"vehicle": turn.sentence.vehicle}),
    ):
        return None
    if not moves.moves(turn) or not moves.needs_booking(turn):
        return None
    return moves.shifted(turn, data)
