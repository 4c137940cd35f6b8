"""How a row, and a window, is known again in a later import, wherever in the sheet it then stands."""

import hashlib
from collections import defaultdict

from allocations.exchange.cells import fold
from allocations.exchange.outcome import Row, Window


def digest(*parts) -> str:
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=12).hexdigest()


def row_identities(rows: list[Row]) -> dict[int, str]:
    """Row number → identity: its test, vehicle, step and estimated start; equal rows are told apart by their rest."""
    alike = defaultdict(list)
    for row in rows:
        alike[row.given_identity or _key(row)].append(row)
    identities = {}
    for key, twins in alike.items():
        twins.sort(key=lambda r: (fold(r.facility), fold(r.dyno), str(r.first), r.days, _rest(r), r.number))
        for nth, row in enumerate(twins, 1):
            identities[row.number] = key if nth == 1 else f"{key}~{nth}"
    return identities


def _key(row: Row) -> str:
    start = row.estimated or row.first or ""
    return digest(fold(row.test_type), fold(row.vin or row.tag), fold(row.detail("step")), start)


def _rest(row: Row) -> str:
    return repr((row.status, row.weight_class, row.drive, row.miles, row.extra_days, row.note, row.details))


def window_reference(window: Window) -> str:
    """What a window of the maintenance sheet is known by on its dyno."""
    return f"workbook {window.first} to {window.last}"
