"""Counting questions as SQL over the views that `query_database` has. Pure."""

import re

from assistant.providers.offline.reading import Known, Said

_SUBJECTS = (
    ("requests", r"requests?|waiting"),
    ("maintenance", r"maintenance|windows?|calibrations?|outages?"),
    ("allocations", r"allocations?|bookings?|booked|reservations?|tests"),
    ("vehicles", r"vehicles?|cars?|trucks?|fleet"),
    ("dynos", r"dynos?|dynamometers?|cells?|rigs?"),
)
_MONTH = "to_char(first_day, 'YYYY-MM')"
_DIMENSIONS = {
    "dynos": {"test types?|tests?": "test_type", "facilit(?:y|ies)|sites?|buildings?|halls?": "facility", "enabled|status": "enabled"},
    "vehicles": {"programs?|programmes?": "program", "drives?(?: types?)?": "drive", "weight(?: class(?:es)?)?": "weight_class",
                 "teams?": "team", "(?:model )?years?": "model_year", "powertrains?": "powertrain", "build types?": "build_type"},
    "allocations": {"status(?:es)?": "status", "dynos?": "dyno", "test types?|tests?|types?": "test_type", "vehicles?|cars?": "vehicle",
                    "months?": _MONTH, "programs?": "program", "facilit(?:y|ies)": "facility"},
    "requests": {"priorit(?:y|ies)": "priority", "status(?:es)?": "status", "test types?|tests?|types?": "test_type", "vehicles?|cars?": "vehicle"},
    "maintenance": {"kinds?|types?": "kind", "dynos?": "dyno", "months?": _MONTH},
}  # fmt: skip
_BY = r"(?:per|by|for each|for every|in each|of each|each|grouped by|for all)\s+(?:the\s+|of the\s+)?"


def query_for(said: Said, known: Known) -> str | None:
    """A SELECT for `how many dynos per test type` and the like; None for what it does not understand."""
    words = said.words
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
