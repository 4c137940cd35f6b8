import pytest
from django.core.checks import run_checks

from assistant.checks import check_models

GEMINI = "google_genai:gemini-2.5-flash"


@pytest.mark.parametrize(
    ("key", "models", "expected"),
    [
        ("", [], []),
        ("k", [GEMINI], []),
        ("k", [GEMINI, "openai:gpt-x"], ["assistant.W003"]),
        ("k", [], ["assistant.W004"]),
        ("", [GEMINI], ["assistant.W005"]),
        ("k", [GEMINI, "gemini"], ["assistant.E002"]),
        ("", ["ollama:"], ["assistant.E002"]),
    ],
)
def test_models_that_are_set_up_wrongly_are_named_with_what_to_do(settings, key, models, expected):
    settings.GEMINI_API_KEY, settings.ASSISTANT_MODELS = key, models
    messages = check_models(None)
    assert [message.id for message in messages] == expected
    assert all(message.hint for message in messages)
    assert [message.id for message in run_checks() if message.id.startswith("assistant.")] == expected


def test_a_model_without_a_price_is_told_which_variable_to_set(settings):
    settings.ASSISTANT_MODELS = ["openai:gpt-x"]
    (message,) = check_models(None)
    assert message.hint.startswith("Set ASSISTANT_PRICES=openai:gpt-x=in/out")
