"""A local HTTP server that speaks the Gemini API, so that the real client is tested with no key and no network.

Answers are queued: each call takes the next, or where none is left what `otherwise` gives for its body. What the
client sent is in `requests`.
"""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Respond = Callable[[BaseHTTPRequestHandler], None]


def text(*words: str, tokens: tuple[int, int] = (10, 5)) -> Respond:
    """Streams the words, a chunk each; usage comes with the last."""
    return _stream([[{"text": word}] for word in words], tokens)


def call(
    name: str,
    args: dict[str, Any],
    *,
    preface: str = "",
    id_: str = "",
    signature: str = "c2ln",
    tokens: tuple[int, int] = (10, 5),
) -> Respond:
    part = {"functionCall": {"id": id_ or f"call-{name}", "name": name, "args": args}, "thoughtSignature": signature}
    return _stream([[{"text": preface}], [part]] if preface else [[part]], tokens)


def calls(*calls: tuple[str, dict[str, Any]]) -> Respond:
    """Several calls of tools in one answer, with ids of their own."""
    parts = [
        {"functionCall": {"id": f"call-{number}", "name": name, "args": args}}
        for number, (name, args) in enumerate(calls)
    ]
    return _stream([parts], (10, 5))


def finishing(reason: str | None, *words: str, thoughts: str = "") -> Respond:
    """An answer that ends with this reason (None: the stream ends without one), with or without words."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        _begin(handler)
        parts = [{"text": thoughts, "thought": True}] if thoughts else []
        for word in words:
            _chunk(handler, _candidate([{"text": word}]))
        _chunk(handler, _candidate(parts, finish=reason) | {"usageMetadata": _usage((10, 0))})

    return respond


def no_candidates() -> Respond:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        _begin(handler)
        _chunk(handler, {"usageMetadata": _usage((10, 0))})

    return respond


def garbage(body: bytes = b"<html>Please sign in to the network</html>") -> Respond:
    """What is no answer of the API at all, with a good status."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return respond


def error(status: int, message: str, *, reason: str = "") -> Respond:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        body = json.dumps({"error": {"code": status, "message": message, "status": reason}}).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return respond


def blocked() -> Respond:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        _begin(handler)
        _chunk(handler, {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": _usage((10, 0))})

    return respond


def cut_after(*words: str) -> Respond:
    """Streams the words and drops the connection."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        _begin(handler, chunked=True)
        for word in words:
            _chunk(handler, _candidate([{"text": word}]), chunked=True)
        handler.wfile.write(b"40\r\ndata: {")
        handler.wfile.flush()
        handler.connection.close()

    return respond


def stalls_after(*words: str, until: threading.Event) -> Respond:
    """Streams the words and then nothing more until the event is set."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        _begin(handler)
        for word in words:
            _chunk(handler, _candidate([{"text": word}]))
        until.wait(60)

    return respond


def drips(word: str, *, disconnected: threading.Event) -> Respond:
    """Streams the word again and again, soon enough for a patient client. Sets `disconnected` once that has gone."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        _begin(handler)
        try:
            while not disconnected.wait(0.1):
                _chunk(handler, _candidate([{"text": word}]))
        finally:
            disconnected.set()

    return respond


def after(event: threading.Event, answer: Respond) -> Respond:
    """The answer, once the event is set."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        event.wait(60)
        answer(handler)

    return respond


class GeminiStub:
    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self._answers: list[Respond] = []
        self.otherwise: Callable[[dict[str, Any]], Respond] = _nothing_left
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = {"path": self.path, "headers": dict(self.headers), "body": json.loads(body)}
                stub.requests.append(request)
                self.close_connection = True
                respond = stub._answers.pop(0) if stub._answers else stub.otherwise(request["body"])
                try:
                    respond(self)
                except (BrokenPipeError, ConnectionResetError, OSError):
                    return  # the client went away, as some tests want

            def log_message(self, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def __enter__(self) -> "GeminiStub":
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answers(self, *answers: Respond) -> None:
        self._answers.extend(answers)

    def forget(self) -> None:
        """As new, but at the same address."""
        self.requests.clear()
        self._answers.clear()
        self.otherwise = _nothing_left


def _nothing_left(body: dict[str, Any]) -> Respond:
    return error(500, "The stub has no answer left.")


def steps(*chunks: str | threading.Event, tokens: tuple[int, int] = (10, 5)) -> Respond:
    """Streams the words; at an event it waits until that is set, with empty pieces so that no client gives up."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        _begin(handler)
        for chunk in chunks:
            if isinstance(chunk, str):
                _chunk(handler, _candidate([{"text": chunk}]))
            else:
                _wait_with(handler, chunk)
        _chunk(handler, _candidate([{"text": ""}], finish="STOP") | {"usageMetadata": _usage(tokens)})

    return respond


def _wait_with(handler: BaseHTTPRequestHandler, event: threading.Event) -> None:
    for _ in range(300):
        if event.wait(0.2):
            return
        _chunk(handler, _candidate([{"text": ""}]))


def _usage(tokens: tuple[int, int]) -> dict[str, int]:
    prompt, candidates = tokens
    return {"promptTokenCount": prompt, "candidatesTokenCount": candidates, "totalTokenCount": prompt + candidates}


def _candidate(parts: list[dict], *, finish: str | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate]}


def _begin(handler: BaseHTTPRequestHandler, *, chunked: bool = False) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Connection", "close")))
    handler.end_headers()


def _chunk(handler: BaseHTTPRequestHandler, payload: dict[str, Any], *, chunked: bool = False) -> None:
    data = b"data: " + json.dumps(payload).encode() + b"\r\n\r\n"
    handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)
    handler.wfile.flush()


def _stream(chunks: list[list[dict]], tokens: tuple[int, int]) -> Respond:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        _begin(handler)
        for number, parts in enumerate(chunks, 1):
            last = number == len(chunks)
            payload = _candidate(parts, finish="STOP" if last else None)
            if last:
                payload["usageMetadata"] = _usage(tokens)
            _chunk(handler, payload)

    return respond
