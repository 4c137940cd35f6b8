from collections.abc import Iterator

import pytest
from hypothesis import settings

from allocations.tests.world import MONDAY, World, build_world
from dynosite.lib import clock

# The ordinary run takes the same examples each time; `--hypothesis-profile=long` looks for new ones, for minutes.
settings.register_profile(
    "ordinary", max_examples=30, stateful_step_count=30, deadline=None, derandomize=True, database=None
)
settings.register_profile("long", max_examples=300, stateful_step_count=60, deadline=None, print_blob=True)
settings.load_profile("ordinary")


@pytest.fixture
def monday() -> Iterator[None]:
    """Today is `day(0)`: for tests of places, plans and forms, which look from today on."""
    with clock.day_is(MONDAY):
        yield


@pytest.fixture
def world(db) -> World:
    return build_world()


@pytest.fixture
def committed_world(transactional_db) -> World:
    """The same, committed, for tests with several connections or processes."""
    return build_world()
