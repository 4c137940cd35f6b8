"""What `this` and `it` mean: what is selected on the page in view, or else what the page is about."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class PageInView:
    vehicle: str = ""
    dyno: str = ""
    allocation: int | None = None


NOWHERE = PageInView()
_KINDS = "vehicle|car|truck|booking|allocation|reservation|stay|test|bar"
_VERBS = (
    r"move|cancel|shift|push|pull|bring|postpone|delay|advance|reschedule|extend|prolong|lengthen|shorten|unbook|book"
    r"|allocate|schedule|put|place|run|take|fit|where is|where's|when is|when's|is"
)
_TIMES = r"day|morning|afternoon|evening|week|weekend|month|quarter|year|(?:mon|tues|wednes|thurs|fri|satur|sun)day"


def with_names(text: str, page: PageInView, *, begins: bool) -> str:
    """The text with the names of what it points at. `it` and `that` are so only where the conversation begins: later
    they are what was spoken of."""
    this = "this|the selected" + ("|that" if begins else "")
    kinds = _KINDS + ("|one" if begins else "")
    if page.dyno:
        text = re.sub(rf"\b(?:{this}) (?:dyno|cell|rig)\b", lambda match: page.dyno, text, flags=re.IGNORECASE)
    if page.vehicle:
        text = re.sub(rf"\b(?:{this}) (?:{kinds})\b", lambda match: page.vehicle, text, flags=re.IGNORECASE)
        bare = "this|it|that" if begins else "this"
        pattern = rf"\b({_VERBS}) (?:{bare})\b(?! (?:{_TIMES}|one)\b)"
        text = re.sub(pattern, lambda match: f"{match[1]} {page.vehicle}", text, flags=re.IGNORECASE)
    return text
