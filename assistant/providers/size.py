"""How large a model call can be, known before it is made."""

import json
from dataclasses import dataclass

from django.conf import settings
from langchain.agents.middleware import ModelRequest
from langchain_core.messages import AIMessage
from langchain_core.utils.function_calling import convert_to_openai_tool

LARGEST = 1_000_000
"""Tokens in of a call that nothing is known of: what the largest contexts hold."""
PROVIDERS_OWN = 2_000
"""Tokens that providers put around what they are sent."""
BYTES_A_TOKEN = 4
"""As a rule. At least it is one, which is why bytes are the most tokens that a text can have."""


@dataclass(frozen=True)
class Size:
    """`most_*` is never passed; `likely_in` stands in where a provider does not tell."""

    most_in: int
    most_out: int
    likely_in: int


def size_of(request: ModelRequest | None) -> Size:
    if request is None:
        return Size(LARGEST, settings.ASSISTANT_OUTPUT_TOKENS, 0)
    texts = [json.dumps(convert_to_openai_tool(tool)) for tool in request.tools]
    messages = [*([request.system_message] if request.system_message else []), *request.messages]
    texts += [message.model_dump_json() for message in messages]
    number = sum(len(text.encode()) for text in texts)
    return Size(number + PROVIDERS_OWN, settings.ASSISTANT_OUTPUT_TOKENS, number // BYTES_A_TOKEN)


def likely_tokens(answer: AIMessage) -> int:
    size = len(answer.text.encode()) + len(json.dumps([call["args"] for call in answer.tool_calls]).encode())
    return max(1, size // BYTES_A_TOKEN)
