"""One turn through the graph, told in events that know nothing of LangGraph."""

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langgraph.config import get_stream_writer
from langgraph.errors import GraphRecursionError

from assistant.enums import RunOutcome
from assistant.graph import checkpoints, history
from assistant.graph.build import MODEL_CALLS, build_agent, config_of, offline_model
from assistant.graph.driving import GuardedSaver, Watch, drive
from assistant.graph.outcome import outcome_of
from assistant.graph.summary import Summary
from assistant.providers import hosted
from assistant.providers.answers import CUT_KEY
from assistant.providers.breaker import Breaker
from assistant.providers.chain import Chain, Meter
from assistant.providers.troubles import Troubles
from assistant.tools.caller import Caller, Ctx
from dynosite.lib.connections import lend_back
from dynosite.lib.redis_client import shared_text

CALL_SHARE = 0.5
"""Of a turn's time, that one model call may take: what is left is the next model's."""
MODEL_NODE, TOOL_NODE, LIMIT_NODE = "model", "tools", "ModelCallLimitMiddleware.before_model"
TOO_MANY_CALLS = (
    f"I stopped here: this took more than the {MODEL_CALLS} steps of one turn. Ask for a smaller part of it."
)


@dataclass(frozen=True)
class Words:
    """The next piece of an answer."""

    text: str


@dataclass(frozen=True)
class Restart:
    """What was said since the last message is dropped; it is said anew."""


@dataclass(frozen=True)
class ModelChosen:
    """`why` is told where it is not the one that was to answer, such as a spent budget. The call begins."""

    name: str
    why: str = ""
    attempt: int = 1


@dataclass(frozen=True)
class ModelMessage:
    """A whole message of the model: its text, and the tools that it calls (id, name). Where it breaks off, `cut` is a
    sentence that says so."""

    id: str
    text: str
    calls: tuple[tuple[str, str], ...] = ()
    cut: str = ""


@dataclass(frozen=True)
class Answered:
    """What came of a tool call."""

    call: str
    name: str
    status: str
    proposal: str = ""


@dataclass(frozen=True)
class Past:
    """What the turn before left, for a history that holds together."""

    results: Mapping[str, str] = field(default_factory=dict)
    partial_answer: str = ""
    superseded: tuple[str, ...] = ()


class TooManyStepsError(Exception):
    """The graph went round more often than a turn may."""


Event = Words | Restart | ModelChosen | ModelMessage | Answered | None


class GraphTurn:
    """A turn of this context. The id of its question in the graph is the run's: the same turn, taken up again, finds
    it there and goes on behind what is done."""

    def __init__(self, ctx: Ctx, *, meter: Meter) -> None:
        self._ctx = ctx
        self.watch = Watch()
        self._id = str(ctx.run_id)
        caller = Caller(ctx)
        offline = offline_model(caller, check=self.watch.check)
        chain = Chain(
            hosted.configured(),
            offline,
            meter=meter,
            breaker=_breaker,
            troubles=Troubles(shared_text()),
            tell=_tell,
            pause=self.watch.pause,
            limit=lambda: self.watch.call(settings.ASSISTANT_TURN_SECONDS * CALL_SHARE),
        )
        self._agent = build_agent(
            caller,
            offline,
            middleware=[Summary(offline, chain), chain, Inside(ctx, self.watch)],
            checkpointer=GuardedSaver(checkpoints.pool(), self.watch),
        )
        self._config = config_of(ctx) | {"callbacks": [self.watch]}

    def messages(self) -> list[ModelMessage]:
        """What the model has said in this turn, as far as the graph keeps it."""
        return [_model_message(message) for message in self._own() if isinstance(message, AIMessage)]

    def outcome(self, *, proposed: bool) -> RunOutcome:
        return outcome_of(self._own(), proposed=proposed)

    def go(self, text: str, past: Past | None = None) -> Generator[Event, None, None]:
        """Runs it to its end, from where it stands. Gives None now and then, when nothing happens."""
        messages, unfinished = self._state()
        past = past or Past()
        graph_input: dict[str, Any] | None = None
        if not history.has(messages, self._id):
            question = HumanMessage(text, id=self._id)
            graph_input = {
                "messages": history.opening(
                    messages,
                    question,
                    results=past.results,
                    partial_answer=past.partial_answer,
                    superseded=past.superseded,
                )
            }
        elif not unfinished:
            return
        stream = self._agent.stream(
            graph_input,
            context=self._ctx,
            config=self._config,
            stream_mode=["messages", "updates", "custom"],
            durability="sync",
        )
        with closing(drive(stream, self.watch)) as parts:
            try:
                for part in parts:
                    if part is None:
                        yield None
                    else:
                        yield from _events(*part)
            except GraphRecursionError as error:
                raise TooManyStepsError(str(error)) from error

    def _state(self) -> tuple[list[BaseMessage], bool]:
        state = self._agent.get_state(self._config)
        # Not `next`: it leaves out a step that was done but whose checkpoint was never written.
        return state.values.get("messages", []), bool(state.tasks)

    def _own(self) -> list[BaseMessage]:
        messages = self._state()[0]
        places = [i for i, message in enumerate(messages) if message.id == self._id]
        return messages[places[0] + 1 :] if places else []


class Inside(AgentMiddleware):
    """Around each single call of a model: whether the run goes on, and whether its user still may."""

    def __init__(self, ctx: Ctx, watch: Watch) -> None:
        super().__init__()
        self._ctx = ctx
        self._watch = watch

    def wrap_model_call(self, request: ModelRequest, handler: Any) -> ModelResponse:
        self._watch.check()
        Caller(self._ctx)
        # Many turns wait for their models at once: none keeps a connection of the pool meanwhile.
        lend_back()
        return handler(request)

    def wrap_tool_call(self, request: Any, handler: Any) -> Any:
        self._watch.check()
        return handler(request)


def _tell(event: str, data: dict[str, Any]) -> None:
    """Through the graph's own stream, so that it keeps its place among the words."""
    get_stream_writer()({"event": event} | data)


def _breaker(provider: str) -> Breaker:
    return Breaker(shared_text(), provider)


def _events(mode: str, part: Any) -> Iterator[Event]:
    if mode == "messages":
        message, about = part
        # Not the tools' results, nor the words of a summary.
        if about.get("langgraph_node") == MODEL_NODE and isinstance(message, AIMessageChunk) and message.text:
            yield Words(str(message.text))
    elif mode == "custom":
        if part["event"] == "model":
            yield ModelChosen(part["name"], part.get("why", ""), part.get("attempt", 1))
        else:
            yield Restart()
    elif mode == "updates":
        for node, update in part.items():
            yield from _of_update(node, update)


def _of_update(node: str, update: Any) -> Iterator[Event]:
    messages = (update or {}).get("messages", []) if isinstance(update, dict) else []
    for message in messages:
        if node in (MODEL_NODE, LIMIT_NODE) and isinstance(message, AIMessage):
            yield _model_message(message)
        elif node == TOOL_NODE and isinstance(message, ToolMessage):
            yield _answered(message)


def _model_message(message: AIMessage) -> ModelMessage:
    text = TOO_MANY_CALLS if message.text.startswith("Model call limits exceeded") else str(message.text)
    calls = tuple((call["id"] or "", call["name"]) for call in message.tool_calls)
    return ModelMessage(message.id or "", text, calls, str(message.additional_kwargs.get(CUT_KEY, "")))


def _answered(message: ToolMessage) -> Answered:
    try:
        result = json.loads(message.text)
    except ValueError:
        result = {}
    status = result.get("status", "failed")
    return Answered(message.tool_call_id, message.name or "", status, result.get("proposal", ""))
