"""Reads of single allocations, within the grounds of the user who asks."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from allocations import access
from allocations.enums import AllocationStatus, RefusalCode
from allocations.exceptions import NotFound
from allocations.models import Allocation, ProvingGround
from allocations.selectors.availability import Facts, facts_for
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


_CHECKS: tuple[tuple[str, frozenset[RefusalCode]], ...] = (
    ("test", frozenset({RefusalCode.TEST_TYPE_NOT_RUN})),
    ("drive", frozenset({RefusalCode.DRIVE_NOT_TAKEN, RefusalCode.COMBINATION_NOT_TAKEN})),
    ("weight", frozenset({RefusalCode.WEIGHT_NOT_TAKEN, RefusalCode.COMBINATION_NOT_TAKEN})),
    (
        "dyno",
        frozenset(
            {
                RefusalCode.DYNO_DISABLED,
                RefusalCode.DYNO_NOT_YET_AVAILABLE,
                RefusalCode.DYNO_NO_LONGER_AVAILABLE,
                RefusalCode.MAINTENANCE,
                RefusalCode.DYNO_TAKEN,
            }
        ),
    ),
    ("vehicle", frozenset({RefusalCode.VEHICLE_ELSEWHERE, RefusalCode.TRAVEL})),
)


def allocations(ground: ProvingGround, *, user: "User") -> QuerySet[Allocation]:
    access.require(user, ground.pk, access.Role.VIEWER)
    return Allocation.objects.filter(ground=ground).select_related("vehicle", "dyno__facility", "test_type")


def allocation_by_id(pk: int, *, user: "User") -> Allocation:
    found = (
        Allocation.objects.filter(pk=pk, ground__in=access.grounds_of(user))
        .select_related("ground", "vehicle", "dyno__facility", "test_type", "request", "created_by")
        .first()
    )
    if found is None:
        raise NotFound(access.NOT_FOUND)
    return found


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
    facts = facts_for(
        allocation.vehicle_id, allocation.dyno_id, allocation.test_type_id, allocation.days,
        drive=allocation.drive, leaving_out=allocation.pk,
    )  # fmt: skip
    return _checks(facts, allocation) if facts else []


def _waits_for_none(facts: Facts, allocation: Allocation) -> Facts:
    """Without what runs late: that stands in the way of what is to begin by today alone."""
    today = allocation.ground.today()
    return replace(facts, stays=tuple(stay for stay in facts.stays if not stay.held_to or facts.days.first <= today))


def no_longer_fit(rows: Iterable[Allocation]) -> list[Allocation]:
    """Those of the allocations that the rulebook would refuse today, after their vehicle or dyno was changed."""
    return [row for row in rows if not all(check.holds for check in checks_of(row))]


def _checks(facts: Facts, allocation: Allocation) -> list[Check]:
    refusals = _waits_for_none(facts, allocation).refusals()
    labels = {
        "test": f"Runs {facts.test.test_type}",
        "drive": f"Takes {facts.test.drive}",
        "weight": f"Takes {facts.test.weight_class}",
        "dyno": f"{facts.dyno.name} is there for it",
        "vehicle": "Vehicle nowhere else",
    }
    brief = {"test": facts.test.test_type, "drive": facts.test.drive, "weight": facts.test.weight_class}
    checks = []
    for name, codes in _CHECKS:
        found = [refusal.sentence for refusal in refusals if refusal.code in codes]
        checks.append(Check(labels[name], not found, " ".join(found), brief.get(name, "")))
    return checks
