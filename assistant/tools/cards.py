"""What the user sees before approving: drawn from what would be done and from facts, never from a model's words."""

from typing import Any

from allocations.selectors.allocations import checks_of
from assistant.tools import rows
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count
from dynosite.lib.plain_text import visible

Card = dict[str, Any]


def line(label: str, new: Any, old: Any = "") -> dict[str, str]:
    """Old is struck through where it differs from new."""
    return {"label": label, "old": str(old) if str(old) != str(new) else "", "new": str(new)}


def bar(row: Any, kind: str) -> dict[str, Any]:
    """A bar on the calendar: `new` is dashed, `old` leaves."""
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
    return f"{days} ({count(days.days, 'day')})"


def checks(row: Any) -> list[str]:
    return [check.label for check in checks_of(row) if check.holds]


def card(
    title: str,
    lines: list[dict[str, str]],
    *,
    checks: list[str] | None = None,
    warnings: list[str] | None = None,
    bars: list[dict[str, Any]] | None = None,
    links: list[dict[str, Any]] | None = None,
) -> Card:
    drawn = {
        "title": title,
        "lines": lines,
        "checks": checks or [],
        "warnings": warnings or [],
        "bars": bars or [],
        "links": links or [],
    }
    return visible(drawn)


def links_of(row: Any) -> list[dict[str, Any]]:
    """To the vehicle and the dyno of an allocation."""
    data = rows.vehicle(row.vehicle)
    return [
        {"label": data["vehicle"], "url": data["url"]},
        {"label": row.dyno.name, "url": rows.dyno(row.dyno)["url"]},
    ]


def card_text(drawn: Card) -> str:
    """The card as plain lines, for those who cannot see it: the API, evals, screen readers."""
    lines = [drawn.get("title", "")]
    for row in drawn.get("lines", []):
        change = f"{row['old']} → {row['new']}" if row["old"] else row["new"]
        lines.append(f"{row['label']}: {change}")
    lines += [f"✓ {text}" for text in drawn.get("checks", [])]
    lines += [f"! {text}" for text in drawn.get("warnings", [])]
    return "\n".join(lines)
