"""Cards: what the user sees before approving. They show what would be done, never a model's words."""

import datetime as dt
from typing import TYPE_CHECKING, TypedDict

from allocations.selectors.allocations import checks_of
from assistant.tools import rows
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count
from dynosite.lib.plain_text import visible

if TYPE_CHECKING:
    from assistant.tools.row_types import Allocation


class Line(TypedDict):
    label: str
    old: str
    new: str


class Bar(TypedDict):
    """A bar on the calendar."""

    kind: str
    dyno_id: int
    dyno: str
    vehicle: str
    test_type: str
    first_day: dt.date
    last_day: dt.date


class Link(TypedDict):
    label: str
    url: str


class Card(TypedDict):
    title: str
    lines: list[Line]
    checks: list[str]
    warnings: list[str]
    bars: list[Bar]
    links: list[Link]


def line(label: str, new: object, old: object = "") -> Line:
    """Returns a line of a card. The old value is struck through, if it differs from the new one."""
    return {"label": label, "old": str(old) if str(old) != str(new) else "", "new": str(new)}


def bar(row: "Allocation", kind: str) -> Bar:
    """Returns an allocation as a bar on the calendar. Of the kinds, `new` is dashed and `old` is leaving."""
    return {
        "kind": kind,
        "dyno_id": row.dyno_id,
        "dyno": row.dyno.name,
        "vehicle": row.vehicle.label,
        "test_type": row.test_type.name,
        "first_day": row.first_day,
        "last_day": row.last_day,
    }


def days_in_words(days: DayRange) -> str:
    """Returns days with their number, such as `1 to 5 March (5 days)`."""
    return f"{days} ({count(days.days, 'day')})"


def checks(row: "Allocation") -> list[str]:
    """Returns the conditions of the rulebook that an allocation meets."""
    return [check.label for check in checks_of(row) if check.holds]


def card(
    title: str,
    lines: list[Line],
    *,
    checks: list[str] | None = None,
    warnings: list[str] | None = None,
    bars: list[Bar] | None = None,
    links: list[Link] | None = None,
) -> Card:
    """Returns a card with its texts made safe to show.

    Parameters
    ----------
    checks, warnings
        Sentences of what holds, and of what the user should know before approving.
    """
    drawn: Card = {
        "title": title,
        "lines": lines,
        "checks": checks or [],
        "warnings": warnings or [],
        "bars": bars or [],
        "links": links or [],
    }
    return visible(drawn)


def links_of(row: "Allocation") -> list[Link]:
    """Returns links to the vehicle and the dyno of an allocation."""
    data = rows.vehicle(row.vehicle)
    return [
        {"label": data["vehicle"], "url": data["url"]},
        {"label": row.dyno.name, "url": rows.dyno(row.dyno)["url"]},
    ]


def card_text(drawn: Card) -> str:
    """Returns the card as plain lines, for the API, evals and screen readers."""
    lines = [drawn.get("title", "")]
    for row in drawn.get("lines", []):
        change = f"{row['old']} → {row['new']}" if row["old"] else row["new"]
        lines.append(f"{row['label']}: {change}")
    lines += [f"✓ {text}" for text in drawn.get("checks", [])]
    lines += [f"! {text}" for text in drawn.get("warnings", [])]
    return "\n".join(lines)
