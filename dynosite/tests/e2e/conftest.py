"""The browser tests live in the world of the domain's tests."""

from allocations.conftest import committed_world

__all__ = ["committed_world"]
