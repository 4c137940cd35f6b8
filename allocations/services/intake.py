"""The content of a schedule that is imported, as plain data for `services.importing`."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True)
class CapabilityIn:
    test_type: str
    drives: tuple[str, ...]
    weight_classes: tuple[str, ...]


@dataclass(frozen=True)
class DynoIn:
    """A dyno by its name. It is added, with its facility, if the ground has none of that name."""

    name: str
    facility: str
    capabilities: tuple[CapabilityIn, ...] = ()


@dataclass(frozen=True)
class VehicleIn:
    """A vehicle to add; or with `id` an existing one, whose empty fields are filled.

    Attributes
    ----------
    key
        By which a `RequestIn` refers to it.
    fields
        Fields of Vehicle by name.
    """

    key: Hashable
    fields: dict[str, Any]
    id: int | None = None


@dataclass(frozen=True)
class BookingIn:
    dyno: str
    first_day: date
    last_day: date
    status: str
    note: str = ""


@dataclass(frozen=True)
class RequestIn:
    """A test request to add, with its booking if it has a place.

    Attributes
    ----------
    fields
        Fields of TestRequest by name, its `import_key` among them.
    after
        The import key of the request that it comes after, if that is imported with it; else empty.
    after_id
        The id of the request that it comes after, if the ground has that already.
    """

    vehicle: Hashable
    test_type: str
    fields: dict[str, Any]
    booking: BookingIn | None = None
    after: str = ""
    after_id: int | None = None


@dataclass(frozen=True)
class WindowIn:
    dyno: str
    first_day: date
    last_day: date
    reason: str
    reference: str


@dataclass
class Intake:
    """What is to be imported. Dynos and test types are named; names are compared without regard to case.

    Attributes
    ----------
    forgotten
        Ids of requests of an earlier import that was undone. They lose their import key, so that their rows are
        imported anew.
    """

    test_types: list[str] = field(default_factory=list)
    dynos: list[DynoIn] = field(default_factory=list)
    vehicles: list[VehicleIn] = field(default_factory=list)
    requests: list[RequestIn] = field(default_factory=list)
    windows: list[WindowIn] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    summary: str = ""
