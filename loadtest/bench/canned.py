"""The upstream's answers as ready bytes: nothing is computed while the clock runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

_ENDS = 4  # role, finish_reason, usage, [DONE]
_HEAD = b"HTTP/1.1 200 OK\r\nx-request-id: req_bench\r\n"
_STREAM_HEAD = _HEAD + b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Pace:
    """A stream: how many events in all (more than `_ENDS`), how many go into one write, the time between writes."""

    events: int
    per_write: int
    gap_ms: float


@dataclass(frozen=True, slots=True)
class Write:
    """The bytes of one write and how many events they hold."""

    data: bytes
    events: int


def json_answer(value: Any) -> bytes:
    """A whole reply with any JSON value."""
    body = orjson.dumps(value)
    return b"%bcontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (_HEAD, len(body), body)


def whole_reply() -> bytes:
    """A chat completion of about 350 bytes."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "The parcels are in the hall, beside the stairs. Ring twice."},
        "finish_reason": "stop",
    }
    return json_answer(_about("chat.completion") | {"choices": [choice], "usage": _usage(14)})


def stream(pace: Pace) -> list[Write]:
    """A chat completion as events, the head with the first and the end of the body with the last write."""
    events = list(_events(pace.events))
    groups = [events[start : start + pace.per_write] for start in range(0, len(events), pace.per_write)]
    writes = [Write(_chunk(b"".join(group)), len(group)) for group in groups]
    writes[0] = Write(_STREAM_HEAD + writes[0].data, writes[0].events)
    writes[-1] = Write(writes[-1].data + _LAST_CHUNK, writes[-1].events)
    return writes


def _events(count: int) -> Iterator[bytes]:
    said = count - _ENDS
    yield _delta({"role": "assistant", "content": ""})
    for number in range(said):
        yield _delta({"content": f" word{number % 10}"})
    yield _delta({}, finish="stop")
    yield _event(_about("chat.completion.chunk") | {"choices": [], "usage": _usage(said)})
    yield b"data: [DONE]\n\n"


def _delta(delta: dict[str, str], finish: str | None = None) -> bytes:
    return _event(
        _about("chat.completion.chunk") | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    )


def _event(value: Any) -> bytes:
    return b"data: %b\n\n" % orjson.dumps(value)


def _about(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-bench0123456789", "object": kind, "created": 1_764_000_000, "model": "bench-model"}


def _usage(output_tokens: int) -> dict[str, int]:
    return {"prompt_tokens": 60, "completion_tokens": output_tokens, "total_tokens": 60 + output_tokens}


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
