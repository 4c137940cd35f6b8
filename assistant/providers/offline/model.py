"""The offline model: rules behind the interface of a chat model, so that the same graph runs without any key."""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCallChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.tools import BaseTool

from assistant.providers.offline.reading import Vocabulary
from assistant.providers.offline.rules import Plan, plan

NAMESPACE = uuid.UUID("6b6f0c1e-6a41-4f1f-9a53-9d1b6a1f2f10")


class OfflineModel(BaseChatModel):
    """`vocabulary` gives the names and the day of the ground, asked at each call."""

    vocabulary: Callable[[], Vocabulary]
    thread: str = ""
    """The ids of its messages and calls follow from this and from what was said, so that a replay gives the same."""

    @property
    def _llm_type(self) -> str:
        return "dynosite-offline"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": "offline"}

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self.bind(tool_names=[_name(tool) for tool in tools])

    def _plan(self, messages: Sequence[BaseMessage], **kwargs: Any) -> tuple[Plan, uuid.UUID]:
        transcript = [
            [message.type, message.text, getattr(message, "tool_call_id", "")]
            for message in messages
            if message.type != "system"
        ]
        seed = uuid.uuid5(NAMESPACE, json.dumps([self.thread, *transcript]))
        return plan(messages, kwargs.get("tool_names", []), self.vocabulary()), seed

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        next_, seed = self._plan(messages, **kwargs)
        calls = [
            {"name": name, "args": args, "id": f"call_{uuid.uuid5(seed, str(i)).hex}", "type": "tool_call"}
            for i, (name, args) in enumerate(next_.calls)
        ]
        message = AIMessage(
            content=next_.text,
            tool_calls=calls,
            id=f"offline-{seed}",
            usage_metadata=_usage(),
            additional_kwargs=_outcome(next_),
            response_metadata={"model_name": "offline"},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        next_, seed = self._plan(messages, **kwargs)
        id_ = f"offline-{seed}"
        for word in _words(next_.text):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=word, id=id_))
            if run_manager:
                run_manager.on_llm_new_token(word, chunk=chunk)
            yield chunk
        for i, (name, args) in enumerate(next_.calls):
            call = ToolCallChunk(
                name=name,
                args=json.dumps(args),
                id=f"call_{uuid.uuid5(seed, str(i)).hex}",
                index=i,
                type="tool_call_chunk",
            )
            chunk = ChatGenerationChunk(message=AIMessageChunk(content="", id=id_, tool_call_chunks=[call]))
            if run_manager:
                run_manager.on_llm_new_token("", chunk=chunk)
            yield chunk
        last = AIMessageChunk(
            content="",
            id=id_,
            usage_metadata=_usage(),
            chunk_position="last",
            additional_kwargs=_outcome(next_),
            response_metadata={"model_name": "offline"},
        )
        yield ChatGenerationChunk(message=last)


def _name(tool: Any) -> str:
    if isinstance(tool, BaseTool):
        return tool.name
    if isinstance(tool, dict):
        return tool.get("name") or tool.get("function", {}).get("name", "")
    return getattr(tool, "__name__", "")


def _words(text: str) -> list[str]:
    """The text in pieces of a few words, as a hosted model would send it."""
    words = text.split(" ")
    return (
        [" ".join(words[i : i + 4]) + (" " if i + 4 < len(words) else "") for i in range(0, len(words), 4)]
        if text
        else []
    )


def _outcome(next_: Plan) -> dict[str, Any]:
    return {} if next_.calls else {"outcome": str(next_.outcome.value)}


def _usage() -> UsageMetadata:
    """It costs nothing."""
    return UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0)
