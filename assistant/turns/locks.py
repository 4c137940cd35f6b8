"""One worker a conversation: a lock of a database session, which ends with its holder however that ends."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from assistant.graph import checkpoints


class Lock:
    def __init__(self, session: psycopg.Connection) -> None:
        self._session = session

    def is_held(self) -> bool:
        """False once the session has ended, and the lock with it."""
        try:
            self._session.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True


@contextmanager
def held(conversation_id: uuid.UUID) -> Iterator[Lock | None]:
    """Holds the conversation's lock within; gives None, and holds nothing, where another has it.

    On a connection of its own: a session that a pool hands on would hand on the lock with it.
    """
    with psycopg.connect(**checkpoints.login() | {"row_factory": psycopg.rows.tuple_row}) as session:
        key = [f"assistant:{conversation_id}"]
        row = session.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", key).fetchone()
        if not (row and row[0]):
            yield None
            return
        try:
            yield Lock(session)
        finally:
            # The server ends a closed session some time after: until then the next turn would find it locked.
            with suppress(psycopg.Error):
                session.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", key)
