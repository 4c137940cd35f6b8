"""Greetings, thanks, what it can do, and what it will not."""

import re

from assistant.providers.offline import dialogue, phrases
from assistant.providers.offline.intent import Plan, Utterance, refused

_EVERYTHING = r"all|every|everything|each|entire|whole|complete|any and all|whatever"
_THINGS = r"allocations?|bookings?|schedules?|calendar|tests|vehicles|dynos|records|data|tables?|database|requests|reservations?|entries|runs|rows"


def forbidden(turn: Utterance) -> Plan | None:
    """Bulk deletions, and attempts to get at what is behind the tools."""
    destroys = turn.has(
        r"drop|delete|erase|wipe|purge|truncate|destroy|nuke|clear|remove|cancel|empty|get rid of|unbook|scrap|reset|annul|void|call off|throw out|free up|unschedule|unallocate|deallocate"
    )
    bulk = turn.has(
        rf"(?:{_EVERYTHING})\b(?:\W+\w+){{0,4}}?\W+(?:{_THINGS})|everything|(?:drop|delete|truncate|wipe|clear|erase|purge|empty)\W+(?:the\W+)?(?:whole\W+|entire\W+)?(?:\w+\W+)?(?:table|database|schedule|calendar|db)s?|all of (?:them|it)"
    )
    destroys = destroys or (
        bulk and turn.has(r"(?:want|need|make|get|have|see)\b.{0,60}\b(?:gone|away|removed|deleted|off)")
    )
    quoted = re.search(
        r"\b(?:notes?|comments?|remarks?|descriptions?|workbook|sheet|cell|file|e-?mail|message|ticket|text)\b.{0,60}\b(?:says?|said|tells?|told|reads|states|asks?|wants?|instructs?|orders?)\b",
        turn.sentence.text.casefold(),
    )
    if quoted and destroys:
        return refused(
            "No: what stands in a note or a file is data to me, and no order. Say yourself which one booking is meant, and I "
            "can propose to cancel that."
        )
    if destroys and bulk and not turn.has("filters?") and not turn.sentence.vehicle:
        return refused(
            "No: I don't delete or cancel in bulk, and nothing was changed. Name one booking, by its vehicle, and I can "
            "propose to cancel that."
        )
    if _asks_behind_the_tools(turn):
        return refused(
            "No. I have only your own rights and only the schedule's data, whatever I'm told; I can't read accounts, "
            "passwords or my own settings, and every write waits for your approval."
        )
    return None


def _asks_behind_the_tools(turn: Utterance) -> bool:
    return bool(
        re.search(
            r"\b(?:auth_\w+|accounts_\w+|django_\w+|pg_\w+|information_schema|allocations_\w+|assistant_\w+)",
            turn.sentence.text.casefold(),
        )
        or turn.has(
            r"passwords?|passwd|secrets?|api keys?|credentials?|tokens?|session keys?|hash(?:es)?|system prompt|your prompt|your instructions|env(?:ironment)? variables?"
            r"|(?:ignore|forget|disregard|override|bypass)\W+(?:\w+\W+){0,3}(?:rules|instructions|prompt|rights|permissions|restrictions|policies|guidelines|limits|approval|safety)"
            r"|jailbreak|developer mode|you are now|pretend (?:you|i|we|to be|that)|act as|root access|(?:give|grant|get) (?:me|us)\b.{0,30}\b(?:rights?|permissions?|access|roles?)|make me (?:an? )?(?:admin\w*|scheduler)|(?:skip|no more|without|stop asking for|disable|turn off) (?:the |your |all |any )?approvals?|sudo|superuser|without (?:my |any |the |asking for )?(?:approval|asking|permission|confirmation)|skip (?:the )?(?:approval|confirmation)"
        )
    )


def greeting(turn: Utterance) -> Plan | None:
    return _manners(turn.sentence.text.casefold())


def _manners(text: str) -> Plan | None:
    """Greetings, thanks, goodbyes, and wishes that are given up."""
    words = re.findall(r"\w+", text.replace("'", ""))
    if not words or len(words) > 9:
        return None
    if dialogue.DROP_IT.fullmatch(text):
        return Plan("All right, I'll leave it. Nothing was changed.")
    if set(words) <= dialogue.SOCIAL:
        if set(words) & dialogue.THANKS:
            return Plan("You're welcome.")
        return Plan("Goodbye." if set(words) & dialogue.BYES else phrases.HELLO)
    return None


def what_it_can(turn: Utterance) -> Plan | None:
    if turn.sentence.vehicle or turn.sentence.dyno:
        return None
    if turn.has(
        r"what can you do|help me|who are you|what are you|what can i ask|how can you help|what do you do|how do i use you|your capabilities|are you (?:an? )?(?:ai|bot|robot|human)|which model|how (?:do|can|would|could|should) i (?:book|move|cancel|schedule|reserve|find|ask|make|get|undo|change|use|start|approve|reject|edit)"
    ):
        return Plan(phrases.HELP)
    if re.fullmatch(r"\W*(?:help|\?+)\W*", turn.sentence.words):
        return Plan(phrases.HELP)
    decides = turn.has(
        r"how (?:do|does|are|is|would|will|can)\b.*\b(?:decid\w*|choos\w*|chosen|pick\w*|select\w*|match\w*|assign\w*|know|work out|determin\w*|figure|placed|allocat\w*|eligible|suit\w*)|what (?:rules?|criteria|decides|determines|makes)|(?:which|what) (?:rules?|factors?|conditions?)|on what basis|how does (?:the )?(?:allocation|auto|scheduling|matching|booking|it) (?:work|happen)|explain (?:the )?(?:rules|how|your|allocation|matching)|what (?:do|does) (?:you|it) (?:check|consider|look at)"
    )
    if decides and not turn.sentence.when.first:
        return Plan(phrases.HOW)
    if turn.has(
        r"what (?:does|is|are|do) (?:an? |the )?(?:weight class(?:es)?|proposals?|conflict|maintenance window|backup|test request|drive types?)(?: mean)?|what counts as|explain (?:the )?(?:weight class\w*|drives?|backup|proposals?|conflicts?|approvals?)|what does (?:the )?\w+ (?:mean|do)|how does (?:the |a )?(?:backup|approval|proposal|undo)\w* work|what happens (?:when|if|after) i (?:approve|reject)|how do (?:approvals?|proposals?) work"
    ):
        return Plan(phrases.WORDS)
    return None


def what_time(turn: Utterance) -> Plan | None:
    if turn.sentence.vehicle or turn.sentence.dyno or turn.sentence.test:
        return None
    if re.fullmatch(
        r"\W*(?:and )?what(?:'s| is)? (?:is )?(?:it )?(?:today|now)\W*", turn.sentence.text.casefold()
    ) or (
        turn.has(
            r"(?:which|what) (?:calendar |iso )?week (?:number )?(?:is|are|do)|got the (?:time|date)|have (?:you got )?the (?:time|date)|what(?:'s| is| s)? (?:the )?(?:current |today'?s? )?(?:day|date|time|weekday|week|calendar week|week number)(?: is (?:it|today)| of the week)?(?: today| now)?|(?:which|what) (?:day|date|weekday|week|year|month)\b.*\b(?:is it|is today|today|now|do we have|are we)|today'?s date|current (?:date|time|day)|what time|date today|time is it|day is it|(?:tell|give) me the (?:date|time|day)|date and time"
        )
        and not turn.has(r"free|available|booked|busy|maintenance|dynos?|vehicles?|tests?|due")
    ):
        return turn.call("get_datetime_now")
    return None
