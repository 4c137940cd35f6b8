"""Options of a repair as the maintenance form shows them, and the chosen one as it comes back."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest

from allocations.enums import DisplacedTo
from allocations.selectors.maintenance import Answer
from allocations.selectors.repairs import RepairOption, Repairs, repairs
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count

EACH = "each"
"""Instead of an option: an answer for each booking by itself."""
MOST_ANSWERS = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """An option under its number, with the answers that it stands for as the form carries them."""

    number: int
    option: RepairOption
    title: str
    answers: str
    checked: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """What the form offers. `more` is the address at which those options are that move others too."""

    rows: list[Row]
    stamp: str
    more: str
    seconds: float
    each: bool


def choice_for(
    request: HttpRequest, dyno_id: int, days: DayRange, *, asked: Mapping[str, object], window_id: int | None
) -> Choice | None:
    """The options for a window: those that move nobody else at once, all of them with `repair=more` or in a form that
    comes back; None where nothing that the window hits could be moved."""
    data = request.POST if request.method == "POST" else request.GET
    everything = request.method == "POST" or data.get("repair") == "more"
    found = repairs(dyno_id, days, user=request.user, others=everything, window_id=window_id)
    if not found.options:
        return None
    each = request.method == "POST" and data.get("repair") == EACH
    more = "" if found.complete else f"{request.path}?{urlencode({**asked, 'preview': 1, 'repair': 'more'})}"
    stamp = f"repairs-{dyno_id}-{days.first:%Y%m%d}-{days.last:%Y%m%d}"
    return Choice(_rows(found, each), stamp, more, found.seconds, each)


def _rows(found: Repairs, each: bool) -> list[Row]:
    rows = []
    for number, option in enumerate(found.options):
        title = "The displaced only"
        if option.others:
            title = f"{count(len(option.others), 'other')} make{'s' if len(option.others) == 1 else ''} room"
        rows.append(Row(number, option, title, written(option), checked=not each and number == 0))
    return rows


def written(option: RepairOption) -> str:
    """The answers of an option as one line of text; `read` takes it back."""
    lines = []
    for kind, answers in (("d", option.answers), ("o", option.others)):
        for id_, answer in answers.items():
            place = (answer.dyno_id or "", answer.first_day or "", answer.last_day or "", answer.version or "")
            lines.append("/".join(map(str, (kind, id_, answer.to.value, *place))))
    return " ".join(lines)


def read(text: str) -> tuple[dict[int, Answer], dict[int, Answer]]:
    """The answers for those hit and for those that make room; what makes no sense is left out, and then missing."""
    answers: dict[str, dict[int, Answer]] = {"d": {}, "o": {}}
    for line in text.split(" ")[:MOST_ANSWERS]:
        try:
            kind, id_, to, dyno, first, last, version = line.split("/")
            answers[kind][_number(id_)] = Answer(
                DisplacedTo(to),
                _number(dyno) if dyno else None,
                dt.date.fromisoformat(first) if first else None,
                _number(version) if version else None,
                dt.date.fromisoformat(last) if last else None,
            )
        except (ValueError, KeyError):
            continue
    return answers["d"], answers["o"]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise ValueError(text)
    return int(text)
