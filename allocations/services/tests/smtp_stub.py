"""A mail server for tests, that refuses the recipients it is told to refuse."""

import socket
import socketserver
import threading


class SmtpStub(socketserver.ThreadingTCPServer):
    """`replies` has what it says to a recipient instead of 250; HANG_UP ends the connection without a word.

    `recipients` are all that were named to it, `delivered` those whose mail it took.
    """

    HANG_UP = ""
    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.port = self.server_address[1]
        self.replies: dict[str, str] = {}
        self.recipients: list[str] = []
        self.delivered: list[str] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> "SmtpStub":
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.shutdown()
        self.server_close()


class _Session(socketserver.StreamRequestHandler):
    server: SmtpStub

    def handle(self) -> None:
        self._say("220 stub")
        accepted: list[str] = []
        while line := self.rfile.readline():
            word = line.decode().strip()
            match word[:4].upper():
                case "MAIL" | "RSET":
                    accepted = []
                    self._say("250 ok")
                case "RCPT":
                    address = word.partition("<")[2].partition(">")[0]
                    self.server.recipients.append(address)
                    reply = self.server.replies.get(address, "250 ok")
                    if reply == SmtpStub.HANG_UP:
                        return
                    if reply.startswith("250"):
                        accepted.append(address)
                    self._say(reply)
                case "DATA":
                    self._say("354 go on")
                    while self.rfile.readline() not in (b".\r\n", b""):
                        pass
                    self.server.delivered += accepted
                    self._say("250 taken")
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 stub")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
