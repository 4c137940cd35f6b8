from enum import StrEnum

from django.db.models import TextChoices


class Role(TextChoices):
    VIEWER = "viewer", "Viewer"
    SCHEDULER = "scheduler", "Scheduler"
    ADMIN = "admin", "Admin"

    def covers(self, needed: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Drive(TextChoices):
    TWO_WHEEL = "2WD", "2WD"
    ALL_WHEEL = "AWD", "AWD"


class WeightClass(TextChoices):
    LIGHT = "<10K", "<10K (up to 10,000 lb)"
    HEAVY = ">10K", ">10K (over 10,000 lb)"


LIGHT_UP_TO_LBS = 10_000


def weight_class_of(weight_lbs: int) -> WeightClass:
    return WeightClass.LIGHT if weight_lbs <= LIGHT_UP_TO_LBS else WeightClass.HEAVY


class AllocationStatus(TextChoices):
    SCHEDULED = "scheduled", "Scheduled"
    RUNNING = "running", "Running"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"


OPEN_STATUSES = (AllocationStatus.SCHEDULED, AllocationStatus.RUNNING)
"""Of what is still to run or runs, and can be moved, ended or cancelled."""


class LateKind(TextChoices):
    """How a booking is late, the most pressing first."""

    OVERRUN = "overrun", "Overrun"
    UNSTARTED = "unstarted", "Not started"
    PAST_DUE = "past-due", "Past due"


class RequestStatus(TextChoices):
    WAITING = "waiting", "Waiting"
    PLACED = "placed", "Placed"
    CANCELLED = "cancelled", "Cancelled"


class Priority(TextChoices):
    LOW = "low", "Low"
    NORMAL = "normal", "Normal"
    HIGH = "high", "High"
    URGENT = "urgent", "Urgent"


class MaintenanceKind(TextChoices):
    PLANNED = "planned", "Planned"
    CALIBRATION = "calibration", "Calibration"
    OUTAGE = "outage", "Outage"


class Door(TextChoices):
    """Where a write came in."""

    FORM = "form", "Form"
    ADMIN = "admin", "Admin"
    API = "api", "API"
    IMPORT = "import", "Import"
    ASSISTANT = "assistant", "Assistant"
    PLANNER = "planner", "Planner"
    COMMAND = "command", "Command"


class Action(TextChoices):
    """What a change did."""

    BOOK = "book", "Booked"
    MOVE = "move", "Moved"
    CANCEL = "cancel", "Cancelled"
    START = "start", "Started"
    COMPLETE = "complete", "Completed"
    SET_MAINTENANCE = "set-maintenance", "Maintenance set"
    LIFT_MAINTENANCE = "lift-maintenance", "Maintenance lifted"
    REQUEST = "request", "Requested"
    CHANGE_REQUEST = "change-request", "Request changed"
    CANCEL_REQUEST = "cancel-request", "Request cancelled"
    IMPORT = "import", "Imported"
    PLAN = "plan", "Plan applied"
    UNDO = "undo", "Undone"
    ADD = "add", "Added"
    CHANGE = "change", "Changed"
    DELETE = "delete", "Deleted"


class PlanState(TextChoices):
    QUEUED = "queued", "Queued"
    SOLVING = "thinking", "Solving"
    READY = "ready", "Ready"
    APPLIED = "applied", "Applied"
    FAILED = "failed", "Failed"


class ScenarioState(TextChoices):
    DRAFT = "draft", "Not asked yet"
    QUEUED = "queued", "Queued"
    SOLVING = "thinking", "Solving"
    READY = "ready", "Answered"
    FAILED = "failed", "Failed"


class Movable(TextChoices):
    """What a plan may move to make room for the waiting requests."""

    NOTHING = "nothing", "Nothing that is booked"
    LATER = "later", "What is scheduled after the frozen days"
    ALL = "all", "Everything that is scheduled"


class DisplacedTo(TextChoices):
    """What becomes of an allocation that a maintenance window hits."""

    MOVE = "move", "Move to another place"
    SHORTEN = "shorten", "Cut at the day before; the rest waits"
    WAIT = "wait", "Back to the waiting requests"
    CANCEL = "cancel", "Cancel"


class LostDaysTo(TextChoices):
    """What becomes of a test that pauses and loses days worked to new days off."""

    EXTEND = "extend", "Extend by the days lost"
    MOVE = "move", "Move to another place"
    WAIT = "wait", "Back to the waiting requests"
    KEEP = "keep", "Keep its place with fewer days worked"


class ImportState(TextChoices):
    """Where a workbook that was sent in stands."""

    CHECKING = "checking", "Being checked"
    CHECKED = "checked", "Checked"
    IMPORTING = "importing", "Being imported"
    STOPPING = "stopping", "Being stopped"
    DONE = "done", "Imported"
    STOPPED = "stopped", "Stopped"
    FAILED = "failed", "Failed"


class Weight(StrEnum):
    """What a rule that does not hold does, at every door."""

    REFUSES = "refuses"
    ASKS = "asks"
    """It is refused until somebody confirms it."""
    SAYS = "says"
    """It is written, and said before and after."""


class RefusalCode(StrEnum):
    DAYS_ORDER = "days-order"
    DAYS_LENGTH = "days-length"
    OTHER_GROUND = "other-ground"
    DYNO_DISABLED = "dyno-disabled"
    DYNO_NOT_YET_AVAILABLE = "dyno-not-yet-available"
    DYNO_NO_LONGER_AVAILABLE = "dyno-no-longer-available"
    TEST_TYPE_NOT_RUN = "test-type-not-run"
    DRIVE_NOT_TAKEN = "drive-not-taken"
    WEIGHT_NOT_TAKEN = "weight-not-taken"
    COMBINATION_NOT_TAKEN = "combination-not-taken"
    MAINTENANCE = "maintenance"
    DYNO_TAKEN = "dyno-taken"
    VEHICLE_ELSEWHERE = "vehicle-elsewhere"
    STARTS_ON_DAY_OFF = "starts-on-day-off"
    ENDS_ON_DAY_OFF = "ends-on-day-off"
    TRAVEL = "travel"
    WARM_UP = "warm-up"
    NO_PLACE = "no-place"
    WRONG_STATUS = "wrong-status"
    CANNOT_UNDO = "cannot-undo"
    FALLOUT_UNANSWERED = "fallout-unanswered"
    BAD_ANSWER = "bad-answer"
    IN_USE = "in-use"
    TOO_MANY_AT_ONCE = "too-many-at-once"
    BEFORE_EARLIEST_START = "before-earliest-start"
    BEFORE_PREDECESSOR = "before-predecessor"
    FEWER_DAYS = "fewer-days"
    PAST_DUE = "past-due"
    DAYS_LOST = "days-lost"
    LONG_PAST = "long-past"
    FAR_AHEAD = "far-ahead"

    @property
    def weight(self) -> Weight:
        return _WEIGHTS.get(self, Weight.REFUSES)


_WEIGHTS = {
    RefusalCode.BEFORE_EARLIEST_START: Weight.ASKS,
    RefusalCode.BEFORE_PREDECESSOR: Weight.ASKS,
    RefusalCode.FEWER_DAYS: Weight.ASKS,
    RefusalCode.LONG_PAST: Weight.ASKS,
    RefusalCode.FAR_AHEAD: Weight.ASKS,
    RefusalCode.PAST_DUE: Weight.SAYS,
}
