"""Readers of JSON values. Each raises ProblemError, which names the field, for a value that is not valid."""

from __future__ import annotations

from collections.abc import Mapping
from reprlib import repr as brief
from typing import Any

# Sums of numbers up to here stay exact everywhere.
MAX_INTEGER = 10**9


class ProblemError(ValueError):
    """A malformed problem; `field` names the place, such as `tests[3].due`."""

    def __init__(self, field_name: str, message: str):
        super().__init__(f"{field_name}: {message}")
        self.field = field_name
        self.message = message


def value_or(data: Mapping[str, Any], key: str, default: Any) -> Any:
    """Return a field, or the default if it is left out or null."""
    value = data.get(key)
    return default if value is None else value


def required(data: Mapping[str, Any], key: str, where: str) -> Any:
    """Return a field that must be there."""
    if key not in data:
        raise ProblemError(f"{where}.{key}".lstrip("."), "is missing")
    return data[key]


def integer(
    data: Mapping[str, Any],
    key: str,
    where: str,
    *,
    low: int = -MAX_INTEGER,
    high: int = MAX_INTEGER,
    default: int | None = None,
) -> int:
    """Read a whole number from `low` to `high`; with a `default`, the field may be left out or null."""
    name = f"{where}.{key}".strip(".")
    value = data.get(key, default) if default is not None else required(data, key, where)
    if value is None and default is not None:
        value = default
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ProblemError(name, f"must be a whole number, not {brief(value)}")
    if value < low:
        raise ProblemError(name, f"must be at least {low}, not {brief(value)}")
    if value > high:
        raise ProblemError(name, f"must be at most {high}, not {brief(value)}")
    return value


def text(value: Any, name: str) -> str:
    """Read a name: text that is not empty."""
    if not isinstance(value, str) or not value:
        raise ProblemError(name, f"must be a name, not {brief(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ProblemError(name, f"must be a name that can be written, not {brief(value)}") from None
    return value


def list_of(value: Any, name: str) -> list[Any]:
    """Return a list."""
    if not isinstance(value, (list, tuple)):
        raise ProblemError(name, "must be a list")
    return list(value)


def object_of(value: Any, name: str) -> Mapping[str, Any]:
    """Return an object."""
    if not isinstance(value, Mapping):
        raise ProblemError(name, "must be an object")
    return value


def names(value: Any, name: str) -> tuple[str, ...]:
    """Read a list of names, each of them once."""
    indexes: dict[str, int] = {}
    for i, item in enumerate(list_of(value, name)):
        if text(item, f"{name}[{i}]") in indexes:
            raise ProblemError(f"{name}[{i}]", f"{item!r} stands twice")
        indexes[item] = i
    return tuple(indexes)
