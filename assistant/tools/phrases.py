"""Puts the result of each tool that reads into plain sentences, with links to the records. Pure functions."""

import re
from typing import Any

from assistant.tools.declaring import Result


def link(label: Any, url: str) -> str:
    """Returns a Markdown link; the label is escaped."""
    text = re.sub(r"([\[\]\\`*_<>])", r"\\\1", str(label)) if re.search(r"[\[\]\\`*<>]", str(label)) else str(label)
    return f"[{text}]({url})"


def alike(place: Result) -> str:
    """Returns what follows the name of a lane that stands for others."""
    return f" and {place['more_alike']} more alike" if place.get("more_alike") else ""


def days(row: Result) -> str:
    """Returns the days of a row in words."""
    first, last = row["first_day"], row["last_day"]
    return first if first == last else f"{first} to {last}"


def _on(row: Result) -> str:
    return f"on {row['first_day']}" if row["first_day"] == row["last_day"] else f"from {days(row)}"


def _test(row: Result) -> str:
    return f"{link(row['vehicle'], row['url'])} on {row['dyno']}, {row['test_type']}, {days(row)} ({row['status']})"


def _more(listed: int, count: int) -> list[str]:
    return [f"… and {count - listed} more."] if count > listed else []


def _number(count: int, thing: str) -> str:
    return f"{count} {thing}" + ("" if count == 1 else "s")


def now(data: Result) -> str:
    return (
        f"It is {data['written']}, {data['time']} at the proving ground ({data['time_zone']}), week {data['week']} "
        f"(`{data['date']}`)."
    )


def dynos_listed(data: Result) -> str:
    filters = dict(data["asked"])
    if filters.get("weight_lbs"):
        filters["weight_lbs"] = f"{filters['weight_lbs']:,} lb"
    filter_text = ", ".join(str(value) for value in filters.values() if value)
    if not data["dynos"]:
        return f"No dyno here runs that ({filter_text})." if filter_text else "There are no dynos here."
    lines = [f"{_number(data['count'], 'dyno')}" + (f" for {filter_text}:" if filter_text else ":")]
    for row in data["dynos"]:
        runs = ", ".join(dict.fromkeys(capability["test_type"] for capability in row["runs"])) or "nothing yet"
        lines.append(f"- {link(row['dyno'], row['url'])} ({row['facility']}{_state(row)}): {runs}")
    return "\n".join(lines)


def _state(row: Result) -> str:
    """Why and when a dyno is not available."""
    state = "" if row["enabled"] else ", disabled"
    if row.get("available_from"):
        state += f", available from {row['available_from']}"
    if row.get("available_to"):
        state += f", available until {row['available_to']}"
    return state


def _lines_of_free(rows: list[Result]) -> list[str]:
    """A line for each free dyno, and one for all lanes alike that are free."""
    pools: dict[Any, list[Result]] = {}
    for row in rows:
        pools.setdefault(("pool", row["pool_id"]) if "pool_id" in row else row["id"], []).append(row)
    return [
        f"- {link(first['dyno'], first['url'])}{alike({'more_alike': len(others)})} ({first['facility']})"
        for first, *others in pools.values()
    ]


def dynos_free(data: Result) -> str:
    when = days(data["days"])
    if data["free"]:
        lead = "on" if data["days"]["first_day"] == data["days"]["last_day"] else "from"
        return "\n".join([f"Free {lead} {when}:", *_lines_of_free(data["free"])])
    if data["partly_free"]:
        lines = [f"None is free on all days of {when}; these are in part:", *_lines_of_partly_free(data)]
    else:
        lines = [f"No dyno is free for that on {when}:"]
    lines += [f"- {' '.join(row['reasons'][:3])}" for row in _never_free(data)[:12]]
    return "\n".join(lines)


def _lines_of_partly_free(data: Result) -> list[str]:
    """A line for each with its gaps; if it is only one, also why it is not free on the other days."""
    partly = data["partly_free"]
    lines = [
        f"- {link(row['dyno'], row['url'])}: free {', '.join(days(gap) for gap in row['free'])}" for row in partly
    ]
    if len(partly) == 1:
        rows = [row for row in data["not_free"] if row["id"] == partly[0]["id"]]
        lines += [f"- {reason}" for row in rows for reason in row["reasons"][:3]]
    return lines


def _never_free(data: Result) -> list[Result]:
    """The dynos free on no day; if others are partly free, only those that run the test."""
    rows: list[Result] = data["not_free"]
    if not data["partly_free"]:
        return rows
    partly = {row["id"] for row in data["partly_free"]}
    rows = [row for row in rows if row["id"] not in partly]
    return [row for row in rows if not any("does not run the test type" in reason for reason in row["reasons"])]


def vehicle(data: Result) -> str:
    row = data["vehicle"]
    name = link(row["vehicle"], row["url"])
    lines = []
    if data["allocations"]:
        lines.append(f"{name} is booked:")
        lines += [
            f"- {link(stay['dyno'], stay['url'])}, {stay['test_type']}, {days(stay)} ({stay['status']})"
            for stay in data["allocations"]
        ]
    else:
        lines.append(f"{name} is not booked on any dyno from today on.")
    if data["past"]:
        past = [f"{row['dyno']}, {row['test_type']}, {days(row)} ({row['status']})" for row in data["past"][:3]]
        lines.append(f"Before that: {'; '.join(past)}.")
    if data["waiting"]:
        waits = "; ".join(f"{request['test_type']}, {_number(request['days'], 'day')}" for request in data["waiting"])
        lines.append(f"Waiting for a place: {waits}.")
    return "\n".join(lines)


def conflicts(data: Result) -> str:
    if not data["conflicts"]:
        return "No conflicts: no dyno and no vehicle is booked twice on any day."
    lines = [f"{_number(data['count'], 'conflict')}:"]
    lines += [f"- {row['shared']} {row['what']}: {days(row)}" for row in data["conflicts"]]
    return "\n".join(lines)


def completed(data: Result) -> str:
    when = f" {_on(data['days'])}" if data.get("days") else ""
    lines = [f"{_number(data['count'], 'test')} {'is' if data['count'] == 1 else 'are'} completed{when}."]
    lines += [f"- {name}: {count}" for name, count in data["by_test_type"].items()]
    lines += [f"- {_test(row)}" for row in data["tests"]] if data["count"] <= 3 else []
    return "\n".join(lines)


def by_status(data: Result) -> str:
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


def late(data: Result) -> str:
    lines = ["Nothing that is booked is late."]
    if data["count"]:
        kinds = ", ".join(f"{number} {_KINDS[kind]}" for kind, number in data["by_kind"].items() if number)
        lines = [f"{_number(data['count'], 'booked test')} {'is' if data['count'] == 1 else 'are'} late ({kinds}):"]
    for row in data["tests"]:
        where = f"{link(row['vehicle'], row['url'])} on {row['dyno']}, {row['test_type']}"
        lines.append(f"- {where}, {_number(row['days_late'], 'day')}: {row['why']}")
    lines += _more(len(data["tests"]), data["count"])
    if data["waiting_count"]:
        number = _number(data["waiting_count"], "waiting request")
        lines += ["", f"{number} can no longer make {'its' if data['waiting_count'] == 1 else 'their'} due date."]
    return "\n".join(lines)


_KINDS = {"overrun": "past the end", "unstarted": "not started", "past-due": "ending after the due date"}


def _reason(row: Result) -> str:
    return f", {row['reason']}" if row.get("reason") else ""


def maintenance(data: Result) -> str:
    when = "today" if data["days"]["first_day"] == data["days"]["last_day"] == data["today"] else days(data["days"])
    of = data["dyno"]["dyno"] if data.get("dyno") else None
    lines = []
    if data["maintenance"]:
        verb = "has maintenance" if of else f"{_number(data['count'], 'maintenance window')}"
        lines.append(f"{of} {verb}:" if of else f"{verb}, {when}:")
        lines += [
            f"- {link(row['dyno'], row['url'])}: {days(row)} ({row['kind']}{_reason(row)})"
            for row in data["maintenance"]
        ]
    elif of:
        lines.append(f"No: {of} has no maintenance {when if data['said'] else 'planned'}.")
    else:
        lines.append(f"No dyno is in maintenance {when}.")
    if data["disabled"]:
        lines.append("Disabled: " + ", ".join(row["dyno"] for row in data["disabled"]) + ".")
    return "\n".join(lines)


def fit(data: Result) -> str:
    answers = data["answers"]
    if not answers:
        return "There is no dyno to compare with."
    if data.get("dyno"):
        return _fit_of_one(data)
    vehicle = link(data["vehicle"]["vehicle"], data["vehicle"]["url"])
    fitting = [row for row in answers if row["can"]]
    lines = [f"Dynos that can take {vehicle}:" if fitting else f"No dyno can take {vehicle}:"]
    lines += [f"- {link(row['dyno'], row['url'])}: {row['test_type']}" for row in fitting]
    if data.get("test_type") or not fitting:
        lines += [f"- not {row['dyno']}: {' '.join(row['reasons'])}" for row in answers if not row["can"]][:15]
    return "\n".join(lines)


def _fit_of_one(data: Result) -> str:
    """Which tests of the vehicle the dyno that was asked about can run."""
    vehicle = link(data["vehicle"]["vehicle"], data["vehicle"]["url"])
    dyno = link(data["dyno"]["dyno"], data["dyno"]["url"])
    when = f" on {days(data['days'])}" if data.get("days") else ""
    lines = [
        f"{dyno} can run {row['test_type']} for {vehicle}{when}: test type, drive and weight class fit."
        if row["can"]
        else f"{dyno} cannot run {row['test_type']} for {vehicle}: {' '.join(row['reasons'])}"
        for row in data["answers"]
    ]
    return lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines)


def utilisation(data: Result) -> str:
    rows = data["dynos"]
    when = days(data["days"])
    if len(rows) == 1:
        return _use_of_one(rows[0], when)
    bookable = [row for row in rows if row["percent"] is not None]
    if not bookable:
        return f"No dyno could be booked on {when}."
    lines = [f"The dynos are booked {data['percent']} % of {when}, of the days that could be booked:"]
    lines += [
        f"- {link(row['dyno'], row['url'])}: {row['percent']} % "
        f"({row['booked_days']} of {row['booked_days'] + row['free_days']} days)"
        for row in sorted(bookable, key=lambda row: -row["percent"])
    ]
    return "\n".join(lines)


def _use_of_one(row: Result, when: str) -> str:
    counts = [f"{_number(row['booked_days'], 'day')} booked", f"{row['free_days']} free"]
    for key, words in (
        ("maintenance_days", "in maintenance"),
        ("days_off", "off"),
        ("days_not_available", "not available"),
    ):
        if row[key] or key == "maintenance_days":
            counts.append(f"{row[key]} {words}")
    dyno = link(row["dyno"], row["url"])
    if row["percent"] is None:
        return f"{dyno} could not be booked on any day of {when}: {', '.join(counts)}."
    return f"{dyno} is booked {row['percent']} % of {when}: {', '.join(counts)}."


def requests(data: Result) -> str:
    if not data["requests"]:
        return f"No request is {data['status_asked']}."
    verb = {"waiting": "waiting for a dyno"}.get(data["status_asked"], data["status_asked"])
    lines = [f"{_number(data['count'], 'request')} {verb}:"]
    for row in data["requests"]:
        parts = [row["test_type"], _number(row["days"], "day")]
        parts += [f"from {row['earliest_start']}"] if row["earliest_start"] else []
        parts += [f"due {row['due_date']}"] if row["due_date"] else []
        parts += [f"{row['priority']} priority"]
        lines.append(f"- {link(row['vehicle'], row['url'])}: {', '.join(parts)}")
    return "\n".join(lines + _more(len(data["requests"]), data["count"]))


def query(data: Result) -> str:
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
    listed = min(len(rows), 30)
    lines += ["", f"Showing {listed} of {data['count']}."]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, (float, str)) and re.fullmatch(r"-?\d+\.0+", str(value)):
        value = str(value).partition(".")[0]
    return "" if value is None else re.sub(r"([|\\`*\[\]<>])", r"\\\1", str(value)).replace("\n", " ")
