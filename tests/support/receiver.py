"""A real HTTP server on the loopback that keeps what it is sent and answers as it is told; each has its own thread."""

import gzip
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GIVE_UP_S = 20.0  # real seconds after which a test that waits for nothing fails


@dataclass(frozen=True)
class Sent:
    """One request as it came; the body without its compression."""

    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes


@dataclass(frozen=True)
class Reply:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


NEVER = Reply(0)  # holds the request until the receiver ends
HANG_UP = Reply(-1)


class Receiver:
    def __init__(self) -> None:
        self.replies: list[Reply] = []  # one for each request, then always a plain 200
        self.always: Reply | None = None
        self.keeps = False  # connections: a test whose client nobody closes must not leave any
        self.url = ""
        self.connections = 0
        self._sent: list[Sent] = []
        self._news = threading.Condition()
        self._ended = threading.Event()

    @property
    def sent(self) -> list[Sent]:
        return list(self._sent)

    def wait_for(self, number: int) -> list[Sent]:
        """The requests, once there are so many."""
        with self._news:
            assert self._news.wait_for(lambda: len(self._sent) >= number, GIVE_UP_S), f"{len(self._sent)} came"
            return list(self._sent)

    def take(self, sent: Sent) -> Reply:
        with self._news:
            reply = self.replies.pop(0) if self.replies else self.always or Reply()
            self._sent.append(sent)
            self._news.notify_all()
        return reply

    def end(self) -> None:
        self._ended.set()

    def hold(self) -> None:
        self._ended.wait(GIVE_UP_S)


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            receiver.connections += 1
            super().setup()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = receiver.take(Sent(self.path, headers, body))
            if reply is NEVER:
                receiver.hold()
            if reply.status <= 0:
                self.close_connection = True
                return
            self.send_response(reply.status)
            own = {"Content-Length": str(len(reply.body)), "Connection": "keep-alive" if receiver.keeps else "close"}
            for name, value in {**own, **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_args: object) -> None:
            pass

    return Handler


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_args: object) -> None:
        """A client that went away is part of the test."""


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver at `url`."""
    receiver = Receiver()
    server = _Quiet(("127.0.0.1", 0), _handler(receiver))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.end()
        server.shutdown()
        server.server_close()
        thread.join()
