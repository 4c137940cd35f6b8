"""Many clients at once: threads with a connection each, let go by a barrier. For committed data only."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connections

from allocations.exceptions import DomainError, Refused

ROUNDS = 20
CLIENTS = 8


def race(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Runs the calls at the same moment; returns what each returned, or the exception that it raised."""
    barrier = threading.Barrier(len(calls))
    outcomes: list[Any] = [None] * len(calls)

    def run(number: int) -> None:
        try:
            with connections["default"].cursor():  # connect before the start, not in the race
                barrier.wait(timeout=30)
            outcomes[number] = calls[number]()
        except Exception as error:  # an outcome like any other
            outcomes[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    return outcomes


def winners(outcomes: Sequence[Any]) -> list[Any]:
    """What was returned; anything raised that is no refusal of the domain is raised again."""
    for outcome in outcomes:
        if isinstance(outcome, Exception) and not isinstance(outcome, DomainError):
            raise outcome
    return [outcome for outcome in outcomes if not isinstance(outcome, Exception)]


def refusals(outcomes: Sequence[Any]) -> list[Refused]:
    return [outcome for outcome in outcomes if isinstance(outcome, Refused)]


def codes(outcomes: Sequence[Any]) -> list[tuple[str, ...]]:
    """The codes of each refusal, sorted."""
    return sorted(tuple(refusal.code.value for refusal in refused.refusals) for refused in refusals(outcomes))
