"""The question that `helm test` asks, asked of a small server: each answer it can get, and what it says then."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from scripts.chart.made import CHART

Json = Any  # a value made of JSON's types
Answering = Callable[[int, Json], str]


@pytest.fixture
def answering() -> Iterator[Answering]:
    """Starts a server that answers everything so; its URL."""
    servers = []

    def start(status: int, body: Json) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "needs_key", "exit_status", "said"),
    [
        (200, {"plan": ["openai/gpt-4o"]}, False, 0, "would go to openai/gpt-4o"),
        (200, {"plan": []}, False, 1, "no model to route to"),
        (200, {"plan": ["openai/gpt-4o"]}, True, 1, "without a client key"),
        (401, {}, True, 0, "asks for a client key"),
        (401, {}, False, 1, "says 401"),
        (503, {"error": "overloaded"}, False, 1, "overloaded"),
    ],
)
def test_says(
    answering: Answering, status: int, body: Json, needs_key: bool, exit_status: int, said: str
) -> None:  # fmt: skip
    done = asked(answering(status, body), needs_key=needs_key)
    assert done.returncode == exit_status
    assert said in done.stdout + done.stderr


def test_says_in_one_line_that_nobody_answers() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # and never listens
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        done = asked(url, needs_key=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{url} is out of reach: ")
    assert done.stderr.count("\n") == 1


def asked(url: str, *, needs_key: bool) -> subprocess.CompletedProcess[str]:
    script = (CHART / "files" / "helm-test.py").read_text()
    command = [sys.executable, "-c", script, url, str(needs_key).lower(), "0"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
