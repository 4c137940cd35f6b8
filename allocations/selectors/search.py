"""Search over everything that a proving ground has: dynos, vehicles, requests, bookings and test types.

Every word has to occur in some field of a row, in whatever order; the case does not matter.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from allocations import access, vehicle_details
from allocations.enums import AllocationStatus
from allocations.models import Allocation, Dyno, ProvingGround, TestRequest, TestType, Vehicle

if TYPE_CHECKING:
    from dynosite.accounts.models import User

MAX_TEXT_LENGTH = 100
"""Characters of a search text that are read."""

DYNO_FIELDS = ("name", "facility__name", "notes")
VEHICLE_FIELDS = ("tag", "vin", *vehicle_details.NAMES, "drive")
TEST_TYPE_FIELDS = ("code", "name")
REQUEST_FIELDS = (
    *(f"vehicle__{field}" for field in VEHICLE_FIELDS),
    *(f"test_type__{field}" for field in TEST_TYPE_FIELDS),
    "step",
    "note",
    "priority",
    "status",
)
ALLOCATION_FIELDS = (
    *(f"vehicle__{field}" for field in VEHICLE_FIELDS),
    *(f"test_type__{field}" for field in TEST_TYPE_FIELDS),
    "dyno__name",
    "dyno__facility__name",
    "note",
    "status",
)


def words_of(text: str) -> list[str]:
    """Returns the words of a search text, of its first `MAX_TEXT_LENGTH` characters."""
    return text[:MAX_TEXT_LENGTH].split()


def every_word(text: str, fields: Sequence[str]) -> Q:
    """Returns the condition that each word of the text occurs in one of the fields."""
    condition = Q()
    for word in words_of(text):
        condition &= Q(*((f"{field}__icontains", word) for field in fields), _connector=Q.OR)
    return condition


def has_every_word(text: str, values: Iterable[str]) -> bool:
    """Tells the same as `every_word`, for values that have been read."""
    folded = [value.casefold() for value in values]
    return all(any(word in value for value in folded) for word in words_of(text.casefold()))


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of row that is searched. `rows` reads those of a ground; `title` is the field by which they are
    ranked.
    """

    name: str
    label: str
    fields: tuple[str, ...]
    title: str
    rows: Callable[[ProvingGround], QuerySet[Any]]
    order: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hits:
    kind: Kind
    rows: list[Any]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.rows)


def _requests(ground: ProvingGround) -> QuerySet[TestRequest]:
    return TestRequest.objects.filter(ground=ground).select_related("vehicle", "test_type")


def _allocations(ground: ProvingGround) -> QuerySet[Allocation]:
    rows = Allocation.objects.filter(ground=ground).exclude(status=AllocationStatus.CANCELLED)
    return rows.select_related("vehicle", "test_type", "dyno")


KINDS = (
    Kind(
        "vehicles",
        "Vehicles",
        VEHICLE_FIELDS,
        "tag",
        lambda ground: Vehicle.objects.filter(ground=ground),
        ("tag", "vin"),
    ),
    Kind("requests", "Requests", REQUEST_FIELDS, "vehicle__tag", _requests, ("-status", "due_date")),
    Kind("bookings", "Bookings", ALLOCATION_FIELDS, "vehicle__tag", _allocations, ("-last_day",)),
    Kind(
        "dynos",
        "Dynos",
        DYNO_FIELDS,
        "name",
        lambda ground: Dyno.objects.filter(ground=ground).select_related("facility"),
        ("sort_key",),
    ),
    Kind(
        "tests",
        "Test types",
        TEST_TYPE_FIELDS,
        "name",
        lambda ground: TestType.objects.filter(ground=ground),
        ("name",),
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS}


def search(kind: Kind, text: str, ground: ProvingGround, *, user: "User") -> QuerySet[Any]:
    """Returns the rows of a kind with every word of the text; first those whose title is the text, then those that
    begin with it.

    A text without words finds nothing.
    """
    access.require(user, ground.pk, access.Role.VIEWER)
    phrase = " ".join(words_of(text))
    if not phrase:
        return kind.rows(ground).none()
    rank = Case(
        When(Q((f"{kind.title}__iexact", phrase)), then=Value(0)),
        When(Q((f"{kind.title}__istartswith", phrase)), then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return kind.rows(ground).filter(every_word(text, kind.fields)).order_by(rank, *kind.order, "pk")


def search_all(text: str, ground: ProvingGround, *, user: "User", limit: int) -> list[Hits]:
    """Returns the first `limit` rows of each kind that has any, and how many there are in all."""
    hits = []
    for kind in KINDS:
        rows = search(kind, text, ground, user=user)
        first = list(rows[: limit + 1])
        if first:
            total = len(first) if len(first) <= limit else rows.count()
            hits.append(Hits(kind, first[:limit], total))
    return hits
