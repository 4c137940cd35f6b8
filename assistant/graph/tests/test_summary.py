"""Long conversations in the real graph with the real Gemini client on a local stub."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.serde import _msgpack

from assistant.enums import Author, RunStatus
from assistant.graph import checkpoints, summary
from assistant.models import ModelCall
from assistant.providers import hosted
from assistant.providers.chain import ATTEMPTS
from assistant.providers.tests import gemini_stub
from assistant.providers.tests.gemini_stub import GeminiStub
from assistant.tests.conftest import GEMINI, ask, texts
from assistant.turns import running

LONG = "Tell me of NPG 1. " + "It is long. " * 500


@pytest.fixture
def stub(settings):
    settings.ASSISTANT_SUMMARY_AT, settings.ASSISTANT_SUMMARY_TAIL = 6_000, 4
    with GeminiStub() as server:
        settings.GEMINI_API_KEY, settings.GEMINI_BASE_URL = "stub", server.url
        settings.ASSISTANT_MODELS = [GEMINI]
        hosted.hosted_models.cache_clear()
        yield server
        hosted.hosted_models.cache_clear()


def say(world, text, conversation_id=None):
    run = ask(world, text, conversation_id=conversation_id)
    running.run_turn(run.pk)
    run.refresh_from_db()
    return run


def state(run) -> list:
    with checkpoints.saver() as saver:
        saved = saver.get_tuple({"configurable": {"thread_id": str(run.conversation_id)}})
    return saved.checkpoint["channel_values"]["messages"]


def talk(world, stub, turns: int):
    run = None
    for number in range(turns):
        stub.answers(gemini_stub.text(f"Answer {number}."))
        run = say(world, f"{number}: {LONG}", run and run.conversation_id)
        assert run.status == RunStatus.DONE
    return run


def test_a_long_conversation_is_shortened_for_the_model_and_whole_for_its_people(committed_world, stub):
    first = talk(committed_world, stub, 4)
    stub.answers(gemini_stub.text("They spoke of NPG 1."), gemini_stub.text("Answer 4."))
    run = say(committed_world, "and now?", first.conversation_id)
    assert run.status == RunStatus.DONE
    shortening, sent = stub.requests[-2]["body"], stub.requests[-1]["body"]
    assert shortening["contents"][0]["parts"][0]["text"].startswith(summary.TASK[:40])
    parts = [part["text"] for content in sent["contents"] for part in content["parts"]]
    assert "They spoke of NPG 1." in parts[0]
    assert parts[-1] == "and now?"
    assert f"0: {LONG}".strip() not in parts
    # Its words are no answer: neither in the stream nor in the transcript.
    assert texts(run) == "Answer 4."
    answers = run.conversation.messages.filter(author=Author.ASSISTANT).values_list("text", flat=True)
    assert list(answers) == [f"Answer {number}." for number in range(5)]
    assert run.conversation.messages.filter(author=Author.USER).count() == 5
    assert ModelCall.objects.filter(run=run).count() == 2


def test_a_turn_longer_than_the_tail_keeps_its_question(committed_world, stub):
    """By which it is known when another worker takes it up."""
    run = talk(committed_world, stub, 4)
    calls = [gemini_stub.call("list_dynos", {}, id_=f"call-{number}") for number in range(3)]
    stub.answers(gemini_stub.text("Shortened."), *calls, gemini_stub.text("There they are."))
    run = say(committed_world, "list the dynos", run.conversation_id)
    assert run.status == RunStatus.DONE
    kinds = [message.type for message in state(run)]
    assert kinds == ["human", "ai", "human", "ai", "human", *["ai", "tool"] * 3, "ai"]
    assert state(run)[4].id == str(run.pk)


def test_without_a_model_it_is_shortened_by_rules(committed_world, stub):
    first = talk(committed_world, stub, 4)
    stub.answers(*[gemini_stub.error(503, "down")] * ATTEMPTS)
    run = say(committed_world, "list the dynos", first.conversation_id)
    assert (run.status, run.model) == (RunStatus.DONE, "offline")
    shortened = state(run)[0].text
    assert "- User: 0: Tell me of NPG 1." in shortened
    assert "- Assistant: Answer 0." in shortened
    assert len(shortened) < len(LONG)


def test_a_digest_says_who_said_what_and_leaves_results_out():
    messages = [
        HumanMessage("One\n two"),
        AIMessage(""),
        ToolMessage("secret", tool_call_id="1"),
        AIMessage("x" * 999),
    ]
    short = summary.digest(messages)
    assert short == f"- User: One two\n- Assistant: {'x' * summary.MAX_LINE_LENGTH}…"
    earlier = HumanMessage(f"So far:\n\n{short}", additional_kwargs={"lc_source": "summarization"})
    assert summary.digest([earlier, AIMessage("more")]) == f"{short}\n- Assistant: more"


def test_only_the_last_state_of_a_thread_is_kept(committed_world, stub):
    run = talk(committed_world, stub, 2)
    with checkpoints.saver() as saver:
        states = list(saver.list({"configurable": {"thread_id": str(run.conversation_id)}}))
    assert len(states) == 1


def test_a_checkpoint_brings_back_known_types_only():
    assert _msgpack.STRICT_MSGPACK_ENABLED
