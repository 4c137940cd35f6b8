from allocations.models.allocation import Allocation
from allocations.models.change import Change
from allocations.models.dyno import Capability, Dyno
from allocations.models.ground import Facility, Membership, ProvingGround, Shutdown, TestType, Travel
from allocations.models.guards import Occupancy
from allocations.models.maintenance import Displacement, MaintenanceWindow
from allocations.models.notice import Notice
from allocations.models.plan import Plan, PlanItem
from allocations.models.request import TestRequest
from allocations.models.scenario import Scenario
from allocations.models.vehicle import Vehicle
from allocations.models.workbook import WorkbookImport

__all__ = [
    "Allocation",
    "Capability",
    "Change",
    "Displacement",
    "Dyno",
    "Facility",
    "MaintenanceWindow",
    "Membership",
    "Notice",
    "Occupancy",
    "Plan",
    "PlanItem",
    "ProvingGround",
    "Scenario",
    "Shutdown",
    "TestRequest",
    "TestType",
    "Travel",
    "Vehicle",
    "WorkbookImport",
]
