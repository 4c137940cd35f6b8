"""A tool call as people read it: its name in words, what was asked, and the result as facts and tables."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from assistant.enums import ToolStatus
from assistant.models import ToolCall
from assistant.tools.registry import TOOLS
from assistant.web.addresses import in_page, is_own_page
from dynosite.lib.formats import count

MAX_ROWS = 12
_ICONS = {
    ToolStatus.OK: "check",
    ToolStatus.WAITING: "check",
    ToolStatus.CARRIED_OUT: "circle-check",
    ToolStatus.REFUSED: "ban",
    ToolStatus.NOT_FOUND: "search",
    ToolStatus.UNCLEAR: "info",
    ToolStatus.NOT_ALLOWED: "lock",
    ToolStatus.INVALID: "circle-alert",
    ToolStatus.UNAVAILABLE: "circle-alert",
    ToolStatus.FAILED: "triangle-alert",
    ToolStatus.RUNNING: "loader-circle",
}
_TITLES = {
    "not_free": "Not free",
    "partly_free": "Free on some of the days",
    "free": "Free",
    "places": "Places that would do",
    "more_alike": "More alike",
    "by_test_type": "By test type",
    "first_day": "From",
    "last_day": "To",
    "weight_lbs": "Weight, lb",
    "vin": "VIN",
    "reasons": "Why",
    "can": "Fits",
    "start_date": "From",
    "end_date": "To",
    "sql": "SQL",
    "test_type": "Test",
    "dyno": "Dyno",
    "days_to_complete": "Days",
    "max_backup_days": "Days later at most",
    "due_date": "Due",
    "days_late": "Days late",
    "earliest_start": "From",
    "within_start": "Within, from",
    "within_end": "Within, to",
    "drive_type": "Drive",
}
_LEFT_OUT = {
    "status",
    "card",
    "card_text",
    "proposal",
    "tool",
    "message",
    "url",
    "said",
    "asked",
    "status_asked",
    "today",
    "enabled",
    "ground_id",
    "change",
}


@dataclass(frozen=True)
class Cell:
    text: str
    url: str = ""


@dataclass(frozen=True)
class Table:
    title: str
    columns: list[str]
    rows: list[list[Cell]]
    more: int = 0


@dataclass
class ToolCard:
    call: ToolCall
    kind = "tool"

    @property
    def key(self) -> str:
        return f"tool-{self.call.pk}"

    @property
    def at(self) -> dt.datetime:
        return self.call.at

    @property
    def version(self) -> str:
        return self.call.status

    @property
    def running(self) -> bool:
        return self.call.status == ToolStatus.RUNNING

    @property
    def name(self) -> str:
        tool = TOOLS.get(self.call.name)
        done, doing = tool.labels if tool else (self.call.name.replace("_", " ").capitalize(),) * 2
        return doing if self.running else done

    @property
    def icon(self) -> str:
        return _ICONS[ToolStatus(self.call.status)]

    @property
    def look(self) -> str:
        if self.call.status in (ToolStatus.OK, ToolStatus.WAITING, ToolStatus.CARRIED_OUT):
            return "good"
        if self.running:
            return "running"
        return "bad" if self.call.status == ToolStatus.FAILED else "warn"

    @property
    def summary(self) -> str:
        """`5 free dynos · 0.3 s`"""
        if self.running:
            return ""
        parts = [self._number_text()]
        if self.call.seconds >= 0.05:
            parts.append(f"{self.call.seconds:.1f} s")
        return " · ".join(part for part in parts if part)

    def _number_text(self) -> str:
        if self.call.status != ToolStatus.OK:
            return "" if self.look == "good" else ToolStatus(self.call.status).label
        tool = TOOLS.get(self.call.name)
        if not tool or not tool.counted:
            return ""
        part, noun = tool.counted
        number = self.call.result.get(part)
        if isinstance(number, list):
            number = len(number)
        return count(number, noun) if isinstance(number, int) else ""

    @property
    def message(self) -> str:
        text = self.call.result.get("message")
        return text if isinstance(text, str) and self.look != "good" else ""

    @property
    def arguments(self) -> list[tuple[str, str]]:
        """In the order of the tool's own arguments, which the database does not keep."""
        tool = TOOLS.get(self.call.name)
        names = [*(tool.args.model_fields if tool else ()), *self.call.args]
        args = {name: self.call.args[name] for name in names if name in self.call.args}
        return [(_title(name), _words(value)) for name, value in args.items() if not _empty(value)]

    @property
    def on_card(self) -> bool:
        """What it came to stands on a proposal's card."""
        return self.call.status in (ToolStatus.WAITING, ToolStatus.CARRIED_OUT)

    @property
    def facts(self) -> list[tuple[str, Cell]]:
        return [
            (_title(name), _cell(value))
            for name, value in self.call.result.items()
            if name not in _LEFT_OUT and not _empty(value) and not _is_table(value)
        ]

    @property
    def tables(self) -> list[Table]:
        return [
            _table(_title(name), value)
            for name, value in self.call.result.items()
            if name not in _LEFT_OUT and _is_table(value)
        ]


def _title(name: str) -> str:
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def _empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    names = list(dict.fromkeys(name for row in rows for name in row if _is_column(name)))
    names = [name for name in names if any(not _empty(row.get(name)) for row in rows)]
    grid = [[_cell(row.get(name)) for name in names] for row in rows[:MAX_ROWS]]
    for cells, row in zip(grid, rows, strict=False):
        url = row.get("url")
        if cells and isinstance(url, str) and is_own_page(url):
            cells[0] = Cell(cells[0].text, in_page(url))
    return Table(title, [_title(name) for name in names], grid, max(0, len(rows) - MAX_ROWS))


def _is_column(name: str) -> bool:
    return name not in _LEFT_OUT - {"status"} and name != "id" and not name.endswith("_id")


def _cell(value: Any) -> Cell:
    if isinstance(value, dict):
        url = value.get("url")
        return Cell(_words(value), in_page(url) if isinstance(url, str) and is_own_page(url) else "")
    return Cell(_words(value))


def _words(value: Any) -> str:
    """A value in a cell. A record is its name, days are `from to last`."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case {"first_day": first, "last_day": last, **rest} if not rest:
            return str(first) if first == last else f"{first} to {last}"
        case {"vehicle": str(name)} | {"dyno": str(name)} | {"name": str(name)} | {"sentence": str(name)}:
            return name
        case dict():
            return ", ".join(f"{_title(k)}: {_words(v)}" for k, v in value.items() if not _empty(v))
        case list():
            return "; ".join(_words(item) for item in value)
    return str(value)
