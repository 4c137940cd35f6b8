"""The records that an answer speaks of, as links; made from the ids in tool results, never from a model's words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from assistant.web.addresses import allocation_page, dyno_page, is_own_page, vehicle_page
from dynosite.lib.ground_address import own_address, split_ground

MAX_RECORDS = 6
_KINDS = {"allocations": "Booking", "maintenance": "Maintenance", "requests": "Request"}


@dataclass(frozen=True)
class Record:
    """`parts` are the names that it goes by; a text speaks of it when all of them are there."""

    kind: str
    label: str
    url: str
    parts: tuple[str, ...]


def of_results(results: Iterable[Any]) -> list[Record]:
    by_url: dict[str, Record] = {}
    for result in results:
        for row in _rows(result):
            for record in _of_row(row):
                if is_own_page(record.url):
                    by_url.setdefault(record.url, replace(record, url=own_address(record.url)))
    return list(by_url.values())


def names(records: Iterable[Record]) -> dict[str, str]:
    """Vehicles and dynos by name, to make links of where they are written."""
    return {record.label: record.url for record in records if record.kind in ("Vehicle", "Dyno")}


def spoken_of(text: str, records: Iterable[Record]) -> list[Record]:
    """Bookings, requests and maintenance that the text is about and does not link to already."""
    mentioned = [
        record
        for record in records
        if record.kind not in ("Vehicle", "Dyno")
        and split_ground(record.url)[1] not in text
        and all(p in text for p in record.parts)
    ]
    return mentioned[:MAX_RECORDS]


def of_change(change: Any) -> list[dict[str, str]]:
    """Links to the bookings that a change wrote."""
    ids = allocations_of(change)
    if len(ids) > MAX_RECORDS:
        return []
    return [
        {"label": "The booking" if len(ids) == 1 else f"Booking {number}", "url": allocation_page(pk)}
        for number, pk in enumerate(ids, 1)
    ]


def allocations_of(change: Any) -> list[int]:
    items = change.items if change else []
    return list(dict.fromkeys(item["id"] for item in items if item["model"] == "allocation"))


def _rows(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("url"), str):
            yield value
        for item in value.values():
            yield from _rows(item)
    elif isinstance(value, list):
        for item in value:
            yield from _rows(item)


def _of_row(row: dict[str, Any]) -> Iterator[Record]:
    vehicle, dyno, url = row.get("vehicle"), row.get("dyno"), split_ground(row["url"])[1]
    if isinstance(row.get("vehicle_id"), int) and vehicle:
        yield Record("Vehicle", vehicle, vehicle_page(row["vehicle_id"]), (vehicle,))
    if isinstance(row.get("dyno_id"), int) and dyno:
        yield Record("Dyno", dyno, dyno_page(row["dyno_id"]), (dyno,))
    name = vehicle or dyno or row.get("label")
    kind = _KINDS.get(url.split("/")[1] if url.count("/") > 1 else "")
    if kind:
        yield _of_stay(kind, row, url)
    elif isinstance(name, str):
        yield Record("Vehicle" if url.startswith("/vehicles/") else "Dyno", name, url, (name,))


def _of_stay(kind: str, row: dict[str, Any], url: str) -> Record:
    """A booking, request or window, by what it is of and its days."""
    # A vehicle may have several requests, which differ by their test.
    test = row.get("test_type") if kind == "Request" else None
    parts = tuple(str(part) for part in (row.get("vehicle"), row.get("dyno"), test) if part)
    days = " – ".join(dict.fromkeys(str(row[name]) for name in ("first_day", "last_day") if row.get(name)))
    return Record(kind, ", ".join((*parts, days) if days else parts), url, parts)
