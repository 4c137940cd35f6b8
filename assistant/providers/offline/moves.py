"""Asks to move, extend and shorten a booking, to a day, a dyno, or by some days."""

import datetime as dt
import re
from typing import Any

from assistant.providers.offline.days import DAY
from assistant.providers.offline.intent import Args, Plan, Turn, ask, is_question, iso, not_offered, refused
from assistant.providers.offline.reading import Sentence, read

_SHIFT = re.compile(
    r"\b(?:by\s+)?(?P<n>\d{1,3}|a|an|one|two|three|four|five|six|seven|ten|couple of|a couple of)\s+(?P<u>days?|weeks?)\s*(?P<way>later|earlier|forward|forwards|back|backwards?|ahead|after|before|sooner|out|up|down)?\b"
)
_WAY_FIRST = re.compile(
    r"\b(later|earlier|forward|forwards|back|backwards?|ahead|out|up)\s+(?:by\s+)?((?:\d{1,3}|an?|one|two|three|four|five|six|seven|ten|a couple of)\s+(?:days?|weeks?))\b"
)
_WEEK_AFTER = r"(?:the )?(?:week after(?! next)(?: that)?|following week|week later|subsequent week|next week after that|week afterwards)"
_WEEK_BEFORE = r"(?:the )?(?:week before(?: that)?|previous week|preceding week|week earlier|week prior)"
_DAY_AFTER = r"(?:the )?(?:day after(?! tomorrow)(?: that)?|following day|next day)"
_DAY_BEFORE = r"(?:the )?(?:day before(?! yesterday)(?: that)?|previous day)"


def moves(turn: Turn) -> bool:
    if not turn.sentence.backup and turn.has(
        r"start\b.{0,30}\b(?:later|earlier)|(?:start|begin)s?\b.{0,30}\binstead"
    ):
        return True
    return turn.has(
        r"move|moved|moving|reschedule|re-schedule|shift|postpone|push|bump|nudge|delay|bring\b.{0,40}\b(?:forward|earlier)|pull\b.{0,40}\b(?:forward|in|earlier)|advance|prepone|defer|relocate|transfer|extend|shorten|prolong|lengthen|change the (?:dates?|days?|dyno)|change\b.{0,20}\b(?:dates?|days|dyno)|swap\b.{0,30}\bto|switch\b.{0,30}\bto|rebook|slide|put\b.{0,40}\binstead|make it"
    )


def _shift_of(words: str) -> int | None:
    """Days later (or earlier, below zero) than it is booked now."""
    words = _WAY_FIRST.sub(r"\2 \1", words)
    if re.search(_WEEK_AFTER, words):
        return 7
    if re.search(_WEEK_BEFORE, words):
        return -7
    if re.search(_DAY_AFTER, words):
        return 1
    if re.search(_DAY_BEFORE, words):
        return -1
    match = _SHIFT.search(words)
    if match and (
        match["way"]
        or re.search(r"\bby\s*$", words[: match.start("n")])
        or re.search(r"\b(?:postpone|delay|push|shift|defer|advance|prepone)\b", words)
    ):
        if re.search(r"\b(?:in|for)\s*$", words[: match.start("n")]) and not match["way"]:
            return None
        small = {
            "a": 1,
            "an": 1,
            "one": 1,
            "two": 2,
            "three": 3,
            "four": 4,
            "five": 5,
            "six": 6,
            "seven": 7,
            "ten": 10,
            "couple of": 2,
            "a couple of": 2,
        }
        days = (int(match["n"]) if match["n"].isdigit() else small[match["n"]]) * (
            7 if match["u"].startswith("week") else 1
        )
        earlier = match["way"] in ("earlier", "before", "sooner", "up", "ahead") or re.search(
            r"\b(?:bring|pull|advance|prepone)\b", words
        )
        if match["way"] in ("forward", "forwards") and re.search(r"\b(?:bring|pull)\b", words):
            earlier = True
        if match["way"] in ("backward", "backwards"):
            earlier = True
        return -days if earlier else days
    return None


def move(turn: Turn) -> Plan | None:
    sentence = turn.sentence
    if not moves(turn) or (not sentence.vehicle and not sentence.dyno and not turn.has("bookings?|allocations?")):
        return None
    if is_question(turn) and not turn.has("can (?:you|we|i)|could (?:you|we|i)"):
        return None
    if "move_allocation" not in turn.tools:
        return not_offered("move_allocation", turn.vocabulary)
    number = re.search(
        r"\b(?:allocation|booking|reservation|id)\s*(?:id|number|no\.?|#)?\s*#?(\d{1,7})\b", sentence.words
    )
    if not sentence.vehicle and not number:
        return ask("Which vehicle's booking should be moved, and where to?")
    if sentence.vehicle and needs_booking(turn):
        return turn.call("check_vehicle_allocation", vehicle=sentence.vehicle)
    args = _move_args(turn)
    if set(args) <= {"vehicle", "allocation", "within_start", "within_end", "within_test"}:
        return ask(f"Where should {sentence.vehicle or 'it'} be moved to? Say the new first day, or another dyno.")
    return turn.call("move_allocation", **args)


def needs_booking(turn: Turn) -> bool:
    return _shift_of(turn.sentence.words) is not None or turn.has("extend|prolong|lengthen|shorten")


def _split_move(turn: Turn) -> tuple[Sentence, Sentence]:
    """The sentence before its `to`, which says which booking, and after it, which says where to."""
    words = turn.sentence.text
    joints = [joint for joint in _JOINT.finditer(words) if not _WISH.search(words[: joint.start()][-12:])]
    for joint in joints[:MOST_JOINTS]:
        before, after = words[: joint.start()], words[joint.end() :]
        target = read(after, turn.vocabulary, bias="future")
        if not target.when.first and not target.dynos:
            continue
        source = read(before, turn.vocabulary)
        one_range = (
            source.when.first
            and source.when.point
            and _is_span_from(source.when.first, f"{before} to {after}", turn)
            and re.search(r"(?i)\bto\s+\w+[^a-z]*$", "to " + after)
            and not re.search(r"(?i)\bfrom\b", before)
        )
        if not (one_range and _starts_target(before)):
            return source, target
    return read("", turn.vocabulary), read(words, turn.vocabulary)


def _is_span_from(first: dt.date, words: str, turn: Turn) -> bool:
    span = read(words, turn.vocabulary).when
    return bool(span.last) and span.first == first


_JOINT = re.compile(r"(?i)\b(?:to|onto)\b")
_WISH = re.compile(r"(?i)\b(?:like|want|need|able|have|try|going)\s+$")
MOST_JOINTS = 8
"""That may part where a booking is from where it goes; each has its two sides read."""


def _starts_target(before: str) -> bool:
    """`… to Dec 14 to Dec 16`: what stands before the second `to` is the target's own start."""
    return re.search(r"(?i)\b(?:to|onto)\b.*$", before) is not None


def _move_args(turn: Turn) -> Args:
    sentence = turn.sentence
    source, target = _split_move(turn)
    when = target.when
    args: Args = {"vehicle": sentence.vehicle}
    number = re.search(r"\b(?:allocation|booking)\s*(?:id|number|no\.?|#)?\s*#?(\d{1,7})\b", sentence.words)
    if number and not sentence.vehicle:
        args["allocation"] = int(number[1])
    if source.when.first:
        args |= {"within_start": iso(source.when.first), "within_end": iso(source.when.end or source.when.first)}
    elif source.when.last:
        args |= {"within_end": iso(source.when.last)}
    if sentence.test and not target.tests:
        args["within_test"] = sentence.test
    dyno = target.dynos[-1] if target.dynos else None
    if dyno:
        args["dyno"] = dyno
    if when.first:
        args["start_date"] = iso(when.first)
        if when.last and (when.days is None) and not _is_week(when):
            args["end_date"] = iso(when.last)
        elif when.days:
            args["end_date"] = iso(when.end)
    if sentence.fix and sentence.fix.when.first:
        args.pop("end_date", None)
        args |= {"start_date": iso(sentence.fix.when.first), "end_date": iso(sentence.fix.when.end)}
    if sentence.fix and sentence.fix.dyno:
        args["dyno"] = sentence.fix.dyno
    return {key: value for key, value in args.items() if value is not None}


def _is_week(when: Any) -> bool:
    """A whole week or month is where it shall start, and no new length."""
    length = (when.last - when.first).days + 1
    return (length == 7 and when.first.weekday() == 0) or length >= 28


def shifted(turn: Turn, data: dict[str, Any]) -> Plan:
    words = turn.sentence.words
    vehicle = data["vehicle"]["vehicle"]
    source, _ = _split_move(turn)
    bookings = [row for row in data["allocations"] if row["status"] in ("scheduled", "running")]
    if first := source.when.first:
        last = source.when.end or first
        bookings = [
            row for row in bookings if row["first_day"] <= last.isoformat() and row["last_day"] >= first.isoformat()
        ] or bookings
    bookings = [row for row in bookings if row["id"] == turn.vocabulary.page.allocation] or bookings
    if not bookings:
        return refused(f"{vehicle} has no booking that could be moved.")
    if len(bookings) > 1:
        scheduled = [row for row in bookings if row["status"] == "scheduled"]
        if len(scheduled) != 1:
            where = "; ".join(f"{row['dyno']}, {row['first_day']} to {row['last_day']}" for row in bookings[:5])
            return ask(f"{vehicle} has several bookings; which one do you mean? {where}.")
        bookings = scheduled
    row = bookings[0]
    first, last = dt.date.fromisoformat(row["first_day"]), dt.date.fromisoformat(row["last_day"])
    args: Args = {"allocation": row["id"], "vehicle": vehicle}
    if turn.has("extend|prolong|lengthen|shorten"):
        when = turn.sentence.when
        if when.first:
            end = when.last or when.first
        else:
            days = when.days or _shift_of("by " + words) or abs(_days_said(words))
            if not days:
                return ask(f"Until which day should the booking of {vehicle} go?")
            end = last + DAY * (-abs(days) if turn.has("shorten") else abs(days))
        return turn.call("move_allocation", **args, end_date=iso(end))
    shift = _shift_of(words) or 0
    start = first + DAY * shift
    dyno = turn.sentence.dynos[-1] if turn.sentence.dynos and turn.sentence.dynos[-1] != row["dyno"] else None
    return turn.call("move_allocation", **args, start_date=iso(start), dyno=dyno)


def _days_said(words: str) -> int:
    match = _SHIFT.search(words)
    if not match:
        return 0
    small = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}
    number = int(match["n"]) if match["n"].isdigit() else small.get(match["n"], 2)
    return number * (7 if match["u"].startswith("week") else 1)
