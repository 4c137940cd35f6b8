"""Attempts to sign in, slowed so that guessing is hopeless and nobody can lock anybody out.

A browser that its user has signed in with before is counted by itself: whatever others do with the user's name, it
gets in. Strangers' attempts are counted by name and address, by address (many names from one place) and by name (one
name from many places). Waits grow and end; an attempt during a wait tries no password and makes the wait no longer. A
name that is attacked from many addresses leaves each further address one attempt, so that its user at a new browser
has one.

An attempt counts as failed from its beginning, so that many at once are no way past the limits.
"""

import datetime as dt
import logging
import math
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from dynosite.accounts.browsers import browser_of
from dynosite.accounts.models import FailedSignIns
from dynosite.lib.addresses import client_address, network

log = logging.getLogger(__name__)
Scope = FailedSignIns.Scope
MAX_NAME_LENGTH = FailedSignIns._meta.get_field("name").max_length
RETENTION = dt.timedelta(days=1)


@dataclass(frozen=True)
class Limit:
    """So many failures are free, and one is forgotten each `forgotten_every`; waits double up to the longest."""

    free: int
    forgotten_every: dt.timedelta
    first_wait: float = 0
    longest_wait: float = 0
    """Seconds; none at all where it is 0."""

    def now_counted(self, failures: float, since: dt.timedelta) -> float:
        return max(0.0, failures - since / self.forgotten_every)

    def wait(self, failures: float, free: int) -> float:
        over = round(failures) - free
        return min(self.longest_wait, self.first_wait * 2 ** min(over, 30)) if over >= 0 else 0.0


QUARTER = dt.timedelta(minutes=15)
LIMITS = {
    Scope.BROWSER: Limit(settings.SIGN_IN_ATTEMPTS, QUARTER, first_wait=5, longest_wait=15 * 60),
    Scope.PAIR: Limit(settings.SIGN_IN_ATTEMPTS, QUARTER, first_wait=5, longest_wait=15 * 60),
    Scope.ADDRESS: Limit(30, dt.timedelta(minutes=2), first_wait=5, longest_wait=5 * 60),
    Scope.NAME: Limit(30, dt.timedelta(minutes=5)),
}
FREE_WHILE_ATTACKED = 1
"""Failures of an address for a name that many addresses are tried with."""


class TooManyAttemptsError(Exception):
    """No password was tried. `seconds` is how long to wait."""

    def __init__(self, seconds: float) -> None:
        self.seconds = math.ceil(seconds)
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        if self.seconds < 60:
            time = f"{self.seconds} second{'' if self.seconds == 1 else 's'}"
        else:
            minutes = math.ceil(self.seconds / 60)
            time = f"{minutes} minute{'' if minutes == 1 else 's'}"
        return (
            f"Too many failed attempts to sign in. Wait {time}, then try again. "
            "If you have lost your password, ask an administrator of your proving ground."
        )


@dataclass(frozen=True)
class Attempt:
    """An attempt that may go on. It counts as failed unless one of the two is called."""

    rows: tuple[FailedSignIns, ...]

    def succeeded(self) -> None:
        """The name's count from here begins anew; those of the address and the name lose this attempt only."""
        own = [row.pk for row in self.rows if row.scope in (Scope.PAIR, Scope.BROWSER)]
        FailedSignIns.objects.filter(pk__in=own).delete()
        self._take_back([row for row in self.rows if row.pk not in own])

    def not_tried(self) -> None:
        self._take_back(list(self.rows))

    def _take_back(self, rows: list[FailedSignIns]) -> None:
        with transaction.atomic():
            pks = [row.pk for row in rows]
            for row in FailedSignIns.objects.select_for_update().filter(pk__in=pks).order_by("scope"):
                row.failures = max(0.0, row.failures - 1)
                if round(row.failures) < LIMITS[Scope(row.scope)].free:
                    row.wait_until = None
                row.save(update_fields=["failures", "wait_until"])


def begin(request: HttpRequest, name: str) -> Attempt:
    """Counts an attempt before its password is looked at. Raises TooManyAttemptsError."""
    name, address = name.casefold()[:MAX_NAME_LENGTH], client_address(request)
    browser = browser_of(request)
    if browser and browser.knows(name):
        keys = [(Scope.BROWSER, name, "", browser.key)]
    else:
        place = network(address)
        # In one order for all, so that two attempts never wait for each other's row.
        keys = [(Scope.ADDRESS, "", place, ""), (Scope.NAME, name, "", ""), (Scope.PAIR, name, place, "")]
    try:
        attempt = _count(keys)
    except TooManyAttemptsError as refusal:
        log.warning("sign-in refused: name=%r address=%s wait=%ds", name, address, refusal.seconds)
        raise
    return attempt


def note_failure(request: HttpRequest, name: str) -> None:
    browser = browser_of(request)
    known_browser = bool(browser and browser.knows(name))
    kind = "known" if known_browser else "new"
    log.warning(
        "sign-in failed: name=%r address=%s browser=%s", name[:MAX_NAME_LENGTH], client_address(request), kind
    )


@transaction.atomic
def _count(keys: list[tuple[FailedSignIns.Scope, str, str, str]]) -> Attempt:
    now = timezone.now()
    rows = {scope: _locked(scope, name, address, browser, now) for scope, name, address, browser in keys}
    wait = max((row.wait_until - now).total_seconds() if row.wait_until else 0.0 for row in rows.values())
    if wait > 0:
        raise TooManyAttemptsError(wait)
    attacked = Scope.NAME in rows and rows[Scope.NAME].failures >= LIMITS[Scope.NAME].free
    for scope, row in rows.items():
        limit = LIMITS[scope]
        row.failures += 1
        row.last_at = now
        wait = limit.wait(row.failures, FREE_WHILE_ATTACKED if attacked and scope == Scope.PAIR else limit.free)
        row.wait_until = now + dt.timedelta(seconds=wait) if wait else None
        row.save()
    return Attempt(tuple(rows.values()))


def _locked(scope: FailedSignIns.Scope, name: str, address: str, browser: str, now: dt.datetime) -> FailedSignIns:
    """The row of a count as it is now; nobody else changes it before this transaction ends."""
    row, _ = FailedSignIns.objects.select_for_update().get_or_create(
        scope=scope, name=name, address=address, browser=browser, defaults={"last_at": now}
    )
    row.failures = LIMITS[scope].now_counted(row.failures, max(dt.timedelta(), now - row.last_at))
    return row


def forget_old() -> None:
    """Remove counts that are long at nothing."""
    FailedSignIns.objects.filter(last_at__lt=timezone.now() - RETENTION).delete()
