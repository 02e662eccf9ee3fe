"""HTTP exchanges with a gateway or monitor, from the command line: short ones, and listening to its events."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 10.0  # a stream of events is never silent for so long: the overview comes every two seconds
MAX_ANSWER_BYTES = 32 * 1024 * 1024
_MAX_LINE_BYTES = 8 * 1024 * 1024


class Unreachable(Exception):
    """Nobody answered; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes

    def json(self) -> Any:
        """The body as JSON, or None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def url_of(host: str, port: int) -> str:
    """Where one who listens on `host` is reached from this machine."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # recognised, not bound
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def get(url: str, timeout_s: float = TIMEOUT_S) -> Reply:
    """Raises `Unreachable`."""
    return _exchange("GET", url, {}, None, timeout_s)


def post(url: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """Raises `Unreachable`."""
    return _exchange("POST", url, headers, body, TIMEOUT_S)


def listen(url: str) -> Iterator[tuple[str, bytes]]:
    """Name and data of each server-sent event. Raises `Unreachable` at the end of the stream, too."""
    try:
        with closing(_connection(url, TIMEOUT_S)) as connection:
            connection.request("GET", _target(url), headers={"accept": "text/event-stream"})
            response = connection.getresponse()
            if response.status != 200:
                raise Unreachable(f"{url} cannot be listened to (status {response.status})")
            yield from _events(response)
    except (OSError, HTTPException, ValueError) as error:
        raise Unreachable(f"{url} does not answer: {error}") from None
    raise Unreachable(f"{url} has ended")


def _events(response: HTTPResponse) -> Iterator[tuple[str, bytes]]:
    name, data = "message", b""
    while line := response.readline(_MAX_LINE_BYTES):
        field, _, value = line.rstrip(b"\r\n").partition(b": ")
        if field == b"event":
            name = value.decode("utf-8", "replace")
        elif field == b"data":
            data = value
        elif not field:
            yield name, data
            name, data = "message", b""


def _exchange(method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float) -> Reply:
    try:
        with closing(_connection(url, timeout_s)) as connection:
            connection.request(method, _target(url), body, dict(headers))
            response = connection.getresponse()
            return Reply(response.status, response.read(MAX_ANSWER_BYTES))
    except (OSError, HTTPException, ValueError) as error:
        raise Unreachable(f"{url} does not answer: {error}") from None


def _connection(url: str, timeout_s: float) -> HTTPConnection:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=timeout_s)


def _target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
