"""HTTP/1.1 with limits: uvicorn alone waits for the head of a request, and for who reads the answer, without end."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

HEAD_SECONDS = 10.0
"""In which a connection must bring the head of its request, from its beginning or from the head's first byte."""
READING_SECONDS = 30.0
"""For which a client may take nothing of an answer that waits for it."""
GUARD: list[tuple[bytes, bytes]] = [
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"connection", b"close"),
]


class TimedProtocol(H11Protocol):
    """Closes connections that are silent, that never finish a head, or that do not read."""

    _head: asyncio.TimerHandle | None = None
    _reader: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._time_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._time_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._time_head()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._head, self._reader):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader = self.loop.call_later(READING_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reader is not None:
            self._reader.cancel()
            self._reader = None

    def send_400_response(self, msg: str) -> None:
        self._end(400, msg)

    def _time_head(self) -> None:
        """Runs while no request is under way, and is not set back by parts of a head."""
        awaits_head = self.cycle is None or self.cycle.response_complete
        if awaits_head and self._head is None:
            self._head = self.loop.call_later(HEAD_SECONDS, self._head_is_late)
        elif not awaits_head and self._head is not None:
            self._head.cancel()
            self._head = None

    def _head_is_late(self) -> None:
        if self.transport.is_closing():
            return
        if self.conn.trailing_data[0]:
            self._end(408, "The head of the request did not arrive in time.")
        else:
            self.transport.close()
        # A client that does not read either is not waited for.
        self.loop.call_later(1, self.transport.abort)

    def _end(self, status: int, sentence: str) -> None:
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        head = h11.Response(status_code=status, headers=GUARD, reason=STATUS_PHRASES[status])
        for event in (head, h11.Data(data=sentence.encode()), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
