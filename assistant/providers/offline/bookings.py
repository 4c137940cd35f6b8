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
    fails = bool(turn.said.dyno) and turn.has(_FAILS) and is_statement(turn)
    if not maintenance_words(turn) or (is_question(turn) and not fails):
        return None
    sets = fails or turn.has(
        r"set|put|schedule|plan|book|block|take|mark|add|create|enter|close|needs?|will be|goes|shut|reserve|make|declare|register|has to be|must be|is (?:going )?(?:down|out)|broke(?: down)?|bring|calibrate|service|repair|overhaul"
    )
    if not sets or turn.said.vehicle or turn.has(r"show|list|what|which|when|any|are there|tell"):
        return None
    if "set_maintenance" not in turn.tools:
        return not_offered("set_maintenance", turn.known)
    said, when = turn.said, turn.said.when
    if not said.dyno:
        return ask("Which dyno is the maintenance for, and on which days?")
    kind = _kind(turn)
    if kind != "outage" and turn.known.role == "scheduler":
        return refused(
            f"You have no right to set {'a calibration' if kind == 'calibration' else 'planned maintenance'} here; that "
            f"takes the role admin. An outage you can record: say, for example, that {said.dyno} is broken until Friday."
        )
    first, last = when.first, when.end or when.first
    if kind == "outage" and when.until and when.point:
        first = turn.known.today
    elif kind == "outage" and not first and when.days:
        first, last = turn.known.today, turn.known.today + DAY * (when.days - 1)
    if not first and fails:
        return ask(f"Until which day is {said.dyno} out of service?")
    if not first:
        return ask(f"On which days should {said.dyno} be in maintenance?")
    reason = re.search(
        r"(?i)(?:because of|due to|reason:?|because|for (?:an? |the )?(?!maintenance|calibration|outage|\d|one|two|three|a week|a day))\s*([^,.;]{3,60}?)(?=\s+(?:from|on|starting|until|between|next|this|tomorrow)\b|[,.;]|$)",
        said.text,
    )
    text = reason[1].strip() if reason and not read(reason[1], turn.known).when.first else ""
    return turn.call(
        "set_maintenance",
        dyno=said.dyno,
        start_date=iso(first),
        end_date=iso(last),
        kind=kind,
        reason=text or None,
    )


def plan_all(turn: Turn) -> Plan | None:
    if turn.said.vehicle or turn.said.dyno:
        return None
    verbs = r"place|plan|schedule|allocate|assign|book|fit|slot|solve|process|work through|clear|sort|auto-?(?:allocate|plan|schedule|place)|find (?:a )?(?:places?|spots?|slots?|dynos?|homes?) for|distribute|put|arrange|optimi[sz]e"
    things = r"most urgent|requests?|backlog|queue|(?:all|everything|every|whatever|what|tests?|those|ones|vehicles?|anything|cars)\b.{0,30}\bwait(?:s|ing)|waiting (?:list|tests?|vehicles?|ones)|unplaced(?: tests?)?|pending tests?|open tests?|unscheduled(?: tests?)?"
    if turn.has(rf"(?:{verbs})\b.{{0,60}}\b(?:{things})") and not re.match(
        r"\W*(?:what|which|how many|are|is|when|who|show|list)\b", turn.said.words
    ):
        number = _MOST_URGENT.search(turn.said.words)
        return turn.call("plan_requests", at_most=int(number[1] or number[2]) if number else None)
    return None


_MOST_URGENT = re.compile(
    r"\b(?:(\d{1,4}) (?:most urgent|(?:of the |urgent |waiting |test |open |pending )*(?:requests?|tests?|ones))"
    r"|(?:first|top|next) (\d{1,4}))\b"
)
"""`the 30 most urgent`, `30 requests`, `the first 30`."""


def cancel(turn: Turn) -> Plan | None:
    said = turn.said
    if not turn.has(
        r"cancel\w*|call off|called off|unbook|delete|remove|scrap|drop|take\b.{0,40}\boff|withdraw|kill|discard|get rid of|annul|release|free up|don't need|no longer need\w*|not needed"
    ) or turn.has(r"(?:show|list|how many|which|what)\b.*\bcancel(?:led|ed)"):
        return None
    if re.search(r"\b(?:is|are|was|were|show|list|many|any)\b.*\bcancell?ed\b", said.words) and not re.search(
        r"\bcancel\b", said.words
    ):
        return None
    if not said.vehicle and re.search(
        r"\b(?:all|any|the|anything|something|nothing|what|which|recently|just)\s+(?:\w+\s+)?cancell?ed\b|^\W*cancell?ed\b",
        said.words,
    ):
        return None
    if turn.has("maintenance|calibration") and not said.vehicle:
        return refused("I can't lift maintenance; an admin can, on the maintenance window's page.")
    if turn.has("requests?") and not turn.has("bookings?|allocations?|reservations?|slots?"):
        return refused("I can't cancel a request; its page under Requests can.")
    if "cancel_allocation" not in turn.tools:
        return not_offered("cancel_allocation", turn.known)
    number = re.search(
        r"\b(?:allocation|booking|reservation|id)\s*(?:id|number|no\.?|#)?\s*#?(\d{1,7})\b", said.words
    )
    if not said.vehicle and not number and not said.dyno:
        return ask("Which booking should be cancelled? Say its vehicle.")
    if not said.vehicle and not number and not said.when.first:
        return ask(f"Which booking on {said.dyno} should be cancelled? Say its vehicle, or its days.")
    when = said.when
    return turn.call(
        "cancel_allocation",
        allocation=int(number[1]) if number and not said.vehicle else None,
        vehicle=said.vehicle,
        dyno=said.dyno,
        within_start=iso(when.first),
        within_end=iso(when.end or when.first),
        within_test=said.test,
    )


def _clarify_booking(turn: Turn, *, dyno: bool) -> Plan | None:
    said, when = turn.said, turn.said.when
    if when.first and when.end and when.end < when.first:
        return ask(f"The last day, {when.end}, is before the first, {when.first}: on which days shall it be?")
    missing = []
    if not said.vehicle:
        missing.append("which vehicle (its tag or VIN)")
    if not said.test and not said.unsure_tests:
        missing.append(f"which test ({listed(turn.known.test_types[:8])})" if turn.known.test_types else "which test")
    if not when.first or when.until:
        missing.append("from which day" if when.days or when.until else "on which days")
    elif (
        not when.end
        and not when.days
        and (when.starting or not dyno)
        and not turn.has("all day|only|one-day|single-day")
    ):
        missing.append("for how many days")
    if said.unsure_tests and not said.test:
        missing.append(f"which test, {' or '.join(said.unsure_tests)}")
    if not missing:
        return None
    return ask(f"To propose a booking I still need to know {listed(missing)}.")


def book(turn: Turn) -> Plan | None:
    said = turn.said
    about = said.vehicle or turn.has(
        r"dynos?|vehicles?|tests?|slots?|car|suv|truck|van|sedan|pickup|prototype|mule|for my|spot|cell"
    )
    if not about or (is_question(turn) and not books(turn)):
        return None
    strong = books(turn)
    weak = (
        said.vehicle
        and (said.test or said.dyno)
        and (said.when.first or said.when.days)
        and (turn.has(BOOKING) or not turn.has(r"where|when|is|was|status|show|list|free|available"))
    )
    gets = said.vehicle and turn.has(
        r"(?:get|find|need|needs|want|give|wants|require|requires|looking for)\b.{0,40}\b(?:dyno|slot|place|spot|days?|test|space|booking|time)"
    )
    if not (strong or weak or gets):
        return None
    if strong and not said.vehicle and turn.has(r"free|available|open") and said.when.first and is_question(turn):
        return None
    name = "book_allocation" if said.dyno else "auto_allocate_vehicle"
    if name not in turn.tools:
        return not_offered(name, turn.known)
    if question := _clarify_booking(turn, dyno=bool(said.dyno)):
        return question
    when = said.when
    last = when.end or when.first
    if said.dyno:
        return turn.call(
            "book_allocation",
            vehicle=said.vehicle,
            dyno=said.dyno,
            test_type=said.test,
            start_date=iso(when.first),
            end_date=iso(last),
        )
    backup = said.backup or None
    calls = [
        turn.call(
            "auto_allocate_vehicle",
            vehicle=vehicle,
            test_type=said.test,
            start_date=iso(when.first),
            days_to_complete=when.length or (last - when.first).days + 1,
            backup=backup,
            max_backup_days=said.backup_days if backup else None,
        )
        for vehicle in said.vehicles[:MOST_AT_ONCE]
    ]
    return Plan(calls=tuple(call for each in calls for call in each.calls))


def incomplete_booking(turn: Turn) -> Plan | None:
    """A wish for a dyno with no more to go by."""
    if turn.has(r"(?:need|want|get|find|looking for|require)\b.{0,40}\b(?:dyno|slot|test|booking)") or (
        turn.said.test and turn.said.when.first
    ):
        return ask(
            "Which vehicle, which test and which days? For example: book 412W101 for brake next Monday for 3 days."
        )
    return None
