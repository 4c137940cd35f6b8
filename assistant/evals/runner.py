"""Says what users say, through the real graph, and looks at what came of it."""

import datetime as dt
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage

from allocations.selectors import grounds
from assistant.graph.build import build_agent, config_of, offline_model
from assistant.graph.outcome import outcome_of
from assistant.models import Conversation, Run
from assistant.providers.hosted import hosted_models
from assistant.tools.caller import Caller, Ctx
from assistant.tools.cards import card_text
from dynosite.accounts.models import User

Case = dict[str, Any]
ModelFor = Callable[[Caller], BaseChatModel]


@dataclass
class Result:
    id: str
    passed: bool = False
    why: str = ""
    tools: list[dict[str, Any]] = field(default_factory=list)
    outcome: str = ""
    answer: str = ""
    ms: int = 0

    def as_json(self) -> dict[str, Any]:
        data = asdict(self)
        return {"id": data["id"], "pass": data.pop("passed")} | data


class NoModelError(Exception):
    """Why a model cannot be asked, in a sentence."""


def model_named(name: str | None) -> ModelFor:
    """The offline model without a name, else the hosted one (`provider:model`, or `gemini-…`).

    Raises NoModelError.
    """
    if name in (None, "", "offline"):
        return offline_model
    full = f"google_genai:{name}" if name.startswith("gemini") else name
    if ":" not in full:
        raise NoModelError(f"{name} is no model: name it as provider:model, such as google_genai:gemini-2.5-flash.")
    if full.startswith("google_genai:") and not settings.GEMINI_API_KEY:
        raise NoModelError("Gemini needs GEMINI_API_KEY. (The offline model needs nothing: leave --model out.)")
    try:
        model = hosted_models((full,))[0].model
    except Exception as error:  # each provider's client has its own
        raise NoModelError(f"The model {name} cannot be used: {' '.join(str(error).split())[:400]}") from error
    return lambda caller: model


def run_case(case: Case, world: dict[str, Any], model_for: ModelFor = offline_model) -> Result:
    """One case in a conversation of its own. Nothing is approved, so the world stays as it is."""
    result = Result(str(case["id"]))
    began = time.monotonic()
    try:
        _say(case, world, model_for, result)
        result.why = "; ".join(_misses(case, result))
        result.passed = not result.why
    except Exception as error:
        result.why = f"{type(error).__name__}: {error}"
    result.ms = round((time.monotonic() - began) * 1000)
    return result


def _say(case: Case, world: dict[str, Any], model_for: ModelFor, result: Result) -> None:
    name = case.get("as") or "scheduler"
    entry = next(row for row in world["users"] if str(row["username"]) == name)
    user = User.objects.get(username=name)
    code = case.get("ground") or next(iter(entry["role"]))
    ground = next(candidate for candidate in grounds.grounds_of(user) if candidate.code == code)
    conversation = Conversation.objects.create(user=user, ground=ground)
    answers: list[Any] = []
    for text in case["say"] if isinstance(case["say"], list) else [case["say"]]:
        run = Run.objects.create(conversation=conversation, user=user, ground=ground)
        ctx = Ctx(user.pk, ground.pk, conversation.pk, run.pk)
        caller = Caller(ctx)
        agent = build_agent(caller, model_for(caller))
        before = len(answers) + 1
        state = {"messages": [*answers, HumanMessage(str(text))]}
        # Streamed, as in the panel: a provider's answers come another way else.
        for mode, part in agent.stream(state, context=ctx, config=config_of(ctx), stream_mode=["messages", "values"]):
            answers = part["messages"] if mode == "values" else answers
        messages = answers[before:]
    result.tools = [
        {"name": call["name"], "args": call["args"]}
        for message in messages
        if isinstance(message, AIMessage)
        for call in message.tool_calls
    ]
    proposals = list(run.proposals.all())
    result.answer = "\n".join([messages[-1].text, *[card_text(proposal.card) for proposal in proposals]])
    result.outcome = str(outcome_of(messages, proposed=bool(proposals)).value)


def _misses(case: Case, result: Result) -> list[str]:
    misses = []
    if "tools" in case and (miss := _tools_miss(case["tools"], [call["name"] for call in result.tools])):
        misses.append(miss)
    if case.get("args"):
        misses += _args_misses(case, result)
    if (outcome := case.get("outcome")) and outcome != result.outcome:
        misses.append(f"the outcome is {result.outcome}, not {outcome}")
    answer = result.answer.casefold()
    misses += [f"{word!r} is missing" for word in case.get("has", []) if not _says(answer, word)]
    misses += [f"{word!r} is said" for word in case.get("hasnt", []) if _text(word) in answer]
    return misses


def _args_misses(case: Case, result: Result) -> list[str]:
    """What differs in the arguments of the last call of the tool that is expected last."""
    calls = [call for call in result.tools if not case.get("tools") or call["name"] == case["tools"][-1]]
    args = calls[-1]["args"] if calls else {}
    return [
        f"{name} is {args.get(name)!r}, not {value!r}"
        for name, value in case["args"].items()
        if _text(args.get(name)) != _text(value)
    ]


_DAYS = re.compile(r"(\d{1,2})(?: ([a-z]{3}))?(?: (\d{4}))?(?: – (\d{1,2}) ([a-z]{3})(?: (\d{4}))?)?")
"""A day or a stretch of days as sentences have them, in lower case: `28 nov – 4 dec 2026`, `14 – 15 dec 2026`."""


def _says(answer: str, value: Any) -> bool:
    """Whether the answer, in lower case, has the words; a date as ISO or as sentences have it."""
    if _text(value) in answer:
        return True
    return isinstance(value, dt.date) and any(_is_day(value, *end) for end in _ends(answer))


def _ends(answer: str) -> Iterator[tuple[str, str, str]]:
    """Day, month and year (or nothing) of each first and last day in the answer."""
    for first, month, year, last, last_month, last_year in _DAYS.findall(answer):
        yield first, month or last_month, year or last_year
        if last:
            yield last, last_month, last_year


def _is_day(value: dt.date, number: str, month: str, year: str) -> bool:
    return int(number) == value.day and month == f"{value:%b}".casefold() and year in ("", str(value.year))


def _text(value: Any) -> str:
    return str(value).casefold()


def _tools_miss(expected: list[str], called: list[str]) -> str:
    if not expected:
        return f"called {', '.join(called)}" if called else ""
    rest = iter(called)
    missing = [name for name in expected if name not in rest]
    return f"called {', '.join(called) or 'nothing'}, not {', '.join(expected)}" if missing else ""
