"""The words of the forecast sheet: statuses, drives, weight classes, and how long a text may be."""

import re

from allocations import vehicle_details
from allocations.exchange.cells import fold
from allocations.exchange.headings import NAMES
from allocations.exchange.outcome import COMPLETED, RUNNING, SCHEDULED
from allocations.names import MAX_NAME_LENGTH
from allocations.rulebook import MAX_STAY_DAYS

MAX_DAYS = MAX_STAY_DAYS
ISSUED_TAG = re.compile(r"\d{3}[A-Z]\d{3}")
VIN = re.compile(r"(?=.*\d)[A-Z0-9-]{6,30}")
DRIVE_WORDS = {"awd": "AWD", "4x4": "AWD", "2wd": "2WD", "4x2": "2WD", "rwd/awd": "2WD"}
STATUS_WORDS = {
    "g": SCHEDULED,
    "delayed": SCHEDULED,
    "traveling": SCHEDULED,
    "running": RUNNING,
    "completed": COMPLETED,
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "removed": "cancelled",
    "tbd": "waiting",
}
KEPT_AS_NOTE = ("delayed", "traveling")
# Columns that formulas fill down past the last test.
DERIVED = {"projected", "days", "miles", "miles_per_day", "driver_miles", "extra_days"}
_FIRST_DETAILS = ("model_year", "program", "team", "build_id", "step", "build_type", "powertrain")
DETAILS = (*_FIRST_DETAILS, *(name for name in vehicle_details.NAMES if name not in _FIRST_DETAILS))
"""Their order is part of how a row of an earlier import is known again: new ones go last."""
NUMBERS = {"miles": 10_000_000, "miles_per_day": 100_000, "extra_days": MAX_DAYS}
AS_NOTE = {"contact": "Contact", "gas": "Gas type", "cycle": "Cycle"}
TEXTS = {"test", "facility", "dyno", "tag", "vin", "notes", "identity", *DETAILS, *AS_NOTE}
"""Columns that are read as they are shown; in the others a number is a number, whatever its format."""
SHEET_PLACE_LABEL = "In the workbook: "
NOTE_LABELS = (
    SHEET_PLACE_LABEL,
    *(f"{label}: " for label in [*AS_NOTE.values(), *(NAMES[n] for n in ("model_year", *NUMBERS))]),
)
MAX_LENGTHS = {"tag": 52, "test": 60, "facility": 60, "dyno": 2 * MAX_NAME_LENGTH + 2}  # quotation marks are doubled
MAX_DETAIL_LENGTH = 60


def weight_class(value) -> str | None:
    """`<10K` or `>10K`, however it is spaced or cased; None for anything else."""
    words = re.sub(r"[\s,]|lbs?\.?$", "", fold(value)).replace("10000", "10k").upper()
    return words if words in ("<10K", ">10K") else None
