"""LangSmith traces turns by its own variables, and not without them."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from langchain_core.callbacks import CallbackManager
from langchain_core.messages import HumanMessage
from langchain_core.tracers.langchain import wait_for_all_tracers
from langsmith import Client, run_trees, utils

from assistant.conftest import context
from assistant.graph.build import build_agent, config_of, offline_model
from assistant.tools.caller import Caller


def test_nothing_is_traced_without_langsmith_s_variables():
    assert not [name for name in os.environ if name.startswith(("LANGSMITH_", "LANGCHAIN_"))]
    assert CallbackManager.configure().handlers == []


@pytest.fixture
def langsmith(monkeypatch) -> Iterator[SimpleNamespace]:
    """What a server in LangSmith's place hears, while its variables are set."""
    heard = SimpleNamespace(keys=set(), runs=[])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            heard.keys.add(self.headers["x-api-key"])
            heard.runs.append((body.get("run_type"), body.get("name")))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_PATCH = do_POST

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    with monkeypatch.context() as patch:
        url = f"http://127.0.0.1:{server.server_port}"
        for name, value in {"TRACING": "true", "ENDPOINT": url, "API_KEY": "stub"}.items():
            patch.setenv(f"LANGSMITH_{name}", value)
        utils.get_env_var.cache_clear()
        # At once, and not in a thread of its own whose end nobody could wait for.
        patch.setattr(run_trees, "_CLIENT", Client(auto_batch_tracing=False))
        yield heard
        wait_for_all_tracers()
    utils.get_env_var.cache_clear()
    server.shutdown()
    server.server_close()


def test_a_turn_is_traced_where_langsmith_s_variables_say_so(committed_world, wednesday, langsmith):
    ctx = context(committed_world)
    caller = Caller(ctx)
    agent = build_agent(caller, offline_model(caller))
    agent.invoke({"messages": [HumanMessage("list the dynos")]}, context=ctx, config=config_of(ctx))
    assert {("tool", "list_dynos"), ("llm", "OfflineModel")} <= set(langsmith.runs)
    assert langsmith.keys == {"stub"}
