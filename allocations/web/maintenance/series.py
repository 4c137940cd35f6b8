"""Windows that are set together: each with what it would hit, to be ticked and answered, and then set at once."""

from dataclasses import dataclass

from allocations.selectors.maintenance import Hit, tally_of
from allocations.selectors.series import Occurrence, occurrences
from allocations.services.series import set_series
from allocations.web.domain_errors import AttemptResult, actor_of, attempt, key_of
from allocations.web.forms.maintenance import WindowForm, read_answers
from dynosite.accounts.requests import UserRequest


@dataclass(frozen=True, slots=True)
class Row:
    """A window that can be ticked, and its hits, each with the answer that is chosen."""

    occurrence: Occurrence
    value: str
    ticked: bool
    hits: list[tuple[Hit, str]]

    @property
    def free(self) -> bool:
        return not (self.hits or self.occurrence.again or self.occurrence.refusals)


@dataclass(frozen=True, slots=True)
class Series:
    repeats: str
    rows: list[Row]

    @property
    def hits(self) -> int:
        return sum(len(row.hits) for row in self.rows)

    @property
    def blocked(self) -> int:
        return sum(1 for row in self.rows if row.occurrence.refusals)

    @property
    def tally(self) -> str:
        return tally_of(hit.proposed for row in self.rows for hit, _ in row.hits if hit.proposed)


def series_of(request: UserRequest, form: WindowForm) -> Series:
    """What a valid form asks for, as it is ticked and answered so far. What is in the way of a window unticks it."""
    data = request.POST if request.method == "POST" else request.GET
    omitted = set(data.getlist("shown")) - set(data.getlist("window"))
    rows = []
    for occurrence in occurrences(form.slots, user=request.user):
        value = _value(occurrence)
        hits = [(hit, data.get(f"answer-{hit.allocation.pk}") or _proposal(hit)) for hit in occurrence.hits]
        rows.append(Row(occurrence, value, value not in omitted and not occurrence.refusals, hits))
    return Series(form.repeats, rows)


def write_series(request: UserRequest, form: WindowForm, series: Series) -> AttemptResult:
    """Sets the windows that are ticked. One that has got something in its way since is refused, and all with it."""
    ticked = set(request.POST.getlist("window"))
    data = form.cleaned_data
    answers = read_answers(request.POST, (hit for row in series.rows for hit, _ in row.hits))
    return attempt(
        lambda: set_series(
            [row.occurrence.slot for row in series.rows if row.value in ticked],
            kind=data["kind"],
            reason=data["reason"],
            reference=data["reference"],
            repeats=series.repeats,
            answers=answers,
            actor=actor_of(request),
            key=key_of(request),
        ),
        title="The windows cannot be set like this",
    )


def _value(occurrence: Occurrence) -> str:
    return f"{occurrence.slot.dyno_id}/{occurrence.slot.days.first.isoformat()}"


def _proposal(hit: Hit) -> str:
    return hit.proposed.to.value if hit.proposed else ""
