"""The benchmarks that take the longest way, in small: they run to their end and find what they look for."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks import panels, stream, words
from benchmarks.report import Report
from dynosite.lib.connections import given_back
from dynosite.tests.e2e.test_assistant import start


def _of_its_own(work: Callable[..., Report], **more: Any) -> Report:
    with given_back():
        return work(**more)


def test_first_words_are_timed_in_the_panel_and_in_a_bare_page(browser_page, committed_world, hosted_worker, stub):
    page = start(browser_page, committed_world)
    for waits in (words.in_panel(page, stub, 2), words.in_bare_page(page, 2)):
        assert len(waits) == 2
        assert all(0 < wait < 30 for wait in waits)


def test_open_panels_are_measured_and_what_one_of_them_misses_is_found(transactional_db, monkeypatch):
    monkeypatch.setattr(stream, "PANELS", 4)
    monkeypatch.setattr(stream, "SPEAKING", 2)
    note, forgetful = panels.Panel._note, []

    def miss_one(panel: panels.Panel, event: dict) -> None:
        note(panel, event)
        if 7 in panel.numbers and not forgetful:
            forgetful.append(panel.numbers.pop())

    monkeypatch.setattr(panels.Panel, "_note", miss_one)
    # In a thread of its own: this one may have the loop of a browser that another test drives.
    with ThreadPoolExecutor(1) as thread:
        report = thread.submit(_of_its_own, stream.run, seconds=0.2).result()
    assert [(row["side"], row["what"]) for row in report.rows] == [
        (side, phase) for side in ("panel", "bare") for phase in ("open (4)", "first event", "words of 2")
    ]
    assert [row["events"] for row in report.rows[:2]] == [4, 4]
    assert "of 96 events: 1 lost, 0 heard twice, 0 panels out of order, 0 without the end" in report.notes[0]
    assert "1 lost, 0 twice, 0 out of order, 0 without the end" in report.failures
