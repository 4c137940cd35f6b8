import pytest

from allocations.tests.world import World, build_world


@pytest.fixture
def world(db) -> World:
    return build_world()


@pytest.fixture
def committed_world(transactional_db) -> World:
    """The same, committed, for tests with several connections or processes."""
    return build_world()
