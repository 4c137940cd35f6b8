"""What one may ask on a page, to begin with. Each is understood without any hosted model."""

from collections.abc import Mapping
from typing import Any

USUAL = ("Which dynos are free next week?", "Which tests are running?", "What is in maintenance?")
OF_PAGES: dict[str, tuple[str, ...]] = {
    "allocations:schedule": (
        "Which dynos are free next week?",
        "Are there conflicts?",
        "How busy are we this month?",
    ),
    "allocations:request-list": ("Which requests are waiting?", "Place all waiting requests"),
    "allocations:request-detail": ("Which requests are waiting?", "Place all waiting requests"),
    "allocations:plan-list": (
        "Which requests are waiting?",
        "Place all waiting requests",
        "How busy are we this month?",
    ),
    "allocations:plan-detail": ("Which requests are waiting?", "How busy are we this month?"),
    "allocations:dyno-list": (
        "Which dynos are free next week?",
        "What is in maintenance?",
        "How busy are we this month?",
    ),
    "allocations:vehicle-list": ("Which tests are running?", "Which requests are waiting?"),
    "allocations:change-list": ("Undo my last change", "Which tests are running?"),
    "allocations:import": ("Are there conflicts?", "Which requests are waiting?"),
}
_WRITES = ("Place all", "Undo")


def starters(view: str, things: Mapping[str, Any], *, may_write: bool) -> list[str]:
    """By the page's name and by what it is about, as its template knows it."""
    questions = list(OF_PAGES.get(view, USUAL))
    allocation, vehicle, dyno = (things.get(name) for name in ("allocation", "vehicle", "dyno"))
    if view == "allocations:allocation-detail" and allocation is not None:
        questions = [f"Where is {allocation.vehicle.label} booked?", f"What is on {allocation.dyno.name} next week?"]
        if may_write:
            questions.insert(1, f"Move {allocation.vehicle.label} a week later")
    elif view == "allocations:vehicle-detail" and vehicle is not None:
        questions = [f"Where is {vehicle.label} booked?", f"Which dynos can run {vehicle.label}?"]
    elif view == "allocations:dyno-detail" and dyno is not None:
        questions = [f"What is on {dyno.name} next week?", f"How busy is {dyno.name} this month?"]
    return [text for text in questions if may_write or not text.startswith(_WRITES)]
