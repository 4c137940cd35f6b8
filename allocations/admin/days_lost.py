"""Days off change under tests that pause: the page between that lists them with an answer for each."""

from typing import Any

from django.http import HttpRequest

from allocations.admin.asking import ConfirmationRequired, repeated
from allocations.enums import LostDaysTo
from allocations.selectors.days_lost import Loss
from allocations.services.days_lost import DaysLost, LossAnswer
from dynosite.lib.days import day_of
from dynosite.lib.formats import count, day_range
from dynosite.lib.params import number_of

PREFIX = "lost-"


def asks_about_losses(request: HttpRequest, lost: DaysLost) -> ConfirmationRequired:
    return ConfirmationRequired(
        "admin/days_lost.html",
        title="Days off under tests that pause",
        button="Save all of it",
        rows=[_row(loss) for loss in lost.losses],
        fields=repeated(request, without=PREFIX),
    )


def _row(loss: Loss) -> dict[str, Any]:
    row = loss.allocation
    return {
        "name": f"{PREFIX}{row.pk}",
        "title": f"{row.vehicle}: {row.test_type}",
        "place": f"{row.dyno}, {day_range(row.first_day, row.last_day)}, {row.get_status_display().lower()}",
        "lost": f"{count(loss.lost, 'day')} of {loss.length} worked would be lost",
        "due": row.request.due_date if row.request else None,
        "answers": [(_value(loss, answer), _label(loss, answer)) for answer in loss.answers],
    }


def _value(loss: Loss, answer: LostDaysTo) -> str:
    place = f"{loss.place.dyno_id}/{loss.place.first_day}" if answer == LostDaysTo.MOVE and loss.place else ""
    return f"{answer.value}:{loss.allocation.version}:{place}"


def _label(loss: Loss, answer: LostDaysTo) -> str:
    if answer == LostDaysTo.EXTEND:
        return f"{answer.label}, until {day_range(loss.extended.last, loss.extended.last)}"
    if answer == LostDaysTo.MOVE and loss.place:
        return f"Move to {loss.place.dyno}, {day_range(loss.place.first_day, loss.place.last_day)}"
    return str(answer.label)


def loss_answers(request: HttpRequest) -> dict[int, LossAnswer]:
    """The answers that were chosen on the page between."""
    answers = {}
    for name in request.POST:
        value = request.POST.get(name, "")
        pk = number_of(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None
        to, _, rest = value.partition(":")
        version, _, place = rest.partition(":")
        if pk is None or to not in LostDaysTo.values:
            continue
        dyno, _, first = place.partition("/")
        dyno_id = number_of(dyno)
        where = None if dyno_id is None else (dyno_id, day_of(first))
        answers[pk] = LossAnswer(LostDaysTo(to), number_of(version), where)
    return answers
