"""Maintenance windows that are set together: a series that repeats, on one or several dynos."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping

from allocations.enums import Action, RefusalCode, Role
from allocations.exceptions import Refusal, Refused
from allocations.models import Allocation, Change, Displacement, Dyno, MaintenanceWindow
from allocations.rulebook import MAX_AHEAD, check_days
from allocations.selectors.maintenance import Answer, Slot, hits_in, tally_of
from allocations.selectors.series import MAX_WINDOWS, in_order, in_the_way
from allocations.services.displacing import displace_all, expect_answers
from allocations.services.unit_of_work import Actor, UnitOfWork
from dynosite.lib.formats import count, day_range, full_date
from dynosite.lib.recurring import MAX_WORDS_LENGTH

NAMED = 3
"""Dynos that a summary names, at most; the others are counted."""


def set_series(
    slots: Iterable[Slot],
    *,
    kind: str,
    actor: Actor,
    reason: str = "",
    reference: str = "",
    repeats: str = "",
    answers: Mapping[int, Answer] | None = None,
    key: str | None = None,
) -> Change:
    """Sets maintenance windows on several days or dynos, and carries out an answer for each test that they hit, all
    or nothing.

    The windows of one dyno are a series of their own if there are several. Takes the role admin.

    Parameters
    ----------
    slots
        Days of dynos, at most `selectors.series.MAX_WINDOWS`.
    repeats
        How the series repeats, in words.
    answers
        By allocation id, as `selectors.series.occurrences` proposes them. A test that several windows hit gives way
        to the earliest.

    Raises
    ------
    Refused
        With all that is in the way of any window: MAINTENANCE if two windows overlap, DYNO_TAKEN for a test past its
        end, BAD_ANSWER for a completed test, a wrong answer, or if there is no window; FALLOUT_UNANSWERED if a test
        has no answer; DAYS_ORDER or DAYS_LENGTH for the days; TOO_MANY_AT_ONCE for too many windows.
    """
    ordered = in_order(slots)
    answers = dict(answers or {})

    def write(work: UnitOfWork) -> None:
        _expect_sound(ordered)
        targets = {answer.dyno_id for answer in answers.values() if answer.dyno_id}
        work.lock_dynos({slot.dyno_id for slot in ordered} | targets, Role.ADMIN)
        _expect_near(ordered)
        if refusals := [refusal for row in in_the_way(ordered).values() for refusal in row]:
            raise Refused(list(dict.fromkeys(refusals)))
        at: dict[int, Slot] = {}
        hits: dict[int, Allocation] = {}
        for slot, allocations in hits_in(ordered).items():
            for hit in allocations:
                at.setdefault(hit.pk, slot)
                hits[hit.pk] = hit
        expect_answers(list(hits.values()), answers)
        work.lock_vehicles(hit.vehicle_id for hit in hits.values())
        chosen = {id_: answers[id_] for id_ in hits}
        displaced = displace_all(work, chosen, {}, at=at, slots=ordered)
        windows = _inserted(work, ordered, kind=kind, reason=reason, reference=reference, repeats=repeats)
        for displacement in displaced:
            displacement.window = windows[at[displacement.allocation_id]]
        Displacement.objects.bulk_create(displaced)
        work.summary = _summary(list(windows.values()), repeats)
        work.summary += f", {len(hits)} displaced ({tally_of(chosen.values())})" if hits else ""

    request = {
        "slots": [[slot.dyno_id, slot.days.iso()] for slot in ordered],
        "kind": kind,
        "repeats": repeats,
        "answers": {str(id_): [a.to, a.dyno_id, a.first_day] for id_, a in answers.items()},
    }
    return UnitOfWork.run(write, actor=actor, action=Action.SET_MAINTENANCE, key=key, request=request)


def _expect_sound(slots: list[Slot]) -> None:
    """Raises Refused for what is wrong with the windows themselves, whatever the schedule."""
    if not slots:
        raise Refused.because(RefusalCode.BAD_ANSWER, "There is no window to set; tick one at least.")
    if len(slots) > MAX_WINDOWS:
        sentence = f"{len(slots)} windows are too many at once; {MAX_WINDOWS} is the limit."
        raise Refused.because(RefusalCode.TOO_MANY_AT_ONCE, sentence)
    refusals = list(dict.fromkeys(refusal for slot in slots for refusal in check_days(slot.days)))
    before: dict[int, Slot] = {}
    for slot in slots:
        earlier = before.get(slot.dyno_id)
        if earlier and earlier.days.overlaps(slot.days):
            sentence = f"Two of the windows would overlap on one dyno: {earlier.days} and {slot.days}."
            refusals.append(Refusal(RefusalCode.MAINTENANCE, sentence))
        before[slot.dyno_id] = slot
    if refusals:
        raise Refused(refusals)


def _expect_near(slots: list[Slot]) -> None:
    """Raises Refused if a window ends too far after today at the ground. The dynos are locked."""
    last = max(slot.days.last for slot in slots)
    if last > Dyno.objects.select_related("ground").get(pk=slots[0].dyno_id).ground.today() + MAX_AHEAD:
        sentence = f"The last window would end on {full_date(last)}, more than ten years ahead."
        raise Refused.because(RefusalCode.DAYS_LENGTH, sentence)


def _inserted(work: UnitOfWork, slots: list[Slot], *, repeats: str, **values: str) -> dict[Slot, MaintenanceWindow]:
    times = Counter(slot.dyno_id for slot in slots)
    series = {dyno_id: uuid.uuid4() for dyno_id, number in times.items() if number > 1 and repeats}
    dynos = Dyno.objects.in_bulk(times)
    rows = [
        MaintenanceWindow(
            ground_id=work.ground_id,
            dyno=dynos[slot.dyno_id],
            first_day=slot.days.first,
            last_day=slot.days.last,
            created_by=work.actor.user,
            series=series.get(slot.dyno_id),
            repeats=repeats[:MAX_WORDS_LENGTH] if slot.dyno_id in series else None,
            **values,
        )
        for slot in slots
    ]
    return dict(zip(slots, work.insert_all(rows), strict=True))


def _summary(windows: list[MaintenanceWindow], repeats: str) -> str:
    names = list(dict.fromkeys(str(window.dyno) for window in windows))
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    kind = windows[0].get_kind_display()
    days = day_range(windows[0].first_day, max(window.last_day for window in windows))
    often = f" {repeats}" if repeats else ""
    return f"{', '.join(names[:NAMED] + more)}: {kind}{often}, {count(len(windows), 'window')}, {days}"
