"""What the offline model makes of a sentence: a turn to judge, and a plan of words or tool calls."""

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

from assistant.enums import RunOutcome
from assistant.providers.offline import dialogue, phrases
from assistant.providers.offline.reading import Sentence, Vocabulary

Args = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What to say, or what to call. `outcome` is what the turn comes to with these words."""

    text: str = ""
    calls: tuple[tuple[str, Args], ...] = ()
    outcome: RunOutcome = RunOutcome.ANSWER

    @property
    def kind(self) -> dialogue.Kind:
        """What tells two plans apart, and whether anything was understood."""
        return dialogue.Kind(self.calls, understood=self.text != phrases.OFF_TOPIC)


@dataclass(frozen=True)
class Utterance:
    sentence: Sentence
    vocabulary: Vocabulary
    tools: frozenset[str] = field(default_factory=frozenset)

    def has(self, pattern: str) -> bool:
        return self.sentence.has(pattern)

    def call(self, name: str, **args: Any) -> Plan:
        if name not in self.tools:
            return not_offered(name, self.vocabulary)
        page = self.vocabulary.page
        if (
            name in ("move_allocation", "cancel_allocation")
            and page.allocation
            and args.get("vehicle") == page.vehicle
        ):
            args["allocation"] = page.allocation
        return Plan(calls=((name, {key: value for key, value in args.items() if value is not None}),))


def not_offered(name: str, vocabulary: Vocabulary) -> Plan:
    if name in WRITES and vocabulary.role == "viewer":
        return refused(
            "You have no right to change the schedule here: you are a viewer. A scheduler or admin can; I can look things "
            "up for you."
        )
    return refused("That tool is switched off here.")


MAX_AT_ONCE = 6
"""Vehicles that one sentence may ask for."""
WRITES = frozenset(
    "auto_allocate_vehicle book_allocation move_allocation cancel_allocation set_maintenance plan_requests undo_change".split()
)


def refused(text: str) -> Plan:
    return Plan(text, outcome=RunOutcome.REFUSED)


def ask(text: str) -> Plan:
    return Plan(text, outcome=RunOutcome.CLARIFY)


BOOKING = r"book|put|schedule|allocate|assign|place|reserve|slot|get|find|need|needs|want|wants|arrange|set up|fit|squeeze|plan|park|load|add|run|test|send|line up|organi[sz]e|give|auto-?(?:allocate|book|schedule|assign)|(?:can|could|may) (?:you|i|we)|please|would like|let's|i'd like|must go|should go|has to go"
_STRONG = r"book|put|schedule(?!\s+(?:of|is|says|looks?|for ;)\b)|allocate|assign|place|reserve|slot|auto-?(?:allocate|book|schedule|assign)|arrange|set up|squeeze|line up|park|sign up|pencil in"


def books(turn: Utterance) -> bool:
    words = turn.sentence.words
    if re.fullmatch(r"\s*;\W*schedule\W*", words):
        return False
    if re.match(
        r"\W*(?:please |can you |could you |would you |will you |kindly |i want to |i'd like to |i need to |we need to |let's |go ahead and |pls |hey |hi |ok |okay )*(?:to )?(?:"
        + _STRONG
        + r")\b(?!s\b)",
        words,
    ):
        return True
    return turn.has(
        rf"(?:please|can you|could you|want to|need to|like to|would you|let's|pls|to|and|then|,) (?:{_STRONG})"
    )


def maintenance_words(turn: Utterance) -> bool:
    return turn.has(
        r"maintenance|calibrat\w*|outages?|out of (?:service|order|action)|down(?:time)?|offline|repairs?|servic(?:e|ed|ing)|broken|broke(?: down)?|faulty|defective|not working|overhaul|unavailable|blocked|back (?:up|online|in service|in action|in operation|on line)|(?:be|come|comes|is|are|coming) back|up again|working again|fixed|repaired"
    )


def booking_number(turn: Utterance) -> int | None:
    """The number by which a booking is named."""
    match = re.search(
        r"\b(?:allocation|booking|reservation|id)\s*(?:id|number|no\.?|#)?\s*#?(\d{1,7})\b", turn.sentence.words
    )
    return int(match[1]) if match else None


_QUESTION = re.compile(
    r"\W*(?:so |and |but |hey |hi |ok |then )*(?:is|are|was|were|does|do|did|when|where|which|what|what's|who|how|has|have|why|will|any)\b"
)


def is_question(turn: Utterance) -> bool:
    return _QUESTION.match(turn.sentence.words) is not None


def is_statement(turn: Utterance) -> bool:
    """Whether something is told: the name of what it is about stands before the verb, and there is no question mark."""
    text = turn.sentence.text.strip().casefold()
    return not _QUESTION.match(text) and not text.endswith("?")


def iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None
