"""Which dynos are free on some days for a test without a vehicle, known in part."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from django.http import QueryDict
from django.utils.http import urlencode

from allocations.enums import Drive, WeightClass
from allocations.models import ProvingGround, TestType
from allocations.rulebook import check_days
from allocations.selectors.fit import Fit, fits
from allocations.selectors.grounds import test_types
from dynosite.lib.days import DayRange, day_of
from dynosite.lib.params import number_of

if TYPE_CHECKING:
    from dynosite.accounts.models import User

MAX_OTHERS = 60
"""Dynos that are not free, on the page; the CSV has them all."""


@dataclass(frozen=True)
class FreeDynos:
    """What was asked, and each dyno with what is in the way. Without days: what it may run alone."""

    ground: ProvingGround
    user: "User"
    first: dt.date | None
    last: dt.date | None
    test_type: TestType | None
    drive: str
    weight: str

    @property
    def active(self) -> bool:
        """Whether more is asked than a test type, which the list narrows by itself."""
        return bool(self.first or self.last or self.drive or self.weight)

    @property
    def days(self) -> DayRange | None:
        """Those asked for: one alone where one of the two is missing, none where they make no sense."""
        first, last = self.first or self.last, self.last or self.first
        return DayRange(first, last) if first and last and first <= last else None

    @property
    def problem(self) -> str:
        """Why no dyno can be free on such days."""
        if self.first and self.last and self.last < self.first:
            return "The last day is before the first."
        wrong = check_days(self.days) if self.days else []
        return wrong[0].sentence if wrong else ""

    @property
    def asks_days(self) -> bool:
        return self.days is not None and not self.problem

    @cached_property
    def fits(self) -> list[Fit]:
        """Of the dynos that may run such a test, and are on the days asked perhaps not free."""
        if not self.active or self.problem:
            return []
        every = fits(
            self.ground,
            user=self.user,
            days=self.days,
            test_type=self.test_type,
            drive=self.drive,
            weight_class=self.weight,
        )
        return [fit for fit in every if fit.able]

    @cached_property
    def free(self) -> set[int]:
        return {fit.dyno.pk for fit in self.fits if not fit.refusals}

    @cached_property
    def by_dyno(self) -> dict[int, Fit]:
        return {fit.dyno.pk: fit for fit in self.fits}

    @property
    def words(self) -> str:
        """The test as far as it is known."""
        return ", ".join(filter(None, (self.drive, self.weight, self.test_type.name if self.test_type else "")))

    @property
    def booking(self) -> str:
        """What the booking form takes over from here."""
        values: dict[str, object] = {"drive": self.drive}
        if self.days:
            values = {"first_day": self.days.first, "last_day": self.days.last} | values
        if self.test_type:
            values["test_type"] = self.test_type.pk
        return urlencode({name: str(value) for name, value in values.items() if value})


def read_free(params: QueryDict, ground: ProvingGround, user: "User") -> FreeDynos:
    """What makes no sense is left out. A test type may be named by its id or, as the calendar does, by its code."""
    return FreeDynos(
        ground,
        user,
        _day(params.get("from", "")),
        _day(params.get("to", "")),
        test_type_of(params.get("runs", ""), ground, user),
        _one_of(params.get("drive", ""), Drive.values),
        _one_of(params.get("weight", ""), WeightClass.values),
    )


def _one_of(text: str, values: Sequence[str]) -> str:
    return text if text in values else ""


def test_type_of(text: str, ground: ProvingGround, user: "User") -> TestType | None:
    if not text:
        return None
    rows = test_types(ground, user=user)
    pk = number_of(text)
    return rows.filter(code=text).first() if pk is None else rows.filter(pk=pk).first()


def _day(text: str) -> dt.date | None:
    try:
        return day_of(text)
    except ValueError:
        return None
