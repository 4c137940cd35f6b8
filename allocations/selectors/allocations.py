"""Reads of single allocations, within the grounds of the user who asks."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from allocations import access
from allocations.enums import AllocationStatus
from allocations.exceptions import NotFound
from allocations.models import Allocation, ProvingGround
from allocations.rulebook import TOPICS, Question, violations
from allocations.selectors.availability import Placement, question_of
from allocations.selectors.search import ALLOCATION_FIELDS, every_word

if TYPE_CHECKING:
    from dynosite.accounts.models import User


@dataclass(frozen=True, slots=True)
class Check:
    """One condition on an allocation, whether it holds, and the sentence of the rules that fail."""

    label: str
    holds: bool
    sentence: str = ""
    brief: str = ""
    """The label where there is little room; empty if it can be left out while the condition holds."""


def allocations(ground: ProvingGround, *, user: "User") -> QuerySet[Allocation]:
    """Returns the allocations of a ground, with vehicle, dyno, facility and test type."""
    access.require(user, ground.pk, access.Role.VIEWER)
    return Allocation.objects.filter(ground=ground).select_related("vehicle", "dyno__facility", "test_type")


def allocations_by_ids(ids: Collection[int], *, ground: ProvingGround) -> QuerySet[Allocation]:
    """Returns those of the ids that are allocations of the ground, with vehicle, test type and dyno."""
    return Allocation.objects.filter(ground=ground, pk__in=ids).select_related("vehicle", "test_type", "dyno")


def allocation_by_id(pk: int, *, user: "User") -> Allocation:
    """Returns the allocation with all rows that it refers to. Raises NotFound if it is in none of the user's
    grounds.
    """
    allocation = (
        Allocation.objects.filter(pk=pk, ground__in=access.grounds_of(user))
        .select_related("ground", "vehicle", "dyno__facility", "test_type", "request", "created_by")
        .first()
    )
    if allocation is None:
        raise NotFound(access.NOT_FOUND)
    return allocation


def search_ahead(ground: ProvingGround, text: str, *, user: "User", limit: int = 5) -> list[Allocation]:
    """Returns the next allocations from today on that match a search text in the calendar, on whatever day."""
    rows = allocations(ground, user=user).filter(every_word(text, ALLOCATION_FIELDS))
    return ahead(rows, ground, limit=limit)


def ahead(rows: QuerySet[Allocation], ground: ProvingGround, *, limit: int = 30) -> list[Allocation]:
    """Returns those of the rows that are running, or scheduled and not over, earliest first."""
    live = rows.filter(
        Q(status=AllocationStatus.SCHEDULED, last_day__gte=ground.today()) | Q(status=AllocationStatus.RUNNING)
    )
    return list(live.select_related("vehicle", "dyno", "test_type").order_by("first_day")[:limit])


def checks_of(allocation: Allocation) -> list[Check]:
    """Returns what the rulebook checks on an allocation, with the result as of now; nothing if it is cancelled."""
    if allocation.status == AllocationStatus.CANCELLED:
        return []
    question = question_of(Placement.of(allocation))
    return _checks(question, allocation.ground.today()) if question else []


def _waiting_for_none(question: Question, today: dt.date) -> Question:
    """Without tests past their end, if the question is about days after today: these are only in the way of what is
    due by today.
    """
    stays = tuple(stay for stay in question.stays if not stay.held_to or question.days.first <= today)
    return replace(question, stays=stays)


def no_longer_fit(rows: Iterable[Allocation]) -> list[Allocation]:
    """Returns those of the allocations that the rulebook would refuse today, after their vehicle or dyno was
    changed.
    """
    return [row for row in rows if not all(check.holds for check in checks_of(row))]


def _checks(question: Question, today: dt.date) -> list[Check]:
    refusals = violations(_waiting_for_none(question, today))
    test = question.test
    checks = []
    for group, label, brief in (
        ("test", f"Runs {test.test_type}", test.test_type),
        ("drive", f"Takes {test.drive}", test.drive),
        ("weight", f"Takes {test.weight_class}", test.weight_class),
        ("dyno", f"{question.dyno.name} is there for it", ""),
        ("vehicle", "Vehicle nowhere else", ""),
        ("days", "Starts and ends on days that are worked", ""),
    ):
        sentences = [refusal.sentence for refusal in refusals if group in TOPICS[refusal.code].groups]
        checks.append(Check(label, not sentences, " ".join(sentences), brief))
    return checks
