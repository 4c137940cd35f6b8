"""What a scenario changes of the ground as it is: plain data that is validated when it is read."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from allocations.enums import Drive, RefusalCode, WeightClass
from allocations.exceptions import Refused
from allocations.rulebook import MAX_STAY_DAYS
from dynosite.lib.formats import count, day_range

MAX_EDITS = 20


class Edit(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Runs(Edit):
    """One kind of test, on drives and weight classes."""

    test_type: int
    drives: tuple[Drive, ...] = Field(min_length=1)
    weights: tuple[WeightClass, ...] = Field(min_length=1)


class AddDyno(Edit):
    do: Literal["add-dyno"]
    like: int | None = None
    runs: tuple[Runs, ...] = ()
    count: int = Field(1, ge=1, le=10)

    @model_validator(mode="after")
    def _runs_something(self) -> "AddDyno":
        if (self.like is None) == (not self.runs):
            raise ValueError("Say either which dyno it is like or what it runs.")
        return self


class RemoveDyno(Edit):
    do: Literal["remove-dyno"]
    dyno: int


class AddCapability(Edit):
    do: Literal["add-capability"]
    dyno: int
    runs: Runs


class AddMaintenance(Edit):
    do: Literal["add-maintenance"]
    dyno: int
    first_day: dt.date
    last_day: dt.date

    @model_validator(mode="after")
    def _in_order(self) -> "AddMaintenance":
        if self.last_day < self.first_day:
            raise ValueError("The last day is before the first.")
        return self


class MoveMaintenance(Edit):
    do: Literal["move-maintenance"]
    window: int
    first_day: dt.date


class RemoveMaintenance(Edit):
    do: Literal["remove-maintenance"]
    window: int


class MoreTests(Edit):
    """More tests in a month. Without a drive or weight, they are like the tests of this type that there are."""

    do: Literal["more-tests"]
    test_type: int
    count: int = Field(ge=1, le=500)
    month: dt.date
    days: int | None = Field(None, ge=1, le=MAX_STAY_DAYS)
    drive: Drive | None = None
    weight: WeightClass | None = None


class CloseWeekends(Edit):
    """No test begins on Saturdays and Sundays; with `pause`, tests do not work on them either."""

    do: Literal["close-weekends"]
    pause: bool = True


AnyEdit = Annotated[
    AddDyno
    | RemoveDyno
    | AddCapability
    | AddMaintenance
    | MoveMaintenance
    | RemoveMaintenance
    | MoreTests
    | CloseWeekends,
    Field(discriminator="do"),
]
_ONE: TypeAdapter[AnyEdit] = TypeAdapter(AnyEdit)
_ALL: TypeAdapter[list[AnyEdit]] = TypeAdapter(list[AnyEdit])


def read_edit(data: Mapping[str, Any]) -> AnyEdit:
    """Reads one edit. Raises Refused (BAD_ANSWER) with what is wrong with it."""
    try:
        return _ONE.validate_python(data)
    except ValidationError as error:
        sentences = "; ".join(
            detail["msg"].removeprefix("Value error, ") for detail in error.errors(include_url=False)
        )
        raise Refused.because(RefusalCode.BAD_ANSWER, f"This edit makes no sense: {sentences}") from None


def read_edits(data: list[Any]) -> list[AnyEdit]:
    """Reads edits that were stored, and so were valid once."""
    return _ALL.validate_python(data)


Names = Mapping[str, str]
"""Of dynos (d1), test types (t1) and maintenance windows (w1)."""


def in_words(edit: AnyEdit, names: Names) -> str:
    """Returns an edit in a few words, for lists of edits.

    Parameters
    ----------
    names
        Names of dynos (`d1`), test types (`t1`) and windows (`w1`); others are shown as gone.
    """
    return _WORDS[type(edit)](edit, lambda kind, id_: names.get(f"{kind}{id_}", "one that is gone"))


_Name = Callable[[str, int], str]


def _runs(runs: Runs, name: _Name) -> str:
    return f"{name('t', runs.test_type)} ({', '.join(runs.drives)}; {', '.join(runs.weights)})"


def _add_dyno(edit: AddDyno, name: _Name) -> str:
    kinds = ", ".join(_runs(capability, name) for capability in edit.runs)
    description = f"like {name('d', edit.like)}" if edit.like else f"for {kinds}"
    return f"{count(edit.count, 'more dyno')}, {description}"


def _more_tests(edit: MoreTests, name: _Name) -> str:
    of = " ".join(filter(None, (edit.drive, edit.weight)))
    days = f" of {count(edit.days, 'day')}" if edit.days else ""
    tests = count(edit.count, "more test", "more tests")
    return f"{tests} {name('t', edit.test_type)}{f', {of},' if of else ''}{days} in {edit.month:%B %Y}"


_WORDS: dict[type, Callable[[Any, _Name], str]] = {
    AddDyno: _add_dyno,
    RemoveDyno: lambda edit, name: f"Without {name('d', edit.dyno)}",
    AddCapability: lambda edit, name: f"{name('d', edit.dyno)} also runs {_runs(edit.runs, name)}",
    AddMaintenance: lambda edit, name: (
        f"Maintenance of {name('d', edit.dyno)}, {day_range(edit.first_day, edit.last_day)}"
    ),
    MoveMaintenance: lambda edit, name: (
        f"{name('w', edit.window)}: from {day_range(edit.first_day, edit.first_day)} on instead"
    ),
    RemoveMaintenance: lambda edit, name: f"{name('w', edit.window)}: does not take place",
    MoreTests: _more_tests,
    CloseWeekends: lambda edit, name: (
        "Weekends closed" + (", tests pause over them" if edit.pause else ", tests run through")
    ),
}
