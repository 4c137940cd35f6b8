"""When days off change, tests that pause on them lose days worked: each keeps its days, or a user decides what
happens.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from allocations.enums import Action, AllocationStatus, LostDaysTo, RefusalCode
from allocations.exceptions import Refusal, Refused
from allocations.models import Allocation
from allocations.selectors.days_lost import Loss, losses
from allocations.services.placing import displaced_request, replace, waiting_rest
from allocations.services.unit_of_work import Actor, UnitOfWork, expect_version
from dynosite.lib.formats import count, day_range
from dynosite.lib.workdays import WorkingCalendar


@dataclass(frozen=True, slots=True)
class LossAnswer:
    """What happens to a test that loses days.

    Attributes
    ----------
    version
        The version of the allocation that the user saw.
    place
        For a move, (dyno id, first day) of the place that was proposed; None takes whichever is proposed now.
    """

    to: LostDaysTo
    version: int | None = None
    place: tuple[int, dt.date] | None = None


class DaysLost(Refused):
    """Tests lose days worked and have no answer yet. `losses` are all tests that lose days, each with what is
    proposed.
    """

    def __init__(self, all_losses: Sequence[Loss], open_: Sequence[Loss]):
        self.losses = list(all_losses)
        super().__init__([Refusal(RefusalCode.DAYS_LOST, _sentence(loss)) for loss in open_])


def _sentence(loss: Loss) -> str:
    row = loss.allocation
    days = day_range(row.first_day, row.last_day)
    return f"{row.vehicle} on {row.dyno}, {days}, would lose {count(loss.lost, 'day')} of its {loss.length} worked."


def answer_losses(
    ground_id: int,
    before: WorkingCalendar,
    after: WorkingCalendar,
    answers: Mapping[int, LossAnswer],
    *,
    actor: Actor,
    today: dt.date,
) -> None:
    """Carries out an answer for each test that lost days, as a change of its own within the caller's transaction.

    Parameters
    ----------
    before, after
        The ground's working calendar before and after its days off changed.
    answers
        By allocation id. Answers for tests that lose nothing are ignored.
    today
        The day at the proving ground; tests that ended before it are left alone.

    Raises
    ------
    DaysLost
        If a test that loses days has no answer.
    Refused
        With everything that stands in the way of the answers; BAD_ANSWER if one is not possible for its test, or if
        the place that it names is no longer the one proposed.
    Stale
        If an allocation is not at the version of its answer.
    """
    all_losses = losses(ground_id, before, after, today=today)
    if open_ := [loss for loss in all_losses if loss.allocation.pk not in answers]:
        raise DaysLost(all_losses, open_)
    chosen = {loss.allocation.pk: (loss, answers[loss.allocation.pk]) for loss in all_losses}
    changed = [pk for pk, (_, answer) in chosen.items() if answer.to != LostDaysTo.KEEP]
    if changed:
        UnitOfWork.run(lambda work: _write(work, {pk: chosen[pk] for pk in changed}), actor=actor, action=Action.MOVE)


def _write(work: UnitOfWork, chosen: Mapping[int, tuple[Loss, LossAnswer]]) -> None:
    targets = {loss.place.dyno_id for loss, answer in chosen.values() if answer.to == LostDaysTo.MOVE and loss.place}
    work.lock_dynos(targets | {loss.allocation.dyno_id for loss, _ in chosen.values()})
    work.lock_vehicles({loss.allocation.vehicle_id for loss, _ in chosen.values()})
    rows = work.lock(Allocation, chosen)
    refusals: list[Refusal] = []
    # Tests that leave do so first: another may take their place.
    for pk in sorted(chosen, key=lambda pk: (chosen[pk][1].to != LostDaysTo.WAIT, rows[pk].first_day)):
        loss, answer = chosen[pk]
        expect_version(rows[pk], answer.version)
        try:
            _carry_out(work, rows[pk], loss, answer)
        except Refused as refused:
            refusals += refused.refusals
    if refusals:
        raise Refused(refusals)
    work.summary = f"{count(len(chosen), 'test')} given their days worked again after days off changed"


def _carry_out(work: UnitOfWork, row: Allocation, loss: Loss, answer: LossAnswer) -> None:
    if answer.to not in loss.answers:
        sentence = f"{row.vehicle} on {row.dyno} cannot be answered so: {answer.to.label.lower()}."
        raise Refused.because(RefusalCode.BAD_ANSWER, sentence)
    if answer.to == LostDaysTo.EXTEND:
        replace(work, row, row.dyno_id, loss.extended)
    elif answer.to == LostDaysTo.MOVE and loss.place:
        if answer.place not in (None, (loss.place.dyno_id, loss.place.first_day)):
            sentence = f"The place proposed for {row.vehicle} is gone; {loss.place} would do."
            raise Refused.because(RefusalCode.BAD_ANSWER, sentence)
        replace(work, row, loss.place.dyno_id, loss.place.days)
    else:
        work.update(row, status=AllocationStatus.CANCELLED)
        if displaced_request(work, row, waits=True) is None:
            note = "Given back when days off changed."
            waiting_rest(work, row, days=loss.length, earliest=row.first_day, note=note)
