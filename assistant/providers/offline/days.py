"""Days as people write them: a small grammar of points, periods, ranges and lengths, in front of dateparser. Pure."""

import calendar
import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import dateparser

DAY = dt.timedelta(days=1)
MAX_AHEAD = 300 * DAY
Bias = Literal["future", "past", "near"]
Span = tuple[dt.date, dt.date]

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_NUMBERS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "fourteen": 14,
    "couple": 2,
    "a couple of": 2,
    "couple of": 2,
    "a few": 3,
    "single": 1,
    "a single": 1,
    "another": 1,
}
_UNITS = {"day": 1, "week": 7, "wk": 7, "fortnight": 14}

MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
WEEKDAY = (
    r"(?P<weekday>mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?|sat(?:urday)?"
    r"|sun(?:day)?)\b\.?(?:'s)?"
)
N = (
    r"(?P<n>\d{1,3}|a couple of|couple of|a few|a single|single|another|"
    + "|".join(word for word in sorted(_NUMBERS, key=len, reverse=True) if " " not in word)
    + r")"
)
UNIT = r"(?P<unit>day|week|wk|fortnight|month)(?:s|')*"
YEAR = r"(?:,?\s*(?P<year>20\d\d)\b(?!-))?"
NTH = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?(?![\d/:])"
SEP = r"\s*(?:-{1,2}|–|—|\.{2,3}|\bto\b|\buntil\b|\btill?\b|\bthrough\b|\bthru\b|\bup to\b|\bup until\b)\s*(?:and including\s+)?(?:the\s+)?"


@dataclass(frozen=True)
class When:
    """What a text says of days. `last` is missing where only a start was said; `days` is a length."""

    first: dt.date | None = None
    last: dt.date | None = None
    days: int | None = None
    working: bool = False
    """The length counts Mondays to Fridays only."""
    point: bool = False
    """One day was named (`on the 14th`), not a range or a period."""
    starting: bool = False
    """The day named is a start: `from`, `starting`."""
    until: bool = False
    """The day named is an end: `until`, `by`, `before`."""
    rest: str = ""

    @property
    def end(self) -> dt.date | None:
        if self.last or not self.first or not self.days:
            return self.last
        return _working_end(self.first, self.days) if self.working else self.first + DAY * (self.days - 1)

    @property
    def is_said(self) -> bool:
        return bool(self.first or self.days)

    @property
    def through(self) -> dt.date | None:
        """The last day that is meant; the first where there is no other."""
        return self.end or self.first

    @property
    def day_count(self) -> int | None:
        """How many days are meant, both ends included."""
        if self.first is None or self.through is None:
            return None
        return self.length or (self.through - self.first).days + 1

    @property
    def is_week_or_month(self) -> bool:
        """Whether it is a whole week, or so long as a month."""
        if self.first is None or self.last is None:
            return False
        length = (self.last - self.first).days + 1
        return (length == 7 and self.first.weekday() == 0) or length >= 28

    def touches(self, first: str, last: str) -> bool:
        """Whether a stay from one day to another, written as in ISO 8601, has a day of it."""
        if self.first is None or self.through is None:
            return False
        return first <= self.through.isoformat() and last >= self.first.isoformat()

    def is_span_of_other_length(self, days: int | None) -> bool:
        if not self.first or not self.last or self.point or not days:
            return False
        return (self.last - self.first).days + 1 != days

    @property
    def length(self) -> int | None:
        """The days from the first to the last, those that are not worked included."""
        return (self.end - self.first).days + 1 if self.working and self.first and self.end else self.days


def _working_end(first: dt.date, days: int) -> dt.date:
    """The last of so many working days, of which the first may be the day given."""
    last, remaining = first, days - (first.weekday() < 5)
    while remaining > 0:
        last += DAY
        remaining -= last.weekday() < 5
    return last


def _weeks_away(words: str, number: str) -> int:
    """How many weeks after this one is meant."""
    if words.startswith("next") or ("next week" in words and "after" not in words):
        return 1
    if "after next" in words:
        return 2
    if words.startswith(("this", "of this")):
        return 0
    return -1 if words.startswith("last") else _number(number)


def _leap_year(year: int) -> int:
    """The first one from a year on."""
    return next(number for number in range(year, year + 9) if calendar.isleap(number))


def _after(pattern: str, text: str, at: int) -> int:
    """Where the text goes on after what may stand there."""
    match = re.compile(pattern).match(text, at)
    return match.end() if match else at


@dataclass(frozen=True)
class _Hit:
    at: int
    to: int
    first: dt.date
    last: dt.date
    point: bool
    weekday: bool = False


class _Reader:
    def __init__(self, text: str, today: dt.date, bias: Bias) -> None:
        self.text, self.today, self.bias = text, today, bias

    # Calendar.

    def _year_of(self, month: int, day: int) -> dt.date | None:
        """The day in the year that is meant where none is said."""
        year = self.today.year
        options = [option for number in (year - 1, year, year + 1) if (option := _date(number, month, day))]
        if not options:
            return _date(_leap_year(year), month, day)
        if self.bias == "past":
            return max((option for option in options if option <= self.today), default=options[0])
        if self.bias == "near":
            return min(options, key=lambda option: abs((option - self.today).days))
        return next((option for option in options if option >= self.today - 31 * DAY), options[-1])

    def _dated(self, day: str, month: str | int, year: str | None) -> dt.date | None:
        number = month if isinstance(month, int) else _MONTHS.index(month[:3]) + 1
        if year:
            return _date(int(year) + (2000 if len(year) == 2 else 0), number, int(day))
        return self._year_of(number, int(day)) if 1 <= number <= 12 and 1 <= int(day) <= 31 else None

    def _monday(self, day: dt.date) -> dt.date:
        return day - DAY * day.weekday()

    def _month(self, year: int, month: int) -> Span:
        year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
        return dt.date(year, month, 1), dt.date(year, month, calendar.monthrange(year, month)[1])

    def _named_month(self, name: str, year: str | None) -> Span:
        number = _MONTHS.index(name[:3]) + 1
        if year:
            return self._month(int(year), number)
        if number == self.today.month:
            return self._month(self.today.year, number)
        day = self._year_of(number, 1 if self.bias == "future" else 15)
        if self.bias == "future" and day and day < self.today.replace(day=1):
            return self._month(day.year + 1, number)
        return self._month(day.year if day else self.today.year, number)

    def _weekday(self, name: str, after: dt.date) -> dt.date:
        """The first such weekday after a day."""
        ahead = (_WEEKDAYS.index(name[:3]) - after.weekday() - 1) % 7 + 1
        return after + DAY * ahead

    # Points.

    def point(self, at: int) -> _Hit | None:
        for pattern, make in _POINTS:
            if (match := pattern.match(self.text, at)) and (day := make(self, match)):
                return _Hit(at, match.end(), day, day, True, "weekday" in pattern.pattern[:60])
        return None

    def iso(self, m: re.Match) -> dt.date | None:
        return _date(int(m["y"]), int(m["m"]), int(m["d"]))

    def dotted(self, m: re.Match) -> dt.date | None:
        return self._dated(m["d"], int(m["m"]), m["y"])

    def slashed(self, m: re.Match) -> dt.date | None:
        month, day = int(m["m"]), int(m["d"])
        if month > 12:
            month, day = day, month
        return self._dated(str(day), month, m["y"])

    def month_day(self, m: re.Match) -> dt.date | None:
        return self._dated(m["day"], m["month"], m["year"])

    def day_only(self, m: re.Match) -> dt.date | None:
        day = int(m["day"])
        for months in range(13):
            first, last = self._month(self.today.year, self.today.month + months)
            if day <= last.day and first.replace(day=day) >= self.today:
                return first.replace(day=day)
        return None

    def word(self, m: re.Match) -> dt.date | None:
        return self.today + DAY * _WORDS[re.sub(r"\s+", " ", m["word"]).removeprefix("the ")]

    def ahead(self, m: re.Match) -> dt.date | None:
        back = -1 if m.groupdict().get("ago") else 1
        base = self.today
        groups = m.groupdict()
        if groups.get("weekday"):
            base = self._weekday(groups["weekday"], self.today)
        elif groups.get("base") == "tomorrow":
            base = self.today + DAY
        return _plus(base, _number(m["n"]) * back, m["unit"])

    def weekday(self, m: re.Match) -> dt.date | None:
        groups = m.groupdict("")
        name = groups["weekday"]
        weeks = groups.get("weeks")
        which = groups.get("which", "").strip()
        own = self._monday(self.today) + DAY * _WEEKDAYS.index(name[:3])
        if weeks:
            return own + 7 * DAY * _weeks_away(weeks, groups["n"])
        if groups.get("after_next"):
            return own + 14 * DAY
        if which == "next":
            return own + 7 * DAY
        if which in ("last", "past"):
            return self._weekday(name, self.today - 8 * DAY) if own >= self.today else own
        if which == "this" and own >= self.today:
            return own
        if self.bias == "past":
            return own if own <= self.today else own - 7 * DAY
        return self._weekday(name, self.today)

    def edge(self, m: re.Match) -> dt.date | None:
        span = self.period_named(m)
        if span is None:
            return None
        return span[0] if re.match(r"(?:the )?(?:start|beginning|first day)", m[0]) else span[1]

    # Periods.

    def period(self, at: int) -> _Hit | None:
        for pattern, make in _PERIODS:
            if (match := pattern.match(self.text, at)) and (span := make(self, match)):
                return _Hit(at, match.end(), span[0], span[1], point=False)
        return None

    def period_named(self, m: re.Match) -> Span | None:
        groups = m.groupdict()
        if groups.get("month"):
            return self._named_month(groups["month"], groups.get("year"))
        which = groups.get("which") or "this"
        step = {
            "next": 1,
            "the following": 1,
            "following": 1,
            "coming": 1,
            "the coming": 1,
            "last": -1,
            "past": -1,
            "previous": -1,
            "upcoming": 1,
        }.get(which.strip(), 0)
        if groups.get("after_next"):
            step = 2
        unit = groups["period"]
        today = self.today
        if unit == "week":
            first = self._monday(today) + 7 * step * DAY
            return first, first + 6 * DAY
        if unit == "weekend":
            first = (
                self._monday(today)
                + 5 * DAY
                + 7 * (0 if step == 1 and which.strip() in ("coming", "the coming", "upcoming") else step) * DAY
            )
            return first, first + DAY
        if unit == "month":
            return self._month(today.year, today.month + step)
        if unit == "quarter":
            month = (today.month - 1) // 3 * 3 + 1 + 3 * step
            return self._month(today.year, month)[0], self._month(today.year, month + 2)[1]
        return dt.date(today.year + step, 1, 1), dt.date(today.year + step, 12, 31)

    def week_of(self, m: re.Match) -> Span | None:
        hit = self.range(m.end()) or self.point(m.end())
        if hit is None:
            return None
        self._end = hit.to
        first = self._monday(hit.first)
        return first, first + 6 * DAY

    def week_number(self, m: re.Match) -> Span | None:
        number, year = int(m["number"]), m["year"]
        years = [int(year)] if year else [self.today.year, self.today.year + 1]
        for iso_year in years:
            try:
                first = dt.date.fromisocalendar(iso_year, number, 1)
            except ValueError:
                continue
            if year or self.bias != "future" or first + 6 * DAY >= self.today:
                return first, first + 6 * DAY
        return None

    def part_of_month(self, m: re.Match) -> Span | None:
        span = self.period_named(m)
        if span is None:
            return None
        first, last = span
        part = m["part"]
        if part.startswith(("early", "start", "beginning")):
            return first, first.replace(day=10)
        if part.startswith(("mid", "middle")):
            return first.replace(day=11), first.replace(day=20)
        if part.startswith("first half"):
            return first, first.replace(day=15)
        if part.startswith("second half"):
            return first.replace(day=16), last
        if part.startswith("first week"):
            return first, first.replace(day=7)
        if part.startswith("last week"):
            return last - 6 * DAY, last
        return first.replace(day=21), last

    def quarter(self, m: re.Match) -> Span | None:
        year = int(m["year"]) if m["year"] else self.today.year
        number = int(m["q"])
        first, last = self._month(year, 3 * number - 2)[0], self._month(year, 3 * number)[1]
        if not m["year"] and self.bias == "future" and last < self.today:
            return first.replace(year=year + 1), self._month(year + 1, 3 * number)[1]
        return first, last

    def whole_year(self, m: re.Match) -> Span | None:
        return dt.date(int(m["y"]), 1, 1), dt.date(int(m["y"]), 12, 31)

    def coming(self, m: re.Match) -> Span | None:
        end = _plus(self.today, _number(m["n"]), m["unit"])
        if m["back"]:
            return self.today - (end - self.today) + DAY, self.today
        return self.today, end - DAY

    def rest_of(self, m: re.Match) -> Span | None:
        span = self.period_named(m)
        return (max(self.today, span[0]), span[1]) if span else None

    # Ranges.

    def range(self, at: int) -> _Hit | None:
        for pattern, make in _RANGES:
            if (match := pattern.match(self.text, at)) and (span := make(self, match)):
                return _Hit(at, match.end(), span[0], span[1], point=False)
        begin = _after(r"(?:between|from|starting(?: on)?|beginning(?: on)?)?\s*(?:the\s+)?", self.text, at)
        first = self.point(begin)
        if first is None:
            return None
        between = self.text.startswith("between", at)
        joint = re.compile(r"\s+and\s+(?:the\s+)?" if between else SEP).match(self.text, first.to)
        if joint is None:
            return None
        last = self._second(_after(r"(?:the\s+)?", self.text, joint.end()), first)
        if last is None:
            return None
        return _Hit(at, last.to, first.first, last.last, point=False)

    def _second(self, at: int, first: _Hit) -> _Hit | None:
        """The end of a range, which is at or after its start: its year, month or week may be the start's."""
        last = self.point(at)
        if last is None:
            return self._day_alone(at, first)
        pattern = WEEKDAY if last.first < first.first else WEEKDAY + r"\s*(?:$|[^\w\s]|(?!next|in|week|of|the|,)\w)"
        if name := re.compile(pattern).match(self.text, at):
            day = self._weekday(name["weekday"], first.first - DAY)
            return replace(last, first=day, last=day)
        return self._years_on(last, first.first) if last.first < first.first else last

    def _day_alone(self, at: int, first: _Hit) -> _Hit | None:
        """A day of the month in which the range starts."""
        bare = re.compile(NTH + r"(?:\b|$)(?!\s*(?:days?|weeks?|lbs?))").match(self.text, at)
        day = _date(first.first.year, first.first.month, int(bare["day"])) if bare else None
        return _Hit(at, bare.end(), day, day, True) if bare and day and day >= first.first else None

    def _years_on(self, last: _Hit, first: dt.date) -> _Hit | None:
        """A date before the start, in the year that brings it after; as it is where that is too far off."""
        moved = last.first
        while moved < first and moved.year <= first.year + 1:
            moved = _date(moved.year + 1, moved.month, moved.day) or moved + 366 * DAY
        if self.text[last.at : last.to].count(str(last.first.year)):
            return None
        if moved - first > MAX_AHEAD:
            return last  # the wrong way round, and no year of it
        return replace(last, first=moved, last=moved)

    def month_days(self, m: re.Match) -> Span | None:
        first = self._dated(m["day"], m["month"], m["year"])
        last = first and _date(first.year, first.month, int(m["last"]))
        return (first, last) if first and last and last >= first else None

    def month_two_days(self, m: re.Match) -> Span | None:
        """`Nov 22 and 23`: one after the other."""
        span = self.month_days(m)
        return span if span and span[1] - span[0] == DAY else None

    def dotted_days(self, m: re.Match) -> Span | None:
        first = self._dated(m["day"], int(m["m"]), m["y"])
        last = first and _date(first.year, first.month, int(m["last"]))
        return (first, last) if first and last and last >= first else None

    def months(self, m: re.Match) -> Span | None:
        first = self._named_month(m["month"], m["year"])
        number = _MONTHS.index(m["to"][:3]) + 1
        last = self._month(first[0].year + (number < first[0].month), number)
        return first[0], last[1]


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _number(text: str) -> int:
    text = re.sub(r"\s+", " ", text.strip())
    return int(text) if text.isdigit() else _NUMBERS[text]


def _plus(day: dt.date, n: int, unit: str) -> dt.date:
    if unit.startswith("month"):
        month = day.month - 1 + n
        year, month = day.year + month // 12, month % 12 + 1
        return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
    return day + DAY * n * _UNITS[unit]


_WORDS = {
    "today": 0,
    "tonight": 0,
    "now": 0,
    "right now": 0,
    "tomorrow": 1,
    "day after tomorrow": 2,
    "yesterday": -1,
    "day before yesterday": -2,
    "currently": 0,
    "at the moment": 0,
    "this morning": 0,
    "this afternoon": 0,
}
B = r"(?<![\w<>])"


_Meaning = TypeVar("_Meaning", bound=dt.date | Span)
_Rule = tuple[re.Pattern[str], Callable[[_Reader, re.Match[str]], _Meaning | None]]


def _compiled(table: list[tuple[str, Callable[[_Reader, re.Match[str]], _Meaning | None]]]) -> list[_Rule[_Meaning]]:
    return [(re.compile(B + pattern), make) for pattern, make in table]


_PERIOD = r"(?P<period>weekend|week|month|quarter|year)\b"
_WHICH = r"(?P<which>next|this|the following|following|the coming|coming|upcoming|last|past|previous|the)\s+"
_OPT_DAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+(?:the\s+)?)?"
_WEEKS_AFTER = (
    r"(?:,?\s+(?:of\s+|the\s+)*(?P<weeks>next week|(?:the )?week after next|this week|last week|in "
    + N
    + r" weeks?)\b)"
)

_POINTS = _compiled(
    [
        (_OPT_DAY + r"(?P<y>20\d\d)[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)", _Reader.iso),
        (_OPT_DAY + r"(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.(?:\s?(?P<y>20\d\d|\d\d(?!\d)))?", _Reader.dotted),
        (_OPT_DAY + r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.?(?P<y>20\d\d)", _Reader.dotted),
        (_OPT_DAY + r"(?P<m>\d{1,2})/(?P<d>\d{1,2})(?:/(?P<y>20\d\d|\d\d))?(?![\d/])", _Reader.slashed),
        (r"(?P<m>\d{1,2})-(?P<d>\d{1,2})-(?P<y>20\d\d)(?!\d)", _Reader.slashed),
        (_OPT_DAY + MONTH + r"\s*(?:the\s+)?" + NTH + YEAR, _Reader.month_day),
        (r"(?:the\s+)?" + _OPT_DAY + NTH + r"\.?\s*(?:of\s+)?" + MONTH + YEAR, _Reader.month_day),
        (
            r"(?P<word>(?:the )?day after tomorrow|(?:the )?day before yesterday|tomorrow|today|tonight|yesterday"
            r"|right now|now|currently|at the moment|this morning|this afternoon)\b",
            _Reader.word,
        ),
        (r"in\s+" + N + r"\s+" + UNIT + r"(?:\s+time)?\b(?!\s+(?:of|from))", _Reader.ahead),
        (
            N + r"\s+" + UNIT + r"\s+(?:from|after)\s+(?:(?P<base>now|today|tomorrow)\b|" + WEEKDAY + ")",
            _Reader.ahead,
        ),
        (N + r"\s+" + UNIT + r"\s+(?P<ago>ago)\b", _Reader.ahead),
        (
            r"(?:on\s+)?(?:the\s+)?(?:(?P<which>next|this|coming|upcoming|following|last|past)\s+)?"
            + WEEKDAY
            + _WEEKS_AFTER,
            _Reader.weekday,
        ),
        (r"(?:the\s+)?" + WEEKDAY + r"\s+(?P<after_next>after next)\b", _Reader.weekday),
        (r"(?:the\s+)?(?:(?P<which>next|this|coming|upcoming|following|last|past)\s+)?" + WEEKDAY, _Reader.weekday),
        (r"(?P<weeks>next week|this week|last week|in " + N + r" weeks?)\s+(?:on\s+)?" + WEEKDAY, _Reader.weekday),
        (r"(?:the\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th)\b", _Reader.day_only),
        (
            r"(?:the\s+)?(?:end|start|beginning|first day|last day)\s+of\s+(?:"
            + MONTH
            + YEAR
            + "|"
            + r"(?:"
            + _WHICH
            + r")?"
            + _PERIOD
            + ")",
            _Reader.edge,
        ),
    ]
)

_PERIODS = _compiled(
    [
        (
            r"(?:the\s+)?(?P<part>early|mid|middle of|late|first half of|second half of|first week of|last week of)"
            r"(?:\s+in)?[\s-]+(?:" + MONTH + YEAR + "|" + _WHICH + r"(?P<period>month)\b)",
            _Reader.part_of_month,
        ),
        (
            r"(?:the\s+)?(?:rest|remainder)\s+of\s+(?:" + MONTH + YEAR + "|(?:" + _WHICH + ")?" + _PERIOD + ")",
            _Reader.rest_of,
        ),
        (
            r"(?:the\s+|over the\s+|within the\s+|for the\s+)?(?:next|coming|following|(?P<back>last|past))\s+"
            + N
            + r"\s+"
            + UNIT
            + r"\b",
            _Reader.coming,
        ),
        (r"within\s+(?:the\s+next\s+)?" + N + r"\s+" + UNIT + r"\b(?P<back>)", _Reader.coming),
        (r"(?:the\s+)?(?P<period>week|month)\s+(?P<after_next>after next)\b", _Reader.period_named),
        (
            r"(?:calendar week|week|cw|kw|wk|w(?=\d))\s*#?(?P<number>\d{1,2})\b(?!\s*(?:days?|-day))" + YEAR,
            _Reader.week_number,
        ),
        (r"(?:" + _WHICH + r")" + _PERIOD + r"(?!\s+(?:of|after|before|from)\b)", _Reader.period_named),
        (r"q(?P<q>[1-4])\b" + YEAR, _Reader.quarter),
        (
            r"(?:(?:in|during|for|of|all|throughout|through|over)\s+)(?:all\s+(?:of\s+)?)?"
            + MONTH
            + YEAR
            + r"(?!\s*\d)",
            _Reader.period_named,
        ),
        (r"(?:this|next|last)\s+" + MONTH + r"(?P<year>)(?!\s*\d)", _Reader.period_named),
        (r"(?!may\b|mar\b|sun\b|sat\b)" + MONTH + YEAR + r"(?!\s*\d)", _Reader.period_named),
        (MONTH + r",?\s*(?P<year>20\d\d)\b", _Reader.period_named),
        (r"(?:in|during|of|for)\s+(?P<y>20\d\d)\b(?!-)", _Reader.whole_year),
    ]
)

_LAST = r"(?P<last>\d{1,2})(?:st|nd|rd|th)?\b"
_RANGES = _compiled(
    [
        (
            r"(?:from\s+)?"
            + _OPT_DAY
            + MONTH
            + r"\s*(?:the\s+)?"
            + NTH
            + SEP
            + _OPT_DAY
            + _LAST
            + r"(?!\s*(?:days?\b|weeks?\b|[/.]\d|of\s+[a-z]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))"
            + YEAR,
            _Reader.month_days,
        ),
        (
            MONTH
            + r"\s*(?:the\s+)?"
            + NTH
            + r"\s*(?:and|&|\+|,)\s*(?:the\s+)?"
            + _LAST
            + r"(?!\s*(?:days?\b|weeks?\b|lbs?\b|[/.:]\d|of\s+[a-z]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))"
            + YEAR,
            _Reader.month_two_days,
        ),
        (
            r"(?:the\s+)?"
            + NTH
            + r"\s*(?:and|&|\+)\s*(?:the\s+)?(?P<last>\d{1,2})(?:st|nd|rd|th)?\s*(?:of\s+)?"
            + MONTH
            + YEAR,
            _Reader.month_two_days,
        ),
        (
            r"between\s+(?:the\s+)?"
            + MONTH
            + r"\s*"
            + NTH
            + r"\s+and\s+(?:the\s+)?"
            + _LAST
            + r"(?!\s*(?:days?\b|[/.]|of\s+[a-z]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))"
            + YEAR,
            _Reader.month_days,
        ),
        (
            r"(?:from\s+)?(?:the\s+)?"
            + _OPT_DAY
            + NTH
            + r"\.?"
            + SEP
            + _OPT_DAY
            + r"(?P<last>\d{1,2})(?:st|nd|rd|th)?\.?\s*(?:of\s+)?"
            + MONTH
            + YEAR,
            _Reader.month_days,
        ),
        (
            r"between\s+(?:the\s+)?"
            + NTH
            + r"\s+and\s+(?:the\s+)?(?P<last>\d{1,2})(?:st|nd|rd|th)?\s*(?:of\s+)?"
            + MONTH
            + YEAR,
            _Reader.month_days,
        ),
        (
            r"(?:from\s+)?(?P<day>\d{1,2})\.?"
            + SEP
            + r"(?P<last>\d{1,2})\.\s?(?P<m>\d{1,2})\.(?:\s?(?P<y>20\d\d|\d\d))?",
            _Reader.dotted_days,
        ),
        (
            r"(?:from\s+|between\s+)?"
            + MONTH
            + YEAR
            + r"(?:"
            + SEP
            + r"|\s+and\s+)(?P<to>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)\b(?!\s*\d)",
            _Reader.months,
        ),
    ]
)

_WEEK_OF = re.compile(
    B + r"(?:the\s+)?week\s+(?:of|from|starting(?: on)?|beginning(?: on)?|commencing|with|around)\s+(?:the\s+)?"
)
_LENGTH = re.compile(
    B
    + r"(?P<lead>for|lasting|taking|takes|over|about|of|is|needs?|,)?\s*(?:the\s+)?"
    + N
    + r"[\s-]*(?:calendar\s+|full\s+|whole\s+|consecutive\s+|test(?:ing)?\s+|(?P<working>(?:work(?:ing)?|business|week)[\s-]*))?"
    + UNIT
    + r"\b(?!\s+(?:(?:from|after) (?:now|today|tomorrow|mon|tue|wed|thu|fri|sat|sun)|ago|later|earlier|before|backup|back\b|forward|ahead|of backup|of slack|buffer))"
)
_NOT_A_LENGTH = re.compile(
    r"(?:in|within|by|next|last|past|up to|max(?:imum)?|at most|coming|backup(?: of)?|than)\s+(?:the\s+)?$"
)
_LEAD = re.compile(
    r"(?:\b(?P<starting>from|starting|beginning|start|as of|after|since|begins?|starts?|onwards?)"
    r"|\b(?P<until>until|till?|by|before|through|ending|ends?|up to))(?:\s+(?:on|in|at|from))?\s*(?:the\s+)?$"
)


def read_days(text: str, today: dt.date, bias: Bias = "future") -> When:
    """The days that a text (in small letters) speaks of; `rest` is the text without them."""
    hits, lengths, cuts = _scan(text, _Reader(text, today, bias))
    rest = _without(text, cuts)
    days = _days_of(lengths[0]) if lengths else 0
    working = any(length["working"] and length["unit"] == "day" for length in lengths)
    length = When(days=days if days > 0 else None, working=working, rest=rest)
    if not hits:
        guess = _guess(rest, today)
        return replace(length, first=guess, point=guess is not None)
    when = _joined(text, hits)
    # A week or month in which some days are wanted is a start, and no length.
    if len(hits) == 1 and when.is_span_of_other_length(length.days):
        when = replace(when, last=None)
    return replace(when, days=length.days, working=working, rest=rest)


def _scan(text: str, reader: "_Reader") -> tuple[list[_Hit], list[re.Match], list[tuple[int, int]]]:
    """The days and the lengths that are named, and from where to where each of them stands."""
    hits: list[_Hit] = []
    lengths: list[re.Match[str]] = []
    cuts: list[tuple[int, int]] = []
    at = 0
    while at < len(text):
        end = at + 1
        if at and (text[at - 1].isalnum() or text[at - 1] in "<>"):
            at = end
            continue
        if hit := _hit_at(text, at, reader):
            hits.append(hit)
            cuts.append((at, end := hit.to))
        elif (match := _LENGTH.match(text, at)) and not _NOT_A_LENGTH.search(text[:at]):
            lengths.append(match)
            cuts.append((at, end := match.end()))
        at = end
    return hits, lengths, cuts


def _hit_at(text: str, at: int, reader: "_Reader") -> _Hit | None:
    if (match := _WEEK_OF.match(text, at)) and (span := reader.week_of(match)):
        return _Hit(at, reader._end, span[0], span[1], point=False)
    return reader.range(at) or reader.period(at) or reader.point(at)


def _days_of(length: re.Match) -> int:
    unit = length["unit"]
    return _number(length["n"]) * (30 if unit.startswith("month") else _UNITS[unit])


def _joined(text: str, hits: list[_Hit]) -> When:
    span = next((hit for hit in hits if not hit.point), None)
    if span:
        return When(span.first, span.last)
    begin, end = hits[0], hits[1] if len(hits) > 1 else hits[0]
    if end.first > begin.first:
        return When(begin.first, end.first)
    if end.first < begin.first and _lead_of(text, begin)[1] and _lead_of(text, end)[0]:
        return When(end.first, begin.first)
    starting, until = _lead_of(text, begin)
    later = re.match(r"\s*(?:on ?wards?|and later)", text[begin.to :])
    return When(begin.first, point=True, starting=starting or bool(later), until=until)


def _lead_of(text: str, hit: _Hit) -> tuple[bool, bool]:
    """Whether what stands before a day says that it is a start, and that it is an end."""
    lead = _LEAD.search(text[: hit.at])
    return (bool(lead["starting"]), bool(lead["until"])) if lead else (False, False)


def _without(text: str, cuts: list[tuple[int, int]]) -> str:
    for start, end in reversed(cuts):
        text = text[:start] + " ; " + text[end:]
    return text


_GUESS = re.compile(r"\b(?:on|from|starting|until|by)\s+([\w./ -]{4,24})")


def _guess(text: str, today: dt.date) -> dt.date | None:
    """dateparser on what follows a preposition, where the grammar saw nothing; only with a digit in it."""
    match = _GUESS.search(text)
    if not match or not re.search(r"\d", match[1]) or re.match(r"\d+[\s-]*(?:day|week|month|hour|minute)", match[1]):
        return None
    if re.search(r"[a-z]\d|\d[a-z]{3,}", match[1]):
        return None
    base = dt.datetime.combine(today, dt.time())
    settings = {"RELATIVE_BASE": base, "PREFER_DATES_FROM": "future", "REQUIRE_PARTS": ["day", "month"]}
    parsed = dateparser.parse(match[1].strip(), languages=["en"], settings=settings)
    return parsed.date() if parsed else None
