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
