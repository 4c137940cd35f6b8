"""How cells look in Excel: what a number format makes of a number, and what is struck through."""

import re
from typing import Any

from openpyxl import Workbook
from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

_WORDS = r'"[^"]*"|\\.|[-/ ():+]'
_WHOLE = re.compile(rf"((?:{_WORDS})*)(0+)((?:{_WORDS})*)")
_CHANGES_THE_NUMBER = re.compile(r'"[^"]+"|\\[^ ]|(?<![.,0#?])00+(?![.,#?0])')


class Looks:
    """What the styles of a workbook do to its cells."""

    def __init__(self, book: Workbook):
        self._styles = book._cell_styles
        self._formats = book._number_formats
        self._fonts = book._fonts
        self._codes: dict[int, str] = {}
        self._struck: dict[int, bool] = {}

    def code(self, style: int) -> str:
        """The number format, where it shows more than a number in the usual way; else nothing."""
        if style not in self._codes:
            code = self._code(self._styles[style].numFmtId) if style < len(self._styles) else ""
            self._codes[style] = code if _CHANGES_THE_NUMBER.search(code.split(";")[0]) else ""
        return self._codes[style]

    def _code(self, number: int) -> str:
        own = number - BUILTIN_FORMATS_MAX_SIZE
        if own < 0:
            return BUILTIN_FORMATS.get(number) or ""
        return self._formats[own] if own < len(self._formats) else ""

    def is_struck(self, style: int) -> bool:
        if style not in self._struck:
            font = self._styles[style].fontId if style < len(self._styles) else -1
            self._struck[style] = 0 <= font < len(self._fonts) and bool(self._fonts[font].strike)
        return self._struck[style]


def shown_by(code: str, value: Any) -> str | None:
    """What the format shows of a whole number; None where that cannot be told."""
    match = _WHOLE.fullmatch(code.split(";")[0])
    if not match or value < 0 or value != int(value):
        return None
    before, digits, after = match.groups()
    return f"{_plain(before)}{int(value):0{len(digits)}}{_plain(after)}"


def _plain(words: str) -> str:
    return re.sub(r'"([^"]*)"|\\(.)', lambda part: part[1] if part[1] is not None else part[2], words)
