"""One short HTTP exchange with a gateway or monitor, from the command line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 32 * 1024 * 1024


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


def get(url: str, timeout_s: float = TIMEOUT_S) -> Reply:
    """Raises `Unreachable`."""
    return _exchange("GET", url, {}, None, timeout_s)


def post(url: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """Raises `Unreachable`."""
    return _exchange("POST", url, headers, body, TIMEOUT_S)


def _exchange(method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float) -> Reply:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
        try:
            connection.request(method, parts.path or "/", body, dict(headers))
            response = connection.getresponse()
            return Reply(response.status, response.read(MAX_ANSWER_BYTES))
        finally:
            connection.close()
    except (OSError, HTTPException, ValueError) as error:
        raise Unreachable(f"{url} does not answer: {error}") from None
