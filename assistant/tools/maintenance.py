"""What gives way to a maintenance window, as a proposal shows it: the repair with the fewest moves."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

from allocations.enums import DisplacedTo
from allocations.selectors import maintenance, repairs
from assistant.tools import cards
from assistant.tools.caller import Caller
from assistant.tools.commands import AnswerStep
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count

if TYPE_CHECKING:
    from assistant.tools.row_types import Allocation, Dyno


@dataclass(frozen=True)
class GivingWay:
    """An answer for each booking on the days of the window, and what the card shows of it."""

    answers: list[AnswerStep] = field(default_factory=list)
    lines: list[cards.Line] = field(default_factory=list)
    bars: list[cards.Bar] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    links: list[cards.Link] = field(default_factory=list)


def giving_way(caller: Caller, dyno: "Dyno", days: DayRange, kind: str) -> GivingWay:
    """Returns what gives way to a window of this kind on these days of a dyno.

    No other booking is moved. If that makes tests late, the card links to repairs that move others too. Raises
    NotAllowed if the user is no scheduler.
    """
    result = GivingWay()
    option = next(iter(repairs.repairs(dyno.pk, days, user=caller.user, others=False).options), None)
    if option:
        for move in option.moves:
            _add(result, move.allocation, move.answer, f"{move.dyno}, {move.days}" if move.dyno else "")
            result.warnings.extend([f"{move.allocation.vehicle.label}: {move.reason}"] if move.late else [])
        result.bars.extend(
            _new_bar(move.allocation, move.dyno, move.days) for move in option.moves if move.dyno and move.days
        )
        if option.late > 0 or option.unplaced:
            params = {"dyno": dyno.pk, "first_day": days.first, "last_day": days.last, "kind": kind, "preview": 1}
            query = urlencode(params | {"repair": "more"})
            address = f"{reverse('allocations:window-create')}?{query}"
            result.links.append({"label": "Repairs that are less late", "url": address})
    else:
        for hit in maintenance.fallout(dyno.pk, days, user=caller.user):
            if hit.proposed:
                _add(result, hit.allocation, hit.proposed, f"{hit.place.dyno}, {hit.place.days}" if hit.place else "")
    if result.answers:
        verb = "gives" if len(result.answers) == 1 else "give"
        becomes = maintenance.tally_of(maintenance.Answer(DisplacedTo(answer["to"])) for answer in result.answers)
        result.warnings.insert(0, f"{count(len(result.answers), 'booking')} within these days {verb} way: {becomes}.")
    return result


def _add(result: GivingWay, row: "Allocation", answer: maintenance.Answer, place: str) -> None:
    result.answers.append(
        {
            "allocation_id": row.pk,
            "version": row.version,
            "to": answer.to.value,
            "dyno_id": answer.dyno_id,
            "first_day": answer.first_day,
            "last_day": answer.last_day,
        }
    )
    new = place if answer.to == DisplacedTo.MOVE else DisplacedTo(answer.to).label
    result.lines.append(cards.line(row.vehicle.label, new, old=f"{row.dyno}, {row.days}"))
    result.bars.append(cards.bar(row, "old"))


def _new_bar(row: "Allocation", dyno: "Dyno", days: DayRange) -> cards.Bar:
    bar = cards.bar(row, "new")
    bar.update({"dyno_id": dyno.pk, "dyno": dyno.name, "first_day": days.first, "last_day": days.last})
    return bar
