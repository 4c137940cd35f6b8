"""Database connections of threads that the request or task did not start."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def given_back() -> Iterator[None]:
    """Closes this thread's connection at the end, if there was none at the beginning.

    Django closes those of the threads that it knows; a library's own threads would each keep one.
    """
    had = connection.connection is not None
    try:
        yield
    finally:
        if not had:
            connection.close()


def lend_back() -> None:
    """Gives this thread's connection back before it waits for something else, such as a model's answer.

    The next query takes another. Nothing happens within a transaction.
    """
    if connection.connection is not None and not connection.in_atomic_block:
        connection.close()
