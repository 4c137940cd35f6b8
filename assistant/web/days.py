"""Days in what tools and models write, as pages write them."""

import datetime as dt
import re

from dynosite.lib.formats import day, day_range

_DAYS = re.compile(r"(?<![\w-])(\d{4}-\d\d-\d\d)(?: (?:to|–) (\d{4}-\d\d-\d\d))?(?![\w-])")


def in_words(text: str) -> str:
    """`2026-11-23 to 2026-11-25` is 23 – 25 Nov 2026."""
    return _DAYS.sub(_match_in_words, text)


def _match_in_words(match: re.Match[str]) -> str:
    try:
        first, last = (dt.date.fromisoformat(iso or match[1]) for iso in match.groups())
    except ValueError:
        return match[0]
    if last < first:
        return match[0]
    return day(first, year=True) if first == last else day_range(first, last)
