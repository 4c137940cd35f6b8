"""What the offline model says: plain sentences over tool results, with links to the records. Pure."""

from typing import Any

from assistant.enums import RunOutcome
from assistant.tools.phrases import alike, days, link
from assistant.tools.registry import TOOLS

Data = dict[str, Any]

HELLO = "Hello. I can look things up in the schedule and propose bookings. Ask, for example: which dynos are free next week?"
HELP = """I can
- find dynos that are free on some days for a weight, drive and test,
- tell where a vehicle is booked, what runs, what is completed, what waits, what is in maintenance and how busy dynos are,
- explain why a dyno can or cannot take a vehicle,
- propose bookings, moves, cancellations and plans, which you approve on a card.

I work offline by rules and names, so I understand plain requests about the schedule and not much else."""
HOW = """A dyno can take a vehicle's test when
- it runs that **test type**,
- for it takes the vehicle's **drive** (2WD or AWD) and **weight class** (<10K up to 10,000 lb, >10K above),
- it is enabled and within its days of availability,
- and on all days neither a maintenance window nor another vehicle is on it, and the vehicle is nowhere else.

Among those that fit I take the earliest start, then the dyno that fits most narrowly, so that versatile ones stay free, then the smallest gap."""
WORDS = """A **weight class** is <10K (up to 10,000 lb) or >10K (above); a **drive** is 2WD or AWD. A **test request** is a test that waits for a place; an **allocation** is a vehicle on a dyno for whole days. A **conflict** is a dyno or vehicle with two stays on one day. **Backup** lets a booking start some days later where the day asked is taken. A **proposal** is a write that waits for your approval; nothing is written before, and it can be undone after."""
OFF_TOPIC = (
    "Sorry, I can't help with that: I only know this schedule of vehicles and dynos. "
    + HELP.split("\n", maxsplit=1)[0]
    + " find free dynos, tell where vehicles are booked, and propose bookings, moves and cancellations."
)
NOTHING_WRITTEN = "Nothing is written until you approve the card."
NOTES = 3
"""Of a card that are said beside it."""


def phrase(done: list[tuple[str, Data]]) -> tuple[str, RunOutcome]:
    """The answer to the last tool result, and what the turn comes to."""
    if len(done) > 1 and _are_of_one_tool(done):
        return _all_of_them([phrase([result]) for result in done])
    name, data = done[-1]
    status = data.get("status", "ok")
    if status == "waiting":
        return f"{_card(data['card'])}\n\n{NOTHING_WRITTEN}", RunOutcome.PROPOSAL
    if status == "carried-out":
        return f"Done.\n\n{_card(data['card'])}", RunOutcome.PROPOSAL
    if status in ("unclear", "invalid"):
        return data["message"], RunOutcome.CLARIFY
    if status != "ok":
        return _refusal(data), RunOutcome.REFUSED
    tool = TOOLS.get(name)
    return (tool.phrase if tool and tool.phrase else _plain)(data), RunOutcome.ANSWER


def _are_of_one_tool(done: list[tuple[str, Data]]) -> bool:
    return len({name for name, _ in done}) == 1


def _all_of_them(answers: list[tuple[str, RunOutcome]]) -> tuple[str, RunOutcome]:
    """One answer of several; what comes of them is the best that came of one."""
    texts = dict.fromkeys(text for text, _ in answers)
    outcomes = [outcome for _, outcome in answers]
    best = next((rank for rank in (RunOutcome.PROPOSAL, RunOutcome.ANSWER) if rank in outcomes), outcomes[-1])
    return "\n\n".join(texts), best


def _refusal(data: Data) -> str:
    lines = [data.get("message") or "That cannot be done."]
    reasons = [reason["sentence"] for reason in data.get("reasons", [])]
    if len(reasons) > 1:
        lines = ["That cannot be booked:", *[f"- {reason}" for reason in reasons]]
    if places := data.get("places"):
        lines += ["", "Nearest places that would do:"]
        lines += [f"- {link(place['dyno'], place['url'])}{alike(place)}, {days(place)}" for place in places]
    return "\n".join(lines)


def _card(card: Data) -> str:
    """What the card beside it is about, and what to heed; the rest stands on it."""
    when = next((line["new"] for line in card["lines"] if line["label"] == "Days"), "")
    # A title may name the days, without how many they are.
    suffix = "" if when.partition(" (")[0] in card["title"] else f", {when}"
    notes = [f"- Note: {note}" for note in card["warnings"]]
    if len(notes) > NOTES:
        notes[NOTES:] = [f"- {len(notes) - NOTES} more such notes are on the card."]
    return "\n".join([f"**{card['title']}**{suffix}", *notes])


def _plain(data: Data) -> str:
    return data.get("message") or "Done."
