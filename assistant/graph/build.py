"""Builds the agent: the model, the user's tools, the prompt, and limits."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ModelCallLimitMiddleware,
    ModelRequest,
    ModelResponse,
    ToolCallRequest,
)
from langchain.tools import ToolRuntime
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, SystemMessage, ToolMessage
from langchain_core.tools import BaseTool, StructuredTool

from allocations.selectors import grounds
from assistant import prompts
from assistant.enums import ProposalStatus
from assistant.graph import calling
from assistant.models import Proposal
from assistant.providers.offline.model import OfflineModel
from assistant.providers.offline.reading import Vocabulary
from assistant.providers.offline.vocabulary import vocabulary_of
from assistant.tools.caller import Caller, Ctx
from assistant.tools.declaring import Tool
from assistant.tools.registry import offered
from dynosite.lib.connections import given_back

RECURSION_LIMIT = 40
MODEL_CALLS = 8
"""A turn; then it ends with what there is. Each takes some four steps of the graph: fewer than its limit in all."""

CALLS_A_STEP = 12
"""Tool calls that one message of a model may make; the rest is refused."""


def build_agent(
    caller: Caller,
    model: BaseChatModel,
    *,
    middleware: Sequence[AgentMiddleware] = (),
    checkpointer: Any = None,
) -> Any:
    """The graph for one run of this user. Invoke it with `context=ctx` and `config_of(ctx)`."""
    layers: list[AgentMiddleware[Any, Any]] = [
        Prompt(caller),
        ModelCallLimitMiddleware(run_limit=MODEL_CALLS, exit_behavior="end"),
        *middleware,
        Calls(),
    ]
    return create_agent(
        model,
        tools=[as_langchain(tool) for tool in offered(caller)],
        middleware=layers,
        context_schema=Ctx,
        checkpointer=checkpointer,
    )


def config_of(ctx: Ctx) -> dict[str, Any]:
    return {"recursion_limit": RECURSION_LIMIT, "configurable": {"thread_id": str(ctx.conversation_id)}}


def offline_model(caller: Caller, *, check: Callable[[], object] | None = None) -> OfflineModel:
    """`check` is asked while it thinks; what that raises ends it."""

    def vocabulary() -> Vocabulary:
        names = vocabulary_of(caller)
        return replace(names, check=check) if check else names

    return OfflineModel(vocabulary=vocabulary, thread=str(caller.ctx.run_id or caller.ctx.conversation_id))


def as_langchain(tool: Tool) -> BaseTool:
    """The tool as the graph wants it. Whatever happens in it, its answer is text for the model and no exception."""

    def run(runtime: ToolRuntime[Ctx], **args: Any) -> str:
        result = calling.call(tool.name, args, ctx=runtime.context, call_id=runtime.tool_call_id or "")
        return json.dumps(result)

    return _Tool(name=tool.name, description=tool.description, args_schema=tool.args, func=run)


class _Tool(StructuredTool):
    def _to_args_and_kwargs(self, tool_input: Any, tool_call_id: str | None) -> tuple[tuple, dict]:
        """LangChain drops the runtime, too, of a tool without arguments."""
        args, kwargs = super()._to_args_and_kwargs(tool_input, tool_call_id)
        if "runtime" not in kwargs and isinstance(tool_input, dict) and "runtime" in tool_input:
            kwargs = {**kwargs, "runtime": tool_input["runtime"]}
        return args, kwargs


class Calls(AgentMiddleware):
    """Lets at most so many calls of a step through, and answers those that the graph would refuse by itself (no such
    tool, arguments that do not fit) through `calling`, so that they are recorded like any other. The innermost."""

    def wrap_tool_call(self, request: ToolCallRequest, handler: Any) -> Any:
        call = request.tool_call
        if _place_in_step(request) >= CALLS_A_STEP:
            answer = calling.refuse
        elif request.tool is None or not calling.fits(call["name"], call["args"]):
            answer = calling.call
        else:
            return handler(request)
        result = answer(call["name"], call["args"], ctx=_context_of(request), call_id=call["id"] or "")
        return ToolMessage(json.dumps(result), tool_call_id=call["id"], name=call["name"])


def _context_of(request: Any) -> Ctx:
    """LangChain does not tell the type of the context that it is given."""
    return request.runtime.context


def _place_in_step(request: ToolCallRequest) -> int:
    """How many calls the model's message has before this one."""
    step = next((message for message in reversed(request.state["messages"]) if isinstance(message, AIMessage)), None)
    calls = [(call["id"], call["name"], call["args"]) for call in step.tool_calls] if step else []
    own = (request.tool_call["id"], request.tool_call["name"], request.tool_call["args"])
    return calls.index(own) if own in calls else 0


class Prompt(AgentMiddleware):
    """Puts the live prompt, with who, where and when, before what was said; it is in no checkpoint. The outermost."""

    def __init__(self, caller: Caller) -> None:
        super().__init__()
        self._caller = caller

    def wrap_model_call(self, request: ModelRequest, handler: Any) -> ModelResponse:
        # The graph calls models in threads of its own.
        with given_back():
            return handler(request.override(system_message=SystemMessage(system_prompt(self._caller))))


def system_prompt(caller: Caller) -> str:
    types = grounds.test_types(caller.ground, user=caller.user).values_list("name", flat=True)
    return prompts.text().format(
        user=caller.user.display_name,
        role=caller.role.label.lower(),
        ground=caller.ground.name,
        today=f"{caller.today:%A}, {caller.today}",
        test_types=", ".join(types[:60]),
        page=_page(caller.ctx.page),
        proposals=_proposals(caller),
    )


def _page(page: dict[str, Any]) -> str:
    return f"The page in view, as data: {json.dumps(page)[:2000]}\n" if page else ""


def _proposals(caller: Caller) -> str:
    """What became of the proposals of this conversation, which the messages do not tell."""
    proposals = Proposal.objects.filter(conversation_id=caller.ctx.conversation_id).order_by("-created_at")[:10]
    if not proposals:
        return ""
    rows = [
        {
            "proposal": str(proposal.pk),
            "title": str(proposal),
            "status": ProposalStatus(proposal.status).label,
            "word": proposal.word,
        }
        for proposal in reversed(proposals)
    ]
    return f"Proposals of this conversation, as data: {json.dumps(rows)}\n"
