"""The offline model's brain: from a conversation to words and tool calls. Pure: the same in, the same out."""

import datetime as dt
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage

from assistant.enums import Outcome
from assistant.providers.offline import phrases, queries, talk
from assistant.providers.offline.days import DAY
from assistant.providers.offline.here import NOWHERE, with_names
from assistant.providers.offline.reading import Known, Said, listed, read

Args = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What to say, or what to call. `outcome` is what the turn comes to with these words."""

    text: str = ""
    calls: tuple[tuple[str, Args], ...] = ()
    outcome: Outcome = Outcome.ANSWER

    @property
    def kind(self) -> talk.Kind:
        """What tells two plans apart, and whether anything was understood."""
        return talk.Kind(self.calls, understood=self.text != phrases.OFF_TOPIC)


def plan(messages: Sequence[BaseMessage], tools: Sequence[str], known: Known) -> Plan:
    """What comes next: parse what was said, go on after a tool's result, or phrase the results."""
    at = max((i for i, message in enumerate(messages) if isinstance(message, HumanMessage)), default=None)
    if at is None:
        return Plan(phrases.HELLO)
    messages, known = _pointed(messages, at, known)
    done = [
        (message.name or "", _data(message)) for message in messages[at + 1 :] if isinstance(message, ToolMessage)
    ]
    heard = talk.heard(messages, at, known, lambda said: _first(said, tools, known).kind)
    if not done:
        return _about_before(messages, at, heard, tools, known) or _first(heard, tools, known)
    if follow := _follow_up(heard, done, tools, known):
        return follow
    said, outcome = phrases.phrase(done)
    return Plan(said, outcome=outcome)


def _about_before(
    messages: Sequence[BaseMessage], at: int, said: Said, tools: Sequence[str], known: Known
) -> Plan | None:
    """What can only be understood from the last turn's call: a choice among what it found, why, yes and no."""
    last = talk.last_turn(messages, at)
    if last is None:
        return None
    turn = _Turn(said, known, frozenset(tools))
    if call := talk.choice(_text(messages[at]), last, known):
        return turn.call(call[0], **call[1])
    words = _text(messages[at]).casefold()
    if talk.WHY.fullmatch(words) and last.args.get("vehicle"):
        args = last.args
        start = args.get("start_date")
        end = args.get("end_date")
        if start and args.get("days_to_complete"):
            end = _iso(dt.date.fromisoformat(start) + DAY * (args["days_to_complete"] - 1))
        return turn.call(
            "explain_fit", vehicle=args["vehicle"], dyno=args.get("dyno"), test_type=args.get("test_type"),
            start_date=start, end_date=end,
        )  # fmt: skip
    if last.status == "waiting" and talk.YES.fullmatch(words):
        return Plan("Approve it on the card, please: I can't do that for you.")
    if last.status == "waiting" and (talk.NO.fullmatch(words) or talk.DROP_IT.fullmatch(words)):
        return Plan("All right: nothing is written. Reject the card, and it is gone.")
    return None


def _pointed(messages: Sequence[BaseMessage], at: int, known: Known) -> tuple[Sequence[BaseMessage], Known]:
    """The messages, with what the last points at on the page by name; without the page where it does not."""
    text = _text(messages[at])
    if known.here != NOWHERE and not read(text, known).vehicle:
        begins = not any(isinstance(message, HumanMessage) for message in messages[:at])
        named = with_names(text, known.here, begins=begins)
        if named != text:
            return [*messages[:at], HumanMessage(named), *messages[at + 1 :]], known
    return messages, replace(known, here=NOWHERE)


def _text(message: BaseMessage) -> str:
    return message.text if isinstance(message.text, str) else str(message.content)


def _data(message: ToolMessage) -> dict[str, Any]:
    try:
        data = json.loads(_text(message))
    except ValueError:
        return {"status": "failed", "message": _text(message)}
    return data if isinstance(data, dict) else {"status": "ok", "data": data}


# The first step.


@dataclass(frozen=True)
class _Turn:
    said: Said
    known: Known
    tools: frozenset[str] = field(default_factory=frozenset)

    def has(self, pattern: str) -> bool:
        return self.said.has(pattern)

    def call(self, name: str, **args: Any) -> Plan:
        if name not in self.tools:
            return _not_offered(name, self.known)
        here = self.known.here
        if (
            name in ("move_allocation", "cancel_allocation")
            and here.allocation
            and args.get("vehicle") == here.vehicle
        ):
            args["allocation"] = here.allocation
        return Plan(calls=((name, {key: value for key, value in args.items() if value is not None}),))


def _not_offered(name: str, known: Known) -> Plan:
    if name == "set_maintenance" and known.role == "scheduler":
        return _refused(
            "You have no right to set maintenance here; that takes the role admin. Ask one of your admins."
        )
    if name in WRITES and known.role == "viewer":
        return _refused(
            "You have no right to change the schedule here: you are a viewer. A scheduler or admin can; I can look things "
            "up for you."
        )
    return _refused("That tool is switched off here.")


MOST_AT_ONCE = 6
"""Vehicles that one sentence may ask for."""
WRITES = frozenset(
    "auto_allocate_vehicle book_allocation move_allocation cancel_allocation set_maintenance plan_requests undo_change".split()
)


def _refused(text: str) -> Plan:
    return Plan(text, outcome=Outcome.REFUSED)


def _ask(text: str) -> Plan:
    return Plan(text, outcome=Outcome.CLARIFY)


def _first(said: Said, tools: Sequence[str], known: Known) -> Plan:
    turn = _Turn(said, known, frozenset(tools))
    for rule in _RULES:
        if found := rule(turn):
            return found
    return _refused(phrases.OFF_TOPIC)


_EVERYTHING = r"all|every|everything|each|entire|whole|complete|any and all|whatever"
_THINGS = r"allocations?|bookings?|schedules?|calendar|tests|vehicles|dynos|records|data|tables?|database|requests|reservations?|entries|runs|rows"


def _forbidden(turn: _Turn) -> Plan | None:
    """Bulk deletions, and attempts to get at what is behind the tools."""
    destroys = turn.has(
        r"drop|delete|erase|wipe|purge|truncate|destroy|nuke|clear|remove|cancel|empty|get rid of|unbook|scrap|reset|annul|void|call off|throw out|free up|unschedule|unallocate|deallocate"
    )
    bulk = turn.has(
        rf"(?:{_EVERYTHING})\b(?:\W+\w+){{0,4}}?\W+(?:{_THINGS})|everything|(?:drop|delete|truncate|wipe|clear|erase|purge|empty)\W+(?:the\W+)?(?:whole\W+|entire\W+)?(?:\w+\W+)?(?:table|database|schedule|calendar|db)s?|all of (?:them|it)"
    )
    gone = bulk and turn.has(r"(?:want|need|make|get|have|see)\b.{0,60}\b(?:gone|away|removed|deleted|off)")
    told = re.search(
        r"\b(?:notes?|comments?|remarks?|descriptions?|workbook|sheet|cell|file|e-?mail|message|ticket|text)\b.{0,60}\b(?:says?|said|tells?|told|reads|states|asks?|wants?|instructs?|orders?)\b",
        turn.said.text.casefold(),
    )
    if told and (destroys or gone):
        return _refused(
            "No: what stands in a note or a file is data to me, and no order. Say yourself which one booking is meant, and I "
            "can propose to cancel that."
        )
    if (destroys or gone) and bulk and not turn.has("filters?") and not turn.said.vehicle:
        return _refused(
            "No: I don't delete or cancel in bulk, and nothing was changed. Name one booking, by its vehicle, and I can "
            "propose to cancel that."
        )
    if re.search(
        r"\b(?:auth_\w+|accounts_\w+|django_\w+|pg_\w+|information_schema|allocations_\w+|assistant_\w+)",
        turn.said.text.casefold(),
    ) or turn.has(
        r"passwords?|passwd|secrets?|api keys?|credentials?|tokens?|session keys?|hash(?:es)?|system prompt|your prompt|your instructions|env(?:ironment)? variables?"
        r"|(?:ignore|forget|disregard|override|bypass)\W+(?:\w+\W+){0,3}(?:rules|instructions|prompt|rights|permissions|restrictions|policies|guidelines|limits|approval|safety)"
        r"|jailbreak|developer mode|you are now|pretend (?:you|i|we|to be|that)|act as|root access|(?:give|grant|get) (?:me|us)\b.{0,30}\b(?:rights?|permissions?|access|roles?)|make me (?:an? )?(?:admin\w*|scheduler)|(?:skip|no more|without|stop asking for|disable|turn off) (?:the |your |all |any )?approvals?|sudo|superuser|without (?:my |any |the |asking for )?(?:approval|asking|permission|confirmation)|skip (?:the )?(?:approval|confirmation)"
    ):
        return _refused(
            "No. I have only your own rights and only the schedule's data, whatever I'm told; I can't read accounts, "
            "passwords or my own settings, and every write waits for your approval."
        )
    return None


def _greeting(turn: _Turn) -> Plan | None:
    return _manners(turn.said.text.casefold())


def _manners(text: str) -> Plan | None:
    """Greetings, thanks, goodbyes, and wishes that are given up."""
    words = re.findall(r"\w+", text.replace("'", ""))
    if not words or len(words) > 9:
        return None
    if talk.DROP_IT.fullmatch(text):
        return Plan("All right, I'll leave it. Nothing was changed.")
    if set(words) <= talk.SOCIAL:
        if set(words) & talk.THANKS:
            return Plan("You're welcome.")
        return Plan("Goodbye." if set(words) & talk.BYES else phrases.HELLO)
    return None


def _help(turn: _Turn) -> Plan | None:
    if turn.said.vehicle or turn.said.dyno:
        return None
    if turn.has(
        r"what can you do|help me|who are you|what are you|what can i ask|how can you help|what do you do|how do i use you|your capabilities|are you (?:an? )?(?:ai|bot|robot|human)|which model|how (?:do|can|would|could|should) i (?:book|move|cancel|schedule|reserve|find|ask|make|get|undo|change|use|start|approve|reject|edit)"
    ):
        return Plan(phrases.HELP)
    if re.fullmatch(r"\W*(?:help|\?+)\W*", turn.said.words):
        return Plan(phrases.HELP)
    decides = turn.has(
        r"how (?:do|does|are|is|would|will|can)\b.*\b(?:decid\w*|choos\w*|chosen|pick\w*|select\w*|match\w*|assign\w*|know|work out|determin\w*|figure|placed|allocat\w*|eligible|suit\w*)|what (?:rules?|criteria|decides|determines|makes)|(?:which|what) (?:rules?|factors?|conditions?)|on what basis|how does (?:the )?(?:allocation|auto|scheduling|matching|booking|it) (?:work|happen)|explain (?:the )?(?:rules|how|your|allocation|matching)|what (?:do|does) (?:you|it) (?:check|consider|look at)"
    )
    if decides and not turn.said.when.first:
        return Plan(phrases.HOW)
    if turn.has(
        r"what (?:does|is|are|do) (?:an? |the )?(?:weight class(?:es)?|proposals?|conflict|maintenance window|backup|test request|drive types?)(?: mean)?|what counts as|explain (?:the )?(?:weight class\w*|drives?|backup|proposals?|conflicts?|approvals?)|what does (?:the )?\w+ (?:mean|do)|how does (?:the |a )?(?:backup|approval|proposal|undo)\w* work|what happens (?:when|if|after) i (?:approve|reject)|how do (?:approvals?|proposals?) work"
    ):
        return Plan(phrases.WORDS)
    return None


def _datetime(turn: _Turn) -> Plan | None:
    if turn.said.vehicle or turn.said.dyno or turn.said.test:
        return None
    if re.fullmatch(r"\W*(?:and )?what(?:'s| is)? (?:is )?(?:it )?(?:today|now)\W*", turn.said.text.casefold()) or (
        turn.has(
            r"(?:which|what) (?:calendar |iso )?week (?:number )?(?:is|are|do)|got the (?:time|date)|have (?:you got )?the (?:time|date)|what(?:'s| is| s)? (?:the )?(?:current |today'?s? )?(?:day|date|time|weekday|week|calendar week|week number)(?: is (?:it|today)| of the week)?(?: today| now)?|(?:which|what) (?:day|date|weekday|week|year|month)\b.*\b(?:is it|is today|today|now|do we have|are we)|today'?s date|current (?:date|time|day)|what time|date today|time is it|day is it|(?:tell|give) me the (?:date|time|day)|date and time"
        )
        and not turn.has(r"free|available|booked|busy|maintenance|dynos?|vehicles?|tests?|due")
    ):
        return turn.call("get_datetime_now")
    return None


def _sql(turn: _Turn) -> Plan | None:
    if re.match(
        r"(?is)\W*(?:delete\s+from|update\s+\w+\s+set|insert\s+into|(?:drop|alter|create|truncate)\s+(?:table|view|schema|database|role|user|index)|truncate\s+\w+\s*;?\s*$|grant\s+\w+|copy\s+\w+)\b",
        turn.said.text,
    ):
        return _refused("No: queries only read. Nothing was run.")
    found = re.search(r"(?is)\b((?:select|with)\b.+\bfrom\b.+)", turn.said.text)
    statement = found[1].strip().rstrip("`;").strip() if found else ""
    in_words = re.match(r"(?i)select (?:a|the|one|any|an)\b(?! \w+\()", statement)
    if re.match(r"(?i)select\b|with\s+\w+\s+as\b", statement) and not in_words:
        return turn.call("query_database", sql=statement)
    asked = turn.has(
        r"(?:run|do|make|execute|write|use|with) (?:me )?(?:an? |the )?(?:sql |database |db |read-only )*(?:query|select|sql)|sql|(?:query|ask) (?:the )?(?:database|db|data)|database query|query:|from the database"
    )
    if asked and turn.has(r"insert|update \w+ set|delete|drop|alter|truncate|grant|create table"):
        return _refused("No: queries only read. Nothing was run.")
    sql = queries.query_for(turn.said, turn.known)
    if asked:
        if sql:
            return turn.call("query_database", sql=sql)
        if turn.has(r"views?|schema|tables|columns|what can i query"):
            return turn.call("query_database", sql="")
        return _ask(
            "What should the query count? Say it like `how many bookings per dyno`, or write the SELECT yourself; the "
            "views are dynos, capabilities, vehicles, allocations, requests, maintenance, test_types, working_calendar, "
            "shutdowns and travel."
        )
    if figure := queries.figure_for(turn.said):
        return turn.call("query_database", sql=figure)
    if (
        sql
        and turn.has(r"(?:per|by|for each|for every|grouped by|each) \w+")
        and turn.has("how many|number of|count|total|breakdown")
    ):
        return turn.call("query_database", sql=sql)
    return None


def _vehicles_list(turn: _Turn) -> Plan | None:
    """No tool lists vehicles; a query does."""
    said = turn.said
    if said.vehicle or said.dyno or said.test or said.when.first or turn.has("dynos?|cells?|rigs?"):
        return None
    if said.program and turn.has("where|when|schedule|scheduled|booked|booking|bookings|doing|status"):
        return turn.call("query_database", sql=queries.stays_of(said.program, turn.known.today))
    if turn.has("free|available|waiting|running|booked|scheduled|tested|on|book|put|place|allocate|schedule|request"):
        return None
    where = queries.vehicles_where(said)
    if turn.has(r"how many (?:\W )*(?:vehicles|cars|trucks)|(?:number|count) of (?:vehicles|cars|trucks)"):
        return turn.call("query_database", sql=f"SELECT count(*) AS vehicles FROM vehicles{where}")  # noqa: S608
    if turn.has(r"(?:list|show|which|what|give|all|see|display)\b.{0,25}\b(?:vehicles|cars|trucks|fleet)"):
        columns = "tag, vin, program, drive, weight_lbs, weight_class"
        return turn.call("query_database", sql=f"SELECT {columns} FROM vehicles{where} ORDER BY tag")  # noqa: S608
    return None


def _undo(turn: _Turn) -> Plan | None:
    if turn.has(
        r"undo|revert|roll ?back|take (?:that|it|this) back|reverse (?:that|it|my|the)|put (?:it|that) back|restore (?:it|that|the last)"
    ):
        return turn.call("undo_change")
    return None


def _conflicts(turn: _Turn) -> Plan | None:
    if turn.has(
        r"double[\s-]?book\w*|booked twice|twice booked|conflict\w*|overlap\w*|clash(?:es|ing)?|collisions?|collid\w*|two vehicles on (?:one|the same)|same dyno (?:at|on) the same|booked at the same time|(?:on|at|for) the same (?:time|days?|dates?)\b.{0,20}\b(?:dyno|vehicle)|(?:more than one|two|several) (?:vehicles?|cars?|tests?|bookings?) (?:on|at) (?:one|a|the same)|two (?:tests|bookings|cars) (?:at|on) (?:the same|once|one)|double allocat\w*|(?:scheduled|allocated) twice|doubly booked"
    ):
        when = turn.said.when
        if turn.said.vehicle and _books(turn):
            return None
        return turn.call("detect_conflicts", start_date=_iso(when.first), end_date=_iso(when.end or when.first))
    return None


_BOOKING = r"book|put|schedule|allocate|assign|place|reserve|slot|get|find|need|needs|want|wants|arrange|set up|fit|squeeze|plan|park|load|add|run|test|send|line up|organi[sz]e|give|auto-?(?:allocate|book|schedule|assign)|(?:can|could|may) (?:you|i|we)|please|would like|let's|i'd like|must go|should go|has to go"
_STRONG = r"book|put|schedule(?!\s+(?:of|is|says|looks?|for ;)\b)|allocate|assign|place|reserve|slot|auto-?(?:allocate|book|schedule|assign)|arrange|set up|squeeze|line up|park|sign up|pencil in"


def _books(turn: _Turn) -> bool:
    words = turn.said.words
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


def _maintenance_words(turn: _Turn) -> bool:
    return turn.has(
        r"maintenance|calibrat\w*|outages?|out of (?:service|order|action)|down(?:time)?|offline|repairs?|servic(?:e|ed|ing)|broken|broke(?: down)?|overhaul|unavailable|blocked|back (?:up|online|in service|in action|in operation|on line)|(?:be|come|comes|is|are|coming) back|up again|working again|fixed|repaired"
    )


def _set_maintenance(turn: _Turn) -> Plan | None:
    if not _maintenance_words(turn) or _is_question(turn):
        return None
    sets = turn.has(
        r"set|put|schedule|plan|book|block|take|mark|add|create|enter|close|needs?|will be|goes|shut|reserve|make|declare|register|has to be|must be|is (?:going )?(?:down|out)|broke(?: down)?|bring|calibrate|service|repair|overhaul"
    )
    if not sets or turn.said.vehicle or turn.has(r"show|list|what|which|when|any|are there|tell"):
        return None
    if "set_maintenance" not in turn.tools:
        return _not_offered("set_maintenance", turn.known)
    said, when = turn.said, turn.said.when
    if not said.dyno:
        return _ask("Which dyno is the maintenance for, and on which days?")
    if not when.first:
        return _ask(f"On which days should {said.dyno} be in maintenance?")
    last = when.end or when.first
    kind = (
        "calibration"
        if turn.has(r"calibrat\w*")
        else "outage"
        if turn.has(r"outages?|broken|broke|out of (?:order|action)|defect\w*|fail\w*|breakdown|unplanned|down")
        else "planned"
    )
    reason = re.search(
        r"(?i)(?:because of|due to|reason:?|because|for (?:an? |the )?(?!maintenance|calibration|outage|\d|one|two|three|a week|a day))\s*([^,.;]{3,60}?)(?=\s+(?:from|on|starting|until|between|next|this|tomorrow)\b|[,.;]|$)",
        said.text,
    )
    text = reason[1].strip() if reason and not read(reason[1], turn.known).when.first else ""
    return turn.call(
        "set_maintenance",
        dyno=said.dyno,
        start_date=_iso(when.first),
        end_date=_iso(last),
        kind=kind,
        reason=text or None,
    )


def _maintenance(turn: _Turn) -> Plan | None:
    if not _maintenance_words(turn) and not turn.has("disabled|switched off|not working|closed|shut"):
        return None
    if turn.said.vehicle or (_books(turn) and turn.said.test):
        return None
    when = turn.said.when
    if turn.has("upcoming|coming up|planned|scheduled|next") and not when.first and not turn.said.dyno:
        start, end = turn.known.today, turn.known.today + 180 * DAY
        return turn.call("maintenance_check", start_date=_iso(start), end_date=_iso(end))
    return turn.call(
        "maintenance_check", start_date=_iso(when.first), end_date=_iso(when.end or when.first), dyno=turn.said.dyno
    )


def _plan_all(turn: _Turn) -> Plan | None:
    if turn.said.vehicle or turn.said.dyno:
        return None
    verbs = r"place|plan|schedule|allocate|assign|book|fit|slot|solve|process|work through|clear|sort|auto-?(?:allocate|plan|schedule|place)|find (?:a )?(?:places?|spots?|slots?|dynos?|homes?) for|distribute|put|arrange|optimi[sz]e"
    things = r"requests?|backlog|queue|(?:all|everything|every|whatever|what|tests?|those|ones|vehicles?|anything|cars)\b.{0,30}\bwait(?:s|ing)|waiting (?:list|tests?|vehicles?|ones)|unplaced(?: tests?)?|pending tests?|open tests?|unscheduled(?: tests?)?"
    if turn.has(rf"(?:{verbs})\b.{{0,60}}\b(?:{things})") and not re.match(
        r"\W*(?:what|which|how many|are|is|when|who|show|list)\b", turn.said.words
    ):
        return turn.call("plan_requests")
    return None


def _is_question(turn: _Turn) -> bool:
    return (
        re.match(
            r"\W*(?:so |and |but |hey |hi |ok |then )*(?:is|are|was|were|does|do|did|when|where|which|what|what's|who|how|has|have|why|will|any)\b",
            turn.said.words,
        )
        is not None
    )


def _fit(turn: _Turn) -> Plan | None:
    said = turn.said
    if not said.vehicle:
        return None
    why = turn.has(
        r"why|what (?:stops|prevents|keeps|speaks against)|how come|reasons?|explain|what's (?:wrong|stopping)"
    )
    can = re.search(r"\b(?:can|could|may|is|does|would|will|should|might)(?:n't| not)?\b", said.words) and turn.has(
        r"(?:run|fit|fits|take|takes|go|suit|suits|suitable|compatible|allowed|able|eligible|accept|accepts|handle|handles|tested|be put|work|capable|do|use|used|support|supports|qualify|qualifies|qualified|good|right|okay|ok|possible)"
    )
    fits = turn.has(
        r"possible|feasible|compatible|suitable|eligible|allowed|ok|okay|(?:do|does|will|would)\b.{0,20}\b(?:fit|suit|work)|fits?|suits?"
    )
    open_for = turn.has(
        r"(?:which|what|any|where|is there|are there)\b.{0,30}\b(?:dynos?|cells?|rigs?|place)\b.{0,30}\b(?:free|available|open)|(?:free|available|open) (?:dynos?|cells?|rigs?)"
    )
    which = turn.has(
        r"(?:which|what) dynos?\b.{0,20}\b(?:can|could|may|take|fit|run|suit|accept|handle|are (?:suitable|compatible|able|possible)|would|support)\w*|where (?:can|could|may)|which ones can|dynos? (?:that|which) (?:can|could|fit|take|suit)|(?:options|choices|alternatives|candidates|possibilities) for|possible dynos|suitable dynos|compatible dynos"
    )
    polite = turn.has(r"(?:can|could|would|will) (?:you|i|we|u)\b")
    if (
        (why and (said.dyno or turn.has(r"can't|cannot|can not|couldn't|not|doesn't|don't|won't|isn't|unable")))
        or (can and said.dyno and not polite and not _books(turn))
        or (fits and said.dyno and not polite and not _books(turn))
        or (open_for and not _books(turn))
        or (which and not _books(turn))
    ):
        when = said.when
        last = when.end or when.first
        return turn.call(
            "explain_fit", vehicle=said.vehicle, dyno=said.dyno, test_type=said.test,
            start_date=_iso(when.first), end_date=_iso(last),
        )  # fmt: skip
    return None


def _iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None


def _cancel(turn: _Turn) -> Plan | None:
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
        return _refused("I can't lift maintenance; an admin can, on the maintenance window's page.")
    if turn.has("requests?") and not turn.has("bookings?|allocations?|reservations?|slots?"):
        return _refused("I can't cancel a request; its page under Requests can.")
    if "cancel_allocation" not in turn.tools:
        return _not_offered("cancel_allocation", turn.known)
    number = re.search(
        r"\b(?:allocation|booking|reservation|id)\s*(?:id|number|no\.?|#)?\s*#?(\d{1,7})\b", said.words
    )
    if not said.vehicle and not number and not said.dyno:
        return _ask("Which booking should be cancelled? Say its vehicle.")
    if not said.vehicle and not number and not said.when.first:
        return _ask(f"Which booking on {said.dyno} should be cancelled? Say its vehicle, or its days.")
    when = said.when
    return turn.call(
        "cancel_allocation", allocation=int(number[1]) if number and not said.vehicle else None, vehicle=said.vehicle,
        dyno=said.dyno, within_start=_iso(when.first), within_end=_iso(when.end or when.first), within_test=said.test,
    )  # fmt: skip


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


def _moves(turn: _Turn) -> bool:
    if not turn.said.backup and turn.has(r"start\b.{0,30}\b(?:later|earlier)|(?:start|begin)s?\b.{0,30}\binstead"):
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


_SOURCE = re.compile(r"\b(?:from|currently (?:on|at)|off)\s*$")


def _move(turn: _Turn) -> Plan | None:
    said = turn.said
    if not _moves(turn) or (not said.vehicle and not said.dyno and not turn.has("bookings?|allocations?")):
        return None
    if _is_question(turn) and not turn.has("can (?:you|we|i)|could (?:you|we|i)"):
        return None
    if "move_allocation" not in turn.tools:
        return _not_offered("move_allocation", turn.known)
    number = re.search(
        r"\b(?:allocation|booking|reservation|id)\s*(?:id|number|no\.?|#)?\s*#?(\d{1,7})\b", said.words
    )
    if not said.vehicle and not number:
        return _ask("Which vehicle's booking should be moved, and where to?")
    if said.vehicle and _needs_booking(turn):
        return turn.call("check_vehicle_allocation", vehicle=said.vehicle)
    args = _move_args(turn)
    if set(args) <= {"vehicle", "allocation", "within_start", "within_end", "within_test"}:
        return _ask(f"Where should {said.vehicle or 'it'} be moved to? Say the new first day, or another dyno.")
    return turn.call("move_allocation", **args)


def _needs_booking(turn: _Turn) -> bool:
    return _shift_of(turn.said.words) is not None or turn.has("extend|prolong|lengthen|shorten")


def _split_move(turn: _Turn) -> tuple[Said, Said]:
    """The sentence before its `to`, which says which booking, and after it, which says where to."""
    words = turn.said.text
    joints = list(re.finditer(r"(?i)\b(?:to|onto|until|for|on|by)\b", words))
    for joint in joints:
        if joint[0].casefold() in ("to", "onto") and not re.search(
            r"(?i)\b(?:like|want|need|able|have|try|going)\s+$", words[: joint.start()]
        ):
            before, after = words[: joint.start()], words[joint.end() :]
            target = read(after, turn.known, bias="future")
            source = read(before, turn.known)
            span = read(before + " to " + after, turn.known).when
            one_range = (
                span.first
                and span.last
                and source.when.first == span.first
                and source.when.point
                and re.search(r"(?i)\bto\s+\w+[^a-z]*$", "to " + after)
                and not re.search(r"(?i)\bfrom\b", before)
            )
            if (target.when.first or target.dynos) and not (one_range and _starts_target(before)):
                return source, target
    return read("", turn.known), read(words, turn.known)


def _starts_target(before: str) -> bool:
    """`… to Dec 14 to Dec 16`: what stands before the second `to` is the target's own start."""
    return re.search(r"(?i)\b(?:to|onto)\b.*$", before) is not None


def _move_args(turn: _Turn) -> Args:
    said = turn.said
    source, target = _split_move(turn)
    when = target.when
    args: Args = {"vehicle": said.vehicle}
    number = re.search(r"\b(?:allocation|booking)\s*(?:id|number|no\.?|#)?\s*#?(\d{1,7})\b", said.words)
    if number and not said.vehicle:
        args["allocation"] = int(number[1])
    if source.when.first:
        args |= {"within_start": _iso(source.when.first), "within_end": _iso(source.when.end or source.when.first)}
    elif source.when.last:
        args |= {"within_end": _iso(source.when.last)}
    if said.test and not target.tests:
        args["within_test"] = said.test
    dyno = target.dynos[-1] if target.dynos else None
    if dyno:
        args["dyno"] = dyno
    if when.first:
        args["start_date"] = _iso(when.first)
        if when.last and (when.days is None) and not _is_week(when):
            args["end_date"] = _iso(when.last)
        elif when.days:
            args["end_date"] = _iso(when.end)
    if said.fix and said.fix.when.first:
        args.pop("end_date", None)
        args |= {"start_date": _iso(said.fix.when.first), "end_date": _iso(said.fix.when.end)}
    if said.fix and said.fix.dyno:
        args["dyno"] = said.fix.dyno
    return {key: value for key, value in args.items() if value is not None}


def _is_week(when: Any) -> bool:
    """A whole week or month is where it shall start, and no new length."""
    length = (when.last - when.first).days + 1
    return (length == 7 and when.first.weekday() == 0) or length >= 28


def _clarify_booking(turn: _Turn, *, dyno: bool) -> Plan | None:
    said, when = turn.said, turn.said.when
    if when.first and when.end and when.end < when.first:
        return _ask(f"The last day, {when.end}, is before the first, {when.first}: on which days shall it be?")
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
    return _ask(f"To propose a booking I still need to know {listed(missing)}.")


def _book(turn: _Turn) -> Plan | None:
    said = turn.said
    about = said.vehicle or turn.has(
        r"dynos?|vehicles?|tests?|slots?|car|suv|truck|van|sedan|pickup|prototype|mule|for my|spot|cell"
    )
    if not about or (_is_question(turn) and not _books(turn)):
        return None
    strong = _books(turn)
    weak = (
        said.vehicle
        and (said.test or said.dyno)
        and (said.when.first or said.when.days)
        and (turn.has(_BOOKING) or not turn.has(r"where|when|is|was|status|show|list|free|available"))
    )
    gets = said.vehicle and turn.has(
        r"(?:get|find|need|needs|want|give|wants|require|requires|looking for)\b.{0,40}\b(?:dyno|slot|place|spot|days?|test|space|booking|time)"
    )
    if not (strong or weak or gets):
        return None
    if strong and not said.vehicle and turn.has(r"free|available|open") and said.when.first and _is_question(turn):
        return None
    name = "book_allocation" if said.dyno else "auto_allocate_vehicle"
    if name not in turn.tools:
        return _not_offered(name, turn.known)
    if question := _clarify_booking(turn, dyno=bool(said.dyno)):
        return question
    when = said.when
    last = when.end or when.first
    if said.dyno:
        return turn.call(
            "book_allocation", vehicle=said.vehicle, dyno=said.dyno, test_type=said.test, start_date=_iso(when.first),
            end_date=_iso(last),
        )  # fmt: skip
    backup = said.backup or None
    calls = [
        turn.call(
            "auto_allocate_vehicle", vehicle=vehicle, test_type=said.test, start_date=_iso(when.first),
            days_to_complete=when.length or (last - when.first).days + 1, backup=backup,
            max_backup_days=said.backup_days if backup else None,
        )
        for vehicle in said.vehicles[:MOST_AT_ONCE]
    ]  # fmt: skip
    return Plan(calls=tuple(call for each in calls for call in each.calls))


def _available(turn: _Turn) -> Plan | None:
    said, when = turn.said, turn.said.when
    if said.vehicle or turn.has("requests?|waiting|backlog"):
        return None
    free = turn.has(
        r"free|available|availability|open|openings?|vacant|vacanc(?:y|ies)|unoccupied|unused|empty|idle|not (?:booked|taken|in use)|spare|capacity|spots?|slots?|room|gaps?|space|unbooked"
    )
    wants = (
        turn.has(
            r"(?:find|get|need|needs|want|give|looking for|search|which|any|what|is there|are there|have you got|do you have|do we have|where can|can|could|got|suggest|recommend|show|list)\b.{0,60}\b(?:dynos?|slots?|spots?|cells?|place)"
        )
        or said.dyno
    )
    asks = free or (
        wants
        and (said.weight or said.drive or said.test)
        and (
            when.first
            or not turn.has(
                r"(?:that|which|what dynos?|dynos?|who) (?:\w+ )?(?:can|could|may|run|runs|take|takes|accept|accepts|support|supports|handle|handles|do|does|capable|are able)"
            )
        )
    )
    if not asks:
        return None
    if turn.has("how many|count|number of") and turn.has("test types?|vehicles?|bookings?"):
        return None
    if turn.has(r"how much\b.{0,30}\b(?:capacity|time|space|room)"):
        return None
    if said.unsure_tests and not said.test:
        return _ask(f"Which test do you mean, {' or '.join(said.unsure_tests)}?")
    if not when.first and not turn.has("next free|when|soonest|earliest|first free"):
        if turn.has("all") and not free:
            return None
        return _ask("For which days? Say a day or a range, for example next Monday for 3 days.")
    if not when.first or (
        said.dyno and turn.has(r"when\b.{0,25}\b(?:free|available|open)|next free|free next|soonest|earliest")
    ):
        start = when.first or turn.known.today
        last = when.end or start + 29 * DAY
    else:
        start, last = when.first, when.end or when.first
        if when.until and when.point:
            start, last = turn.known.today, when.first
    return turn.call(
        "find_available_dynos", start_date=_iso(start), end_date=_iso(last), weight_lbs=said.weight,
        drive_type=said.drive, test_type=said.test, dyno=said.dyno,
    )  # fmt: skip


def _requests(turn: _Turn) -> Plan | None:
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
        return turn.call("list_requests", status=status, vehicle=turn.said.vehicle)
    return None


def _completed(turn: _Turn) -> Plan | None:
    if turn.said.vehicle:
        return None
    counts = turn.has(r"how many|number of|count|total|how much|tally|quantity")
    done = turn.has(
        r"completed?|finished|done|ended|closed|concluded|did we (?:run|do|complete|finish)|have (?:been run|we (?:run|done))|through|over"
    )
    if counts and done:
        when = turn.said.when
        return turn.call(
            "completed_tests_count",
            start_date=_iso(when.first),
            end_date=_iso(when.end or when.first),
            test_type=turn.said.test,
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


def _by_status(turn: _Turn) -> Plan | None:
    said, when = turn.said, turn.said.when
    if said.vehicle:
        return None
    if said.dyno and turn.has(r"(?:can|able|does|capable)\b.{0,30}\b(?:run|take|do|handle|support|test)s?|capab\w+"):
        return None
    things = turn.has(
        r"tests?|bookings?|allocations?|runs?|vehicles?|cars|reservations?|schedule|what's|what is|anything|which|calendar|who|programme|agenda|jobs?|everything|start\w*|begin\w*|happen\w*"
    )
    status = next((name for name, pattern in _STATUSES if turn.has(pattern)), None)
    if not (things and (status or said.dyno or when.first or turn.has("all|list|show"))):
        return None
    if status == "scheduled" and turn.has("bookings|reservations|booked") and (said.dyno or when.first):
        status = None
    if status is None and not (
        said.dyno
        or turn.has(
            r"(?:what|which|who|anything)\b.{0,20}\b(?:start|begin|end|finish|happen)\w*|tests?|bookings?|allocations?|reservations?|schedule|calendar|on\b|programme|agenda"
        )
    ):
        return None
    return turn.call(
        "get_tests_by_status", status=status, start_date=_iso(when.first), end_date=_iso(when.end or when.first),
        test_type=said.test, dyno=said.dyno,
    )  # fmt: skip


def _utilisation(turn: _Turn) -> Plan | None:
    if turn.said.vehicle or not turn.has(
        r"busy|busiest|utili[sz]ation|utili[sz]ed|usage|occupan\w+|occupied|load|loaded|how full|how much (?:is|are|of)|fully booked|how well used|quiet\w*|idle time|used|workload|percent\w*|how much\b.{0,30}\b(?:capacity|time|space|room)|under-?used|over-?booked|in use"
    ):
        return None
    when = turn.said.when
    start, last = when.first, when.end or when.first
    if not start:
        start = turn.known.today
        last = start + 29 * DAY
    return turn.call("utilisation_report", start_date=_iso(start), end_date=_iso(last), dyno=turn.said.dyno)


def _vehicle(turn: _Turn) -> Plan | None:
    calls = tuple(("check_vehicle_allocation", {"vehicle": each}) for each in turn.said.vehicles[:MOST_AT_ONCE])
    return Plan(calls=calls) if calls else None


def _dynos(turn: _Turn) -> Plan | None:
    said = turn.said
    if turn.has("find|get|need|want|looking for|require|give me (?:a|an|one)") and turn.has(
        "(?:a|an|any|some|one) (?:dyno|dynamometer|cell|rig)"
    ):
        return None
    if not (
        turn.has(r"dynos?|dynamometers?|cells?|rigs?|test types?|capabilit\w+|facilit\w+|equipment|benches")
        or said.dyno
        or ((said.test or said.weight or said.drive) and turn.has("which|who|what|where|can|anything|something|that"))
    ):
        return None
    if said.dyno and turn.has(
        r"capab\w+|can|able|runs?|takes?|support\w*|handles?|about|info\w*|details?|describe|specs?|does|do"
    ):
        return turn.call("list_dynos", dyno=said.dyno)
    if said.dyno and not turn.has(
        r"list|capab\w+|run|runs|take|takes|do|does|tell|about|info\w*|details?|what|can|handle|describe|show|support\w*"
    ):
        return turn.call("get_tests_by_status", dyno=said.dyno)
    if (
        turn.has(
            r"list|show|which|what|all|every|have|give|are there|how many|overview|names?|can|capab\w+|available|know|tell|see|display|enumerate|describe|info\w*|run|runs|types?"
        )
        or len(said.words.split()) <= 3
        or said.test
        or said.weight
        or said.drive
    ):
        return turn.call("list_dynos", test_type=said.test, drive_type=said.drive, weight_lbs=said.weight)
    return None


def _incomplete_booking(turn: _Turn) -> Plan | None:
    """A wish for a dyno with no more to go by."""
    if turn.has(r"(?:need|want|get|find|looking for|require)\b.{0,40}\b(?:dyno|slot|test|booking)") or (
        turn.said.test and turn.said.when.first
    ):
        return _ask(
            "Which vehicle, which test and which days? For example: book 412W101 for brake next Monday for 3 days."
        )
    return None


_RULES: tuple[Callable[[_Turn], Plan | None], ...] = (
    _forbidden, _greeting, _datetime, _sql, _vehicles_list, _undo, _plan_all, _set_maintenance, _fit, _help, _cancel, _move, _conflicts,
    _book, _completed, _maintenance, _available, _utilisation, _requests, _by_status, _vehicle, _dynos,
    _incomplete_booking,
)  # fmt: skip


# After a tool.


def _follow_up(said: Said, done: list[tuple[str, dict]], tools: Sequence[str], known: Known) -> Plan | None:
    """A move by some days needs the booking's own days first."""
    name, data = done[-1]
    if name != "check_vehicle_allocation" or len(done) != 1 or data.get("status") != "ok":
        return None
    turn = _Turn(said, known, frozenset(tools))
    if _first(said, tools, known).calls[:1] != (("check_vehicle_allocation", {"vehicle": turn.said.vehicle}),):
        return None
    if not _moves(turn) or not _needs_booking(turn):
        return None
    return _shifted(turn, data)


def _shifted(turn: _Turn, data: dict[str, Any]) -> Plan:
    words = turn.said.words
    vehicle = data["vehicle"]["vehicle"]
    source, _ = _split_move(turn)
    found = [row for row in data["allocations"] if row["status"] in ("scheduled", "running")]
    within = source.when if source.when.first else None
    if within:
        last = within.end or within.first
        found = [
            row
            for row in found
            if row["first_day"] <= last.isoformat() and row["last_day"] >= within.first.isoformat()
        ] or found
    found = [row for row in found if row["id"] == turn.known.here.allocation] or found
    if not found:
        return _refused(f"{vehicle} has no booking that could be moved.")
    if len(found) > 1:
        scheduled = [row for row in found if row["status"] == "scheduled"]
        if len(scheduled) != 1:
            where = "; ".join(f"{row['dyno']}, {row['first_day']} to {row['last_day']}" for row in found[:5])
            return _ask(f"{vehicle} has several bookings; which one do you mean? {where}.")
        found = scheduled
    row = found[0]
    first, last = dt.date.fromisoformat(row["first_day"]), dt.date.fromisoformat(row["last_day"])
    args: Args = {"allocation": row["id"], "vehicle": vehicle}
    if turn.has("extend|prolong|lengthen|shorten"):
        when = turn.said.when
        if when.first:
            end = when.last or when.first
        else:
            days = when.days or _shift_of("by " + words) or abs(_days_said(words))
            if not days:
                return _ask(f"Until which day should the booking of {vehicle} go?")
            end = last + DAY * (-abs(days) if turn.has("shorten") else abs(days))
        return turn.call("move_allocation", **args, end_date=_iso(end))
    shift = _shift_of(words) or 0
    start = first + DAY * shift
    dyno = turn.said.dynos[-1] if turn.said.dynos and turn.said.dynos[-1] != row["dyno"] else None
    return turn.call("move_allocation", **args, start_date=_iso(start), dyno=dyno)


def _days_said(words: str) -> int:
    match = _SHIFT.search(words)
    if not match:
        return 0
    small = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}
    number = int(match["n"]) if match["n"].isdigit() else small.get(match["n"], 2)
    return number * (7 if match["u"].startswith("week") else 1)
