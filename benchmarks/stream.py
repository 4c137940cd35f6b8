"""Open panels on one web process: what each takes of its memory, how soon it hears, and what over reconnects.

The floor is a bare Redis client a panel that reads the same stream in this process, with no web server between.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable
from typing import Any

from django.db import connection

from assistant import streams
from benchmarks.panels import Heard, Panel, bare, raise_open_files
from benchmarks.report import Report, milliseconds
from benchmarks.scratch import GROUND, USER, build_site
from benchmarks.web_process import WebProcess
from dynosite.lib.redis_client import shared_text

HELP = "500 open panels on one web process: memory, latency against a bare Redis client, loss over reconnects"
PANELS = 500
APART = 0.005
"""Seconds between the first events of two panels, one after the other."""
SPEAKING, WORDS_A_SECOND = 20, 30
"""Panels that are answered at once while all are open, and events a second of each."""
DROPS, ENTRIES = 3, 24
"""Connections that each panel loses, and what its stream gets meanwhile."""
MAX_KILOBYTES = 110
MAX_TIMES_FLOOR = 10.0

Opened = list[Any]


def run(*, seconds: float) -> Report:
    raise_open_files()
    report = Report("stream")
    runs, cookie = _runs()
    connection.close()
    try:
        with WebProcess() as web:
            asyncio.run(_measure(report, web, runs, cookie, seconds))
    finally:
        shared_text().delete(*map(streams.key, runs))
    report.notes.append(
        f"{PANELS} panels, each with a run and a connection of its own, on one uvicorn process as `make run` starts "
        "it; clients, publisher, web process, Redis and PostgreSQL share the machine. Latency is from just before "
        "XADD to the event read in the client. Open: from the request to the first event, which waits there."
    )
    return report


def _runs() -> tuple[list[str], str]:
    """Runs that are under way, and the session cookie of their user."""
    from django.conf import settings
    from django.test import Client

    from assistant.enums import RunStatus
    from assistant.models import Conversation, Run
    from dynosite.accounts.models import User

    build_site(dynos=1, vehicles=1)
    talk = Conversation.objects.create(user_id=USER, ground_id=GROUND)
    runs = Run.objects.bulk_create(
        Run(conversation=talk, user_id=USER, ground_id=GROUND, status=RunStatus.RUNNING) for _ in range(PANELS)
    )
    client = Client()
    client.force_login(User.objects.get(pk=USER), backend="django.contrib.auth.backends.ModelBackend")
    name = settings.SESSION_COOKIE_NAME
    return [str(run.pk) for run in runs], f"{name}={client.cookies[name].value}"


def _begin(runs: list[str]) -> None:
    """Each stream anew, with one entry in it."""
    shared_text().delete(*map(streams.key, runs))
    for run_id in runs:
        streams.publish(run_id, "status", status="running")


async def _measure(report: Report, web: WebProcess, runs: list[str], cookie: str, seconds: float) -> None:
    _begin(runs)
    first = Panel(web.port, runs[0], cookie)
    await first.open()  # the process has served one, and all that it imports is there
    await first.close()
    before = web.kilobytes()
    sides: dict[str, list[Heard]] = {}
    for side in ("panel", "bare"):
        _begin(runs)
        began = time.perf_counter()
        opened = [Panel(web.port, run_id, cookie) if side == "panel" else bare(run_id) for run_id in runs]
        waits = [await panel.open() for panel in opened]
        report.rows.append(_row(side, f"open ({PANELS})", waits, time.perf_counter() - began))
        if side == "panel":
            each_takes = (web.kilobytes() - before) / PANELS
            report.rows[-1] |= {"KB a panel": round(each_takes, 1), "threads": web.threads()}
            report.ratios["KB of the web process a panel"] = each_takes
        listening = [asyncio.create_task(panel.listen()) for panel in opened]
        sides[f"{side} open"] = waits
        sides[f"{side} first"] = await _published(opened, _one_after_the_other, runs)
        report.rows.append(_row(side, "first event", sides[f"{side} first"], APART * PANELS))
        sides[f"{side} words"] = await _published(opened, _speaking, runs[:SPEAKING], seconds)
        report.rows.append(_row(side, f"words of {SPEAKING}", sides[f"{side} words"], seconds))
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        for panel in opened:
            await panel.close()
    for phase in ("open", "first", "words"):
        for percent in (50, 95):
            ours, floor = (milliseconds(sides[f"{side} {phase}"], percent) for side in ("panel", "bare"))
            report.ratios[f"{phase}: panel / bare, p{percent}"] = ours / floor
    await _over_reconnects(report, web, runs, cookie)
    if report.ratios["KB of the web process a panel"] > MAX_KILOBYTES:
        report.failures.append(f"a panel takes more than {MAX_KILOBYTES} KB")
    if report.ratios["first: panel / bare, p95"] > MAX_TIMES_FLOOR:
        report.failures.append(f"the first event takes more than {MAX_TIMES_FLOOR} times the floor")


def _row(side: str, label: str, waits: list[float], seconds: float) -> dict[str, Any]:
    return {
        "side": side,
        "what": label,
        "events": len(waits),
        "p50 ms": milliseconds(waits, 50),
        "p95 ms": milliseconds(waits, 95),
        "p99 ms": milliseconds(waits, 99),
        "seconds": round(seconds, 1),
        "KB a panel": "",
        "threads": "",
    }


async def _published(opened: Opened, publish: Callable, runs: list[str], *more: Any) -> list[float]:
    """Has a process of its own publish, and returns how long each event took to each of the opened."""
    process = multiprocessing.get_context("fork").Process(target=publish, args=(runs, *more))
    process.start()
    while process.is_alive():
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    return [wait for panel in opened for wait in panel.take()]


def _one_after_the_other(runs: list[str]) -> None:
    for run_id in runs:
        streams.publish(run_id, "text", text="The first words.", at=time.perf_counter())
        time.sleep(APART)


def _speaking(runs: list[str], seconds: float) -> None:
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end:
        for run_id in runs:
            streams.publish(run_id, "text", text="and more of them ", at=time.perf_counter())
        time.sleep(max(0.0, now + 1 / WORDS_A_SECOND - time.perf_counter()))


def _numbered(runs: list[str]) -> None:
    for number in range(ENTRIES):
        for run_id in runs:
            streams.publish(run_id, "text", n=number)
    for run_id in runs:
        streams.end(run_id, "done")


async def _over_reconnects(report: Report, web: WebProcess, runs: list[str], cookie: str) -> None:
    """Each panel loses its connection in mid-stream and comes again with the last id that it has heard."""
    shared_text().delete(*map(streams.key, runs))
    panels = [Panel(web.port, run_id, cookie) for run_id in runs]
    process = multiprocessing.get_context("fork").Process(target=_numbered, args=(runs,))
    process.start()
    following: list[Awaitable] = [panel.follow(drops=DROPS, seed=n) for n, panel in enumerate(panels)]
    await asyncio.wait_for(asyncio.gather(*following), timeout=240)
    process.join()
    lost = sum(len(set(range(ENTRIES)) - set(panel.numbers)) for panel in panels)
    twice = sum(len(panel.numbers) - len(set(panel.numbers)) for panel in panels)
    unordered = sum(panel.numbers != sorted(panel.numbers) for panel in panels)
    without_end = sum(not panel.ended for panel in panels)
    drops = sum(panel.drops for panel in panels)
    report.notes.append(
        f"Over {drops:,} connections that were cut in mid-stream, of {ENTRIES * len(panels):,} events: {lost} lost, "
        f"{twice} heard twice, {unordered} panels out of order, {without_end} without the end."
    )
    if lost or twice or unordered or without_end:
        report.failures.append(f"{lost} lost, {twice} twice, {unordered} out of order, {without_end} without the end")
    if drops < DROPS * len(panels) / 2:
        report.failures.append(f"only {drops} connections were cut")
