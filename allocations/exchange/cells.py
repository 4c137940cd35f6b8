"""What stands in one cell: text, a day, a number; or why it can't be read."""

import calendar
import re
from datetime import date, datetime, time, timedelta
from math import ceil, isfinite

from openpyxl.utils.datetime import WINDOWS_EPOCH, from_excel

from allocations.exchange.errors import UnreadableError
from allocations.names import NOTHING
from dynosite.lib.plain_text import one_line

EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)
ERROR = re.compile(
    r"#(REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!|FIELD!|BLOCKED!|GETTING_DATA|CONNECT!|UNKNOWN!)"
)
NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")
MONTHS = {name.casefold(): n for n, name in enumerate(calendar.month_name) if n}
MONTHS |= {name[:3]: n for name, n in MONTHS.items()} | {"sept": 9}


class Uncalculated:
    """A formula that was saved without its value."""

    def __str__(self):
        return "a formula without a value"


UNCALCULATED = Uncalculated()


def text(value) -> str:
    """The value as one line: white space collapsed, control and invisible characters dropped."""
    if value is None or value is UNCALCULATED:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, datetime) and value.time() == time(0):
        value = value.date()
    return one_line(str(value))


def fold(value) -> str:
    """What names are compared by."""
    return text(value).upper().casefold()


def is_nothing(value) -> bool:
    """True for an empty cell, and for the words that people write in one."""
    return value is not UNCALCULATED and fold(value) in NOTHING


def is_error(value) -> bool:
    return isinstance(value, str) and ERROR.fullmatch(value.strip()) is not None


def clause_of(value) -> str:
    """The value as a reason quotes it."""
    if value is UNCALCULATED:
        return "holds a formula that was saved without its value (open the workbook in Excel and save it)"
    if is_error(value):
        return f"holds the error {value.strip()}"
    words = text(value)
    return f"says '{words[:60]}…'" if len(words) > 60 else f"says '{words}'"


def instant(value, *, epoch=WINDOWS_EPOCH) -> datetime | None:
    """The moment in a date cell (None where it is empty); raises UnreadableError for what is no likely date."""
    if _is_no_moment(value):
        return None
    moment = _moment(value, epoch)
    if not isinstance(moment, datetime):
        raise UnreadableError(f"{clause_of(value)}, which is not a date; write it as 2027-03-01")
    if not EARLIEST <= moment.date() <= LATEST:
        raise UnreadableError(
            f"{clause_of(value)}, which is not a likely date; days from {EARLIEST} to {LATEST} will do"
        )
    return moment


def _is_no_moment(value) -> bool:
    """Whether the cell is empty, or shows what Excel does for a formula that points at an empty one."""
    if isinstance(value, time | timedelta):
        return value in (time(0), timedelta(0))
    return value is not UNCALCULATED and (is_nothing(value) or (type(value) in (int, float) and value == 0))


def _moment(value, epoch) -> object:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime.combine(value, time(0))
    if type(value) in (int, float) and isfinite(value) and 0 < value < 2958466:
        return from_excel(value, epoch)
    return _day_in_words(text(value)) if isinstance(value, str) and not is_error(value) else None


def _day_in_words(words: str) -> datetime | None:
    """A date in words or figures; raises UnreadableError where day and month could be either way round."""
    words = re.sub(r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp]\.?[Mm]\.?)?(Z|[+-]\d\d:?\d\d)?$", "", words)
    if m := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", words):
        return _day(*map(int, m.groups()))
    if m := re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})", words):
        a, b, year = map(int, m.groups())
        year += 2000 if year < 100 else 0
        if a <= 12 and b <= 12 and a != b:
            raise UnreadableError(
                f"says '{words}', which may be either of two days; write it as {year}-{a:02}-{b:02}"
            )
        return _day(year, a, b) or _day(year, b, a)
    return _day_with_month_name(words)


def _day_with_month_name(words: str) -> datetime | None:
    """`1 March 2027`, `Mon, Mar 1st 27`."""
    parts = re.sub(r"(?<=\d)(st|nd|rd|th)\b", "", words.casefold()).replace(",", " ").replace("-", " ").split()
    if len(parts) == 4 and parts[0][:3] in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"):
        parts = parts[1:]
    if len(parts) == 3:
        day_words, name, year_words = parts if parts[1].rstrip(".") in MONTHS else (parts[1], parts[0], parts[2])
        month = MONTHS.get(name.rstrip("."))
        if month and re.fullmatch(r"\d{1,2}", day_words) and re.fullmatch(r"\d{4}|\d{2}", year_words):
            return _day(int(year_words) + (2000 if len(year_words) == 2 else 0), month, int(day_words))
    return None


def _day(year, month, day) -> datetime | None:
    try:
        return datetime(year, month, day)  # noqa: DTZ001 - days have no time zone
    except ValueError:
        return None


def number(value) -> float | None:
    """The number in a cell (None where it is empty); raises UnreadableError."""
    if value is not UNCALCULATED and is_nothing(value):
        return None
    if type(value) in (int, float) and isfinite(value):
        return value
    if isinstance(value, str) and NUMBER.fullmatch(text(value)):
        return float(text(value).replace(",", ""))
    raise UnreadableError(f"{clause_of(value)}, which is not a number")


def whole_days(days: float) -> int:
    """Days rounded up; a hair above a whole number is the noise of a division."""
    return ceil(round(days, 6))
