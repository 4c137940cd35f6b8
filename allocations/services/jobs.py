"""Plans, what-ifs and imports on their way through the workers: queued, held by one worker, stopped, taken up again.

A worker holds a job by a lease that it renews while it works. A job whose lease has run out has lost its worker, and
one that waits for long may have lost its message: `take_up` finds both, even if Redis has lost its data. Each attempt
has an id of its own, and nothing is written without it: an attempt that was given up by mistake does no harm.
"""

import datetime as dt
import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from allocations.enums import ImportState, PlanState, RefusalCode, ScenarioState
from allocations.exceptions import Refused
from allocations.models import Plan, Scenario, WorkbookImport
from allocations.models.job import Job
from dynosite.accounts.models import User
from dynosite.lib import prepared

logger = logging.getLogger(__name__)

LEASE = dt.timedelta(seconds=25)
RENEWED_EVERY = 1.0
"""Seconds between two renewals, at which a worker also notices that it is to stop."""
UNHEARD = dt.timedelta(seconds=30)
"""A job that waits for longer is handed to the workers again: its message may be lost."""
TURN_SECONDS = 1.0
"""Seconds between two looks at whether the user's other job has ended."""
MAX_ATTEMPTS = 3
GAVE_UP = f"Its worker was lost {MAX_ATTEMPTS} times, so it was given up; ask again, or for less at once."
NOBODY_TOLD = "No worker can be reached at the moment; ask again in a minute."
PROGRESS_SECONDS = 3600


class HeldError(Exception):
    """Not now: another worker has the job, or its user has another in work. Try again after `seconds`."""

    def __init__(self, seconds: float):
        super().__init__(f"held for {seconds} seconds")
        self.seconds = seconds


class LeaseLostError(Exception):
    """Another attempt counts by now: nothing of this one may be written."""


@dataclass(frozen=True)
class Kind:
    """A model of jobs, and the values that its rows take on the way. Rows in other states than `under_way` have
    ended.
    """

    model: type[Job]
    queue: str
    under_way: tuple[str, ...]
    waiting: dict[str, Any]
    working: dict[str, Any]
    stopping: dict[str, Any]
    stopped: Callable[[], dict[str, Any]]
    failed: Callable[[str], dict[str, Any]]
    heavy: tuple[str, ...] = ()
    """Fields that are read only where they are needed."""

    @property
    def rows(self) -> QuerySet[Any]:
        return self.model._default_manager.all()


PLANS = Kind(
    Plan,
    queue="plans",
    under_way=(PlanState.QUEUED, PlanState.SOLVING),
    waiting={"state": PlanState.QUEUED},
    working={"state": PlanState.SOLVING},
    stopping={},
    stopped=lambda: {"state": PlanState.FAILED, "error": "It was stopped before there was a plan."},
    failed=lambda sentence: {"state": PlanState.FAILED, "error": sentence},
)
SCENARIOS = Kind(
    Scenario,
    queue="plans",
    under_way=(ScenarioState.QUEUED, ScenarioState.SOLVING),
    waiting={"state": ScenarioState.QUEUED},
    working={"state": ScenarioState.SOLVING},
    stopping={},
    stopped=lambda: {"state": ScenarioState.DRAFT},
    failed=lambda sentence: {"state": ScenarioState.FAILED, "error": sentence},
)
IMPORTS = Kind(
    WorkbookImport,
    queue="imports",
    under_way=(ImportState.CHECKING, ImportState.IMPORTING, ImportState.STOPPING),
    waiting={},
    working={},
    stopping={"state": ImportState.STOPPING},
    stopped=lambda: {"state": ImportState.STOPPED, "file": None, "finished_at": timezone.now()},
    failed=lambda sentence: {
        "state": ImportState.FAILED,
        "problem": sentence,
        "file": None,
        "finished_at": timezone.now(),
    },
    heavy=("file",),
)
KINDS = (PLANS, SCENARIOS, IMPORTS)
IN_TURN = {queue: [kind for kind in KINDS if kind.queue == queue] for queue in ("plans", "imports")}


def queued(user: User | None) -> dict[str, Any]:
    """Returns the values that hand a row to the workers anew."""
    return {"queued_at": timezone.now(), "queued_by": user, "attempts": 0, "stop_asked": False} | _let_go()


def not_queued(kind: Kind, pk: uuid.UUID | str) -> None:
    """Ends a job that could be handed to no worker. If a worker has taken it up all the same, it goes on."""
    kind.rows.filter(pk=pk, holder=None, **kind.waiting).update(**kind.failed(NOBODY_TOLD))


def _let_go() -> dict[str, Any]:
    return {"holder": None, "held_until": None}


def expect_room(user: User, ground_id: int) -> None:
    """Raises Refused (TOO_MANY_AT_ONCE) if the user, or the ground, has as many jobs under way as allowed.

    Call it in the transaction that queues the next job: of two at once, the second counts the first.
    """
    for key in (f"jobs-of-user:{user.pk}", f"jobs-of-ground:{ground_id}"):
        prepared.fetch("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    if _number(queued_by=user) >= settings.JOBS_PER_USER:
        raise _too_many(f"{settings.JOBS_PER_USER} plans, what-ifs or imports of yours are")
    if _number(ground=ground_id) >= settings.JOBS_PER_GROUND:
        raise _too_many(f"{settings.JOBS_PER_GROUND} plans, what-ifs or imports of this proving ground are")


def _number(**whose: Any) -> int:
    return sum(kind.rows.filter(state__in=kind.under_way, **whose).count() for kind in KINDS)


def _too_many(subject: str) -> Refused:
    sentence = f"{subject} waiting or under way, which is the most at once; wait for one to end, or stop one."
    return Refused.because(RefusalCode.TOO_MANY_AT_ONCE, sentence)


def claim(kind: Kind, pk: uuid.UUID | str, states: tuple[str, ...] = ()) -> Any:
    """Takes a job up for a new attempt.

    Parameters
    ----------
    states
        States in which it may be taken up; without them, all that are under way.

    Returns
    -------
    Any
        The row, held by this attempt, or None if there is nothing to do.

    Raises
    ------
    HeldError
        If another worker has it, or its user has another job of the same queue in work.
    """
    with transaction.atomic():
        row = _locked(kind, pk, states or kind.under_way)
        if row is None:
            return None
        if is_held(row):
            raise HeldError((row.held_until - timezone.now()).total_seconds() + 0.5)
        if _ended(kind, row):
            return None
        _expect_turn(kind, row)
        hold = {"holder": uuid.uuid4(), "held_until": timezone.now() + LEASE, "stop_asked": False}
        return _set(row, kind.working | hold | {"attempts": row.attempts + 1})


def _expect_turn(kind: Kind, row: Job) -> None:
    """Raises HeldError while another job of the user is in work: nobody takes all workers of a queue."""
    if row.queued_by_id is None:
        return
    prepared.fetch("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"turn-of-user:{row.queued_by_id}"])
    for other in IN_TURN[kind.queue]:
        theirs = other.rows.filter(queued_by=row.queued_by_id, held_until__gt=timezone.now())
        if theirs.filter(state__in=other.under_way).exclude(pk=row.pk).exists():
            raise HeldError(TURN_SECONDS)


def is_held(row: Job) -> bool:
    """Tells whether a worker holds the job now."""
    return row.held_until is not None and row.held_until > timezone.now()


def end(kind: Kind, row: Job, **values: Any) -> bool:
    """Ends an attempt with these values and lets the job go. Returns False, and writes nothing, if another attempt
    counts.
    """
    mine = kind.rows.filter(pk=row.pk, holder=row.holder, state__in=kind.under_way)
    return bool(mine.update(**values, **_let_go()))


def expect_mine(kind: Kind, row: Job) -> None:
    """Locks the row until the transaction ends. Raises LeaseLostError if another attempt counts by now, or none."""
    if not kind.rows.select_for_update(no_key=True, of=("self",)).filter(pk=row.pk, holder=row.holder).exists():
        raise LeaseLostError


def stop(kind: Kind, pk: uuid.UUID | str) -> bool:
    """Asks the worker to stop; a job that no worker has ends here. Returns False if it is not under way."""
    with transaction.atomic():
        row = _locked(kind, pk, kind.under_way)
        if row is None:
            return False
        if is_held(row):
            _set(row, kind.stopping | {"stop_asked": True})
        else:
            _set(row, kind.stopped() | _let_go())
        return True


def take_up(kind: Kind) -> list[Any]:
    """Finds jobs that have lost their worker or their message.

    Returns
    -------
    list[Any]
        The rows to hand to the workers again, at most 100. Jobs that were to stop, or lost too many workers, are
        ended instead.
    """
    now = timezone.now()
    lost = Q(held_until__lt=now)
    unheard = Q(held_until=None) & (Q(queued_at=None) | Q(queued_at__lt=now - UNHEARD))
    rows = []
    for pk in kind.rows.filter(lost | unheard, state__in=kind.under_way).values_list("pk", flat=True)[:100]:
        with transaction.atomic():
            row = _locked(kind, pk, kind.under_way)
            if row is None or is_held(row) or _ended(kind, row):
                continue
            rows.append(_set(row, kind.waiting | _let_go() | {"queued_at": now}))
            logger.warning("%s %s is taken up again", kind.model._meta.verbose_name, pk)
    return rows


def tell(key: str, value: Any) -> None:
    """Keeps the progress of a job in the cache for whoever looks. If that fails, it is logged and the job goes on."""
    try:
        cache.set(key, value, timeout=PROGRESS_SECONDS)
    except Exception as error:
        logger.warning("the progress %s was not kept: %s", key, error)


class Hold(threading.Thread):
    """Renews the lease of an attempt while the block runs, and notices when it is to stop (`should_stop`)."""

    def __init__(self, kind: Kind, row: Job):
        super().__init__(daemon=True, name="job-lease")
        self._kind, self._row = kind, row
        self._done = threading.Event()
        self._to_stop = threading.Event()

    def __enter__(self) -> "Hold":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self.join()

    def should_stop(self) -> bool:
        return self._to_stop.is_set()

    def run(self) -> None:
        try:
            while not self._done.wait(RENEWED_EVERY):
                try:
                    self._renew()
                except DatabaseError as error:
                    logger.warning("the lease of %s was not renewed: %s", self._row.pk, error)
                    connection.close()
        finally:
            connection.close()

    def _renew(self) -> None:
        mine = self._kind.rows.filter(pk=self._row.pk, holder=self._row.holder)
        if mine.update(held_until=timezone.now() + LEASE):
            to_stop = mine.filter(stop_asked=True).exists()
        else:
            # Another attempt counts. A row that is not there yet is one of an open transaction.
            to_stop = self._kind.rows.filter(pk=self._row.pk).exists()
        if to_stop:
            self._to_stop.set()


def _locked(kind: Kind, pk: uuid.UUID | str, states: tuple[str, ...]) -> Any:
    rows = kind.rows.select_for_update(no_key=True, of=("self",)).filter(pk=pk, state__in=states)
    return rows.select_related("ground").defer(*kind.heavy).first()


def _ended(kind: Kind, row: Any) -> bool:
    """Ends a job without a worker that was to stop, or that has lost too many workers. Returns whether it did."""
    if row.stop_asked:
        _set(row, kind.stopped() | _let_go())
    elif row.attempts >= MAX_ATTEMPTS:
        _set(row, kind.failed(GAVE_UP) | _let_go())
    else:
        return False
    return True


def _set(row: Any, values: dict[str, Any]) -> Any:
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))
    return row
