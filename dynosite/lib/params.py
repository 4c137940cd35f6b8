"""Numbers and ids out of what a browser sent: whatever makes none is None, and never an error."""

import uuid
from collections.abc import Iterable

LARGEST = 2**63 - 1
"""Of a number in a column of the database."""


def number_of(text: str | None, *, largest: int = LARGEST) -> int | None:
    """A number from 0 to `largest`, written in plain digits."""
    if not text or not (text.isascii() and text.isdecimal()) or len(text) > 19:
        return None
    number = int(text)
    return number if number <= largest else None


def numbers_of(texts: Iterable[str]) -> list[int]:
    """Those of the texts that are numbers, in their order."""
    return [number for text in texts if (number := number_of(text)) is not None]


def uuid_of(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None
