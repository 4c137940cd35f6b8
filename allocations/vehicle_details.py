"""What describes a vehicle beside its tag, VIN, drive and weight, declared once.

A new detail is a column of the model and a line here: the form, the pages, the list and its CSV, the administration,
the workbook, the search and the assistant's view read this.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VehicleDetail:
    name: str
    """The model's column."""
    label: str
    column: str
    """The heading of its column in an exported workbook."""
    headings: tuple[tuple[str, bool], ...]
    """The leading words of headings that are read as it, and whether nothing may follow them."""
    asked_as: str
    """A pattern of what the offline model hears it called."""
    is_text: bool = True
    listed: bool = False
    """A column of the list, which can be sorted by it."""
    on_bookings: bool = False
    """Shown with each booking of the vehicle, and a column of the schedule's CSV."""


VEHICLE_DETAILS = (
    VehicleDetail("build_id", "Build ID", "BUILD ID #", (("build id", False),), "build ids?"),
    VehicleDetail("program", "Program", "Program", (("program", True),), "programs?|programmes?"),
    VehicleDetail(
        "model_year", "Model year", "MY", (("my", True), ("model year", True)), "(?:model )?years?", is_text=False
    ),
    VehicleDetail("powertrain", "Powertrain", "Powerpack", (("powerpack", True),), "powertrains?"),
    VehicleDetail("build_type", "Build type", "Build Type", (("build type", True),), "build types?"),
    VehicleDetail("team", "Team", "Cert Team", (("cert team", False),), "teams?", listed=True, on_bookings=True),
    VehicleDetail(
        "cost_centre",
        "Cost center",
        "Cost Center",
        (("cost center", False), ("cost centre", False)),
        "cost cent(?:er|re)s?",
        listed=True,
    ),
)
"""In the order in which they are shown."""

NAMES = tuple(detail.name for detail in VEHICLE_DETAILS)
TEXTS = tuple(detail.name for detail in VEHICLE_DETAILS if detail.is_text)
LISTED = tuple(detail for detail in VEHICLE_DETAILS if detail.listed)
ON_BOOKINGS = tuple(detail for detail in VEHICLE_DETAILS if detail.on_bookings)


def described(vehicle: object, details: tuple[VehicleDetail, ...] = VEHICLE_DETAILS) -> list[tuple[str, object]]:
    """Label and value of those details that the vehicle has."""
    pairs = ((detail.label, getattr(vehicle, detail.name)) for detail in details)
    return [(label, value) for label, value in pairs if value]
