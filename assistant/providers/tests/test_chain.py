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
from assistant.providers import answers
from assistant.providers.breaker import FAILURES, Breaker
from assistant.providers.chain import ATTEMPTS, NOT_SET_UP, OFFLINE, Chain
from assistant.providers.failures import NoAnswerError
from assistant.providers.hosted import Link
from assistant.providers.size import size_of
from assistant.providers.tests import gemini_stub
from assistant.providers.tests.gemini_stub import GeminiStub
from assistant.providers.troubles import Troubles
from dynosite.lib.redis_client import shared_text

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
            troubles=Troubles(shared_text()),
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
        self.words, self.answer = words, final
        return final.text


@pytest.fixture
def stub():
    with GeminiStub() as server:
        yield server


@pytest.fixture
def turn(stub, redis_client):
    redis_client.flushdb()
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


REFUSALS = {
    "a bad key": gemini_stub.error(400, "API key not valid. Please pass a valid API key.", reason="INVALID_ARGUMENT"),
    "no right": gemini_stub.error(403, "Permission denied on resource project.", reason="PERMISSION_DENIED"),
    "no such model": gemini_stub.error(404, "models/gemini-9 is not found.", reason="NOT_FOUND"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_model_that_is_not_set_up_right_lets_the_offline_one_answer_and_admins_are_told_once(
    stub, turn, settings, redis_client, caplog, refusal
):
    settings.ASSISTANT_MODELS = [GEMINI]
    details = []
    turn.chain._tell = lambda event, data: details.append((event, data))
    stub.answers(REFUSALS[refusal])
    assert turn.say("hello") == "offline words"
    assert len(stub.requests) == 1
    assert details[-1] == ("model", {"name": OFFLINE, "why": NOT_SET_UP})
    (trouble,) = Troubles(shared_text()).current()
    assert (trouble.model, len([record for record in caplog.records if record.levelname == "ERROR"])) == (GEMINI, 1)
    # The next turn does not ask again, nor does it say so again.
    again = Turn(stub.url, redis_client)
    assert again.say("hello") == "offline words"
    assert (len(stub.requests), again.told) == (1, [("model", OFFLINE)])


def test_a_model_is_tried_again_after_the_pause_and_is_well_when_it_answers(stub, turn, settings):
    settings.ASSISTANT_MODELS = [GEMINI]
    troubles = Troubles(shared_text())
    assert troubles.begin(GEMINI, "no key")
    shared_text().delete(troubles._pause_of(GEMINI))
    assert not troubles.begin(GEMINI, "still no key")
    assert [(trouble.model, trouble.error) for trouble in troubles.current()] == [(GEMINI, "still no key")]
    shared_text().delete(troubles._pause_of(GEMINI))
    stub.answers(gemini_stub.text("well"))
    assert turn.say("hello") == "well"
    assert troubles.current() == []


def test_a_blocked_prompt_is_said_and_not_silent(stub, turn):
    stub.answers(gemini_stub.blocked())
    with pytest.raises(NoAnswerError, match="filter blocked"):
        turn.say("hello")
    assert len(stub.requests) == 1


def test_an_answer_that_the_filter_took_away_whole_is_a_block_too(stub, turn):
    stub.answers(gemini_stub.finishing("SAFETY"))
    with pytest.raises(NoAnswerError, match=r"filter blocked .*\(safety\)"):
        turn.say("hello")


UNUSABLE = {
    "malformed": gemini_stub.finishing("MALFORMED_FUNCTION_CALL"),
    "malformed after words": gemini_stub.finishing("MALFORMED_FUNCTION_CALL", "Let me "),
    "an empty stop": gemini_stub.finishing("STOP"),
    "thoughts only": gemini_stub.finishing("STOP", thoughts="Hmm."),
    "no candidates": gemini_stub.no_candidates(),
    "tokens spent on thoughts": gemini_stub.finishing("MAX_TOKENS", thoughts="Hmm."),
    "ended without a reason": gemini_stub.finishing(None, "NPG 1 is "),
}


@pytest.mark.parametrize("fault", UNUSABLE)
def test_an_answer_that_cannot_be_used_is_tried_again(stub, turn, fault):
    stub.answers(UNUSABLE[fault], gemini_stub.text("NPG 1 is free."))
    assert turn.say("hello") == "NPG 1 is free."
    assert turn.told == [("model", GEMINI), ("restart", None), ("model", GEMINI)]
    assert [error for _, _, error in turn.meter.after_calls] == [turn.meter.after_calls[0][2], ""]
    assert turn.meter.after_calls[0][2].startswith("No answer that could be used")
    assert turn.breaker.allows()


@pytest.mark.parametrize("fault", UNUSABLE)
def test_a_model_whose_answers_cannot_be_used_gives_way_to_the_next(stub, turn, fault):
    stub.answers(*[UNUSABLE[fault]] * ATTEMPTS)
    assert turn.say("hello") == "offline words"
    assert (len(stub.requests), turn.told[-1]) == (ATTEMPTS, ("model", OFFLINE))


def test_what_is_no_answer_of_the_api_gives_way_to_the_next_model(stub, turn):
    stub.answers(*[gemini_stub.garbage()] * ATTEMPTS)
    assert turn.say("hello") == "offline words"


def test_a_request_that_the_provider_does_not_take_gives_way_to_the_next_model(stub, turn):
    stub.answers(gemini_stub.error(400, "Please ensure that function call turns come right after a user turn."))
    assert turn.say("hello") == "offline words"
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [("MAX_TOKENS", answers.TOO_LONG), ("SAFETY", answers.FILTERED), ("OTHER", answers.BROKEN_OFF)],
)
def test_an_answer_that_breaks_off_is_one_and_is_marked(stub, turn, reason, sentence):
    stub.answers(gemini_stub.finishing(reason, "NPG 1 is ", "free on"))
    assert turn.say("hello") == "NPG 1 is free on"
    assert turn.answer.additional_kwargs[answers.CUT_KEY] == sentence
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    ("metadata", "worth"),
    [
        ({"finish_reason": "stop"}, "whole"),
        ({"finish_reason": "STOPSTOP"}, "whole"),
        ({"finish_reason": "STOPMAX_TOKENS"}, "cut"),
        ({"finish_reason": "length"}, "cut"),
        ({"stop_reason": "end_turn"}, "whole"),
        ({"stop_reason": "max_tokens"}, "cut"),
        ({"done_reason": "length"}, "cut"),
        ({}, "whole"),
    ],
)
def test_other_providers_tell_in_their_own_words_how_an_answer_ends(metadata, worth):
    assert answers.worth_of(AIMessage("NPG 1 is", response_metadata=metadata)) == worth


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

    events = []
    turn.meter.before = before
    turn.chain._tell = lambda event, data: events.append((event, data))
    assert turn.say("hello") == "offline words"
    assert stub.requests == []
    assert events[-1] == ("model", {"name": OFFLINE, "why": "It is spent."})


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
