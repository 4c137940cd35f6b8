from django.db.models import TextChoices


class Author(TextChoices):
    USER = "user", "User"
    ASSISTANT = "assistant", "Assistant"
    NOTE = "note", "Note"
    """What is neither's word: stopped here, something failed."""


class RunStatus(TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    STOPPED = "stopped", "Stopped"
    FAILED = "failed", "Failed"

    @property
    def ended(self) -> bool:
        return self in (RunStatus.DONE, RunStatus.STOPPED, RunStatus.FAILED)


class ToolStatus(TextChoices):
    """How a tool call ended. All but `failed` are answers that the model goes on with."""

    RUNNING = "running", "Running"
    OK = "ok", "Done"
    WAITING = "waiting", "Waits for approval"
    CARRIED_OUT = "carried-out", "Carried out"
    REFUSED = "refused", "Refused"
    NOT_FOUND = "not-found", "Not found"
    UNCLEAR = "unclear", "Unclear"
    NOT_ALLOWED = "not-allowed", "Not allowed"
    INVALID = "invalid", "Invalid arguments"
    UNAVAILABLE = "unavailable", "Not available"
    FAILED = "failed", "Failed"


class ProposalStatus(TextChoices):
    WAITING = "waiting", "Waits for approval"
    APPROVED = "approved", "Carried out"
    REJECTED = "rejected", "Rejected"
    REPLACED = "replaced", "Replaced by an edit"
    CHANGED = "changed", "The facts have changed"
    EXPIRED = "expired", "Expired"
    UNDONE = "undone", "Undone"


class RunOutcome(TextChoices):
    """What a turn came to, as the user sees it."""

    ANSWER = "answer", "Answer"
    PROPOSAL = "proposal", "Proposal"
    CLARIFY = "clarify", "Question back"
    REFUSED = "refused", "Refused"


class Approval(TextChoices):
    """Which writes wait for the user's approval. Deletions, bulk and maintenance always do."""

    EVERY = "every", "Every write"
    NOT_SINGLE_BOOKINGS = "not-single-bookings", "Every write but single bookings"


class BudgetScope(TextChoices):
    USER = "user", "Each user"
    GROUND = "ground", "Each proving ground"
    WHOLE = "whole", "The whole site"


class BudgetPeriod(TextChoices):
    DAY = "day", "Day"
    MONTH = "month", "Month"


class Verdict(TextChoices):
    UP = "up", "Helpful"
    DOWN = "down", "Not helpful"
