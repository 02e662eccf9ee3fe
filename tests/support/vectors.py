"""Recorded exchanges of real providers, where they are present (a developer's machine, not a user's checkout)."""

import base64
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
import yaml

ROOT = Path(os.environ.get("POINTSMAN_SHARED") or Path(__file__).parents[2] / ".." / "shared") / "vectors"
ABSENT = "the recorded exchanges of real providers are not here (set POINTSMAN_SHARED)"
needs_vectors = pytest.mark.skipif(not ROOT.is_dir(), reason=ABSENT)
_PATHS = (
    b"/chat/completions", b"/v1/messages", b"/v1/completions", b"/embeddings", b"/anthropic", b"bedrock-runtime.",
    b"/responses", b"enerateContent", b":batchEmbedContents", b"api.cohere.com",
)  # fmt: skip


@dataclass(frozen=True)
class Exchange:
    name: str
    host: str
    path: str
    request: dict[str, Any]
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def streamed(self) -> bool:
        return "event-stream" in self.headers.get("content-type", "")


@cache
def exchanges() -> tuple[Exchange, ...]:
    """Every exchange of the surfaces and formats this package has, in a stable order."""
    found: list[Exchange] = []
    for file in sorted(ROOT.rglob("*.yaml")):
        raw = file.read_bytes()
        if any(path in raw for path in _PATHS):
            document = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}
            for number, item in enumerate(document.get("interactions", [])):
                exchange = _exchange(f"{file.parent.name}/{file.stem}#{number}", item)
                if exchange is not None:
                    found.append(exchange)
    return tuple(found)


def _exchange(name: str, item: dict[str, Any]) -> Exchange | None:
    request, response = item.get("request") or {}, item.get("response") or {}
    url = urlparse(request.get("uri") or request.get("url") or "")
    body = request.get("parsed_body")
    if body is None:
        raw = request.get("body") or "null"
        try:
            body = json.loads(raw if isinstance(raw, str | bytes) else "null")
        except ValueError:
            return None
    if not isinstance(body, dict):
        return None
    headers = {key.lower(): _first(value) for key, value in (response.get("headers") or {}).items()}
    status = response.get("code") or (response.get("status") or {}).get("code") or 200
    return Exchange(name, url.netloc, url.path, body, status, headers, _body(response))


def _first(value: Any) -> str:
    return str(value[0] if isinstance(value, list) else value)


def _body(response: dict[str, Any]) -> bytes:
    if response.get("parsed_body") is not None:
        return json.dumps(response["parsed_body"]).encode()
    body = response.get("body") or ""
    if isinstance(body, dict):
        body = body.get("string") or base64.b64decode(body.get("base64_string", ""))
    return body if isinstance(body, bytes) else str(body).encode()
