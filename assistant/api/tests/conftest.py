"""A client for each of the cast, with a token; answers are JSON."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from allocations.tests.world import World
from assistant.graph.calling import call
from assistant.models import Proposal
from assistant.tools.caller import Ctx
from dynosite.accounts import tokens

ROOT = "/api/v1/assistant"
BOOK = {
    "vehicle": "412W103",
    "dyno": "NPG 1",
    "test_type": "brake",
    "start_date": "2026-12-21",
    "end_date": "2026-12-22",
}


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any


class Program:
    """Asks with a token, or as a stranger."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self._client = Client(headers={"Authorization": f"Bearer {text}"} if text else {})

    def get(self, path: str, **query: Any) -> Answer:
        return self._answer(self._client.get(ROOT + path, query))

    def post(self, path: str, body: Any = None, *, content_type: str = "application/json", **headers: str) -> Answer:
        return self._answer(
            self._client.post(ROOT + path, {} if body is None else body, content_type=content_type, headers=headers)
        )

    def _answer(self, response: Any) -> Answer:
        body = {} if response.streaming else response.json()
        return Answer(response.status_code, body, response.headers)


def program_of(world: World, name: str) -> Program:
    return Program(tokens.issue(world.users[name], f"of {name}", days=30, may_write=True)[1])


@pytest.fixture
def owner(world) -> Program:
    return program_of(world, "scheduler")


@pytest.fixture
def proposal(world, ctx: Ctx) -> Proposal:
    """A booking that waits for the owner's approval."""
    result = call("book_allocation", BOOK, ctx=ctx, call_id="call-1")
    return Proposal.objects.get(pk=result["proposal"])
