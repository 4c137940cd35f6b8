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
    """One thing that has to hold of an allocation, whether it does, and what stands in the way."""

    label: str
    holds: bool
    sentence: str = ""
    brief: str = ""
    """The label where there is little room; none where it can be left out while it holds."""


def allocations(ground: ProvingGround, *, user: "User") -> QuerySet[Allocation]:
    access.require(user, ground.pk, access.Role.VIEWER)
    return Allocation.objects.filter(ground=ground).select_related("vehicle", "dyno__facility", "test_type")


def allocations_by_ids(ids: Collection[int], *, ground: ProvingGround) -> QuerySet[Allocation]:
    """Those of the ids that are allocations of the ground, with vehicle, test type and dyno."""
    return Allocation.objects.filter(ground=ground, pk__in=ids).select_related("vehicle", "test_type", "dyno")


def allocation_by_id(pk: int, *, user: "User") -> Allocation:
    allocation = (
        Allocation.objects.filter(pk=pk, ground__in=access.grounds_of(user))
        .select_related("ground", "vehicle", "dyno__facility", "test_type", "request", "created_by")
        .first()
    )
    if allocation is None:
        raise NotFound(access.NOT_FOUND)
    return allocation


def search_ahead(ground: ProvingGround, text: str, *, user: "User", limit: int = 5) -> list[Allocation]:
    """The next allocations from today on that the calendar's search would find, on whatever day."""
    rows = allocations(ground, user=user).filter(every_word(text, ALLOCATION_FIELDS))
    return ahead(rows, ground, limit=limit)


def ahead(rows: QuerySet[Allocation], ground: ProvingGround, *, limit: int = 30) -> list[Allocation]:
    """Those that run, also past their end, or are scheduled and not past, the earliest first."""
    live = rows.filter(
        Q(status=AllocationStatus.SCHEDULED, last_day__gte=ground.today()) | Q(status=AllocationStatus.RUNNING)
    )
    return list(live.select_related("vehicle", "dyno", "test_type").order_by("first_day")[:limit])


def checks_of(allocation: Allocation) -> list[Check]:
    """What the rulebook asks, and its answer as things are now. None of an allocation that is cancelled."""
    if allocation.status == AllocationStatus.CANCELLED:
        return []
    question = question_of(Placement.of(allocation))
    return _checks(question, allocation.ground.today()) if question else []


def _waiting_for_none(question: Question, today: dt.date) -> Question:
    """Without what runs late: that stands in the way of what is to begin by today alone."""
    stays = tuple(stay for stay in question.stays if not stay.held_to or question.days.first <= today)
    return replace(question, stays=stays)


def no_longer_fit(rows: Iterable[Allocation]) -> list[Allocation]:
    """Those of the allocations that the rulebook would refuse today, after their vehicle or dyno was changed."""
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
