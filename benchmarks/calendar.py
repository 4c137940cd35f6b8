"""The calendar page through the real view, against its own queries alone: what Python adds, and how it grows."""

import datetime as dt
import gzip
import statistics
import time
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from benchmarks.report import Report, milliseconds
from benchmarks.scratch import DYNO, START, USER, build_site, fill
from dynosite.accounts.models import User
from dynosite.lib.ground_address import in_ground

HELP = "the calendar page with 20 dynos × 60 days and 200 × 120 × 3,000 allocations: server time, queries, bytes"
SIZES = ((20, 60, 150), (200, 120, 3_000))
"""Dynos, days, allocations."""
NEAR = 20
"""Rows asked for when they come near."""
MAX_QUERIES, MAX_BYTES = 9, 30 * 1024


def run(*, seconds: float) -> Report:
    report = Report("calendar")
    settings.ALLOWED_HOSTS = ["localhost"]
    pages: list[float] = []
    for dynos, days, allocations in SIZES:
        call_command("flush", interactive=False, verbosity=0)
        site = build_site(dynos=dynos, vehicles=dynos)
        fill(site, allocations, days=6, every=8)
        label = f"{dynos} × {days} × {allocations:,}"
        span = {"from": START, "to": START + dt.timedelta(days=days - 1)}
        pages.append(_measure(report, f"{label}: page", _address("schedule"), span, seconds))
        near = ",".join(str(DYNO + number) for number in range(NEAR))
        _measure(report, f"{label}: {NEAR} rows", _address("schedule-rows"), span | {"dynos": near}, seconds)
    report.ratios["large page / small page"] = pages[1] / pages[0]
    report.notes.append(
        "Server time without network, the middleware and sign-in included; the floor is the page's own queries, "
        "sent by bare psycopg. Bytes are those of the gzipped answer; the rows out of sight come as they near."
    )
    return report


def _address(name: str) -> str:
    return in_ground(reverse(f"allocations:{name}"), "BENCH")


def _measure(report: Report, label: str, address: str, data: dict, seconds: float) -> float:
    client = Client(SERVER_NAME="localhost", raise_request_exception=True)
    client.force_login(User.objects.get(pk=USER), backend="django.contrib.auth.backends.ModelBackend")

    def ask() -> Any:
        return client.get(address, data, secure=True, headers={"accept-encoding": "gzip"})

    ask()
    with CaptureQueriesContext(connection) as queries:
        answer = ask()
    sent = [query["sql"] for query in queries.captured_queries]  # now: the next request clears the log
    durations: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(durations) < 10:
        start = time.perf_counter()
        ask()
        durations.append(time.perf_counter() - start)
    floor = _floor(sent)
    content = answer.content
    plain = gzip.decompress(content) if answer.headers.get("Content-Encoding") == "gzip" else content
    report.rows.append(
        {
            "page": label,
            "queries": len(sent),
            "p50 ms": milliseconds(durations, 50),
            "p95 ms": milliseconds(durations, 95),
            "queries alone ms": floor,
            "gzip bytes": len(content),
            "bytes": len(plain),
        }
    )
    report.ratios[f"{label} / its queries"] = milliseconds(durations, 50) / floor
    wrong = {
        f"answered {answer.status_code}": answer.status_code != 200,
        f"{len(sent)} queries": len(sent) > MAX_QUERIES,
        f"{len(content)} bytes": len(content) > MAX_BYTES,
    }
    report.failures += [f"{label}: {problem}" for problem, is_wrong in wrong.items() if is_wrong]
    return milliseconds(durations, 50)


def _floor(statements: list[str]) -> float:
    database = connection.settings_dict
    durations = []
    with psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
        autocommit=True,
    ) as client:
        for _ in range(20):
            start = time.perf_counter()
            for statement in statements:
                cursor = client.execute(statement)
                if cursor.description:
                    cursor.fetchall()
            durations.append(time.perf_counter() - start)
    return 1000 * statistics.median(durations)
