"""What a schedule that is brought in from elsewhere consists of: plain data for `services.importing`."""

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
    """A dyno by its name; what the ground does not have yet is made."""

    name: str
    facility: str
    capabilities: tuple[CapabilityIn, ...] = ()


@dataclass(frozen=True)
class VehicleIn:
    """A vehicle to be made, or with `id` one that is there, whose empty fields are filled in."""

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
    vehicle: Hashable
    test_type: str
    fields: dict[str, Any]
    booking: BookingIn | None = None


@dataclass(frozen=True)
class WindowIn:
    dyno: str
    first_day: date
    last_day: date
    reason: str
    reference: str


@dataclass
class Intake:
    """What is to come in. Dynos and test types are named; names are compared without regard to case."""

    test_types: list[str] = field(default_factory=list)
    dynos: list[DynoIn] = field(default_factory=list)
    vehicles: list[VehicleIn] = field(default_factory=list)
    requests: list[RequestIn] = field(default_factory=list)
    windows: list[WindowIn] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)  # requests of an import that was undone: rows come in anew
    summary: str = ""
