"""The rows that tools are given by the selectors, for their types alone: the assistant reads no model itself."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from allocations.models import (
        Allocation,
        Change,
        Dyno,
        MaintenanceWindow,
        Plan,
        PlanItem,
        TestRequest,
        TestType,
        Vehicle,
    )

    __all__ = [
        "Allocation",
        "Change",
        "Dyno",
        "MaintenanceWindow",
        "Plan",
        "PlanItem",
        "TestRequest",
        "TestType",
        "Vehicle",
    ]
