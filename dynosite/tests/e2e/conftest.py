"""The browser tests live in the world of the domain's tests, with the assistant's workers."""

from allocations.conftest import committed_world
from assistant.tests.conftest import _hosted_process, _offline_process, _stub, hosted_worker, offline_worker, stub

__all__ = [
    "_hosted_process",
    "_offline_process",
    "_stub",
    "committed_world",
    "hosted_worker",
    "offline_worker",
    "stub",
]
