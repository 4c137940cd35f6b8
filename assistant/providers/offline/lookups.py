"""Questions about the schedule: which tool answers them, with which arguments."""

import datetime as dt
import re

from assistant.providers.offline import queries
from assistant.providers.offline.days import DAY
from assistant.providers.offline.intent import (
    MAX_AT_ONCE,
    Plan,
    Utterance,
    ask,
    books,
    iso,
    maintenance_words,
    refused,
)


def by_query(turn: Utterance) -> Plan | None:
    if re.match(
        r"(?is)\W*(?:delete\s+from|update\s+\w+\s+set|insert\s+into|(?:drop|alter|create|truncate)\s+(?:table|view|schema|database|role|user|index)|truncate\s+\w+\s*;?\s*$|grant\s+\w+|copy\s+\w+)\b",
        turn.sentence.text,
    ):
        return refused("No: queries only read. Nothing was run.")
    if statement := _statement(turn.sentence.text):
        return turn.call("query_database", sql=statement)
    sql = queries.query_for(turn.sentence, turn.vocabulary)
    if turn.has(
        r"(?:run|do|make|execute|write|use|with) (?:me )?(?:an? |the )?(?:sql |database |db |read-only )*(?:query|select|sql)|sql|(?:query|ask) (?:the )?(?:database|db|data)|database query|query:|from the database"
    ):
        return _query(turn, sql)
    if figure := queries.figure_for(turn.sentence):
        return turn.call("query_database", sql=figure)
    if (
        sql
        and turn.has(r"(?:per|by|for each|for every|grouped by|each) \w+")
        and turn.has("how many|number of|count|total|breakdown")
    ):
        return turn.call("query_database", sql=sql)
    return None


def _statement(text: str) -> str | None:
    """The SELECT that a text holds; one in words is none."""
    match = re.search(r"(?is)\b((?:select|with)\b.+\bfrom\b.+)", text)
    statement = match[1].strip().rstrip("`;").strip() if match else ""
    if re.match(r"(?i)select (?:a|the|one|any|an)\b(?! \w+\()", statement):
        return None
    return statement if re.match(r"(?i)select\b|with\s+\w+\s+as\b", statement) else None


def _query(turn: Utterance, sql: str | None) -> Plan:
    """Run what was put in words, or say how to put it."""
    if turn.has(r"insert|update \w+ set|delete|drop|alter|truncate|grant|create table"):
        return refused("No: queries only read. Nothing was run.")
    if sql or turn.has(r"views?|schema|tables|columns|what can i query"):
        return turn.call("query_database", sql=sql or "")
    return ask(
        "What should the query count? Say it like `how many bookings per dyno`, or write the SELECT yourself; the "
        "views are dynos, capabilities, vehicles, allocations, requests, maintenance, test_types, working_calendar, "
        "shutdowns and travel."
    )


def vehicles_list(turn: Utterance) -> Plan | None:
    """No tool lists vehicles; a query does."""
    sentence = turn.sentence
    if any((sentence.vehicle, sentence.dyno, sentence.test, sentence.when.first)) or turn.has("dynos?|cells?|rigs?"):
        return None
    if sentence.program and turn.has("where|when|schedule|scheduled|booked|booking|bookings|doing|status"):
        return turn.call("query_database", sql=queries.stays_of(sentence.program, turn.vocabulary.today))
    if turn.has("free|available|waiting|running|booked|scheduled|tested|on|book|put|place|allocate|schedule|request"):
        return None
    where = queries.vehicles_where(sentence)
    if turn.has(r"how many (?:\W )*(?:vehicles|cars|trucks)|(?:number|count) of (?:vehicles|cars|trucks)"):
        return turn.call("query_database", sql=f"SELECT count(*) AS vehicles FROM vehicles{where}")  # noqa: S608
    if turn.has(r"(?:list|show|which|what|give|all|see|display)\b.{0,25}\b(?:vehicles|cars|trucks|fleet)"):
        columns = "tag, vin, program, drive, weight_lbs, weight_class"
        return turn.call("query_database", sql=f"SELECT {columns} FROM vehicles{where} ORDER BY tag")  # noqa: S608
    return None


def conflicts(turn: Utterance) -> Plan | None:
    if turn.has(
        r"double[\s-]?book\w*|booked twice|twice booked|conflict\w*|overlap\w*|clash(?:es|ing)?|collisions?|collid\w*|two vehicles on (?:one|the same)|same dyno (?:at|on) the same|booked at the same time|(?:on|at|for) the same (?:time|days?|dates?)\b.{0,20}\b(?:dyno|vehicle)|(?:more than one|two|several) (?:vehicles?|cars?|tests?|bookings?) (?:on|at) (?:one|a|the same)|two (?:tests|bookings|cars) (?:at|on) (?:the same|once|one)|double allocat\w*|(?:scheduled|allocated) twice|doubly booked"
    ):
        when = turn.sentence.when
        if turn.sentence.vehicle and books(turn):
            return None
        return turn.call("detect_conflicts", start_date=iso(when.first), end_date=iso(when.through))
    return None


def maintenance(turn: Utterance) -> Plan | None:
    if not maintenance_words(turn) and not turn.has("disabled|switched off|not working|closed|shut"):
        return None
    if turn.sentence.vehicle or (books(turn) and turn.sentence.test):
        return None
    when = turn.sentence.when
    if turn.has("history|past maintenance|maintenance (?:log|record)s?|so far"):
        return turn.call(
            "list_maintenance_history",
            start_date=iso(when.first),
            end_date=iso(when.through),
            dyno=turn.sentence.dyno,
        )
    if turn.has("upcoming|coming up|planned|scheduled|next") and not when.first and not turn.sentence.dyno:
        start, end = turn.vocabulary.today, turn.vocabulary.today + 180 * DAY
        return turn.call("maintenance_check", start_date=iso(start), end_date=iso(end))
    return turn.call(
        "maintenance_check", start_date=iso(when.first), end_date=iso(when.through), dyno=turn.sentence.dyno
    )


def fit(turn: Utterance) -> Plan | None:
    sentence = turn.sentence
    if not sentence.vehicle:
        return None
    if not (_asks_why_not(turn) or (not books(turn) and _asks_what_fits(turn))):
        return None
    when = sentence.when
    return turn.call(
        "explain_fit",
        vehicle=sentence.vehicle,
        dyno=sentence.dyno,
        test_type=sentence.test,
        start_date=iso(when.first),
        end_date=iso(when.through),
    )


def _asks_why_not(turn: Utterance) -> bool:
    why = turn.has(
        r"why|what (?:stops|prevents|keeps|speaks against)|how come|reasons?|explain|what's (?:wrong|stopping)"
    )
    return why and (
        bool(turn.sentence.dyno) or turn.has(r"can't|cannot|can not|couldn't|not|doesn't|don't|won't|isn't|unable")
    )


def _asks_what_fits(turn: Utterance) -> bool:
    """Whether the vehicle may be on the dyno that is named, or on which it may."""
    if (
        turn.sentence.dyno
        and not turn.has(r"(?:can|could|would|will) (?:you|i|we|u)\b")
        and _asks_whether_it_fits(turn)
    ):
        return True
    return turn.has(
        r"(?:which|what|any|where|is there|are there)\b.{0,30}\b(?:dynos?|cells?|rigs?|place)\b.{0,30}\b(?:free|available|open)|(?:free|available|open) (?:dynos?|cells?|rigs?)"
    ) or turn.has(
        r"(?:which|what) dynos?\b.{0,20}\b(?:can|could|may|take|fit|run|suit|accept|handle|are (?:suitable|compatible|able|possible)|would|support)\w*|where (?:can|could|may)|which ones can|dynos? (?:that|which) (?:can|could|fit|take|suit)|(?:options|choices|alternatives|candidates|possibilities) for|possible dynos|suitable dynos|compatible dynos"
    )


def _asks_whether_it_fits(turn: Utterance) -> bool:
    may = re.search(
        r"\b(?:can|could|may|is|does|would|will|should|might)(?:n't| not)?\b", turn.sentence.words
    ) and turn.has(
        r"(?:run|fit|fits|take|takes|go|suit|suits|suitable|compatible|allowed|able|eligible|accept|accepts|handle|handles|tested|be put|work|capable|do|use|used|support|supports|qualify|qualifies|qualified|good|right|okay|ok|possible)"
    )
    return bool(may) or turn.has(
        r"possible|feasible|compatible|suitable|eligible|allowed|ok|okay|(?:do|does|will|would)\b.{0,20}\b(?:fit|suit|work)|fits?|suits?"
    )


_FREE = r"free|available|availability|open|openings?|vacant|vacanc(?:y|ies)|unoccupied|unused|empty|idle|not (?:booked|taken|in use)|spare|capacity|spots?|slots?|room|gaps?|space|unbooked"


def _asks_for_free_days(turn: Utterance) -> bool:
    if turn.sentence.vehicle or turn.has("requests?|waiting|backlog"):
        return False
    if turn.has("how many|count|number of") and turn.has("test types?|vehicles?|bookings?"):
        return False
    if turn.has(r"how much\b.{0,30}\b(?:capacity|time|space|room)"):
        return False
    return turn.has(_FREE) or _seeks_a_fitting_dyno(turn)


def _seeks_a_fitting_dyno(turn: Utterance) -> bool:
    """Whether a dyno is sought for what is to run, and not the list of those that can."""
    sentence = turn.sentence
    seeks = sentence.dyno or turn.has(
        r"(?:find|get|need|needs|want|give|looking for|search|which|any|what|is there|are there|have you got|do you have|do we have|where can|can|could|got|suggest|recommend|show|list)\b.{0,60}\b(?:dynos?|slots?|spots?|cells?|place)"
    )
    if not seeks or not sentence.has_needs:
        return False
    return bool(sentence.when.first) or not turn.has(
        r"(?:that|which|what dynos?|dynos?|who) (?:\w+ )?(?:can|could|may|run|runs|take|takes|accept|accepts|support|supports|handle|handles|do|does|capable|are able)"
    )


def available(turn: Utterance) -> Plan | None:
    sentence = turn.sentence
    if not _asks_for_free_days(turn):
        return None
    if sentence.unsure_tests and not sentence.test:
        return ask(f"Which test do you mean, {' or '.join(sentence.unsure_tests)}?")
    if not sentence.when.first and not turn.has("next free|when|soonest|earliest|first free"):
        if turn.has("all") and not turn.has(_FREE):
            return None
        return ask("For which days? Say a day or a range, for example next Monday for 3 days.")
    start, last = _days_to_search(turn)
    return turn.call(
        "find_available_dynos",
        start_date=iso(start),
        end_date=iso(last),
        weight_lbs=sentence.weight,
        drive_type=sentence.drive,
        test_type=sentence.test,
        dyno=sentence.dyno,
    )


def _days_to_search(turn: Utterance) -> tuple[dt.date | None, dt.date | None]:
    """First and last day; some weeks where the first free day is sought."""
    when, today = turn.sentence.when, turn.vocabulary.today
    if not when.first or (
        turn.sentence.dyno
        and turn.has(r"when\b.{0,25}\b(?:free|available|open)|next free|free next|soonest|earliest")
    ):
        start = when.first or today
        return start, when.end or start + 29 * DAY
    if when.until and when.point:
        return today, when.first
    return when.first, when.through


def requests(turn: Utterance) -> Plan | None:
    if turn.has(
        r"requests?|waiting|waits?|backlog|queue\w*|unplaced|pending|unscheduled|outstanding|(?:still )?needs? (?:a )?(?:dyno|place|slot)|not (?:yet )?(?:placed|scheduled|booked|allocated)|without a (?:dyno|place)|lined up|in line"
    ):
        status = (
            "placed"
            if turn.has("placed requests|requests (?:are |that are |which are )?placed")
            else "cancelled"
            if turn.has("cancell?ed requests?")
            else "waiting"
        )
        return turn.call("list_requests", status=status, vehicle=turn.sentence.vehicle)
    return None


def completed(turn: Utterance) -> Plan | None:
    if turn.sentence.vehicle:
        return None
    counts = turn.has(r"how many|number of|count|total|how much|tally|quantity")
    done = turn.has(
        r"completed?|finished|done|ended|closed|concluded|did we (?:run|do|complete|finish)|have (?:been run|we (?:run|done))|through|over"
    )
    if counts and done:
        when = turn.sentence.when
        return turn.call(
            "completed_tests_count",
            start_date=iso(when.first),
            end_date=iso(when.through),
            test_type=turn.sentence.test,
        )
    return None


_STATUSES = (
    (
        "running",
        r"running|in progress|ongoing|under way|underway|active|currently (?:being )?tested|being tested|on (?:the |a )?dynos?(?: right)? (?:now|today|currently|at the moment)|going on|live|being run",
    ),
    ("completed", r"completed|finished|done|ended"),
    ("cancelled", r"cancell?ed|called off|dropped"),
    ("scheduled", r"scheduled|upcoming|planned|booked|coming up|future|bookings|reservations|ahead"),
)


_LATE_KINDS = (
    ("overrun", r"overrun\w*|past (?:its|their|the) end|should have ended|run(?:s|ning)? over"),
    ("unstarted", r"not (?:yet )?started|unstarted|should have (?:started|begun)"),
    ("past-due", r"past (?:its|their|the)? ?due|(?:miss|after|past|beyond) (?:its|their|the) due dates?"),
)


def late(turn: Utterance) -> Plan | None:
    """Which tests are late; of one vehicle its own page of facts says it."""
    if turn.sentence.vehicle or turn.has("start(?:s)? later|late (?:in|january|february|march|april|may|june|july)"):
        return None
    kind = next((name for name, pattern in _LATE_KINDS if turn.has(pattern)), None)
    things = turn.has(
        "tests?|bookings?|allocations?|vehicles?|requests?|which|what|who|anything|everything|list|show"
    )
    if not (things and (kind or turn.has("late|overdue|behind(?: schedule)?|delayed|lateness"))):
        return None
    return turn.call("list_late_tests", kind=kind)


def by_status(turn: Utterance) -> Plan | None:
    sentence, when = turn.sentence, turn.sentence.when
    status = next((name for name, pattern in _STATUSES if turn.has(pattern)), None)
    if not _asks_for_tests(turn, status):
        return None
    if status == "scheduled" and turn.has("bookings|reservations|booked") and (sentence.dyno or when.first):
        status = None
    if status is None and not _asks_for_the_schedule(turn):
        return None
    return turn.call(
        "get_tests_by_status",
        status=status,
        start_date=iso(when.first),
        end_date=iso(when.through),
        test_type=sentence.test,
        dyno=sentence.dyno,
    )


def _asks_for_tests(turn: Utterance, status: str | None) -> bool:
    """Whether tests are asked for by their status, dyno or days, and not what a dyno can."""
    sentence = turn.sentence
    if sentence.vehicle:
        return False
    if sentence.dyno and turn.has(
        r"(?:can|able|does|capable)\b.{0,30}\b(?:run|take|do|handle|support|test)s?|capab\w+"
    ):
        return False
    things = turn.has(
        r"tests?|bookings?|allocations?|runs?|vehicles?|cars|reservations?|schedule|what's|what is|anything|which|calendar|who|programme|agenda|jobs?|everything|start\w*|begin\w*|happen\w*"
    )
    return things and bool(status or sentence.dyno or sentence.when.first or turn.has("all|list|show"))


def _asks_for_the_schedule(turn: Utterance) -> bool:
    return bool(turn.sentence.dyno) or turn.has(
        r"(?:what|which|who|anything)\b.{0,20}\b(?:start|begin|end|finish|happen)\w*|tests?|bookings?|allocations?|reservations?|schedule|calendar|on\b|programme|agenda"
    )


def utilisation(turn: Utterance) -> Plan | None:
    if turn.sentence.vehicle or not turn.has(
        r"busy|busiest|utili[sz]ation|utili[sz]ed|usage|occupan\w+|occupied|load|loaded|how full|how much (?:is|are|of)|fully booked|how well used|quiet\w*|idle time|used|workload|percent\w*|how much\b.{0,30}\b(?:capacity|time|space|room)|under-?used|over-?booked|in use"
    ):
        return None
    when = turn.sentence.when
    start, last = when.first, when.through
    if not start:
        start = turn.vocabulary.today
        last = start + 29 * DAY
    return turn.call("utilisation_report", start_date=iso(start), end_date=iso(last), dyno=turn.sentence.dyno)


def vehicle(turn: Utterance) -> Plan | None:
    calls = tuple(("check_vehicle_allocation", {"vehicle": name}) for name in turn.sentence.vehicles[:MAX_AT_ONCE])
    return Plan(calls=calls) if calls else None


def dynos(turn: Utterance) -> Plan | None:
    sentence = turn.sentence
    if not _asks_about_dynos(turn):
        return None
    if sentence.dyno and turn.has(
        r"capab\w+|can|able|runs?|takes?|support\w*|handles?|about|info\w*|details?|describe|specs?|does|do"
    ):
        return turn.call("list_dynos", dyno=sentence.dyno)
    if sentence.dyno and not turn.has(
        r"list|capab\w+|run|runs|take|takes|do|does|tell|about|info\w*|details?|what|can|handle|describe|show|support\w*"
    ):
        return turn.call("get_tests_by_status", dyno=sentence.dyno)
    if (
        turn.has(
            r"list|show|which|what|all|every|have|give|are there|how many|overview|names?|can|capab\w+|available|know|tell|see|display|enumerate|describe|info\w*|run|runs|types?"
        )
        or len(sentence.words.split()) <= 3
        or sentence.has_needs
    ):
        return turn.call("list_dynos", test_type=sentence.test, drive_type=sentence.drive, weight_lbs=sentence.weight)
    return None


def _asks_about_dynos(turn: Utterance) -> bool:
    """Whether something shall be said of dynos, and none be booked."""
    if turn.has("find|get|need|want|looking for|require|give me (?:a|an|one)") and turn.has(
        "(?:a|an|any|some|one) (?:dyno|dynamometer|cell|rig)"
    ):
        return False
    if turn.sentence.dyno or turn.has(
        r"dynos?|dynamometers?|cells?|rigs?|test types?|capabilit\w+|facilit\w+|equipment|benches"
    ):
        return True
    return turn.sentence.has_needs and turn.has("which|who|what|where|can|anything|something|that")
