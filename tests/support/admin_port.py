"""A gateway's admin port that says what a test wants, in a thread of this process; for commands that block."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = bytes | dict[str, Any] | int  # events as they go over the wire, JSON, or a status


@contextmanager
def admin_port(answers: Callable[[str], Answer]) -> Iterator[str]:
    """The URL of a server that answers a GET of a path (with its query) by `answers`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers(self.path)
            self.send_response(answer if isinstance(answer, int) else 200)
            self.end_headers()
            self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

        def log_message(self, *_: Any) -> None:
            """Tests look at answers, not at a log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
