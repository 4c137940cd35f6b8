"""Password hashes of bounded cost: so many at once in a process, and none while a database connection waits for it.

A hash takes memory and a core by design, so whoever can ask for hashes can ask for all of both. The others wait for a
place, for a while; then they are refused with a sentence instead of a fault. Whatever hashes a password comes past
here: sign-in, the password page, the administration, commands.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher
from django.db import connection

Result = TypeVar("Result")
AT_ONCE = 3
MAX_WAITING = 60
MAX_WAIT_SECONDS = 8.0
"""Seconds."""
RETRY_AFTER = 5
"""Seconds."""


class HashingBusyError(Exception):
    """No place came free in time. `sentence` is for the user, `retry_after` in seconds."""

    sentence = "Too many people sign in at this moment. Wait a few seconds, then try again."
    retry_after = RETRY_AFTER


class Places:
    """Threads of their own for hashes, and a bounded number of others that wait for one.

    Of their own, since the memory that a hash took stays with its thread: any thread's would be as many times that.
    """

    def __init__(self, at_once: int, most_waiting: int, longest_wait: float) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="hash")
        self._entry = threading.BoundedSemaphore(at_once + most_waiting)
        self._longest_wait = longest_wait

    def carry_out(self, work: Callable[[], Result]) -> Result:
        """Raises HashingBusyError."""
        if not self._entry.acquire(blocking=False):
            raise HashingBusyError
        future = self._threads.submit(work)
        future.add_done_callback(lambda _done: self._entry.release())
        try:
            return future.result(self._longest_wait)
        except TimeoutError:
            if future.cancel():
                raise HashingBusyError from None
            return future.result()  # it has begun, and does not take long


places = Places(AT_ONCE, MAX_WAITING, MAX_WAIT_SECONDS)


def give_connection_back() -> None:
    """Lets others have this thread's database connection meanwhile, unless a transaction needs it."""
    if not connection.in_atomic_block and connection.connection is not None:
        connection.close()


def bounded(work: Callable[[], Result]) -> Result:
    """Raises HashingBusyError."""
    give_connection_back()
    return places.carry_out(work)


class BoundedArgon2(Argon2PasswordHasher):
    """Argon2id by OWASP's least parameters. Hashes of other parameters are made anew at the next sign-in."""

    memory_cost = 19 * 1024
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return bounded(partial(super().encode, password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        return bounded(partial(super().verify, password, encoded))


class BoundedPBKDF2(PBKDF2PasswordHasher):
    """Reads hashes that came from elsewhere; its `verify` asks `encode`."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        return bounded(partial(super().encode, password, salt, iterations))
