"""Workbooks as untidy as people make them, each row with what it is meant to say."""

import datetime as dt
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from allocations.exchange.tests.books import FIRST_ROW, book, day

DYNOS = {"NPG 1": ("NPG", 1), "NPG 2": ("NPG", 2), "ELK #2": ("ELK", "#2"), "Lone": ("Lone", "Lone")}
ANY = (("2WD", "AWD"), ("<10K", ">10K"))
RULES = {  # test type → dyno → the pairs of drives and weight classes that it takes
    "evap": {"NPG 1": [ANY], "NPG 2": [ANY], "Track": [ANY], "Lone": [ANY]},
    "4k certification": {
        "NPG 1": [(("2WD",), ("<10K",)), (("AWD",), (">10K",))],
        "ELK #2": [ANY],
        "Lone": [(("2WD", "AWD"), ("<10K",))],
    },
}
RULE_ROWS = [
    ("evap", "any", "any", "NPG 1, npg  2,Track, Lone"),
    ("4K Certification", "2wd", "<10k", "NPG 1"),
    ("4k certification", "AWD", ">10K", "NPG 1"),
    ("4k certification", "any", "any", "ELK #2"),
    ("4k certification", "any", "<10k", "Lone"),
]
LANES = 2
STATUS = {
    "G": "scheduled",
    "DELAYED": "scheduled",
    "RUNNING": "running",
    "COMPLETED": "completed",
    "CANCELLED": "cancelled",
    "REMOVED": "cancelled",
    "TBD": "waiting",
}


@dataclass(frozen=True)
class IntendedRow:
    """What a row says, without its dress; `wrong` is the start of the reason that it is to be refused for."""

    test: str
    place: str | None  # a dyno, Track, or none yet
    vehicle: str
    placeholder: bool
    first: dt.date
    days: int
    status: str
    drive: str
    weight: str
    wrong: str = ""
    blank: bool = False

    @property
    def last(self) -> dt.date:
        return self.first + dt.timedelta(days=self.days - 1)

    @property
    def claims(self) -> bool:
        plain = not (self.wrong or self.blank) and self.place is not None
        return plain and self.status in ("scheduled", "running", "completed")


VINS = ["9ZZD9PCF1WX454710", "9ZZMGN0G8WX574351"]
TAGS = ["412W766", "365W996"]
PLACEHOLDERS = ["TBD - 2028 S650", "mule"]
WEIGHTS = {
    name: weight for names in (VINS, TAGS, PLACEHOLDERS) for name, weight in zip(names, ("<10K", ">10K"), strict=True)
}


@st.composite
def spelt(draw, words: str) -> str:
    """The same name as others would write it."""
    change = draw(st.sampled_from([str, str.upper, str.lower, str.title]))
    space = draw(st.sampled_from([" ", "  ", "\n", "\u00a0"]))
    return (
        draw(st.sampled_from(["", " "])) + space.join(change(words).split()) + draw(st.sampled_from(["", " ", "\n"]))
    )


@st.composite
def dressed_day(draw, when: dt.date):
    """A day as a date, a moment, a number or in words."""
    moment = dt.datetime.combine(when, dt.time(draw(st.integers(0, 23)), 30))
    return draw(
        st.sampled_from(
            [
                when,
                moment,
                dt.datetime.combine(when, dt.time()),
                (when - dt.date(1899, 12, 30)).days,
                when.isoformat(),
                f"{when.day} {when:%B} {when.year}",
                f"{when:%b} {when.day}, {when.year}",
            ]
        )
    )


NOTHING = st.sampled_from([None, "", " ", "N/A", "tbd", "-"])


@st.composite
def row(draw, *, consistent: bool = True) -> tuple[IntendedRow, dict]:
    test = draw(st.sampled_from(list(RULES)))
    place = draw(st.sampled_from([*DYNOS, "NPG 1", "NPG 1", "Track", "Track", None]))
    status = draw(st.sampled_from(["G", "G", "G", *STATUS]))
    drive = draw(st.sampled_from(["2WD", "AWD"]))
    first = (day(0) + dt.timedelta(days=draw(st.integers(0, 25)))).date()
    days = draw(st.integers(1, 9))
    kind = draw(st.sampled_from(["vin", "tag", "placeholder", "placeholder"]))
    name = draw(st.sampled_from({"vin": VINS, "tag": TAGS, "placeholder": PLACEHOLDERS}[kind]))
    weight = WEIGHTS[name] if consistent else draw(st.sampled_from(["<10K", ">10K"]))
    intended = IntendedRow(test, place, name, kind == "placeholder", first, days, STATUS[status], drive, weight)
    cells = {
        "test": draw(spelt(test)),
        "status": draw(spelt(status)),
        "weight": draw(st.sampled_from([weight, weight.lower(), f"{weight[0]} 10k", f" {weight} "])),
        "tag": None if kind == "vin" else name if kind == "tag" else draw(spelt(name)),
        "vin": draw(st.sampled_from([name, name.lower(), f" {name}"])) if kind == "vin" else draw(NOTHING),
        **draw(_place(place)),
        **draw(_drive(drive)),
        **draw(_days(first, days)),
        "notes": draw(st.sampled_from([None, "hot soak", "=1+1", "a; b"])),
    }
    return intended, cells


@st.composite
def _place(draw, place: str | None) -> dict:
    if place is None:
        words = draw(
            st.sampled_from(
                [None, "No dyno available", "INVALID drive ", "Invalid test.", "no dyno  candidates", "N/A"]
            )
        )
        return {"facility": draw(st.sampled_from([None, "NPG"])), "dyno": words}
    facility, dyno = DYNOS.get(place, (place, place))
    if isinstance(dyno, int):
        dyno = draw(st.sampled_from([dyno, float(dyno), str(dyno), f" {dyno} "]))
    else:
        dyno = draw(spelt(dyno))
    return {"facility": draw(spelt(facility)), "dyno": dyno}


@st.composite
def _drive(draw, drive: str) -> dict:
    words = {"2WD": ["2WD", "2wd ", "4X2", "RWD/AWD"], "AWD": ["AWD", "awd", "4x4 "]}
    word = draw(st.sampled_from(words[drive]))
    if draw(st.booleans()):
        return {"constraint": word, "drive": draw(st.sampled_from([None, "AWD", "2WD"]))}
    return {"constraint": draw(NOTHING), "drive": word}


@st.composite
def _days(draw, first: dt.date, days: int) -> dict:
    other = first + dt.timedelta(days=draw(st.integers(-40, 40)))
    start = draw(st.sampled_from(["estimated", "new_estimate", "actual"]))
    cells = {"estimated": other, "new_estimate": draw(NOTHING), "actual": draw(NOTHING)}
    if start == "actual" and draw(st.booleans()):
        cells["new_estimate"] = other
    cells[start] = draw(dressed_day(first))
    end = draw(st.sampled_from(["completed", "days", "projected"]))
    last = first + dt.timedelta(days=days - 1)
    if end == "completed":
        cells |= {"completed": draw(dressed_day(last)), "days": draw(st.sampled_from([None, 77]))}
    elif end == "days":
        cells["days"] = draw(st.sampled_from([days, days - 0.4, str(days), f"{days}.0"]))
        cells["projected"] = draw(st.sampled_from([None, other, "soon"]))
    else:
        until = dt.datetime.combine(last + dt.timedelta(days=1), dt.time())
        cells["projected"] = draw(st.sampled_from([until, until - dt.timedelta(hours=7), until.isoformat(sep=" ")]))
        cells["days"] = draw(NOTHING)
    return cells


MISTAKES = [
    ("No start date", {"actual": "LAB01"}),
    ("No start date", {"actual": "#REF!"}),
    ("No start date", {"actual": dt.datetime(1999, 12, 31)}),  # noqa: DTZ001
    ("No start date", {"actual": 10**9}),
    ("No end date", {"completed": "done"}),
    ("No end date", {"completed": None, "days": "a week", "projected": None}),
    ("Ends before it starts", {"completed": dt.date(2020, 1, 1)}),
    ("Ends before it starts", {"completed": None, "days": 0}),
    ("Takes", {"completed": dt.date(2099, 1, 1)}),
    ("No weight class", {"weight": None}),
    ("No weight class", {"weight": "heavy"}),
    ("Unknown test type", {"test": "Brake cooling"}),
    ("No test type", {"test": " "}),
    ("No vehicle", {"tag": None, "vin": "N/A"}),
    ("No vehicle", {"vin": "ask"}),
    ("No drive", {"constraint": "FWD"}),
    ("No drive", {"constraint": None, "drive": "-"}),
    ("Unknown status", {"status": "ON HOLD"}),
    ("Unknown status", {"status": None}),
    ("Unknown dyno", {"facility": "NPG", "dyno": 99, "status": "G"}),
]


@st.composite
def any_row(draw, *, consistent: bool) -> tuple[IntendedRow, dict]:
    intended, cells = draw(row(consistent=consistent))
    kind = draw(st.sampled_from(["good"] * 8 + ["wrong", "blank"]))
    if kind == "wrong":
        reason, wrong = draw(st.sampled_from(MISTAKES))
        return replace(intended, wrong=reason), cells | wrong
    if kind == "blank":
        filler = {"days": draw(st.sampled_from([None, 0, "#VALUE!"])), "miles_per_day": 750}
        return replace(intended, blank=True), filler
    return intended, cells


class Data(bytes):
    def __repr__(self):
        return "…"


@dataclass(frozen=True)
class Book:
    data: "Data"
    rows: dict[int, IntendedRow]  # by sheet row number, without blank ones
    windows: list[tuple[str, dt.date, dt.date]]


@st.composite
def books(draw, max_rows: int = 22, *, consistent: bool = True) -> Book:
    """Where it is not `consistent`, rows contradict each other about the weight class of a vehicle."""
    rows = draw(st.lists(any_row(consistent=consistent), max_size=max_rows))
    windows = []
    for name in draw(st.lists(st.sampled_from([*DYNOS, "Track"]), max_size=3, unique=True)):
        start = (day(0) + dt.timedelta(days=draw(st.integers(0, 25)))).date()
        windows.append((name, start, start + dt.timedelta(days=draw(st.integers(0, 6)))))
    data = book([cells for _, cells in rows], rules=RULE_ROWS, maintenance=windows, edit=_as_text)
    return Book(Data(data), {n: m for n, (m, _) in enumerate(rows, FIRST_ROW) if not m.blank}, windows)


def _as_text(workbook) -> None:
    for line in workbook.worksheets[0].iter_rows(min_row=FIRST_ROW):
        for cell in line:
            if isinstance(cell.value, str) and cell.data_type == "f":
                cell.data_type = "s"
