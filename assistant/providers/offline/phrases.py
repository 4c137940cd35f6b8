"""What the offline model says: plain sentences over tool results, with links to the records. Pure."""

import re
from collections.abc import Callable
from typing import Any

from assistant.enums import Outcome

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


def phrase(done: list[tuple[str, Data]], *, asked: str = "") -> tuple[str, Outcome]:
    """The answer to the last tool result, and what the turn comes to."""
    if len(done) > 1 and all(name == done[-1][0] for name, _ in done):
        told = [phrase([each]) for each in done]
        texts = dict.fromkeys(text for text, _ in told)
        outcomes = [outcome for _, outcome in told]
        best = next((each for each in (Outcome.PROPOSAL, Outcome.ANSWER) if each in outcomes), outcomes[-1])
        return "\n\n".join(texts), best
    name, data = done[-1]
    status = data.get("status", "ok")
    if status == "waiting":
        return f"{_card(data['card'])}\n\n{NOTHING_WRITTEN}", Outcome.PROPOSAL
    if status == "carried-out":
        return f"Done.\n\n{_card(data['card'])}", Outcome.PROPOSAL
    if status == "unclear":
        return data["message"], Outcome.CLARIFY
    if status == "invalid":
        return data["message"], Outcome.CLARIFY
    if status != "ok":
        return _refusal(data), Outcome.REFUSED
    return _PHRASES.get(name, _plain)(data), Outcome.ANSWER


def _refusal(data: Data) -> str:
    lines = [data.get("message") or "That cannot be done."]
    reasons = [reason["sentence"] for reason in data.get("reasons", [])]
    if len(reasons) > 1:
        lines = ["That cannot be booked:", *[f"- {reason}" for reason in reasons]]
    if places := data.get("places"):
        lines += ["", "Nearest places that would do:"]
        lines += [f"- {_link(place['dyno'], place['url'])}, {days(place)}" for place in places]
    return "\n".join(lines)


def _card(card: Data) -> str:
    """What the card beside it is about, and what to heed; the rest stands on it."""
    when = next((line["new"] for line in card["lines"] if line["label"] == "Days"), "")
    # A title may name the days, without how many they are.
    told = "" if when.partition(" (")[0] in card["title"] else f", {when}"
    notes = [f"- Note: {note}" for note in card["warnings"]]
    if len(notes) > NOTES:
        notes[NOTES:] = [f"- {len(notes) - NOTES} more such notes are on the card."]
    return "\n".join([f"**{card['title']}**{told}", *notes])


def _link(label: Any, url: str) -> str:
    text = re.sub(r"([\[\]\\`*_<>])", r"\\\1", str(label)) if re.search(r"[\[\]\\`*<>]", str(label)) else str(label)
    return f"[{text}]({url})"


def days(row: Data) -> str:
    first, last = row["first_day"], row["last_day"]
    return first if first == last else f"{first} to {last}"


def _on(row: Data) -> str:
    return f"on {row['first_day']}" if row["first_day"] == row["last_day"] else f"from {days(row)}"


def _test(row: Data) -> str:
    return f"{_link(row['vehicle'], row['url'])} on {row['dyno']}, {row['test_type']}, {days(row)} ({row['status']})"


def _more(shown: int, count: int) -> list[str]:
    return [f"… and {count - shown} more."] if count > shown else []


def _number(count: int, thing: str) -> str:
    return f"{count} {thing}" + ("" if count == 1 else "s")


def _now(data: Data) -> str:
    return (
        f"It is {data['written']}, {data['time']} at the proving ground ({data['time_zone']}), week {data['week']} "
        f"(`{data['date']}`)."
    )


def _list_dynos(data: Data) -> str:
    wanted = dict(data["asked"])
    if wanted.get("weight_lbs"):
        wanted["weight_lbs"] = f"{wanted['weight_lbs']:,} lb"
    asked = ", ".join(str(value) for value in wanted.values() if value)
    if not data["dynos"]:
        return f"No dyno here runs that ({asked})." if asked else "There are no dynos here."
    lines = [f"{_number(data['count'], 'dyno')}" + (f" for {asked}:" if asked else ":")]
    for row in data["dynos"]:
        state = "" if row["enabled"] else ", disabled"
        if row.get("available_from"):
            state += f", available from {row['available_from']}"
        if row.get("available_to"):
            state += f", available until {row['available_to']}"
        runs = ", ".join(dict.fromkeys(each["test_type"] for each in row["runs"])) or "nothing yet"
        lines.append(f"- {_link(row['dyno'], row['url'])} ({row['facility']}{state}): {runs}")
    return "\n".join(lines)


def _find(data: Data) -> str:
    when = days(data["days"])
    if data["free"]:
        lines = [
            f"Free on {when}:" if data["days"]["first_day"] == data["days"]["last_day"] else f"Free from {when}:"
        ]
        lines += [f"- {_link(row['dyno'], row['url'])} ({row['facility']})" for row in data["free"]]
        return "\n".join(lines)
    if data["partly_free"]:
        lines = [f"None is free on all days of {when}; these are in part:"]
        lines += [
            f"- {_link(row['dyno'], row['url'])}: free {', '.join(days(gap) for gap in row['free'])}"
            for row in data["partly_free"]
        ]
        if len(data["partly_free"]) == 1:
            lines += [f"- {reason}" for row in data["not_free"] for reason in row["reasons"][:3]
                      if row["id"] == data["partly_free"][0]["id"]]  # fmt: skip
    else:
        lines = [f"No dyno is free for that on {when}:"]
    partly = {row["id"] for row in data["partly_free"]}
    rest = [row for row in data["not_free"] if row["id"] not in partly or not data["partly_free"]]
    if data["partly_free"]:
        rest = [row for row in rest if not any("does not run the test type" in reason for reason in row["reasons"])]
    lines += [f"- {' '.join(row['reasons'][:3])}" for row in rest[:12]]
    return "\n".join(lines)


def _vehicle(data: Data) -> str:
    row = data["vehicle"]
    name = _link(row["vehicle"], row["url"])
    lines = []
    if data["allocations"]:
        lines.append(f"{name} is booked:")
        lines += [
            f"- {_link(each['dyno'], each['url'])}, {each['test_type']}, {days(each)} ({each['status']})"
            for each in data["allocations"]
        ]
    else:
        lines.append(f"{name} is not booked on any dyno from today on.")
    if data["past"]:
        lines.append("Before that: " + "; ".join(f"{each['dyno']}, {each['test_type']}, {days(each)} ({each['status']})" for each in data["past"][:3]) + ".")  # fmt: skip
    if data["waiting"]:
        waits = "; ".join(f"{each['test_type']}, {_number(each['days'], 'day')}" for each in data["waiting"])
        lines.append(f"Waiting for a place: {waits}.")
    return "\n".join(lines)


def _conflicts(data: Data) -> str:
    if not data["conflicts"]:
        return "No conflicts: no dyno and no vehicle is booked twice on any day."
    lines = [f"{_number(data['count'], 'conflict')}:"]
    lines += [f"- {row['shared']} {row['what']}: {days(row)}" for row in data["conflicts"]]
    return "\n".join(lines)


def _completed(data: Data) -> str:
    when = f" {_on(data['days'])}" if data.get("days") else ""
    lines = [f"{_number(data['count'], 'test')} {'is' if data['count'] == 1 else 'are'} completed{when}."]
    lines += [f"- {name}: {count}" for name, count in data["by_test_type"].items()]
    lines += [f"- {_test(row)}" for row in data["tests"]] if data["count"] <= 3 else []
    return "\n".join(lines)


def _by_status(data: Data) -> str:
    status = data["status_asked"]
    where = f" on {data['dyno']['dyno']}" if data.get("dyno") else ""
    when = f", {days(data['days'])}" if data.get("days") else ""
    thing = f"{status} test" if status else "booking"
    if not data["count"] and not data["maintenance"]:
        return f"There are no {thing}s{where}{when}."
    lines = [f"{_number(data['count'], thing)}{where}{when}:" if data["count"] else f"No {thing}s{where}{when}."]
    lines += [f"- {_test(row)}" for row in data["tests"]]
    lines += _more(len(data["tests"]), data["count"])
    lines += [f"- maintenance ({row['kind']}{_reason(row)}), {days(row)}" for row in data["maintenance"]]
    return "\n".join(lines)


def _late(data: Data) -> str:
    lines = ["Nothing that is booked is late."]
    if data["count"]:
        kinds = ", ".join(f"{number} {_KINDS[kind]}" for kind, number in data["by_kind"].items() if number)
        lines = [f"{_number(data['count'], 'booked test')} {'is' if data['count'] == 1 else 'are'} late ({kinds}):"]
    for row in data["tests"]:
        where = f"{_link(row['vehicle'], row['url'])} on {row['dyno']}, {row['test_type']}"
        lines.append(f"- {where}, {_number(row['days_late'], 'day')}: {row['why']}")
    lines += _more(len(data["tests"]), data["count"])
    if data["waiting_count"]:
        number = _number(data["waiting_count"], "waiting request")
        lines += ["", f"{number} can no longer make {'its' if data['waiting_count'] == 1 else 'their'} due date."]
    return "\n".join(lines)


_KINDS = {"overrun": "past the end", "unstarted": "not started", "past-due": "ending after the due date"}


def _reason(row: Data) -> str:
    return f", {row['reason']}" if row.get("reason") else ""


def _maintenance(data: Data) -> str:
    when = "today" if data["days"]["first_day"] == data["days"]["last_day"] == data["today"] else days(data["days"])
    of = data["dyno"]["dyno"] if data.get("dyno") else None
    lines = []
    if data["maintenance"]:
        verb = "has maintenance" if of else f"{_number(data['count'], 'maintenance window')}"
        lines.append(f"{of} {verb}:" if of else f"{verb}, {when}:")
        lines += [
            f"- {_link(row['dyno'], row['url'])}: {days(row)} ({row['kind']}{_reason(row)})"
            for row in data["maintenance"]
        ]
    elif of:
        lines.append(f"No: {of} has no maintenance {when if data['said'] else 'planned'}.")
    else:
        lines.append(f"No dyno is in maintenance {when}.")
    if data["disabled"]:
        lines.append("Disabled: " + ", ".join(row["dyno"] for row in data["disabled"]) + ".")
    return "\n".join(lines)


def _fit(data: Data) -> str:
    answers = data["answers"]
    vehicle = _link(data["vehicle"]["vehicle"], data["vehicle"]["url"])
    if not answers:
        return "There is no dyno to compare with."
    if data.get("dyno"):
        dyno = _link(data["dyno"]["dyno"], data["dyno"]["url"])
        lines = []
        for row in answers:
            if row["can"]:
                when = f" on {days(data['days'])}" if data.get("days") else ""
                lines.append(
                    f"{dyno} can run {row['test_type']} for {vehicle}{when}: test type, drive and weight class fit."
                )
            else:
                lines.append(f"{dyno} cannot run {row['test_type']} for {vehicle}: {' '.join(row['reasons'])}")
        return "\n".join(lines) if len(lines) == 1 else "\n".join(f"- {line}" for line in lines)
    fitting = [row for row in answers if row["can"]]
    lines = []
    if fitting:
        lines.append(f"Dynos that can take {vehicle}:")
        lines += [f"- {_link(row['dyno'], row['url'])}: {row['test_type']}" for row in fitting]
    else:
        lines.append(f"No dyno can take {vehicle}:")
    if data.get("test_type") or not fitting:
        lines += [f"- not {row['dyno']}: {' '.join(row['reasons'])}" for row in answers if not row["can"]][:15]
    return "\n".join(lines)


def _utilisation(data: Data) -> str:
    rows = data["dynos"]
    when = days(data["days"])
    if len(rows) == 1:
        return _use_of_one(rows[0], when)
    bookable = [row for row in rows if row["percent"] is not None]
    if not bookable:
        return f"No dyno could be booked on {when}."
    lines = [f"The dynos are booked {data['percent']} % of {when}, of the days that could be booked:"]
    lines += [
        f"- {_link(row['dyno'], row['url'])}: {row['percent']} % "
        f"({row['booked_days']} of {row['booked_days'] + row['free_days']} days)"
        for row in sorted(bookable, key=lambda row: -row["percent"])
    ]
    return "\n".join(lines)


def _use_of_one(row: Data, when: str) -> str:
    counts = [f"{_number(row['booked_days'], 'day')} booked", f"{row['free_days']} free"]
    for key, words in (
        ("maintenance_days", "in maintenance"),
        ("days_off", "off"),
        ("days_not_available", "not available"),
    ):
        if row[key] or key == "maintenance_days":
            counts.append(f"{row[key]} {words}")
    link = _link(row["dyno"], row["url"])
    if row["percent"] is None:
        return f"{link} could not be booked on any day of {when}: {', '.join(counts)}."
    return f"{link} is booked {row['percent']} % of {when}: {', '.join(counts)}."


def _requests(data: Data) -> str:
    if not data["requests"]:
        return f"No request is {data['status_asked']}."
    verb = {"waiting": "waiting for a dyno"}.get(data["status_asked"], data["status_asked"])
    lines = [f"{_number(data['count'], 'request')} {verb}:"]
    for row in data["requests"]:
        start = f", from {row['earliest_start']}" if row["earliest_start"] else ""
        due = f", due {row['due_date']}" if row["due_date"] else ""
        lines.append(
            f"- {_link(row['vehicle'], row['url'])}: {row['test_type']}, {_number(row['days'], 'day')}{start}{due}, {row['priority']} priority"
        )
    return "\n".join(lines + _more(len(data["requests"]), data["count"]))


def _query(data: Data) -> str:
    if "views" in data:
        lines = ["These views can be queried:"]
        lines += [f"- {name}: {', '.join(columns)}" for name, columns in data["views"].items()]
        return "\n".join(lines)
    head, rows = data["columns"], data["rows"]
    if not rows:
        return "The query found no rows."
    if len(rows) == 1 and len(head) < 9:
        names = [_cell(name).replace("_", " ") for name in head]
        return "\n".join(
            f"- {name}: {_cell(value) or 'not known'}" for name, value in zip(names, rows[0], strict=True)
        )
    lines = ["| " + " | ".join(map(_cell, head)) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in rows[:30]]
    shown = min(len(rows), 30)
    lines += ["", f"Showing {shown} of {data['count']}."]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, (float, str)) and re.fullmatch(r"-?\d+\.0+", str(value)):
        value = str(value).partition(".")[0]
    return "" if value is None else re.sub(r"([|\\`*\[\]<>])", r"\\\1", str(value)).replace("\n", " ")


def _plain(data: Data) -> str:
    return data.get("message") or "Done."


_PHRASES: dict[str, Callable[[Data], str]] = {
    "get_datetime_now": _now,
    "list_dynos": _list_dynos,
    "find_available_dynos": _find,
    "check_vehicle_allocation": _vehicle,
    "detect_conflicts": _conflicts,
    "completed_tests_count": _completed,
    "get_tests_by_status": _by_status,
    "maintenance_check": _maintenance,
    "explain_fit": _fit,
    "utilisation_report": _utilisation,
    "list_late_tests": _late,
    "list_requests": _requests,
    "query_database": _query,
}
