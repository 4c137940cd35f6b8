"""What is meant in a turn, given the turns before: answers to questions, corrections, `and the next?`, `it`. Pure."""

import datetime as dt
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from assistant import matching
from assistant.enums import Outcome
from assistant.providers.offline.days import DAY, WEEKDAY, When
from assistant.providers.offline.reading import Known, Said, read

DEEPEST = 5
"""Turns that are looked back at."""
LONGEST = 12
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
_HERE = re.compile(
    r"\b(?:it|its|that one|this one|(?:the same|same|that|this) (?:vehicle|car|truck|one)|the (?:vehicle|car|truck)|him|them|they|that booking|this booking|that test|the booking)\b"
)
_THERE = re.compile(r"\b(?:there|that dyno|this dyno|the same dyno|same dyno|same place|the dyno)\b")
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


Decide = Callable[[Said], Kind]


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
    calls = [call for m in messages[before:at] if isinstance(m, AIMessage) for call in m.tool_calls]
    for call in reversed(calls):
        try:
            data = json.loads(results[call["id"]])
        except (KeyError, ValueError):
            continue
        if isinstance(data, dict):
            return LastTurn(call["name"], call["args"], str(data.get("status", "")), data.get("candidates") or [])
    return None


def heard(messages: Sequence[BaseMessage], at: int, known: Known, decide: Decide, deep: int = DEEPEST) -> Said:
    """What the user says now, completed by what they said before where it is no sentence of its own."""
    text = _text(messages[at])
    said = read(text, known)
    earlier = _asked_before(messages, at)
    if earlier is None or not deep or not isinstance(messages[at - 1], AIMessage):
        return said
    short = len(text.split()) <= LONGEST
    asked = messages[at - 1].additional_kwargs.get("outcome") == Outcome.CLARIFY
    fragment = short and _is_fragment(said)
    refers = (not said.vehicles and _HERE.search(said.words)) or (not said.dynos and _THERE.search(said.words))
    if not (fragment or refers or (asked and short)):
        return said
    before = heard(messages, earlier, known, decide, deep - 1)
    if asked and short and not _stands_alone(said):
        return read(f"{before.text} {text}", known)
    if fragment:
        merged = _merged(before, said)
        new, old = decide(merged), decide(before)
        if new.understood and (new.calls != old.calls or not decide(said).understood):
            return merged
    return _referred(before, said) if refers else said


def _stands_alone(said: Said) -> bool:
    return bool(_OWN.match(said.words)) or bool(DROP_IT.fullmatch(said.text.casefold()))


def _is_fragment(said: Said) -> bool:
    """Names, days and small words only."""
    if _relative(said) or _STATUS.search(said.words):
        rest = _STATUS.sub(" ", _AFTER.sub(" ", said.words))
    elif (
        said.vehicles
        or said.dynos
        or said.tests
        or said.when.first
        or said.when.days
        or said.weight
        or said.drive
        or said.backup
    ):
        rest = said.words
    else:
        return False
    rest = said_without_days(rest, said)
    return all(word in _FILLERS for word in re.findall(r"[a-z']+", rest))


def said_without_days(words: str, said: Said) -> str:
    if not (said.when.first or said.when.days):
        return words
    return said.when.rest if said.when.rest else words


def _relative(said: Said) -> re.Match | None:
    return _AFTER.search(said.words)


def _merged(before: Said, new: Said) -> Said:
    words = before.words
    if (told := _STATUS.search(new.words)) and _STATUS.search(words):
        words = _STATUS.sub(told[1], words, count=1)
    return replace(
        before,
        words=words,
        vehicles=new.vehicles or before.vehicles,
        dynos=new.dynos or before.dynos,
        tests=new.tests or before.tests,
        unsure_tests=new.unsure_tests or (() if new.tests else before.unsure_tests),
        weight=new.weight or before.weight,
        drive=new.drive or before.drive,
        when=_when(before, new),
        backup=new.backup or before.backup,
        backup_days=new.backup_days or before.backup_days,
        fix=replace(new, when=_when(before, new) if new.when.first or _relative(new) else new.when),
    )


def _when(before: Said, new: Said) -> When:
    old, when = before.when, new.when
    if old.first and (relative := _relative(new)):
        return _shifted(old, relative)
    if not when.first:
        return replace(old, days=when.days, last=None, working=when.working) if when.days else old
    if not old.first:
        return replace(when, days=when.days or old.days)
    first = _near(old.first, new)
    if when.until and when.point:
        return replace(old, last=first, days=None, point=False) if first >= old.first else when
    if when.last or when.days:
        return when
    length = old.days or ((old.last - old.first).days + 1 if old.last and _CORRECTS.search(new.words) else None)
    return replace(when, first=first, days=length)


def _near(old: dt.date, new: Said) -> dt.date:
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
    groups = relative.groupdict()
    unit = groups["unit"] or groups["unit2"] or groups["unit3"]
    way = groups["way"] or groups["way2"] or groups["way3"]
    back = way in ("before", "earlier", "previous", "preceding")
    if unit == "month" and old.first:
        month = (old.first.replace(day=1) - DAY if back else old.first.replace(day=28) + 4 * DAY).replace(day=1)
        return replace(old, first=month, last=(month.replace(day=28) + 4 * DAY).replace(day=1) - DAY, days=None)
    days = (7 if unit == "week" else 1) * (-1 if back else 1)
    return replace(old, first=old.first and old.first + days * DAY, last=old.last + days * DAY if old.last else None)


def _referred(before: Said, said: Said) -> Said:
    """`it` is the vehicle that was spoken of, `there` the dyno, `then` the days."""
    if not said.vehicles and _HERE.search(said.words):
        said = replace(said, vehicles=before.vehicles[:1])
    if not said.dynos and _THERE.search(said.words):
        said = replace(said, dynos=before.dynos[:1])
    if not said.when.first and _THEN.search(said.words):
        said = replace(said, when=replace(before.when, days=said.when.days or before.when.days))
    return said


def choice(text: str, last: LastTurn, known: Known) -> tuple[str, dict[str, Any]] | None:
    """The last call again, with the one of its candidates that is meant now."""
    if last.status != "unclear" or not last.candidates:
        return None
    said = read(text, known)
    found = [each for each in last.candidates if _meant(each, said)] or _counted(text, last.candidates)
    if len(found) != 1:
        found = [each for each in last.candidates if _ends_in(each, text)]
    if len(found) != 1:
        return None
    row = found[0]
    if "first_day" in row:
        kept = {key: value for key, value in last.args.items() if not key.startswith("within_") and key != "dyno"}
        if last.name == "move_allocation" and "dyno" in last.args:
            kept["dyno"] = last.args["dyno"]
        return last.name, kept | {"allocation": row["id"]}
    key = next((key for key in ("vehicle", "dyno") if key in row), None)
    if key:
        return last.name, last.args | {key: row[key]}
    return (last.name, last.args | {"test_type": row["name"]}) if "name" in row else None


def _meant(row: dict[str, Any], said: Said) -> bool:
    told = []
    if "first_day" in row:
        when = said.when
        if when.first:
            told.append(
                row["first_day"] <= (when.end or when.first).isoformat() and row["last_day"] >= when.first.isoformat()
            )
        told += [row.get("dyno") in said.dynos] if said.dynos else []
        told += [row.get("test_type") in said.tests] if said.tests else []
        if status := _STATUS.search(said.words):
            told.append(row.get("status") == status[1])
    else:
        label = row.get("vehicle") or row.get("dyno") or row.get("name")
        if said.vehicles or said.dynos or said.tests:
            told.append(label in (*said.vehicles, *said.dynos, *said.tests))
    return bool(told) and all(told)


_ORDINALS = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "last": -1, "latter": -1, "former": 0}


def _counted(text: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    match = re.search(
        r"\b(?:the\s+)?(first|second|third|1st|2nd|3rd|last|latter|former)(?:\s+one)?\b", text.casefold()
    )
    at = _ORDINALS[match[1]] if match else None
    return [rows[at]] if at is not None and -len(rows) <= at < len(rows) else []


def _ends_in(row: dict[str, Any], text: str) -> bool:
    """`the B one`, of PN-23-A and PN-23-B; `East`, of Hub East and Hub West."""
    label = str(row.get("vehicle") or row.get("dyno") or row.get("name") or "")
    if "first_day" in row:
        return False
    last = matching.squeezed(re.split(r"[\s#_.\-/]+", label)[-1])
    return last in {matching.squeezed(word) for word in re.findall(r"\w+", text)}
