"""Reads the files of an eval, and says in sentences what of them cannot be used."""

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from allocations.enums import AllocationStatus, Drive, MaintenanceKind, Priority, Role, WeightClass
from assistant.enums import RunOutcome
from assistant.tools.registry import TOOLS

MAX_REPORTED = 12
Entry = dict[str, Any]
LISTS = ("grounds", "users", "test_types", "dynos", "vehicles", "allocations", "maintenance", "requests")
NEEDED = {
    "grounds": ("code",),
    "users": ("username",),
    "dynos": ("name", "ground"),
    "vehicles": ("ground", "drive"),
    "allocations": ("vehicle", "dyno", "test", "first", "last"),
    "maintenance": ("dyno", "first", "last"),
    "requests": ("vehicle", "test"),
}
DAYS = ("first", "last", "earliest", "due", "available_from", "available_to")
ONE_OF = {
    "drive": Drive.values,
    "weight_class": WeightClass.values,
    "status": AllocationStatus.values,
    "kind": MaintenanceKind.values,
    "priority": Priority.values,
}


class FileError(Exception):
    """What is wrong with a file, for whoever wrote it."""


def read_world(path: str) -> dict[str, Any]:
    """Raises FileError with each thing that is missing, misspelt or named nowhere."""
    world = _read(path)
    if not isinstance(world, dict):
        raise FileError(f"{path} is no world: it should have today, grounds, users, dynos and so on.")
    for name in LISTS:
        world[name] = world.get(name) or []
    _tell(path, _of_world(world))
    return world


def read_cases(path: str, world: dict[str, Any], only: str | None = None) -> list[Entry]:
    """Raises FileError, also where no case has the id `only`."""
    cases = _read(path)
    if isinstance(cases, dict) and isinstance(cases.get("cases"), list):
        cases = cases["cases"]
    if not isinstance(cases, list):
        raise FileError(f"{path} has no cases: it should be a list, each with an id and what is said.")
    _tell(path, _of_cases(cases, world))
    chosen = [case for case in cases if only is None or str(case["id"]) == only]
    if only is not None and not chosen:
        raise FileError(f"{path} has no case {only}.")
    return chosen


def _read(path: str) -> Any:
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FileError(f"{path} cannot be read: {' '.join(str(error).split())}") from None


def _tell(path: str, problems: Iterable[str]) -> None:
    sentences = list(problems)
    if sentences:
        more = [f"and {len(sentences) - MAX_REPORTED} more"] if len(sentences) > MAX_REPORTED else []
        raise FileError(f"{path} cannot be used:\n  " + "\n  ".join(sentences[:MAX_REPORTED] + more))


def _of_world(world: dict[str, Any]) -> Iterator[str]:
    if not _is_day(world.get("today")):
        yield "today is needed, as YYYY-MM-DD"
    if not world["grounds"]:
        yield "there is no ground"
    for name in LISTS:
        if not isinstance(world[name], list):
            yield f"{name} should be a list"
            world[name] = []
    for name, needed in NEEDED.items():
        for where, entry in _entries(name, world[name]):
            yield from _of_entry(where, entry, needed)
    if all(isinstance(entry, dict) for name in NEEDED for entry in world[name]):
        yield from _of_names(world)


def _of_entry(where: str, entry: Any, needed: Iterable[str]) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield f"{where} should have {', '.join(needed)}"
        return
    yield from (f"{where} has no {key}" for key in needed if entry.get(key) in (None, ""))
    yield from _of_values(where, entry)


def _of_values(where: str, entry: Entry) -> Iterator[str]:
    for key in DAYS:
        if entry.get(key) is not None and not _is_day(entry[key]):
            yield f"{where}: {key} is {entry[key]!r}, and no day as YYYY-MM-DD"
    for key, values in ONE_OF.items():
        if entry.get(key) is not None and str(entry[key]) not in values:
            yield f"{where}: {key} is {entry[key]!r}, and none of {', '.join(values)}"


def _of_names(world: dict[str, Any]) -> Iterator[str]:
    """What is named has to be there."""
    names_by_key = _names_by_key(world)
    for name in NEEDED:
        for where, entry in _entries(name, world[name]):
            for key, names in names_by_key.items():
                if entry.get(key) is not None and names.isdisjoint((entry[key], str(entry[key]))):
                    yield f"{where}: there is no {key} {entry[key]}"
    for where, entry in _entries("vehicles", world["vehicles"]):
        if not entry.get("tag") and not entry.get("vin"):
            yield f"{where} has neither tag nor vin"
    for where, entry in _entries("users", world["users"]):
        yield from _of_roles(where, entry.get("role") or {}, names_by_key["ground"])
    for where, entry in _entries("dynos", world["dynos"]):
        for row in entry.get("capabilities") or []:
            yield from _of_capability(where, row, names_by_key["test"])


def _names_by_key(world: dict[str, Any]) -> dict[str, set[Any]]:
    """By the key under which something is named, the names that there are."""
    return {
        "ground": {entry.get("code") for entry in world["grounds"]},
        "dyno": {str(entry.get("name")) for entry in world["dynos"]},
        "vehicle": {str(entry[key]) for entry in world["vehicles"] for key in ("tag", "vin") if entry.get(key)},
        "test": {str(entry["name"] if isinstance(entry, dict) else entry) for entry in world["test_types"]},
    }


def _of_roles(where: str, roles: dict[str, Any], codes: set[Any]) -> Iterator[str]:
    for code, role in roles.items():
        if code not in codes:
            yield f"{where}: there is no ground {code}"
        if role not in Role.values:
            yield f"{where}: role is {role!r}, and none of {', '.join(Role.values)}"


def _of_capability(where: str, row: Any, tests: set[str]) -> Iterator[str]:
    if not isinstance(row, dict) or not row.get("tests") or not row.get("drives"):
        yield f"{where}: a capability has tests and drives"
        return
    yield from (f"{where}: there is no test {test}" for test in row["tests"] if str(test) not in tests)
    weights = row.get("weights") or row.get("weight_classes") or []
    for values, listed in ((Drive.values, row["drives"]), (WeightClass.values, weights)):
        yield from (f"{where}: {value!r} is none of {', '.join(values)}" for value in listed if value not in values)


def _of_cases(cases: list[Any], world: dict[str, Any]) -> Iterator[str]:
    users = {str(entry["username"]): entry for entry in world["users"]}
    codes = {entry["code"] for entry in world["grounds"]}
    ids: set[str] = set()
    for where, case in _entries("case", cases):
        if not isinstance(case, dict) or not case.get("id") or not case.get("say"):
            yield f"{where} should have an id and what is said (say)"
            continue
        where = f"case {case['id']}"
        if str(case["id"]) in ids:
            yield f"{where} is there twice"
        ids.add(str(case["id"]))
        yield from (f"{where}: {problem}" for problem in _of_place(case, users, codes))
        yield from (f"{where}: {problem}" for problem in _of_expectations(case))


def _of_place(case: Entry, users: dict[str, Entry], codes: set[Any]) -> Iterator[str]:
    """Who says it, and in which ground."""
    name, ground = case.get("as") or "scheduler", case.get("ground")
    if name not in users:
        yield f"there is no user {name}"
    elif not ground and not users[name].get("role"):
        yield f"{name} has a role in no ground"
    elif ground in codes and not _is_member(users[name], ground):
        yield f"{name} has no role in {ground}"
    if ground and ground not in codes:
        yield f"there is no ground {ground}"


def _of_expectations(case: Entry) -> Iterator[str]:
    """What shall come of it."""
    if case.get("outcome") and case["outcome"] not in RunOutcome.values:
        yield f"outcome is {case['outcome']!r}, and none of {', '.join(RunOutcome.values)}"
    for key, kind in (("tools", list), ("has", list), ("hasnt", list), ("args", dict)):
        if case.get(key) is not None and not isinstance(case[key], kind):
            yield f"{key} should be a {kind.__name__}"
        elif key == "tools":
            yield from (f"there is no tool {tool}" for tool in case.get(key) or [] if tool not in TOOLS)


def _is_member(user: Entry, code: Any) -> bool:
    return bool(user.get("superuser")) or code in (user.get("role") or {})


def _entries(name: str, rows: list[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"{name} {number}", row) for number, row in enumerate(rows, 1))


def _is_day(value: Any) -> bool:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return True
    try:
        return bool(dt.date.fromisoformat(str(value)))
    except ValueError:
        return False
