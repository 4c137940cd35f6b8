"""Models of other providers, as they are asked for; the libraries are optional."""

import pytest

from assistant.providers import hosted


@pytest.fixture
def limited(settings):
    settings.ASSISTANT_CALL_SECONDS, settings.ASSISTANT_OUTPUT_TOKENS = 7, 500
    hosted.hosted_models.cache_clear()
    yield
    hosted.hosted_models.cache_clear()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("openai:gpt-5-mini", {"max_tokens": 500, "max_retries": 0, "timeout": 7}),
        ("anthropic:claude-sonnet-4-5", {"max_tokens": 500, "max_retries": 0, "timeout": 7}),
        ("ollama:llama3.1", {"num_predict": 500, "client_kwargs": {"timeout": 7}}),
    ],
)
def test_each_model_is_told_how_long_an_answer_may_be_and_take(limited, monkeypatch, name, options):
    """Budgets hold back no more than that for a call, and only the chain tries again."""
    calls = []
    monkeypatch.setattr("langchain.chat_models.init_chat_model", lambda name, **more: calls.append((name, more)))
    (link,) = hosted.hosted_models((name,))
    assert calls == [(name, options)]
    assert link.provider == name.partition(":")[0]


def test_gemini_is_told_too(limited, settings):
    settings.GEMINI_API_KEY = "stub"
    (link,) = hosted.hosted_models(("google_genai:gemini-2.5-flash",))
    assert (link.model.max_output_tokens, link.model.timeout, link.model.max_retries) == (500, 7, 1)
