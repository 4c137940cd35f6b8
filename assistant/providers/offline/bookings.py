"""Asks to book, cancel, undo, set maintenance and place what waits: each becomes a tool call or a question."""

import re

from assistant.providers.offline.days import DAY
from assistant.providers.offline.intent import (
    BOOKING,
    MOST_AT_ONCE,
    Plan,
    Turn,
    ask,
    books,
    is_question,
    is_statement,
    iso,
    maintenance_words,
    not_offered,
    refused,
)
from assistant.providers.offline.reading import listed, read


def undo(turn: Turn) -> Plan | None:
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


def _kind(turn: Turn) -> str:
    if turn.has(r"calibrat\w*"):
        return "calibration"
    return "outage" if turn.has(_OUTAGE) else "planned"


def set_maintenance(turn: Turn) -> Plan | None:
    fails = bool(turn.sentence.dyno) and turn.has(_FAILS) and is_statement(turn)
    if not maintenance_words(turn) or (is_question(turn) and not fails):
        return None
    sets = fails or turn.has(
        r"set|put|schedule|plan|book|block|take|mark|add|create|enter|close|needs?|will be|goes|shut|reserve|make|declare|register|has to be|must be|is (?:going )?(?:down|out)|broke(?: down)?|bring|calibrate|service|repair|overhaul"
    )
    if not sets or turn.sentence.vehicle or turn.has(r"show|list|what|which|when|any|are there|tell"):
        return None
    if "set_maintenance" not in turn.tools:
        return not_offered("set_maintenance", turn.vocabulary)
    sentence, when = turn.sentence, turn.sentence.when
    if not sentence.dyno:
        return ask("Which dyno is the maintenance for, and on which days?")
    kind = _kind(turn)
    if kind != "outage" and turn.vocabulary.role == "scheduler":
        return refused(
            f"You have no right to set {'a calibration' if kind == 'calibration' else 'planned maintenance'} here; that "
            f"takes the role admin. An outage you can record: say, for example, that {sentence.dyno} is broken until Friday."
        )
    first, last = when.first, when.end or when.first
    if kind == "outage" and when.until and when.point:
        first = turn.vocabulary.today
    elif kind == "outage" and not first and when.days:
        first, last = turn.vocabulary.today, turn.vocabulary.today + DAY * (when.days - 1)
    if not first and fails:
        return ask(f"Until which day is {sentence.dyno} out of service?")
    if not first:
        return ask(f"On which days should {sentence.dyno} be in maintenance?")
    reason = re.search(
        r"(?i)(?:because of|due to|reason:?|because|for (?:an? |the )?(?!maintenance|calibration|outage|\d|one|two|three|a week|a day))\s*([^,.;]{3,60}?)(?=\s+(?:from|on|starting|until|between|next|this|tomorrow)\b|[,.;]|$)",
        sentence.text,
    )
    text = reason[1].strip() if reason and not read(reason[1], turn.vocabulary).when.first else ""
    return turn.call(
        "set_maintenance",
        dyno=sentence.dyno,
        start_date=iso(first),
        end_date=iso(last),
        kind=kind,
        reason=text or None,
    )


def plan_all(turn: Turn) -> Plan | None:
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


def cancel(turn: Turn) -> Plan | None:
    sentence = turn.sentence
    if not turn.has(
        r"cancel\w*|call off|called off|unbook|delete|remove|scrap|drop|take\b.{0,40}\boff|withdraw|kill|discard|get rid of|annul|release|free up|don't need|no longer need\w*|not needed"
    ) or turn.has(r"(?:show|list|how many|which|what)\b.*\bcancel(?:led|ed)"):
        return None
    if re.search(r"\b(?:is|are|was|were|show|list|many|any)\b.*\bcancell?ed\b", sentence.words) and not re.search(
        r"\bcancel\b", sentence.words
    ):
        return None
    if not sentence.vehicle and re.search(
        r"\b(?:all|any|the|anything|something|nothing|what|which|recently|just)\s+(?:\w+\s+)?cancell?ed\b|^\W*cancell?ed\b",
        sentence.words,
    ):
        return None
    if turn.has("maintenance|calibration") and not sentence.vehicle:
        return refused("I can't lift maintenance; an admin can, on the maintenance window's page.")
    if turn.has("requests?") and not turn.has("bookings?|allocations?|reservations?|slots?"):
        return refused("I can't cancel a request; its page under Requests can.")
    if "cancel_allocation" not in turn.tools:
        return not_offered("cancel_allocation", turn.vocabulary)
    number = re.search(
        r"\b(?:allocation|booking|reservation|id)\s*(?:id|number|no\.?|#)?\s*#?(\d{1,7})\b", sentence.words
    )
    if not sentence.vehicle and not number and not sentence.dyno:
        return ask("Which booking should be cancelled? Say its vehicle.")
    if not sentence.vehicle and not number and not sentence.when.first:
        return ask(f"Which booking on {sentence.dyno} should be cancelled? Say its vehicle, or its days.")
    when = sentence.when
    return turn.call(
        "cancel_allocation",
        allocation=int(number[1]) if number and not sentence.vehicle else None,
        vehicle=sentence.vehicle,
        dyno=sentence.dyno,
        within_start=iso(when.first),
        within_end=iso(when.end or when.first),
        within_test=sentence.test,
    )


def _clarify_booking(turn: Turn, *, dyno: bool) -> Plan | None:
    sentence, when = turn.sentence, turn.sentence.when
    if when.first and when.end and when.end < when.first:
        return ask(f"The last day, {when.end}, is before the first, {when.first}: on which days shall it be?")
    missing = []
    if not sentence.vehicle:
        missing.append("which vehicle (its tag or VIN)")
    if not sentence.test and not sentence.unsure_tests:
        missing.append(
            f"which test ({listed(turn.vocabulary.test_types[:8])})" if turn.vocabulary.test_types else "which test"
        )
    if not when.first or when.until:
        missing.append("from which day" if when.days or when.until else "on which days")
    elif (
        not when.end
        and not when.days
        and (when.starting or not dyno)
        and not turn.has("all day|only|one-day|single-day")
    ):
        missing.append("for how many days")
    if sentence.unsure_tests and not sentence.test:
        missing.append(f"which test, {' or '.join(sentence.unsure_tests)}")
    if not missing:
        return None
    return ask(f"To propose a booking I still need to know {listed(missing)}.")


def book(turn: Turn) -> Plan | None:
    sentence = turn.sentence
    about = sentence.vehicle or turn.has(
        r"dynos?|vehicles?|tests?|slots?|car|suv|truck|van|sedan|pickup|prototype|mule|for my|spot|cell"
    )
    if not about or (is_question(turn) and not books(turn)):
        return None
    strong = books(turn)
    weak = (
        sentence.vehicle
        and (sentence.test or sentence.dyno)
        and (sentence.when.first or sentence.when.days)
        and (turn.has(BOOKING) or not turn.has(r"where|when|is|was|status|show|list|free|available"))
    )
    gets = sentence.vehicle and turn.has(
        r"(?:get|find|need|needs|want|give|wants|require|requires|looking for)\b.{0,40}\b(?:dyno|slot|place|spot|days?|test|space|booking|time)"
    )
    if not (strong or weak or gets):
        return None
    if (
        strong
        and not sentence.vehicle
        and turn.has(r"free|available|open")
        and sentence.when.first
        and is_question(turn)
    ):
        return None
    name = "book_allocation" if sentence.dyno else "auto_allocate_vehicle"
    if name not in turn.tools:
        return not_offered(name, turn.vocabulary)
    if question := _clarify_booking(turn, dyno=bool(sentence.dyno)):
        return question
    when = sentence.when
    last = when.end or when.first
    if when.first is None or last is None:
        return None
    if sentence.dyno:
        return turn.call(
            "book_allocation",
            vehicle=sentence.vehicle,
            dyno=sentence.dyno,
            test_type=sentence.test,
            start_date=iso(when.first),
            end_date=iso(last),
        )
    backup = sentence.backup or None
    calls = [
        turn.call(
            "auto_allocate_vehicle",
            vehicle=vehicle,
            test_type=sentence.test,
            start_date=iso(when.first),
            days_to_complete=when.length or (last - when.first).days + 1,
            backup=backup,
            max_backup_days=sentence.backup_days if backup else None,
        )
        for vehicle in sentence.vehicles[:MOST_AT_ONCE]
    ]
    return Plan(calls=tuple(call for plan in calls for call in plan.calls))


def incomplete_booking(turn: Turn) -> Plan | None:
    """A wish for a dyno with no more to go by."""
    if turn.has(r"(?:need|want|get|find|looking for|require)\b.{0,40}\b(?:dyno|slot|test|booking)") or (
        turn.sentence.test and turn.sentence.when.first
    ):
        return ask(
            "Which vehicle, which test and which days? For example: book 412W101 for brake next Monday for 3 days."
        )
    return None
