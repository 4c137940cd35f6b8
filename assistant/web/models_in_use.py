"""How models are called on pages."""

from django.conf import settings

from assistant.providers.chain import OFFLINE


def offline_only() -> bool:
    """Whether no hosted model is set up."""
    return not settings.ASSISTANT_MODELS


def is_offline(name: str) -> bool:
    return name == OFFLINE


def model_label(name: str) -> str:
    """`google_genai:gemini-2.5-flash` is gemini-2.5-flash."""
    if is_offline(name):
        return "Offline assistant"
    return name.rpartition(":")[2]
