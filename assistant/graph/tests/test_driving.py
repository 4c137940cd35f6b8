import threading
import time
from contextlib import closing

import pytest

from assistant.graph.driving import GRACE, GuardedSaver, Halt, HaltedError, Watch, drive


def test_the_parts_come_in_order_and_the_end_ends_it():
    watch = Watch()
    assert [part for part in drive(iter("abc"), watch) if part is not None] == ["a", "b", "c"]


def test_an_error_of_the_graph_is_raised_where_it_is_heard():
    def broken():
        yield "a"
        raise ZeroDivisionError

    parts = drive(broken(), Watch())
    assert next(parts) == "a"
    with pytest.raises(ZeroDivisionError):
        list(parts)


def test_a_graph_that_is_silent_is_left_soon_after_it_is_halted():
    watch, never = Watch(), threading.Event()

    def silent():
        yield never.wait(30)

    parts = drive(silent(), watch)
    assert next(parts) is None
    watch.halt(Halt.STOPPED)
    watch.halt(Halt.TOO_LONG)
    began = time.monotonic()
    with pytest.raises(HaltedError) as halted:
        list(parts)
    never.set()
    assert halted.value.why == Halt.STOPPED
    assert GRACE <= time.monotonic() - began < 10


def test_who_stops_listening_halts_the_graph():
    watch = Watch()
    with closing(drive(iter("abc"), watch)) as parts:
        next(parts)
    with pytest.raises(HaltedError):
        watch.check()


@pytest.mark.parametrize("event", ["on_llm_new_token", "on_chat_model_start", "on_tool_start"])
def test_a_halted_watch_ends_whatever_begins_or_goes_on(event):
    watch = Watch()
    getattr(watch, event)("word")
    watch.halt(Halt.STOPPED)
    with pytest.raises(HaltedError):
        getattr(watch, event)("word")


def test_a_halted_run_writes_no_checkpoint():
    watch = Watch()
    saver = GuardedSaver(None, watch)
    watch.halt(Halt.ABANDONED)
    with pytest.raises(HaltedError):
        saver.put({}, {}, {}, {})
    with pytest.raises(HaltedError):
        saver.put_writes({}, [], "task")
