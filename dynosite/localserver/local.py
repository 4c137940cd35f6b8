"""What a checkout keeps for itself under `.local/`: a secret key, and where its embedded servers listen."""

import json
import os
import secrets
from pathlib import Path
from typing import TypedDict

LOCAL = Path(__file__).resolve().parent.parent.parent / ".local"


class Listener(TypedDict):
    port: int
    password: str


def secret_key(place: Path = LOCAL) -> str:
    """A secret key of this checkout's own, made when it is first asked for."""
    return _secret(place / "secret_key")


def superuser_password(place: Path = LOCAL) -> str:
    """Of the embedded PostgreSQL's superuser, whom the site itself does not know."""
    return _secret(place / "postgres_superuser")


def _secret(path: Path) -> str:
    if not path.exists():
        prepare(path.parent)
        write_private(path, secrets.token_urlsafe(50))
    return path.read_text(encoding="utf-8").strip()


def servers(place: Path = LOCAL) -> dict[str, Listener]:
    """The embedded servers that were last started here, by name; empty if none ever was."""
    try:
        return json.loads((place / "servers.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def database_url(place: Path = LOCAL) -> str:
    at = servers(place).get("postgres")
    return f"postgresql://dynosite:{at['password']}@127.0.0.1:{at['port']}/dynosite" if at else ""


def redis_url(place: Path = LOCAL) -> str:
    at = servers(place).get("redis")
    return f"redis://:{at['password']}@127.0.0.1:{at['port']}/0" if at else ""


def prepare(place: Path) -> None:
    """Make the folder, with the checkout's owner as its own when root makes it."""
    if not place.exists():
        place.mkdir(mode=0o711)
        _give(place)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    _give(new)
    new.replace(path)


def _give(path: Path) -> None:
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
