"""Asks to book, cancel, undo, set maintenance and place what waits: each becomes a tool call or a question."""

import datetime as dt
import re

from assistant.providers.offline.days import DAY
from assistant.providers.offline.intent import (
    BOOKING,
    MAX_AT_ONCE,
    Plan,
    Utterance,
    ask,
    booking_number,
    books,
    is_question,
    is_statement,
    iso,
    maintenance_words,
    not_offered,
    refused,
)
from assistant.providers.offline.reading import listed, read


def undo(turn: Utterance) -> Plan | None:
    if turn.has(
        r"undo|revert|roll ?back|take (?:that|it|this) back|reverse (?:that|it|my|the)|put (?:it|that) back|restore (?:it|that|the last)"
    ):
        return turn.call("undo_change")
    return None


_FAILS = (
    r"(?:is|are|was|went|goes|has gone|gone|be|stays|remains) (?:\w+ )?(?:broken(?: down)?|down|faulty|defective|offline"
    r"|not working|out of (?:order|service|action))|not working|broke(?: down)?"
)
"""What somebody says of a dyno that has failed; nobody plans that, so it is no question and asks for no date."""
_OUTAGE = (
    r"outages?|broken|broke|out of (?:order|action|service)|defect\w*|fault\w*|fail\w*|breakdown|unplanned|down|offline"
    r"|not working"
)


def _kind(turn: Utterance) -> str:
    if turn.has(r"calibrat\w*"):
        return "calibration"
    return "outage" if turn.has(_OUTAGE) else "planned"


def _says_it_fails(turn: Utterance) -> bool:
    return bool(turn.sentence.dyno) and turn.has(_FAILS) and is_statement(turn)


def _sets_maintenance(turn: Utterance, *, fails: bool) -> bool:
    if not maintenance_words(turn) or (is_question(turn) and not fails):
        return False
    sets = fails or turn.has(
        r"set|put|schedule|plan|book|block|take|mark|add|create|enter|close|needs?|will be|goes|shut|reserve|make|declare|register|has to be|must be|is (?:going )?(?:down|out)|broke(?: down)?|bring|calibrate|service|repair|overhaul"
    )
    return sets and not turn.sentence.vehicle and not turn.has(r"show|list|what|which|when|any|are there|tell")


def set_maintenance(turn: Utterance) -> Plan | None:
    fails = _says_it_fails(turn)
    if not _sets_maintenance(turn, fails=fails):
        return None
    if "set_maintenance" not in turn.tools:
        return not_offered("set_maintenance", turn.vocabulary)
    dyno, kind = turn.sentence.dyno, _kind(turn)
    if not dyno:
        return ask("Which dyno is the maintenance for, and on which days?")
    if kind != "outage" and turn.vocabulary.role == "scheduler":
        return refused(
            f"You have no right to set {_KINDS[kind]} here; that "
            f"takes the role admin. An outage you can record: say, for example, that {dyno} is broken until Friday."
        )
    first, last = _days_out(turn, kind)
    if not first and fails:
        return ask(f"Until which day is {dyno} out of service?")
    if not first:
        return ask(f"On which days should {dyno} be in maintenance?")
    return turn.call(
        "set_maintenance", dyno=dyno, start_date=iso(first), end_date=iso(last), kind=kind, reason=_reason(turn)
    )


_KINDS = {"calibration": "a calibration", "planned": "planned maintenance"}


def _days_out(turn: Utterance, kind: str) -> tuple[dt.date | None, dt.date | None]:
    """First and last day of the maintenance; an outage begins today where no first day is named."""
    when, today = turn.sentence.when, turn.vocabulary.today
    if kind == "outage" and when.until and when.point:
        return today, when.through
    if kind == "outage" and not when.first and when.days:
        return today, today + DAY * (when.days - 1)
    return when.first, when.through


def _reason(turn: Utterance) -> str | None:
    """What is given as the reason, where it is not the days."""
    reason = re.search(
        r"(?i)(?:because of|due to|reason:?|because|for (?:an? |the )?(?!maintenance|calibration|outage|\d|one|two|three|a week|a day))\s*([^,.;]{3,60}?)(?=\s+(?:from|on|starting|until|between|next|this|tomorrow)\b|[,.;]|$)",
        turn.sentence.text,
    )
    if not reason or read(reason[1], turn.vocabulary).when.first:
        return None
    return reason[1].strip() or None


def plan_all(turn: Utterance) -> Plan | None:
    if turn.sentence.vehicle or turn.sentence.dyno:
        return None
    verbs = r"place|plan|schedule|allocate|assign|book|fit|slot|solve|process|work through|clear|sort|auto-?(?:allocate|plan|schedule|place)|find (?:a )?(?:places?|spots?|slots?|dynos?|homes?) for|distribute|put|arrange|optimi[sz]e"
    things = r"most urgent|requests?|backlog|queue|(?:all|everything|every|whatever|what|tests?|those|ones|vehicles?|anything|cars)\b.{0,30}\bwait(?:s|ing)|waiting (?:list|tests?|vehicles?|ones)|unplaced(?: tests?)?|pending tests?|open tests?|unscheduled(?: tests?)?"
    if turn.has(rf"(?:{verbs})\b.{{0,60}}\b(?:{things})") and not re.match(
        r"\W*(?:what|which|how many|are|is|when|who|show|list)\b", turn.sentence.words
    ):
        number = _MOST_URGENT.search(turn.sentence.words)
        return turn.call("plan_requests", at_most=int(number[1] or number[2]) if number else None)
    return None


_MOST_URGENT = re.compile(
    r"\b(?:(\d{1,4}) (?:most urgent|(?:of the |urgent |waiting |test |open |pending )*(?:requests?|tests?|ones))"
    r"|(?:first|top|next) (\d{1,4}))\b"
)
"""`the 30 most urgent`, `30 requests`, `the first 30`."""


def _asks_to_cancel(turn: Utterance) -> bool:
    """Whether something shall be cancelled, and not what has been."""
    words = turn.sentence.words
    if not turn.has(
        r"cancel\w*|call off|called off|unbook|delete|remove|scrap|drop|take\b.{0,40}\boff|withdraw|kill|discard|get rid of|annul|release|free up|don't need|no longer need\w*|not needed"
    ) or turn.has(r"(?:show|list|how many|which|what)\b.*\bcancel(?:led|ed)"):
        return False
    if re.search(r"\b(?:is|are|was|were|show|list|many|any)\b.*\bcancell?ed\b", words) and not re.search(
        r"\bcancel\b", words
    ):
        return False
    return bool(turn.sentence.vehicle) or not re.search(
        r"\b(?:all|any|the|anything|something|nothing|what|which|recently|just)\s+(?:\w+\s+)?cancell?ed\b|^\W*cancell?ed\b",
        words,
    )


def _cancelled_elsewhere(turn: Utterance) -> str | None:
    """Where something that is no booking can be cancelled."""
    if turn.has("maintenance|calibration") and not turn.sentence.vehicle:
        return "I can't lift maintenance; an admin can, on the maintenance window's page."
    if turn.has("requests?") and not turn.has("bookings?|allocations?|reservations?|slots?"):
        return "I can't cancel a request; its page under Requests can."
    return None


def cancel(turn: Utterance) -> Plan | None:
    if not _asks_to_cancel(turn):
        return None
    if elsewhere := _cancelled_elsewhere(turn):
        return refused(elsewhere)
    if "cancel_allocation" not in turn.tools:
        return not_offered("cancel_allocation", turn.vocabulary)
    sentence, when = turn.sentence, turn.sentence.when
    number = None if sentence.vehicle else booking_number(turn)
    is_named = sentence.vehicle or number is not None
    if not is_named and not sentence.dyno:
        return ask("Which booking should be cancelled? Say its vehicle.")
    if not is_named and not when.first:
        return ask(f"Which booking on {sentence.dyno} should be cancelled? Say its vehicle, or its days.")
    return turn.call(
        "cancel_allocation",
        allocation=number,
        vehicle=sentence.vehicle,
        dyno=sentence.dyno,
        within_start=iso(when.first),
        within_end=iso(when.through),
        within_test=sentence.test,
    )


def _missing_test(turn: Utterance) -> str | None:
    sentence, names = turn.sentence, turn.vocabulary.test_types
    if sentence.test or sentence.unsure_tests:
        return None
    return f"which test ({listed(names[:8])})" if names else "which test"


def _missing_days(turn: Utterance, *, dyno: bool) -> str | None:
    """What is not said of the days. On a dyno that is named, one day is enough; else its length is needed."""
    when = turn.sentence.when
    if not when.first or when.until:
        return "from which day" if when.days or when.until else "on which days"
    if when.end or when.days or (dyno and not when.starting):
        return None
    return None if turn.has("all day|only|one-day|single-day") else "for how many days"


def _clarify_booking(turn: Utterance, *, dyno: bool) -> Plan | None:
    sentence, when = turn.sentence, turn.sentence.when
    if when.first and when.end and when.end < when.first:
        return ask(f"The last day, {when.end}, is before the first, {when.first}: on which days shall it be?")
    vehicle = None if sentence.vehicle else "which vehicle (its tag or VIN)"
    missing = [*filter(None, (vehicle, _missing_test(turn), _missing_days(turn, dyno=dyno)))]
    if sentence.unsure_tests and not sentence.test:
        missing.append(f"which test, {' or '.join(sentence.unsure_tests)}")
    if not missing:
        return None
    return ask(f"To propose a booking I still need to know {listed(missing)}.")


def _is_about_a_place(turn: Utterance) -> bool:
    return bool(turn.sentence.vehicle) or turn.has(
        r"dynos?|vehicles?|tests?|slots?|car|suv|truck|van|sedan|pickup|prototype|mule|for my|spot|cell"
    )


def _says_what_and_when(turn: Utterance) -> bool:
    """A vehicle with a test or dyno and days is a booking, whatever the verb, unless it is a question of them."""
    sentence = turn.sentence
    if not sentence.vehicle or not (sentence.test or sentence.dyno) or not sentence.when.is_said:
        return False
    return turn.has(BOOKING) or not turn.has(r"where|when|is|was|status|show|list|free|available")


def _needs_a_place(turn: Utterance) -> bool:
    return bool(turn.sentence.vehicle) and turn.has(
        r"(?:get|find|need|needs|want|give|wants|require|requires|looking for)\b.{0,40}\b(?:dyno|slot|place|spot|days?|test|space|booking|time)"
    )


def _wants_a_booking(turn: Utterance) -> bool:
    strong, question = books(turn), is_question(turn)
    if not _is_about_a_place(turn) or (question and not strong):
        return False
    if strong:
        asks_what_is_free = (
            not turn.sentence.vehicle and turn.has(r"free|available|open") and turn.sentence.when.first
        )
        return not (question and asks_what_is_free)
    return _says_what_and_when(turn) or _needs_a_place(turn)


def book(turn: Utterance) -> Plan | None:
    if not _wants_a_booking(turn):
        return None
    sentence = turn.sentence
    name = "book_allocation" if sentence.dyno else "auto_allocate_vehicle"
    if name not in turn.tools:
        return not_offered(name, turn.vocabulary)
    if question := _clarify_booking(turn, dyno=bool(sentence.dyno)):
        return question
    return _book_on_dyno(turn) if sentence.dyno else _book_anywhere(turn)


def _book_on_dyno(turn: Utterance) -> Plan:
    sentence, when = turn.sentence, turn.sentence.when
    return turn.call(
        "book_allocation",
        vehicle=sentence.vehicle,
        dyno=sentence.dyno,
        test_type=sentence.test,
        start_date=iso(when.first),
        end_date=iso(when.through),
    )


def _book_anywhere(turn: Utterance) -> Plan:
    """A booking for each vehicle, on whichever dyno is best."""
    sentence, when = turn.sentence, turn.sentence.when
    calls = [
        turn.call(
            "auto_allocate_vehicle",
            vehicle=vehicle,
            test_type=sentence.test,
            start_date=iso(when.first),
            days_to_complete=when.day_count,
            backup=sentence.backup or None,
            max_backup_days=sentence.backup_days if sentence.backup else None,
        )
        for vehicle in sentence.vehicles[:MAX_AT_ONCE]
    ]
    return Plan(calls=tuple(call for plan in calls for call in plan.calls))


def incomplete_booking(turn: Utterance) -> Plan | None:
    """A wish for a dyno with no more to go by."""
    if turn.has(r"(?:need|want|get|find|looking for|require)\b.{0,40}\b(?:dyno|slot|test|booking)") or (
        turn.sentence.test and turn.sentence.when.first
    ):
        return ask(
            "Which vehicle, which test and which days? For example: book 412W101 for brake next Monday for 3 days."
        )
    return None
