"""Scripts in the OpenAI wire format: what a provider sends, step by step."""

import json
from typing import Any

from tests.support.scripted_upstream import Script, Status

USAGE = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
DONE = b"data: [DONE]\n\n"
SSE = Status(200, (("content-type", "text/event-stream"),))


def event(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def a_chunk(delta: dict[str, Any], finish: str | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event(
        {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "up", "choices": [choice], **fields}
    )


ROLE = a_chunk({"role": "assistant", "content": ""})


def says(text: str) -> bytes:
    return a_chunk({"content": text})


def usage_chunk(usage: dict[str, Any] | None = None) -> bytes:
    return event(
        {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "up", "choices": [],
         "usage": dict(USAGE if usage is None else usage)}
    )  # fmt: skip


def a_stream(*texts: str, usage: dict[str, Any] | None = None) -> Script:
    """A whole, healthy stream."""
    return [ROLE, *map(says, texts), a_chunk({}, "stop"), usage_chunk(usage), DONE]


Headers = tuple[tuple[str, str], ...]


def an_answer(text: str = "Hello", usage: dict[str, Any] | None = None, headers: Headers = ()) -> Script:
    """A whole, healthy answer."""
    body = {
        "id": "c1", "object": "chat.completion", "created": 1, "model": "up",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": dict(USAGE if usage is None else usage),
    }  # fmt: skip
    return [Status(200, (("content-type", "application/json"), *headers)), json.dumps(body).encode()]


def an_error(status: int, message: str = "no", code: str | None = None, **headers: str) -> Script:
    """An error answer in OpenAI's shape; header names are written with underscores."""
    body = {"error": {"message": message, "type": "some_error", "code": code, "param": None}}
    given = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return [Status(status, (("content-type", "application/json"), *given)), json.dumps(body).encode()]


def an_embedding(vector: tuple[float, ...] = (0.5, 0.25)) -> Script:
    body = {
        "object": "list", "model": "up", "data": [{"object": "embedding", "index": 0, "embedding": list(vector)}],
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
    }  # fmt: skip
    return [Status(), json.dumps(body).encode()]
