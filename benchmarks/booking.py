"""Bookings a second through the service, against the same statements in bare psycopg."""

import datetime as dt
import itertools
import statistics
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import psycopg
from django.db import connection, connections
from psycopg.types.json import Json, Jsonb

from allocations.enums import RefusalCode
from allocations.services.booking import book
from benchmarks.clients import Step, run_clients
from benchmarks.report import Report, milliseconds
from benchmarks.scratch import DYNO, START, TEST_TYPE, VEHICLE, build_site

HELP = "bookings a second against the same statements in bare psycopg, with 1, 8 and 50 clients"
DYNOS = 200
REPEATS = 6
ALL_ON_ONE = "50, one dyno"
CLIENTS = {"1": 1, "8": 8, "50": 50, ALL_ON_ONE: 50}
MIN_OF_FLOOR = 0.5

ANY_DAY = frozenset({RefusalCode.LONG_PAST, RefusalCode.FAR_AHEAD})
"""What is confirmed: there are more free days to book than are near today."""

Slot = tuple[int, int, dt.date]
"""Vehicle, dyno, day."""


def run(*, seconds: float) -> Report:
    """Raises nothing for a slow service; what must hold and does not is in the report's failures."""
    site = build_site(dynos=DYNOS, vehicles=DYNOS)
    actor = site.actor()
    statements = statements_of_a_booking(actor)
    report = Report("booking")
    runs = itertools.count(1)
    for label, clients in CLIENTS.items():
        rates: dict[str, list[float]] = {"service": [], "psycopg": []}
        for repeat in range(REPEATS):
            for side in sorted(rates, reverse=bool(repeat % 2)):  # each goes first as often as the other
                slots = partial(_slots, clients=clients, run=next(runs), one_dyno=label == ALL_ON_ONE)
                client = service_client if side == "service" else psycopg_client
                deadlocks = _deadlocks()
                connections.close_all()
                outcome = run_clients(
                    partial(client, actor=actor, statements=statements, slots=slots),
                    clients=clients,
                    seconds=seconds / 3,
                )
                rates[side].append(outcome.rate)
                row = {
                    "clients": label,
                    "side": side,
                    "a second": round(outcome.rate),
                    "p50 ms": milliseconds(outcome.seconds, 50),
                    "p95 ms": milliseconds(outcome.seconds, 95),
                    "errors": sum(outcome.errors.values()),
                    "deadlocks": _deadlocks() - deadlocks,
                }
                report.rows.append(row)
                if row["errors"] or row["deadlocks"]:
                    report.failures.append(f"{label} clients, {side}: {outcome.errors}, {row['deadlocks']} deadlocks")
        report.ratios[f"{label} clients: service / psycopg"] = statistics.median(
            ours / floor for ours, floor in zip(rates["service"], rates["psycopg"], strict=True)
        )
    if report.ratios["1 clients: service / psycopg"] < MIN_OF_FLOOR:
        report.failures.append(f"with 1 client the service has less than {MIN_OF_FLOOR} of psycopg's rate")
    report.notes.append(
        f"{len(statements)} statements and one commit a booking, the same on both sides; median of {REPEATS} pairs. "
        "The service also publishes each booking to Redis; psycopg prepares its statements by itself."
    )
    return report


def _slots(client: int, *, clients: int, run: int, one_dyno: bool) -> Iterator[Slot]:
    """Free slots, no two clients the same: each has dynos of its own, or all days of one dyno in turn."""
    first = START + dt.timedelta(days=20_000 * run)
    if one_dyno:
        for n in itertools.count():
            yield VEHICLE + client, DYNO, first + dt.timedelta(days=n * clients + client)
    else:
        own = range(client, DYNOS, clients)
        for n in itertools.count():
            for dyno in own:
                yield VEHICLE + dyno, DYNO + dyno, first + dt.timedelta(days=2 * n)


def service_client(number: int, *, actor, statements, slots: Callable) -> tuple[Step, Step]:
    free = slots(number)

    def step() -> None:
        vehicle, dyno, day = next(free)
        book(vehicle, dyno, test_type_id=TEST_TYPE, first_day=day, last_day=day, actor=actor, confirmed=ANY_DAY)

    return step, connection.close


def psycopg_client(number: int, *, actor, statements, slots: Callable) -> tuple[Step, Step]:
    free = slots(number)
    database = connection.settings_dict
    client = psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
    )
    cursor = client.cursor()

    def step() -> None:
        slot = next(free)
        replacements: dict[Any, Any] = {
            RECORDED[name]: value for name, value in zip(RECORDED, (*slot, uuid.uuid4()), strict=True)
        }
        for text, parameters in statements:
            cursor.execute(text, _filled(parameters, replacements))
            if cursor.description:
                rows = cursor.fetchall()
                if "INSERT INTO" in text and rows and isinstance(rows[0][0], int):
                    replacements[SEEN_ID] = rows[0][0]
        client.commit()

    return step, client.close


RECORDED: dict[str, Any] = {
    "vehicle": VEHICLE + 1,
    "dyno": DYNO + 1,
    "day": dt.date(2025, 3, 3),
    "change": uuid.UUID("5ee00000-0000-4000-8000-000000000000"),
}
"""The values of the booking whose statements are taken down; the floor puts others in their places."""
SEEN_ID = 70_000_007


def statements_of_a_booking(actor) -> list[tuple[str, Any]]:
    """The statements and parameters that the service sends for one booking."""
    statements: list[tuple[str, Any]] = []

    def note(execute, text, parameters, many, context):
        statements.append((text, parameters))
        return execute(text, parameters, many, context)

    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('allocations_allocation', 'id'), %s)", [SEEN_ID - 1])
    uuid4, uuid.uuid4 = uuid.uuid4, lambda: RECORDED["change"]
    try:
        with connection.execute_wrapper(note):
            book(
                RECORDED["vehicle"],
                RECORDED["dyno"],
                test_type_id=TEST_TYPE,
                first_day=RECORDED["day"],
                last_day=RECORDED["day"],
                actor=actor,
                confirmed=ANY_DAY,
            )
    finally:
        uuid.uuid4 = uuid4
    return [(text, _as_text(parameters)) for text, parameters in statements]


def _as_text(parameters: Any) -> Any:
    """JSON as text, so that values inside it are found and replaced like the others."""
    if isinstance(parameters, dict):
        return {name: _as_text(value) for name, value in parameters.items()}
    if isinstance(parameters, list | tuple):
        return type(parameters)(_as_text(value) for value in parameters)
    if isinstance(parameters, Json | Jsonb):
        return parameters.dumps(parameters.obj) if parameters.dumps else Jsonb(parameters.obj)
    return parameters


def _filled(parameters: Any, replacements: dict[Any, Any]) -> Any:
    if isinstance(parameters, dict):
        return {name: _filled(value, replacements) for name, value in parameters.items()}
    if isinstance(parameters, list | tuple):
        return [_filled(value, replacements) for value in parameters]
    if isinstance(parameters, str) and len(parameters) > 20:
        for old, new in replacements.items():
            parameters = parameters.replace(str(old), str(new))
        return parameters
    return replacements.get(parameters, parameters) if parameters.__hash__ else parameters


def _deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]
