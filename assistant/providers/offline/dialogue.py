"""What is meant in a turn, given the turns before: answers to questions, corrections, `and the next?`, `it`. Pure."""

import datetime as dt
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from assistant import matching
from assistant.enums import RunOutcome
from assistant.providers.offline.days import DAY, WEEKDAY, When
from assistant.providers.offline.reading import Sentence, Vocabulary, read

DEEPEST = 5
"""Turns that are looked back at."""
MAX_WORDS = 12
"""Words of an answer to a question, at most."""

SOCIAL = frozenset(
    "hi hello hey there good morning afternoon evening day thanks thank you thx ty cheers ok okay great much very so a lot"
    " perfect excellent nice awesome wonderful brilliant cool fine super all right alright got it that thats helpful for your"
    " the help many bye goodbye see later tomorrow then welcome appreciate appreciated well done job hiya howdy greetings".split()
)
THANKS = frozenset("thanks thank thx ty cheers appreciate appreciated perfect excellent awesome helpful".split())
BYES = frozenset("bye goodbye later".split())

_POLITE = r"(?:\W|\b(?:please|thanks|thank you|now|then|ok|okay|oh|sorry|just|well|actually|so|hm+)\b)*"
YES = re.compile(
    rf"{_POLITE}(?:yes|yep|yeah|yup|sure|do it|do that|go ahead|go for it|approved?|approve (?:it|that)|confirm(?:ed)?|book it|make it so"
    rf"|that'?s (?:right|fine|good)|sounds good|looks good){_POLITE}(?:do it|go ahead|book it|please|that'?s (?:right|fine))?{_POLITE}"
)
NO = re.compile(
    rf"{_POLITE}(?:no|nope|nah|not (?:that|this)|wrong|cancel (?:it|that|this)|reject(?: it| that)?|don'?t(?: do (?:it|that))?|undo(?: it| that)?){_POLITE}"
)
DROP_IT = re.compile(
    rf"{_POLITE}(?:(?:no|ok|okay)\W+)?(?:never ?mind|nevermind|forget (?:it|that|about it)|leave it|skip it|stop|drop it|no thanks?|not? (?:any ?more|needed)"
    rf"|scratch that|let it be|it'?s fine|don'?t bother){_POLITE}"
)
WHY = re.compile(
    rf"{_POLITE}(?:(?:and|but)\W+)?(?:why(?: not| is that| that)?|how come|what'?s the reason|for what reason){_POLITE}"
)

_FILLERS = frozenset(
    "no not nope yes sorry actually oh ok okay well make it that this be should i mean meant rather instead please pls better"
    " change changed to for on the a an one ones and or what what's whats how about then with start starting starts from use"
    " using put take of at in just only also same but maybe let's lets try set say said want wanted would like prefer can could"
    " we you is are was it's its is; until till by end ending day days long longer shorter s t m d me my dyno vehicle test"
    " car truck cell rig again too as well another other wait hold hmm hm rather, correction typo not: do does did there"
    " were next after before".split()
)
_CORRECTS = re.compile(
    r"\b(?:no|not|sorry|actually|make it|instead|rather|mean|meant|better|change|correction|should be|wait|oops|prefer)\b"
)
_SAME_VEHICLE = re.compile(
    r"\b(?:it|its|that one|this one|(?:the same|same|that|this) (?:vehicle|car|truck|one)|the (?:vehicle|car|truck)|him|them|they|that booking|this booking|that test|the booking)\b"
)
_SAME_DYNO = re.compile(r"\b(?:there|that dyno|this dyno|the same dyno|same dyno|same place|the dyno)\b")
_THEN = re.compile(
    r"\b(?:there|then|(?:on |in |for )?(?:those|these|the same|that) (?:days?|dates?|week|time|period))\b"
)
_OWN = re.compile(
    r"\W*(?:so |and |but |hey |hi |ok |then )*(?:which|what|what's|where|where's|when|who|who's|how|why|show|list|any|are there|is there|do we|does|count|tell|give|undo|help)\b"
)
_AFTER = re.compile(
    r"\b(?:the )?(?:(?P<unit>day|week|month) (?P<way>after|before|later|earlier)|(?P<way2>following|next|previous|preceding) (?P<unit2>day|week|month)"
    r"|(?:a|one) (?P<unit3>day|week|month) (?P<way3>later|earlier|after|before))\b(?! (?:next|tomorrow|last))"
)
_STATUS = re.compile(r"\b(running|scheduled|upcoming|planned|completed|finished|cancell?ed|waiting|placed)\b")


@dataclass(frozen=True)
class Kind:
    calls: tuple[tuple[str, dict[str, Any]], ...]
    understood: bool = True


Decide = Callable[[Sentence], Kind]


@dataclass(frozen=True)
class LastTurn:
    """The last call of the turn before, and what came of it."""

    name: str
    args: dict[str, Any]
    status: str
    candidates: list[dict[str, Any]] = field(default_factory=list)


def _text(message: BaseMessage) -> str:
    return message.text if isinstance(message.text, str) else str(message.content)


def _asked_before(messages: Sequence[BaseMessage], at: int) -> int | None:
    return max((i for i in range(at) if isinstance(messages[i], HumanMessage)), default=None)


def last_turn(messages: Sequence[BaseMessage], at: int) -> LastTurn | None:
    """None where the turn before called nothing."""
    before = _asked_before(messages, at)
    if before is None:
        return None
    results = {m.tool_call_id: _text(m) for m in messages[before:at] if isinstance(m, ToolMessage)}
    calls = [*chain.from_iterable(m.tool_calls for m in messages[before:at] if isinstance(m, AIMessage))]
    for call in reversed(calls):
        try:
            data = json.loads(results[call["id"]])
        except (KeyError, ValueError):
            continue
        if isinstance(data, dict):
            return LastTurn(call["name"], call["args"], str(data.get("status", "")), data.get("candidates") or [])
    return None


def heard(
    messages: Sequence[BaseMessage], at: int, vocabulary: Vocabulary, decide: Decide, deep: int = DEEPEST
) -> Sentence:
    """What the user says now, completed by what they said before where it is no sentence of its own."""
    text = _text(messages[at])
    sentence = read(text, vocabulary)
    earlier = _asked_before(messages, at) if deep and isinstance(messages[at - 1], AIMessage) else None
    if earlier is None:
        return sentence
    answers = _answers(messages[at - 1], text, sentence)
    fragment = len(text.split()) <= MAX_WORDS and _is_fragment(sentence)
    if not (fragment or answers or _refers(sentence)):
        return sentence
    before = heard(messages, earlier, vocabulary, decide, deep - 1)
    if answers:
        return read(f"{before.text} {text}", vocabulary)
    merged = _merged(before, sentence)
    if fragment and _is_understood(merged, before, sentence, decide):
        return merged
    return _referred(before, sentence)


def _answers(question: BaseMessage, text: str, sentence: Sentence) -> bool:
    """Whether a text may be the answer to what was asked before it."""
    is_short = len(text.split()) <= MAX_WORDS
    return (
        is_short and question.additional_kwargs.get("outcome") == RunOutcome.CLARIFY and not _stands_alone(sentence)
    )


def _refers(sentence: Sentence) -> bool:
    """Whether it speaks of a vehicle or dyno that was named before."""
    vehicle = not sentence.vehicles and _SAME_VEHICLE.search(sentence.words)
    return bool(vehicle or (not sentence.dynos and _SAME_DYNO.search(sentence.words)))


def _is_understood(merged: Sentence, before: Sentence, sentence: Sentence, decide: Decide) -> bool:
    """Whether two sentences mean something together that neither does alone."""
    new, old = decide(merged), decide(before)
    return new.understood and (new.calls != old.calls or not decide(sentence).understood)


def _stands_alone(sentence: Sentence) -> bool:
    return bool(_OWN.match(sentence.words)) or bool(DROP_IT.fullmatch(sentence.text.casefold()))


def _is_fragment(sentence: Sentence) -> bool:
    """Names, days and small words only."""
    if _relative(sentence) or _STATUS.search(sentence.words):
        rest = _STATUS.sub(" ", _AFTER.sub(" ", sentence.words))
    elif sentence.vehicles or sentence.dynos or sentence.has_needs or sentence.backup or sentence.when.is_said:
        rest = sentence.words
    else:
        return False
    rest = said_without_days(rest, sentence)
    return all(word in _FILLERS for word in re.findall(r"[a-z']+", rest))


def said_without_days(words: str, sentence: Sentence) -> str:
    if not sentence.when.is_said:
        return words
    return sentence.when.rest if sentence.when.rest else words


def _relative(sentence: Sentence) -> re.Match | None:
    return _AFTER.search(sentence.words)


_REPLACED = ("vehicles", "dynos", "tests", "weight", "drive", "backup", "backup_days")
"""Of a sentence: what the next may say anew."""


def _merged(before: Sentence, new: Sentence) -> Sentence:
    words = before.words
    if (status := _STATUS.search(new.words)) and _STATUS.search(words):
        words = _STATUS.sub(status[1], words, count=1)
    return replace(
        before,
        **{name: getattr(new, name) or getattr(before, name) for name in _REPLACED},
        words=words,
        unsure_tests=new.unsure_tests or (() if new.tests else before.unsure_tests),
        when=_when(before, new),
        fix=replace(new, when=_when(before, new) if new.when.first or _relative(new) else new.when),
    )


def _when(before: Sentence, new: Sentence) -> When:
    old, when = before.when, new.when
    if old.first and (relative := _relative(new)):
        return _shifted(old, relative)
    if not when.first:
        return _with_length(old, when)
    if not old.first:
        return when if when.days else replace(when, days=old.days)
    first = _near(old.first, new)
    if when.until and when.point:
        return replace(old, last=first, days=None, point=False) if first >= old.first else when
    return when if _has_length(when) else replace(when, first=first, days=_length_of(old, new))


def _has_length(when: When) -> bool:
    return bool(when.last or when.days)


def _length_of(old: When, new: Sentence) -> int | None:
    """How long it stays where the new sentence says only another start."""
    if old.days or not old.first or not old.last:
        return old.days
    return (old.last - old.first).days + 1 if _CORRECTS.search(new.words) else None


def _with_length(old: When, new: When) -> When:
    return replace(old, days=new.days, last=None, working=new.working) if new.days else old


def _near(old: dt.date, new: Sentence) -> dt.date:
    """A weekday, or a day of the month, that is said alone is of the week or month that was spoken of."""
    first = new.when.first or old
    cut = new.text.casefold()
    name = re.search(r"\b" + WEEKDAY, cut)
    if name and not re.search(r"\d|\b(?:next|this|coming|last|in)\b", cut):
        day = old - DAY * old.weekday() + DAY * first.weekday()
        return max(day, first) if day < first and (first - old).days < 7 else day
    if re.search(r"(?<![\d./-])\d{1,2}(?:st|nd|rd|th)\b", cut) and not re.search(
        r"\b(?:of|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", cut
    ):
        try:
            return old.replace(day=first.day)
        except ValueError:
            return first
    return first


def _shifted(old: When, relative: re.Match) -> When:
    unit = next(filter(None, relative.group("unit", "unit2", "unit3")))
    way = next(filter(None, relative.group("way", "way2", "way3")))
    back = way in ("before", "earlier", "previous", "preceding")
    if unit == "month" and old.first:
        month = (old.first.replace(day=1) - DAY if back else old.first.replace(day=28) + 4 * DAY).replace(day=1)
        return replace(old, first=month, last=(month.replace(day=28) + 4 * DAY).replace(day=1) - DAY, days=None)
    days = (7 if unit == "week" else 1) * (-1 if back else 1)
    return replace(old, first=old.first and old.first + days * DAY, last=old.last + days * DAY if old.last else None)


def _referred(before: Sentence, sentence: Sentence) -> Sentence:
    """`it` is the vehicle that was spoken of, `there` the dyno, and then `then` the days."""
    if not _refers(sentence):
        return sentence
    if not sentence.vehicles and _SAME_VEHICLE.search(sentence.words):
        sentence = replace(sentence, vehicles=before.vehicles[:1])
    if not sentence.dynos and _SAME_DYNO.search(sentence.words):
        sentence = replace(sentence, dynos=before.dynos[:1])
    if not sentence.when.first and _THEN.search(sentence.words):
        sentence = replace(sentence, when=replace(before.when, days=sentence.when.days or before.when.days))
    return sentence


def choice(text: str, last: LastTurn, vocabulary: Vocabulary) -> tuple[str, dict[str, Any]] | None:
    """The last call again, with the one of its candidates that is meant now."""
    if last.status != "unclear" or not last.candidates:
        return None
    row = _candidate_meant(text, last.candidates, read(text, vocabulary))
    if row is None:
        return None
    if "first_day" in row:
        return last.name, _args_without_search(last) | {"allocation": row["id"]}
    for key, name in (("vehicle", "vehicle"), ("dyno", "dyno"), ("test_type", "name")):
        if name in row:
            return last.name, last.args | {key: row[name]}
    return None


def _args_without_search(last: LastTurn) -> dict[str, Any]:
    """The arguments of a call, without those that only told bookings apart; the dyno of a move is where it goes."""
    search = {key for key in last.args if key.startswith("within_")}
    if last.name != "move_allocation":
        search.add("dyno")
    return {key: value for key, value in last.args.items() if key not in search}


def _candidate_meant(text: str, rows: list[dict[str, Any]], sentence: Sentence) -> dict[str, Any] | None:
    """The one of them that is named, counted, or told apart by how its name ends."""
    matches = [row for row in rows if _is_meant(row, sentence)] or _counted(text, rows)
    if len(matches) != 1:
        matches = [row for row in rows if _ends_in(row, text)]
    return matches[0] if len(matches) == 1 else None


def _is_meant(row: dict[str, Any], sentence: Sentence) -> bool:
    checks = []
    if "first_day" in row:
        if sentence.when.first:
            checks.append(sentence.when.touches(row["first_day"], row["last_day"]))
        checks += [row.get("dyno") in sentence.dynos] if sentence.dynos else []
        checks += [row.get("test_type") in sentence.tests] if sentence.tests else []
        if status := _STATUS.search(sentence.words):
            checks.append(row.get("status") == status[1])
    else:
        return _label_of(row) in (*sentence.vehicles, *sentence.dynos, *sentence.tests)
    return bool(checks) and all(checks)


def _label_of(row: dict[str, Any]) -> str | None:
    return row.get("vehicle") or row.get("dyno") or row.get("name")


_ORDINALS = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "last": -1, "latter": -1, "former": 0}


def _counted(text: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    match = re.search(
        r"\b(?:the\s+)?(first|second|third|1st|2nd|3rd|last|latter|former)(?:\s+one)?\b", text.casefold()
    )
    at = _ORDINALS[match[1]] if match else None
    return [rows[at]] if at is not None and -len(rows) <= at < len(rows) else []


def _ends_in(row: dict[str, Any], text: str) -> bool:
    """`the B one`, of PN-23-A and PN-23-B; `East`, of Hub East and Hub West."""
    label = str(_label_of(row) or "")
    if "first_day" in row:
        return False
    last = matching.squeezed(re.split(r"[\s#_.\-/]+", label)[-1])
    return last in {matching.squeezed(word) for word in re.findall(r"\w+", text)}
