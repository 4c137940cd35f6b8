"""From the names that a model or a person writes to the rows in the caller's ground.

Each raises NotFound if nothing fits, with similar names if there are any, and Unclear, with candidates, if several
rows fit.
"""

import re
from typing import TYPE_CHECKING

from allocations.exceptions import DomainError, NotFound
from allocations.selectors import dynos, grounds, vehicles
from allocations.selectors.fit import DRIVES
from assistant import matching
from assistant.exceptions import Unclear
from assistant.tools import rows
from assistant.tools.caller import Caller

if TYPE_CHECKING:
    from assistant.tools.row_types import Dyno, TestType, Vehicle

MAX_NAMED = 8


def vehicle(caller: Caller, text: str) -> "Vehicle":
    """Returns the vehicle of a tag or its beginning, a VIN or its end, an id, or a program with one vehicle."""
    text = re.sub(r"^(?:vehicle|vin|tag|id)\s*[:#]?\s*", "", str(text).strip(), flags=re.IGNORECASE) or str(text)
    if exact := vehicles.vehicle_named(text, caller.ground, user=caller.user):
        return exact
    query = vehicles.vehicles(caller.ground, user=caller.user)
    identities = list(query.values_list("pk", "tag", "vin"))
    ids = _ids_named(text, identities)
    ids = ids or list(query.filter(program__iexact=text).values_list("pk", flat=True)[:MAX_NAMED])
    if len(ids) == 1:
        return query.get(pk=ids[0])
    if ids:
        candidates = [rows.vehicle(row) for row in query.filter(pk__in=ids)[:MAX_NAMED]]
        named = ", ".join(row["vehicle"] for row in candidates) + (" and more" if len(ids) >= MAX_NAMED else "")
        raise Unclear(f"{text} fits several vehicles; say which: {named}.", candidates)
    near = matching.alike(text, [*_ids_by_name(identities)], least=80)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise NotFound(f"There is no vehicle {text} in {caller.ground}.{hint}")


_Identity = tuple[int, str, str | None]
"""Id, tag and VIN."""


def _ids_by_name(identities: list[_Identity]) -> dict[str, list[int]]:
    by_name: dict[str, list[int]] = {}
    for pk, *names in identities:
        for name in filter(None, names):
            by_name.setdefault(name, []).append(pk)
    return by_name


def _ids_named(text: str, identities: list[_Identity]) -> list[int]:
    """The vehicles that a text names: by tag or VIN, else by id, else by how a tag begins."""
    by_name = _ids_by_name(identities)
    tags = [tag for _, tag, _ in identities if tag]
    names = matching.vehicles_named(text, tags, [vin for _, _, vin in identities if vin])
    if not names and text.lstrip("#").isdigit() and len(text) < 12:
        number = int(text.lstrip("#"))
        if any(pk == number for pk, _, _ in identities):
            return [number]
    return sorted({pk for name in names or matching.beginning(text, tags) for pk in by_name[name]})


def dyno(caller: Caller, text: str) -> "Dyno":
    """Returns the dyno of a name."""
    query = dynos.dynos(caller.ground, user=caller.user)
    by_name = {row.name: row for row in query}
    names = matching.dynos_named(str(text), [*by_name])
    if len(names) == 1:
        return by_name[names[0]]
    if names:
        named = ", ".join(names[:MAX_NAMED])
        raise Unclear(
            f"{text} fits several dynos; say which: {named}.",
            [rows.dyno(by_name[name]) for name in names[:MAX_NAMED]],
        )
    near = matching.alike(str(text), [*by_name], least=70)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise NotFound(f"There is no dyno {text} in {caller.ground}.{hint}")


def test_type(caller: Caller, text: str) -> "TestType":
    """Returns the test type of a name."""
    by_name = {row.name: row for row in grounds.test_types(caller.ground, user=caller.user)}
    names = matching.test_types_named(str(text), [*by_name])
    if len(names) == 1:
        return by_name[names[0]]
    if names:
        raise Unclear(
            f"{text} fits several test types; say which: {', '.join(names)}.", [{"name": name} for name in names]
        )
    raise NotFound(f"There is no test type {text} in {caller.ground}; there are {', '.join(by_name)}.")


def drive(text: str | None) -> str:
    """Returns the code of a drive that people write, such as `4x4`; empty for no text. Raises DomainError if it is no
    drive.
    """
    if not text:
        return ""
    code = DRIVES.get(re.sub(r"[\s-]", "", text).upper())
    if code is None:
        raise DomainError(f"{text} is not a drive; it is 2WD or AWD.")
    return code
