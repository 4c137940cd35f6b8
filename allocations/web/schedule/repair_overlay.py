"""An option of a repair that lies over the calendar (`?repair=`), as a plan does: read from the address alone."""

import datetime as dt
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from allocations.enums import DisplacedTo
from allocations.models import Allocation, Dyno, PlanItem
from allocations.selectors.allocations import allocations_by_ids
from allocations.selectors.dynos import dynos_by_ids
from allocations.selectors.maintenance import Answer
from allocations.selectors.proposed_bars import Ghost, ghosts_of, leaving
from allocations.selectors.search import has_every_word
from allocations.web.schedule.query import ScheduleQuery
from allocations.web.schedule.repair_text import read
from dynosite.lib.days import DayRange, day_of
from dynosite.lib.formats import count, day_range

BEFORE = dt.timedelta(days=7)
MAX_LENGTH = 2_000
"""Characters of an option in an address; a longer one is not shown on the calendar."""


@dataclass(frozen=True, slots=True)
class Change:
    """One booking of the option: where it would go, or what becomes of it instead."""

    allocation: Allocation
    dyno: Dyno | None
    days: DayRange | None
    words: str
    address: str


@dataclass(frozen=True)
class RepairOverlay:
    changes: list[Change]
    ghosts: dict[int, list[Ghost]]
    without: str
    """The address of the calendar without the option."""
    back: str
    """The form in which it is carried out."""

    def of_dynos(self, text: str) -> set[int]:
        """Dynos with a ghost bar that has these words on it."""
        return {
            dyno
            for dyno, ghosts in self.ghosts.items()
            if any(has_every_word(text, (ghost.vehicle, ghost.label)) for ghost in ghosts)
        }


def calendar_address(dyno: Dyno, days: DayRange, text: str, back: str) -> str:
    """Where an option lies over the calendar; nothing where it is too long for an address."""
    if len(text) > MAX_LENGTH:
        return ""
    window = f"{dyno.pk}/{days.first}/{days.last}"
    query = {"from": days.first - BEFORE, "window": window, "repair": text, "back": back}
    return f"{reverse('allocations:schedule')}?{urlencode(query)}"


def repair_overlay_of(query: ScheduleQuery) -> RepairOverlay | None:
    """What the address names and this ground has; what makes no sense is passed over."""
    text = query.params.get("repair", "")
    if not text or len(text) > MAX_LENGTH:
        return None
    hit, others = read(text)
    answers = hit | others
    rows = allocations_by_ids(answers, ground=query.ground)
    dynos = dynos_by_ids([answer.dyno_id for answer in answers.values() if answer.dyno_id], ground=query.ground)
    changes: list[Change] = []
    ghosts: dict[int, list[Ghost]] = {}
    for row in sorted(rows, key=lambda row: (row.pk in others, row.first_day, row.pk)):
        change = _change(row, answers[row.pk], dynos, query)
        changes.append(change)
        for dyno, dyno_ghosts in _ghosts(change, query.days).items():
            ghosts.setdefault(dyno, []).extend(dyno_ghosts)
    _add_window(ghosts, query)
    return RepairOverlay(
        changes, ghosts, query.address(repair=None, window=None, back=None), _back(query.params.get("back", ""))
    )


def _change(row: Allocation, answer: Answer, dynos: dict[int, Dyno], query: ScheduleQuery) -> Change:
    dyno = dynos.get(answer.dyno_id or 0)
    if answer.to != DisplacedTo.MOVE or not (dyno and answer.first_day):
        return Change(row, None, None, answer.to.label, f"#from-{row.pk}")
    last = answer.last_day if answer.last_day and answer.last_day >= answer.first_day else answer.first_day
    days = DayRange(answer.first_day, last)
    address = f"#ghost-{row.pk}"
    if not days.overlaps(query.days):
        address = f"{query.address(from_=days.first - BEFORE, to=None, whole=1)}{address}"
    later = (days.first - row.first_day).days
    words = f"{count(abs(later), 'day')} {'later' if later > 0 else 'earlier'}" if later else "On the same days"
    return Change(row, dyno, days, words, address)


def _ghosts(change: Change, days: DayRange) -> dict[int, list[Ghost]]:
    row = change.allocation
    if not (change.dyno and change.days):
        return {row.dyno_id: [leaving(row, row.pk, change.words, days)]}
    item = PlanItem(
        pk=row.pk, allocation=row, dyno=change.dyno, first_day=change.days.first, last_day=change.days.last
    )
    return ghosts_of([item], days)


def _add_window(ghosts: dict[int, list[Ghost]], query: ScheduleQuery) -> None:
    try:
        dyno, first, last = query.params.get("window", "").split("/")
        days = DayRange(day_of(first), day_of(last))
        dyno_id = int(dyno)
    except ValueError:
        return
    if days.last < days.first:
        return
    ghosts.setdefault(dyno_id, []).append(
        Ghost(
            "ghost-window",
            dyno_id,
            (days.first - query.days.first).days,
            days.days,
            "window",
            "Maintenance",
            "",
            f"Maintenance to be set: {day_range(days.first, days.last)}",
            "#repair-heading",
        )
    )


def _back(address: str) -> str:
    """Only the maintenance form is come back to."""
    form = reverse("allocations:window-create")
    return address if address.startswith(form.removesuffix("new/")) else form
