from collections.abc import Iterator

import pytest

from allocations.tests.world import World, build_world, day
from assistant.graph import checkpoints
from assistant.models import Conversation, Run
from assistant.tools.caller import Caller, Ctx
from dynosite.lib import clock


@pytest.fixture(scope="session", autouse=True)
def _checkpoints(django_db_setup) -> Iterator[None]:
    """A pool that this process opened would keep the test database from being dropped."""
    yield
    checkpoints.close_pool()


@pytest.fixture
def world(db) -> World:
    return build_world()


@pytest.fixture
def committed_world(transactional_db) -> World:
    return build_world()


@pytest.fixture
def wednesday():
    """Today is 2026-11-18."""
    with clock.day_is(day(2)):
        yield day(2)


def context(world: World, name: str = "scheduler", ground=None) -> Ctx:
    """A context with a conversation and a run of the user's."""
    user, ground = world.users[name], ground or world.north
    conversation = Conversation.objects.create(user=user, ground=ground)
    run = Run.objects.create(conversation=conversation, user=user, ground=ground)
    return Ctx(user.pk, ground.pk, conversation.pk, run.pk)


@pytest.fixture
def ctx(world, wednesday) -> Ctx:
    return context(world)


@pytest.fixture
def caller(ctx) -> Caller:
    return Caller(ctx)
