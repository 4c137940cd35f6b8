"""Typed readers of the environment. Each name may also be given as NAME_FILE, the path of a file with the value.

A variable that is set to nothing counts as not set: compose files and shells pass on empty ones.
"""

import os
from decimal import Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    path = os.environ.get(f"{name}_FILE")
    if path and os.environ.get(name):
        raise ImproperlyConfigured(f"Set either {name} or {name}_FILE, not both.")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {path} cannot be read ({error.strerror}).") from error
    return os.environ.get(name) or default


def flag(name: str, default: bool = False) -> bool:
    value = text(name, "on" if default else "off").strip().lower()
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be on or off, not {value!r}.")


def integer(name: str, default: int, *, least: int = 0) -> int:
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None
    if number < least:
        raise ImproperlyConfigured(f"{name} must be {least} or more, not {number}.")
    return number


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def prices(name: str, default: str = "") -> dict[str, tuple[Decimal, ...]]:
    """`model=in/out` or `model=in/out/cached`, each for a million tokens, with commas between the models."""
    by_model = {}
    for word in words(name, default):
        model, _, amounts = word.rpartition("=")
        try:
            price = tuple(Decimal(amount) for amount in amounts.split("/"))
        except InvalidOperation:
            price = ()
        if not model or len(price) not in (2, 3) or not all(amount.is_finite() and amount >= 0 for amount in price):
            raise ImproperlyConfigured(f"{name}: a price is model=in/out or model=in/out/cached, not {word!r}.")
        by_model[model.strip()] = price
    return by_model


def rates(name: str, default: str = "") -> list[tuple[int, int]]:
    """`10/minute` and the like, with commas between them, as pairs of number and seconds."""
    seconds = {"minute": 60, "hour": 60 * 60, "day": 24 * 60 * 60}
    pairs = []
    for word in words(name, default):
        number, _, unit = word.partition("/")
        if not number.isdecimal() or int(number) == 0 or unit not in seconds:
            raise ImproperlyConfigured(f"{name}: a rate is a number/minute, /hour or /day, not {word!r}.")
        pairs.append((int(number), seconds[unit]))
    return pairs


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def worker_redis(url: str, prefix: str) -> tuple[str, str]:
    """The Redis database and the prefix of this pytest-xdist worker: the workers are eight databases apart."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    parts = urlsplit(url)
    database = int(parts.path.strip("/") or 0) + 8 * int(worker.removeprefix("gw"))
    return parts._replace(path=f"/{database}").geturl(), f"{prefix}-test-{database}"
