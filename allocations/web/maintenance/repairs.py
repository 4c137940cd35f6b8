"""Options of a repair as the maintenance form shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from allocations.models import Dyno
from allocations.selectors.repairs import RepairOption, Repairs, repairs
from allocations.web.schedule.repair_overlay import calendar_address
from allocations.web.schedule.repair_text import text_of
from dynosite.accounts.requests import UserRequest
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count
from dynosite.lib.params import number_of

ONE_BY_ONE = "each"
"""Instead of an option: an answer for each booking by itself."""


@dataclass(frozen=True, slots=True)
class Row:
    """An option under its number, with the answers that it stands for as the form carries them."""

    number: int
    option: RepairOption
    title: str
    answers: str
    checked: bool
    calendar: str
    """Where the option lies over the calendar."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the form offers. `more` is the address at which those options are that move others too."""

    rows: list[Row]
    stamp: str
    more: str
    seconds: float
    one_by_one: bool
    others: bool
    """Whether others were let move too."""


def choice_for(
    request: UserRequest,
    dyno: Dyno,
    days: DayRange,
    *,
    params: Mapping[str, object],
    window_id: int | None,
    others_stay: bool = False,
) -> Choice | None:
    """The options for a window: those that move nobody else at once, all of them with `repair=more`, with the number
    of one that was chosen, or in a form that comes back; None where nothing that the window hits could be moved.
    `others_stay`: nobody else is to move."""
    data = request.POST if request.method == "POST" else request.GET
    asked_for = data.get("repair", "")
    number = number_of(asked_for, largest=99) or 0
    everything = not others_stay and (request.method == "POST" or asked_for == "more" or number > 0)
    result = repairs(dyno.pk, days, user=request.user, others=everything, window_id=window_id)
    if not result.options:
        return None
    one_by_one = asked_for == ONE_BY_ONE
    address = f"{request.path}?{urlencode({**params, 'preview': 1})}"
    stamp = f"repairs-{dyno.pk}-{days.first:%Y%m%d}-{days.last:%Y%m%d}{'-stay' if others_stay else ''}"
    picked = -1 if one_by_one else number if number < len(result.options) else 0
    more = "" if others_stay or result.complete else f"{address}&repair=more"
    return Choice(
        _rows(result, picked, dyno, days, address), stamp, more, result.seconds, one_by_one, result.complete
    )


def _rows(result: Repairs, picked: int, dyno: Dyno, days: DayRange, address: str) -> list[Row]:
    rows = []
    for number, option in enumerate(result.options):
        title = "The displaced only"
        if option.others:
            title = f"{count(len(option.others), 'other')} make{'s' if len(option.others) == 1 else ''} room"
        text, back = text_of(option), f"{address}&repair={number}"
        calendar = calendar_address(dyno, days, text, back)
        rows.append(Row(number, option, title, text, number == picked, calendar))
    return rows
