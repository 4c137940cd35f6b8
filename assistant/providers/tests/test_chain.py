"""The chain in a real graph, with the real Gemini client on a local stub."""

import json
import threading

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_google_genai import ChatGoogleGenerativeAI

from assistant.exceptions import Off, OverBudget
from assistant.providers.breaker import FAILURES, Breaker
from assistant.providers.chain import ATTEMPTS, OFFLINE, Chain
from assistant.providers.failures import Misconfigured, NoAnswer
from assistant.providers.hosted import Link
from assistant.providers.size import size_of
from assistant.providers.tests import gemini_stub
from assistant.providers.tests.gemini_stub import GeminiStub

GEMINI = "google_genai:gemini-2.5-flash"


class NotingMeter:
    def __init__(self):
        self.before_calls, self.after_calls, self.requests, self.broke_off = [], [], [], []

    def before(self, model, request=None):
        self.requests.append(request)
        self.before_calls.append(model)

    def after(self, model, answer, *, seconds, error="", broke_off=False):
        self.broke_off.append(broke_off)
        self.after_calls.append((model, answer.usage_metadata if answer else None, error.partition(":")[0]))


class Offline(GenericFakeChatModel):
    def bind_tools(self, tools, **kwargs):
        return self


class Turn:
    """One agent with the chain in front; `say` runs a turn and returns the last words."""

    def __init__(self, url, redis_client, *, tools=(), timeout=10.0):
        self.told, self.pauses = [], []
        self.meter = NotingMeter()
        model = ChatGoogleGenerativeAI(
            model="gemini-2.5-flash", api_key="stub", base_url=url, max_retries=1, timeout=timeout
        )
        offline = Offline(messages=iter([AIMessage("offline words")]))
        self.breaker = Breaker(redis_client, "google_genai")
        self.chain = Chain(
            [Link(GEMINI, model)],
            offline,
            meter=self.meter,
            breaker=lambda provider: self.breaker,
            tell=lambda event, data: self.told.append((event, data.get("name"))),
            pause=self.pauses.append,
        )
        self.agent = create_agent(offline, list(tools), middleware=[self.chain])

    def say(self, text):
        words = []
        final = None
        for mode, part in self.agent.stream(
            {"messages": [("user", text)]}, config={"recursion_limit": 40}, stream_mode=["messages", "values"]
        ):
            if mode == "messages" and part[0].text:
                words.append(part[0].text)
            elif mode == "values":
                final = part["messages"][-1]
        self.words = words
        return final.text


@pytest.fixture
def stub():
    with GeminiStub() as server:
        yield server


@pytest.fixture
def turn(stub, redis_client):
    redis_client.delete(*(redis_client.keys("dynosite:assistant:breaker:*") or ["none"]))
    return Turn(stub.url, redis_client)


def test_text_streams_and_usage_is_counted_once(stub, turn):
    stub.answers(gemini_stub.text("NPG 1 ", "is free."))
    assert turn.say("which is free?") == "NPG 1 is free."
    assert turn.words[:2] == ["NPG 1 ", "is free."]
    ((model, usage, error),) = turn.meter.after_calls
    assert (model, usage["input_tokens"], usage["output_tokens"], error) == (GEMINI, 10, 5, "")


def test_tool_round_trip_returns_the_result_and_the_thought_signature(stub, redis_client):
    def add(a: int, b: int) -> int:
        """Adds."""
        return a + b

    turn = Turn(stub.url, redis_client, tools=[add])
    stub.answers(gemini_stub.call("add", {"a": 2, "b": 3}), gemini_stub.text("5"))
    assert turn.say("2 + 3?") == "5"
    second = stub.requests[1]["body"]["contents"]
    assert [part for content in second for part in content["parts"] if "thoughtSignature" in part]
    (response,) = [
        part["functionResponse"] for content in second for part in content["parts"] if "functionResponse" in part
    ]
    assert response["name"] == "add"
    assert "5" in str(response["response"])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_transient_errors_are_tried_again_with_growing_pauses(stub, turn, status):
    stub.answers(gemini_stub.error(status, "later"), gemini_stub.error(status, "later"), gemini_stub.text("now"))
    assert turn.say("hello") == "now"
    assert len(stub.requests) == 3
    assert 0.25 <= turn.pauses[0] <= 0.5 <= turn.pauses[1] <= 1.0


def test_a_chain_that_is_down_falls_back_to_the_offline_model(stub, turn):
    stub.answers(*[gemini_stub.error(503, "down")] * ATTEMPTS)
    assert turn.say("hello") == "offline words"
    assert turn.told[-1] == ("model", OFFLINE)
    assert turn.meter.before_calls == [GEMINI] * ATTEMPTS + [OFFLINE]


def test_a_cut_stream_makes_the_panel_drop_the_half_answer(stub, turn):
    stub.answers(gemini_stub.cut_after("half an ans"), gemini_stub.text("whole"))
    assert turn.say("hello") == "whole"
    assert turn.told == [("model", GEMINI), ("restart", None), ("model", GEMINI)]


def test_a_stream_that_stalls_ends_by_its_time_limit(stub, redis_client):
    turn = Turn(stub.url, redis_client, timeout=0.4)
    released = threading.Event()
    stub.answers(gemini_stub.stalls_after("half", until=released), gemini_stub.text("whole"))
    assert turn.say("hello") == "whole"
    released.set()
    assert turn.meter.after_calls[0][2] == "ReadTimeout"


def test_a_bad_key_is_an_error_for_the_admin_and_no_fallback(stub, turn):
    stub.answers(gemini_stub.error(400, "API key not valid. Please pass a valid API key.", reason="INVALID_ARGUMENT"))
    with pytest.raises(Misconfigured, match="refused its configuration"):
        turn.say("hello")
    assert len(stub.requests) == 1
    assert ("model", OFFLINE) not in turn.told


def test_a_blocked_prompt_is_said_and_not_silent(stub, turn):
    stub.answers(gemini_stub.blocked())
    with pytest.raises(NoAnswer, match="gave no answer"):
        turn.say("hello")


def test_the_breaker_leaves_a_failing_provider_alone(stub, turn):
    stub.answers(*[gemini_stub.error(503, "down")] * (ATTEMPTS + FAILURES))
    turn.say("one")
    for _ in range(FAILURES - ATTEMPTS):
        assert turn.breaker.allows()
        turn.breaker.failed()
    assert not turn.breaker.allows()
    turn.breaker.succeeded()
    assert turn.breaker.allows()


def test_after_the_pause_one_caller_tries(redis_client):
    breaker = Breaker(redis_client, "test-trial")
    for _ in range(FAILURES):
        breaker.failed()
    assert not breaker.allows()
    redis_client.delete("dynosite:assistant:breaker:test-trial:open")
    assert [breaker.allows(), breaker.allows()] == [True, False]
    breaker.succeeded()


def test_a_spent_budget_leaves_the_offline_model_to_answer_and_says_why(stub, turn):
    def before(model, request=None):
        if model != OFFLINE:
            raise OverBudget("It is spent.")

    told = []
    turn.meter.before = before
    turn.chain._tell = lambda event, data: told.append((event, data))
    assert turn.say("hello") == "offline words"
    assert stub.requests == []
    assert told[-1] == ("model", {"name": OFFLINE, "why": "It is spent."})


def test_a_switched_off_assistant_answers_with_no_model_at_all(stub, turn):
    def before(model, request=None):
        raise Off("It is off.")

    turn.meter.before = before
    with pytest.raises(Off, match="It is off"):
        turn.say("hello")
    assert turn.meter.after_calls == []


def test_a_stop_ends_the_call_as_one_that_may_have_cost_something(stub, turn):
    class Stopped(BaseException):
        pass

    class Stopping(BaseCallbackHandler):
        raise_error = True

        def on_llm_new_token(self, token, **kwargs):
            raise Stopped

    stub.answers(gemini_stub.text("one ", "two"))
    with pytest.raises(Stopped):
        for _ in turn.agent.stream(
            {"messages": [("user", "hello")]}, config={"callbacks": [Stopping()]}, stream_mode="messages"
        ):
            pass
    assert turn.meter.after_calls == [(GEMINI, None, "Stopped")]
    assert turn.meter.broke_off == [True]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(gemini_stub.error(503, "down"), False), (gemini_stub.cut_after("half"), True)],
)
def test_only_what_the_provider_began_to_work_on_may_have_cost_something(stub, turn, answer, expected):
    stub.answers(answer, gemini_stub.text("now"))
    assert turn.say("hello") == "now"
    assert turn.meter.broke_off == [expected, False]


def test_what_a_call_can_come_to_is_known_before_it_is_made(stub, redis_client, settings):
    settings.ASSISTANT_OUTPUT_TOKENS = 500

    def add(a: int, b: int) -> int:
        """Adds."""
        return a + b

    turn = Turn(stub.url, redis_client, tools=[add])
    stub.answers(gemini_stub.text("5"))
    turn.say("x" * 8_000)
    (request,) = turn.meter.requests
    size = size_of(request)
    sent = len(json.dumps(stub.requests[0]["body"]))
    assert sent > 8_000
    assert size.most_in >= sent
    assert 8_000 / 4 < size.likely_in < sent / 2
    assert size.most_out == 500
