"""Asks to move, extend and shorten a booking, to a day, a dyno, or by some days."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from assistant.providers.offline.days import DAY, When
from assistant.providers.offline.intent import (
    Args,
    Plan,
    Utterance,
    ask,
    booking_number,
    is_question,
    iso,
    not_offered,
    refused,
)
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


def moves(turn: Utterance) -> bool:
    if not turn.sentence.backup and turn.has(
        r"start\b.{0,30}\b(?:later|earlier)|(?:start|begin)s?\b.{0,30}\binstead"
    ):
        return True
    return turn.has(
        r"move|moved|moving|reschedule|re-schedule|shift|postpone|push|bump|nudge|delay|bring\b.{0,40}\b(?:forward|earlier)|pull\b.{0,40}\b(?:forward|in|earlier)|advance|prepone|defer|relocate|transfer|extend|shorten|prolong|lengthen|change the (?:dates?|days?|dyno)|change\b.{0,20}\b(?:dates?|days|dyno)|swap\b.{0,30}\bto|switch\b.{0,30}\bto|rebook|slide|put\b.{0,40}\binstead|make it"
    )


_NAMED_SHIFTS = ((_WEEK_AFTER, 7), (_WEEK_BEFORE, -7), (_DAY_AFTER, 1), (_DAY_BEFORE, -1))
_COUNTS = {
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
_EARLIER = ("earlier", "before", "sooner", "up", "ahead", "backward", "backwards")


def _shift_of(words: str) -> int | None:
    """Days later (or earlier, below zero) than it is booked now."""
    words = _WAY_FIRST.sub(r"\2 \1", words)
    for pattern, days in _NAMED_SHIFTS:
        if re.search(pattern, words):
            return days
    match = _SHIFT.search(words)
    if not match or not _is_shift(match, words):
        return None
    is_earlier = match["way"] in _EARLIER or re.search(r"\b(?:bring|pull|advance|prepone)\b", words)
    return -_length_of(match) if is_earlier else _length_of(match)


def _is_shift(match: re.Match, words: str) -> bool:
    """Whether a number of days is by how many, and not for how many or in how many."""
    before = words[: match.start("n")]
    if match["way"] or re.search(r"\bby\s*$", before):
        return True
    is_verb = re.search(r"\b(?:postpone|delay|push|shift|defer|advance|prepone)\b", words)
    return bool(is_verb) and not re.search(r"\b(?:in|for)\s*$", before)


def _length_of(match: re.Match) -> int:
    count = int(match["n"]) if match["n"].isdigit() else _COUNTS[match["n"]]
    return count * (7 if match["u"].startswith("week") else 1)


def _is_about_a_move(turn: Utterance) -> bool:
    sentence = turn.sentence
    if not moves(turn) or not (sentence.vehicle or sentence.dyno or turn.has("bookings?|allocations?")):
        return False
    return not is_question(turn) or turn.has("can (?:you|we|i)|could (?:you|we|i)")


def move(turn: Utterance) -> Plan | None:
    if not _is_about_a_move(turn):
        return None
    if "move_allocation" not in turn.tools:
        return not_offered("move_allocation", turn.vocabulary)
    vehicle = turn.sentence.vehicle
    if not vehicle and booking_number(turn) is None:
        return ask("Which vehicle's booking should be moved, and where to?")
    if vehicle and needs_booking(turn):
        return turn.call("check_vehicle_allocation", vehicle=vehicle)
    args = _move_args(turn)
    if set(args) <= {"vehicle", "allocation", "within_start", "within_end", "within_test"}:
        return ask(f"Where should {vehicle or 'it'} be moved to? Say the new first day, or another dyno.")
    return turn.call("move_allocation", **args)


def needs_booking(turn: Utterance) -> bool:
    return _shift_of(turn.sentence.words) is not None or turn.has("extend|prolong|lengthen|shorten")


def _split_move(turn: Utterance) -> tuple[Sentence, Sentence]:
    """The sentence before its `to`, which says which booking, and after it, which says where to."""
    words = turn.sentence.text
    joints = [joint for joint in _JOINT.finditer(words) if not _WISH.search(words[: joint.start()][-12:])]
    for joint in joints[:MAX_JOINTS]:
        before, after = words[: joint.start()], words[joint.end() :]
        target = read(after, turn.vocabulary, bias="future")
        if not target.when.first and not target.dynos:
            continue
        source = read(before, turn.vocabulary)
        if not (_is_one_range(source.when, before, after, turn) and _starts_target(before)):
            return source, target
    return read("", turn.vocabulary), read(words, turn.vocabulary)


def _is_one_range(when: When, before: str, after: str, turn: Utterance) -> bool:
    """Whether the `to` is that of a range of days, from the one before it to the one after."""
    if not when.first or not when.point or re.search(r"(?i)\bfrom\b", before):
        return False
    span = read(f"{before} to {after}", turn.vocabulary).when
    return bool(span.last and span.first == when.first and re.search(r"(?i)\bto\s+\w+[^a-z]*$", "to " + after))


_JOINT = re.compile(r"(?i)\b(?:to|onto)\b")
_WISH = re.compile(r"(?i)\b(?:like|want|need|able|have|try|going)\s+$")
MAX_JOINTS = 8
"""That may part where a booking is from where it goes; each has its two sides read."""


def _starts_target(before: str) -> bool:
    """`… to Dec 14 to Dec 16`: what stands before the second `to` is the target's own start."""
    return re.search(r"(?i)\b(?:to|onto)\b.*$", before) is not None


def _move_args(turn: Utterance) -> Args:
    sentence = turn.sentence
    source, target = _split_move(turn)
    args: Args = {"vehicle": sentence.vehicle}
    if not sentence.vehicle:
        args["allocation"] = booking_number(turn)
    args |= _within(source.when)
    if sentence.test and not target.tests:
        args["within_test"] = sentence.test
    if target.dynos:
        args["dyno"] = target.dynos[-1]
    args |= _new_days(target.when)
    if sentence.fix:
        args |= _corrections(sentence.fix)
    return {key: value for key, value in args.items() if value is not None}


def _within(when: When) -> Args:
    """The days that say which booking is meant."""
    if when.first:
        return {"within_start": iso(when.first), "within_end": iso(when.through)}
    return {"within_end": iso(when.last)}


def _new_days(when: When) -> Args:
    if not when.first:
        return {}
    if when.last and when.days is None:
        # A whole week or month is where it shall start, and no new length.
        return {"start_date": iso(when.first), "end_date": None if when.is_week_or_month else iso(when.last)}
    return {"start_date": iso(when.first), "end_date": iso(when.end) if when.days else None}


def _corrections(fix: Sentence) -> Args:
    args: Args = {"dyno": fix.dyno} if fix.dyno else {}
    if fix.when.first:
        args |= {"start_date": iso(fix.when.first), "end_date": iso(fix.when.end)}
    return args


def shifted(turn: Utterance, data: dict[str, Any]) -> Plan:
    vehicle = data["vehicle"]["vehicle"]
    bookings = _bookings_meant(turn, data["allocations"])
    if not bookings:
        return refused(f"{vehicle} has no booking that could be moved.")
    if len(bookings) > 1:
        where = "; ".join(f"{row['dyno']}, {row['first_day']} to {row['last_day']}" for row in bookings[:5])
        return ask(f"{vehicle} has several bookings; which one do you mean? {where}.")
    row = bookings[0]
    args: Args = {"allocation": row["id"], "vehicle": vehicle}
    if turn.has("extend|prolong|lengthen|shorten"):
        end = _new_end(turn, dt.date.fromisoformat(row["last_day"]))
        if end is None:
            return ask(f"Until which day should the booking of {vehicle} go?")
        return turn.call("move_allocation", **args, end_date=iso(end))
    start = dt.date.fromisoformat(row["first_day"]) + DAY * (_shift_of(turn.sentence.words) or 0)
    dyno = turn.sentence.dynos[-1] if turn.sentence.dynos else None
    return turn.call("move_allocation", **args, start_date=iso(start), dyno=dyno if dyno != row["dyno"] else None)


def _bookings_meant(turn: Utterance, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The bookings that could be moved, as far as days, the page in view or their status tell them apart."""
    bookings = [row for row in rows if row["status"] in ("scheduled", "running")]
    within = _split_move(turn)[0].when
    if within.first:
        bookings = _narrowed(bookings, lambda row: within.touches(row["first_day"], row["last_day"]))
    bookings = _narrowed(bookings, lambda row: row["id"] == turn.vocabulary.page.allocation)
    scheduled = [row for row in bookings if row["status"] == "scheduled"]
    return scheduled if len(scheduled) == 1 else bookings


def _narrowed(rows: list[dict[str, Any]], condition: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """The rows for which it holds; all where it holds for none."""
    return [row for row in rows if condition(row)] or rows


def _new_end(turn: Utterance, last: dt.date) -> dt.date | None:
    """The last day of a booking that is to be longer or shorter, if it is said."""
    when, words = turn.sentence.when, turn.sentence.words
    if when.first:
        return when.last or when.first
    match = _SHIFT.search(words)
    days = when.days or _shift_of("by " + words) or (_length_of(match) if match else 0)
    if not days:
        return None
    return last + DAY * (-abs(days) if turn.has("shorten") else abs(days))
