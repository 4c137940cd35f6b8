"""A connection that reads one ground through the views, for as long as one query takes and not longer."""

import logging
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from django.db import DatabaseError, connection, transaction

from assistant.exceptions import Unavailable
from assistant.tools.sql import role

logger = logging.getLogger(__name__)

TOKEN_SECONDS = 20
CANCEL_SECONDS, DROP_SECONDS = 3.5, 4.0
"""Of all that is asked on one connection. The server's own clock is a setting of the session, and it is not looked at
within one call of a function; this one is here."""


@contextmanager
def reading(ground_id: int) -> Iterator[psycopg.Connection]:
    """A fresh read-only connection that sees this ground only, and sees nothing once it is closed.

    Raises Unavailable where there is no role to connect as.
    """
    if not role.is_ready():
        raise Unavailable(
            "Queries are not available here: the database role that they run as could not be made. "
            "An admin finds out what is missing with `manage.py check --database default`."
        )
    token = secrets.token_urlsafe(32)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO assistant_private.scope VALUES (%s, %s, clock_timestamp() + make_interval(secs => %s))",
            [token, ground_id, TOKEN_SECONDS],
        )
    try:
        session = role.log_in(token)
    except psycopg.OperationalError as error:
        _forget(token)
        logger.warning("The role for queries cannot connect: %s", error)
        raise Unavailable("Queries are not available just now: their database role could not connect.") from None
    try:
        yield session
    finally:
        session.close()
        _forget(token)


def one_statement(cursor: psycopg.Cursor, query: str) -> None:
    """Runs it by the extended protocol, in which the server itself takes one statement and no more."""
    cursor.execute(query.encode(), prepare=True)


@contextmanager
def in_time(session: psycopg.Connection) -> Iterator[None]:
    """Ends what runs on the connection when its time is up. Raises QueryCanceled then.

    The server is asked to cancel first. Where it does not, being within one long call, the connection is cut, and the
    server is told to end the session as soon as it looks up.
    """
    late = threading.Event()
    process = session.info.backend_pid
    timers = [
        threading.Timer(CANCEL_SECONDS, _cancel, [session, late]),
        threading.Timer(DROP_SECONDS, _drop, [session, late]),
    ]
    for timer in timers:
        timer.daemon = True
        timer.start()
    try:
        yield
    except psycopg.OperationalError as error:
        if not late.is_set():
            raise
        raise psycopg.errors.QueryCanceled("out of time") from error
    finally:
        for timer in timers:
            timer.cancel()
        for timer in timers:
            timer.join()  # else it could cut a connection that has this one's number later
        if session.broken:
            _terminate(process)


def _cancel(session: psycopg.Connection, late: threading.Event) -> None:
    late.set()
    with suppress(psycopg.Error):
        session.cancel_safe(timeout=DROP_SECONDS - CANCEL_SECONDS)


def _drop(session: psycopg.Connection, late: threading.Event) -> None:
    late.set()
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(session.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)


def _terminate(process: int) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND usename = %s",
                [process, role.login_name()],
            )
    except DatabaseError as error:
        logger.warning("A query's session goes on until it looks up: %s", error)


def _forget(token: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM assistant_private.scope WHERE token = %s OR expires_at < clock_timestamp()", [token]
        )
