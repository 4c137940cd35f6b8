"""LangSmith traces turns by its own variables, and not without them."""

import os

from langchain_core.callbacks import CallbackManager


def test_nothing_is_traced_without_langsmith_s_variables():
    assert not [name for name in os.environ if name.startswith(("LANGSMITH_", "LANGCHAIN_"))]
    assert CallbackManager.configure().handlers == []
