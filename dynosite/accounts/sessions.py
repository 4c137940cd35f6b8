"""Sessions in the database, of which only a key that can be one is looked up."""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        """A quoted cookie can hold a NUL, which no text column can be asked for."""
        return bool(key) and key.isascii() and key.isalnum() and bool(super()._validate_session_key(key))
