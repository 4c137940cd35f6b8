"""Counting questions as SQL over the views that `query_database` has. Pure."""

import datetime as dt
import re

from allocations.vehicle_details import VEHICLE_DETAILS
from assistant.providers.offline.reading import Sentence, Vocabulary

_SUBJECTS = (
    ("requests", r"requests?|waiting"),
    ("maintenance", r"maintenance|windows?|calibrations?|outages?"),
    ("allocations", r"allocations?|bookings?|booked|reservations?|tests"),
    ("vehicles", r"vehicles?|cars?|trucks?|fleet"),
    ("dynos", r"dynos?|dynamometers?|cells?|rigs?"),
)
_MONTH = "to_char(first_day, 'YYYY-MM')"
_DIMENSIONS = {
    "dynos": {
        "test types?|tests?": "test_type",
        "facilit(?:y|ies)|sites?|buildings?|halls?": "facility",
        "enabled|status": "enabled",
    },
    "vehicles": {
        "drives?(?: types?)?": "drive",
        "weight(?: class(?:es)?)?": "weight_class",
        **{detail.asked_as: detail.name for detail in VEHICLE_DETAILS},
    },
    "allocations": {
        "status(?:es)?": "status",
        "dynos?": "dyno",
        "test types?|tests?|types?": "test_type",
        "vehicles?|cars?": "vehicle",
        "months?": _MONTH,
        "programs?": "program",
        "facilit(?:y|ies)": "facility",
    },
    "requests": {
        "priorit(?:y|ies)": "priority",
        "status(?:es)?": "status",
        "test types?|tests?|types?": "test_type",
        "vehicles?|cars?": "vehicle",
    },
    "maintenance": {"kinds?|types?": "kind", "dynos?": "dyno", "months?": _MONTH},
}
_BY = r"(?:per|by|for each|for every|in each|of each|each|grouped by|for all)\s+(?:the\s+|of the\s+)?"


def query_for(sentence: Sentence, vocabulary: Vocabulary) -> str | None:
    """A SELECT for `how many dynos per test type` and the like; None for what it does not understand."""
    words = sentence.words
    parts = re.split(r"\b" + _BY, words, maxsplit=1)
    subject = next((name for name, pattern in _SUBJECTS if re.search(rf"\b(?:{pattern})\b", parts[0])), None)
    if len(parts) > 1:
        return _grouped(subject, parts[1].strip(), words)
    if subject is None:
        return None
    if re.search(r"\b(?:how many|number of|count|total)\b", words):
        return f"SELECT count(*) AS {subject} FROM {subject}{_where(subject, words)}"  # noqa: S608
    if re.search(r"\b(?:list|show|all|select)\b", words):
        return f"SELECT * FROM {subject}{_where(subject, words)} ORDER BY id"  # noqa: S608
    return None


def _grouped(subject: str | None, by: str, words: str) -> str | None:
    if subject is None:
        return None
    column = next((col for pattern, col in _DIMENSIONS[subject].items() if re.match(rf"(?:{pattern})\b", by)), None)
    if column is None:
        return None
    if (subject, column) == ("dynos", "test_type"):
        return (
            "SELECT t.name AS test_type, count(DISTINCT c.dyno_id) AS dynos FROM test_types t "
            "LEFT JOIN capabilities c ON c.test_type = t.name GROUP BY t.name ORDER BY t.name"
        )
    name = "month" if column == _MONTH else column
    return (
        f"SELECT {column} AS {name}, count(*) AS {subject} FROM {subject}{_where(subject, words)} "  # noqa: S608
        f"GROUP BY {column} ORDER BY {column}"
    )


def _where(subject: str, words: str) -> str:
    if subject == "allocations":
        for status in ("scheduled", "running", "completed", "cancelled"):
            if re.search(rf"\b{status}\b", words):
                return f" WHERE status = '{status}'"
    if subject == "requests" and re.search(r"\bwait", words):
        return " WHERE status = 'waiting'"
    return ""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_LIGHTER = r"(?:lighter|less|smaller|lower|below|under|at most|up to)"
_FIGURES = (
    ("avg", "average_weight_lbs", r"average|mean|avg"),
    ("max", "heaviest", r"maximum|highest"),
    ("min", "lightest", r"minimum|lowest"),
    ("sum", "total_weight_lbs", r"total"),
)
_OWN_FACTS = r"how heavy|weighs?|weight|what drive|which drive|drive type|which program|what program|model year|powertrain|vin of|what(?:'s| is) the vin|build type|which team|what team|details|tell me about|info\w*"
_VEHICLE_COLUMNS = "tag, vin, program, drive, weight_lbs, weight_class"


def vehicles_where(sentence: Sentence) -> str:
    """What of the vehicles is asked for: drive, program, heavier or lighter than."""
    parts = []
    if sentence.drive:
        parts.append(f"drive = {_quoted(sentence.drive)}")
    if sentence.program:
        parts.append(f"program = {_quoted(sentence.program)}")
    if sentence.weight:
        lighter = re.search(rf"\b{_LIGHTER}\b", sentence.words)
        parts.append(f"weight_lbs {'<=' if lighter else '>='} {sentence.weight}")
    return " WHERE " + " AND ".join(parts) if parts else ""


def _own_facts(sentence: Sentence, vehicle: str) -> str | None:
    if sentence.tests or not re.search(rf"\b(?:{_OWN_FACTS})\b", sentence.words):
        return None
    name = _quoted(vehicle)
    return f"SELECT {_VEHICLE_COLUMNS} FROM vehicles WHERE tag = {name} OR vin = {name}"  # noqa: S608


def figure_for(sentence: Sentence) -> str | None:
    """A SELECT for one vehicle's own facts, or for a figure or the extreme of all vehicles."""
    if sentence.when.first or sentence.dyno:
        return None
    if sentence.vehicle:
        return _own_facts(sentence, sentence.vehicle)
    if not re.search(r"\b(?:vehicles?|cars?|trucks?|fleet)\b", sentence.words):
        return None
    if extreme := re.search(r"\b(heaviest|lightest)\b", sentence.words):
        order = "DESC NULLS LAST" if extreme[1] == "heaviest" else "ASC NULLS LAST"
        return (
            f"SELECT {_VEHICLE_COLUMNS} FROM vehicles{vehicles_where(sentence)} ORDER BY weight_lbs {order} LIMIT 1"  # noqa: S608
        )
    if not re.search(r"\bweigh", sentence.words):
        return None
    for name, column, pattern in _FIGURES:
        if re.search(rf"\b(?:{pattern})\b", sentence.words):
            return f"SELECT round({name}(weight_lbs)) AS {column} FROM vehicles{vehicles_where(sentence)}"  # noqa: S608
    return None


def stays_of(program: str, today: dt.date) -> str:
    """Where the vehicles of a program are booked from today on."""
    return (
        "SELECT v.tag AS vehicle, a.dyno, a.test_type, a.first_day, a.last_day, a.status FROM vehicles v "  # noqa: S608
        f"LEFT JOIN allocations a ON a.vehicle_id = v.id AND a.status <> 'cancelled' AND a.last_day >= DATE '{today}' "
        f"WHERE v.program = {_quoted(program)} ORDER BY v.tag, a.first_day"
    )
