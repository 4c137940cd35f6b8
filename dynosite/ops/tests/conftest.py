"""The wall is tested round the site as it is used, with the world of the domain's tests in it."""

from allocations.conftest import committed_world, world

__all__ = ["committed_world", "world"]
