"""Which column holds what: headings match by their leading words, whatever their case, spacing and line breaks."""

import re

from allocations.exchange.cells import fold
from allocations.exchange.errors import WorkbookError
from allocations.vehicle_details import VEHICLE_DETAILS

# The field, the words that its heading begins with, and whether nothing may follow them.
FORECAST_FIELDS = [
    ("test", "test", True),
    ("facility", "test facility", False),
    ("facility", "facility", True),
    ("dyno", "dyno", True),
    *((detail.name, *heading) for detail in VEHICLE_DETAILS for heading in detail.headings),
    ("tag", "tag", False),
    ("vin", "vin", False),
    ("step", "mileage step", False),
    ("status", "status", True),
    ("estimated", "estimated start", False),
    ("new_estimate", "new est", False),
    ("actual", "actual start", False),
    ("projected", "projected end", False),
    ("completed", "testing completed", False),
    ("weight", "><10k", False),
    ("weight", "<>10k", False),
    ("drive", "awd 2wd", True),
    ("drive", "2wd awd", True),
    ("constraint", "dyno constraint", False),
    ("contact", "test contact", False),
    ("miles", "mileage to complete", False),
    ("miles_per_day", "miles day dyn", False),
    ("miles_per_day", "miles day dyna", False),
    ("miles_per_day", "miles day dyno", False),
    ("driver_miles", "miles day driver", False),
    ("extra_days", "added cert time", False),
    ("days", "days to complete", False),
    ("gas", "gas type", False),
    ("cycle", "cycle", True),
    ("notes", "notes", True),
    ("identity", "dynosite id", True),
]
_DETAILS = {detail.name: detail.column for detail in VEHICLE_DETAILS}
_OF_THE_SHEET = ("model_year", "program", "team", "build_id", "build_type", "powertrain")
NAMES = {
    "test": "Test",
    "facility": "TEST FACILITY",
    "dyno": "DYNO",
    "model_year": _DETAILS["model_year"],
    "program": _DETAILS["program"],
    "team": _DETAILS["team"],
    "tag": "Tag #",
    "build_id": _DETAILS["build_id"],
    "vin": "VIN #",
    "step": "Mileage Step",
    "status": "Status",
    "estimated": "Estimated Start",
    "new_estimate": "NEW EST DATE",
    "actual": "ACTUAL START DATE",
    "projected": "Projected End Date",
    "completed": "TESTING COMPLETED",
    "weight": "><10K",
    "drive": "AWD/2WD",
    "constraint": "DYNO CONSTRAINT (2WD/AWD)",
    "contact": "Test Contact: CDSID",
    "build_type": _DETAILS["build_type"],
    "powertrain": _DETAILS["powertrain"],
    "miles": "Mileage to complete",
    "miles_per_day": "Miles/Day - DYNA",
    "driver_miles": "Miles/day -DRIVER",
    "extra_days": "Added Cert time",
    "days": "Days to complete",
    "gas": "GAS TYPE (ONLY FOR CERT)",
    "cycle": "CYCLE",
    "notes": "NOTES",
    **{name: column for name, column in _DETAILS.items() if name not in _OF_THE_SHEET},
    "identity": "Dynosite ID",
}
"""Field → heading, in the order of the sheet's columns; what the sheet does not have follows its own."""
# At least one of each must be there, or no row could be read.
NEEDED = [
    ("facility",),
    ("dyno",),
    ("vin", "tag"),
    ("status",),
    ("weight",),
    ("constraint", "drive"),
    ("days", "projected"),
]
HEADING_WITHIN = 200
"""Rows that are not empty, from the top: what comes later is no heading, and looking for one takes its time."""


def words(value) -> tuple[str, ...]:
    return tuple(re.findall(r"[<>a-z0-9]+", fold(value)))


def columns(values, fields) -> dict[str, list[int]]:
    """Field → the columns that hold it, from a heading row; the longest heading that matches wins."""
    by_field: dict[str, list[int]] = {}
    for column, value in enumerate(values):
        heading = words(value)
        best = None
        for name, begins, alone in fields:
            lead = tuple(begins.split())
            if heading[: len(lead)] == lead and (not alone or heading == lead) and len(lead) > (best or (0,))[0]:
                best = (len(lead), name)
        if best:
            by_field.setdefault(best[1], []).append(column)
    return by_field


def forecast_heading(grid) -> tuple[int, dict[str, list[int]]]:
    """The heading row of the forecast sheet (the first with both Test and Estimated Start) and its columns."""
    for n in sorted(grid.rows)[:HEADING_WITHIN]:
        by_field = columns(grid.rows[n], FORECAST_FIELDS)
        if "test" in by_field and "estimated" in by_field:
            break
    else:
        raise WorkbookError(
            f"The sheet '{grid.name}' has no heading row: no row has both 'Test' and 'Estimated Start'."
        )
    missing = [" or ".join(f"'{NAMES[f]}'" for f in any_of) for any_of in NEEDED if not by_field.keys() & set(any_of)]
    if missing:
        raise WorkbookError(f"The sheet '{grid.name}' has no column {' and no column '.join(missing)} in row {n}.")
    return n, by_field


def table_heading(grid, fields, *optional) -> tuple[int, dict[str, list[int]]]:
    """The heading row of a small table: the first that has every field; `optional` fields may be there too."""
    required = {name for name, _, _ in fields}
    for n in sorted(grid.rows)[:HEADING_WITHIN]:
        by_field = columns(grid.rows[n], [*fields, *optional])
        if required <= by_field.keys():
            return n, by_field
    headings = ", ".join(f"'{begins}'" for _, begins, _ in fields)
    raise WorkbookError(f"The sheet '{grid.name}' has no heading row with {headings}.")
