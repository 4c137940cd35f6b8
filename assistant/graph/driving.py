"""Runs a graph so that it can be left at any time: when it is asked to stop, at its time limit, in the middle of a
model call that says nothing.

The graph works in a thread of its own. Once it is halted, it is given a moment to end by itself (each word and each
step asks); a thread that then still waits for a provider is left behind, and can neither call a tool nor write.
"""

import contextvars
import math
import queue
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langgraph.checkpoint.postgres import PostgresSaver

from assistant.providers.failures import CallTimeoutError

TICK = 0.1
"""Seconds between two looks at whether to go on."""
GRACE = 0.5


class Halt(StrEnum):
    STOPPED = "stopped"
    TOO_LONG = "too-long"
    UNLOCKED = "unlocked"
    """Its session with the database ended: another worker may have the conversation."""
    ABANDONED = "abandoned"
    """Nobody listens any more."""


class HaltedError(BaseException):
    """Ends a run from within. No `Exception`: nothing on the way may take it for a failure to try again."""

    def __init__(self, why: Halt) -> None:
        super().__init__(why)
        self.why = why


class Watch(BaseCallbackHandler):
    """Whether the run goes on; asked at each word, call and step. As a callback of the run it ends a model call."""

    raise_error = True
    run_inline = True

    def __init__(self) -> None:
        self.halted: Halt | None = None
        self._woken = threading.Event()
        self._call_until = math.inf

    def halt(self, why: Halt) -> None:
        """The first reason stays."""
        self.halted = self.halted or why
        self._woken.set()

    def check(self, *args: Any, **kwargs: Any) -> None:
        if self.halted:
            raise HaltedError(self.halted)

    def pause(self, seconds: float) -> None:
        """Waits, and no longer than the run goes on."""
        self._woken.wait(seconds)
        self.check()

    @contextmanager
    def call(self, seconds: float) -> Iterator[None]:
        """A model call, which may take so long, however steadily its words come."""
        self._call_until = time.monotonic() + seconds
        try:
            yield
        finally:
            self._call_until = math.inf

    def on_llm_new_token(self, *args: Any, **kwargs: Any) -> None:
        self.check()
        if time.monotonic() > self._call_until:
            raise CallTimeoutError("It went on for too long.")

    on_chat_model_start = on_tool_start = check


class GuardedSaver(PostgresSaver):
    """Writes nothing once its run is halted: its conversation may be another run's by then."""

    def __init__(self, pool: Any, watch: Watch) -> None:
        super().__init__(pool)
        self._watch = watch

    def put(self, *args: Any, **kwargs: Any) -> Any:
        self._watch.check()
        return super().put(*args, **kwargs)

    def put_writes(self, *args: Any, **kwargs: Any) -> None:
        self._watch.check()
        super().put_writes(*args, **kwargs)


class _End:
    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def drive(parts_of: Any, watch: Watch) -> Generator[Any, None, None]:
    """The parts that the iterator gives, and None every tenth of a second without one.

    Whoever consumes it halts the watch to end it; then, and whenever the graph raises, this raises. Close it to
    leave early: nothing is written then that comes after.
    """
    parts: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def work() -> None:
        try:
            for part in parts_of:
                parts.put(part)
        except BaseException as error:
            parts.put(_End(error))
        else:
            parts.put(_End())

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), daemon=True, name="assistant-graph").start()
    deadline = None
    try:
        while True:
            try:
                part = parts.get(timeout=TICK)
            except queue.Empty:
                part = None
            if isinstance(part, _End):
                if part.error is not None:
                    raise part.error
                return
            yield part
            if watch.halted:
                deadline = deadline or time.monotonic() + GRACE
                if time.monotonic() > deadline:
                    raise HaltedError(watch.halted)
    finally:
        watch.halt(Halt.ABANDONED)
