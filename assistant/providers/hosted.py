"""Hosted models by name, `provider:model`, in the order in which they are to be tried."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True)
class Link:
    """One model of the chain."""

    name: str
    model: BaseChatModel

    @property
    def provider(self) -> str:
        return self.name.partition(":")[0]


@cache
def hosted_models(names: tuple[str, ...]) -> tuple[Link, ...]:
    """The chat models of these names. Raises ImportError, saying what to install, for a provider that is not."""
    return tuple(Link(name, _model(name)) for name in names)


def configured() -> tuple[Link, ...]:
    return hosted_models(tuple(settings.ASSISTANT_MODELS))


def _model(name: str) -> BaseChatModel:
    provider, _, model = name.partition(":")
    if provider == "google_genai":
        from langchain_google_genai import ChatGoogleGenerativeAI

        # One attempt and a time limit: retries, with their budget and breaker, are the chain's.
        return ChatGoogleGenerativeAI(
            model=model,
            api_key=settings.GEMINI_API_KEY,
            base_url=settings.GEMINI_BASE_URL or None,
            max_retries=1,
            timeout=settings.ASSISTANT_CALL_SECONDS,
            max_output_tokens=settings.ASSISTANT_OUTPUT_TOKENS,
        )
    from langchain.chat_models import init_chat_model

    return init_chat_model(name, **_limits(provider))


def _limits(provider: str) -> dict[str, Any]:
    """The same for others, in their words. Ollama passes over those that it does not know, and never tries again."""
    seconds, tokens = settings.ASSISTANT_CALL_SECONDS, settings.ASSISTANT_OUTPUT_TOKENS
    if provider == "ollama":
        return {"num_predict": tokens, "client_kwargs": {"timeout": seconds}}
    return {"max_tokens": tokens, "max_retries": 0, "timeout": seconds}
