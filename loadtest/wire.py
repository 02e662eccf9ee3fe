"""What a wire format's file provides, and what it is given to spell.

The seam between the server (one) and the wire formats (OpenAI, Anthropic): a frame is the bytes of one stream
event with its meaning, so that pacing, faults and billing work on any format.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import orjson

from loadtest.asks import ApiError, Ask
from loadtest.billing import Tokens
from loadtest.faults import Fault
from loadtest.generation import Answer
from loadtest.vendors import Vendor

Json = Any  # a parsed JSON value


class FrameKind(Enum):
    META = "meta"  # role chunks, message_start, pings
    CONTENT = "content"
    CLOSING = "closing"  # finish reason, usage, terminal events


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream. `tokens` is the output it delivers."""

    data: bytes
    kind: FrameKind
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Reporting:
    """How truthfully usage is told."""

    factor: float = 1.0
    omitted: bool = False
    in_every_chunk: bool = False
    without_choices: bool = False

    def told(self, usage: Tokens) -> Tokens:
        if self.factor == 1.0:
            return usage
        return Tokens(
            input=round(usage.input * self.factor),
            output=round(usage.output * self.factor),
            cached=round(usage.cached * self.factor),
            cache_write=round(usage.cache_write * self.factor),
            reasoning=round(usage.reasoning * self.factor),
        )


def reporting_of(fault: Fault) -> Reporting:
    return Reporting(
        factor=1.0 if fault.wrong_usage is None else fault.wrong_usage,
        omitted=bool(fault.no_usage),
        in_every_chunk=bool(fault.usage_in_every_chunk),
        without_choices=bool(fault.no_choices),
    )


@dataclass(frozen=True, slots=True)
class Reply:
    """All that spelling one answer needs."""

    ask: Ask
    answer: Answer
    serial: int  # of the vendor's answers; makes ids that repeat in a repeated run
    vendor_id: str
    created_s: int
    include_usage: bool
    reporting: Reporting = Reporting()

    @property
    def usage(self) -> Tokens:
        return self.reporting.told(self.answer.usage)

    def after(self, output_tokens: int) -> "Reply":
        """The same reply as it stands after so many tokens of output."""
        return replace(self, answer=replace(self.answer, usage=replace(self.answer.usage, output=output_tokens)))


@dataclass(frozen=True, slots=True)
class Surface:
    """One path that answers with generated text."""

    read: Callable[[Mapping[str, Json], Vendor], Ask]
    whole: Callable[[Reply], Json]
    frames: Callable[[Reply], Iterator[Frame]]


@dataclass(frozen=True, slots=True)
class WireFormat:
    """One API shape: its surfaces by path, its other paths, its errors and its ways to keep a stream alive."""

    surfaces: Mapping[str, Surface]
    lookups: Mapping[
        str, Callable[[Mapping[str, Json], Vendor], tuple[Json, Tokens | None]]
    ]  # POST paths without generation
    models: Callable[[Vendor], Json]
    error_body: Callable[[ApiError], Json]
    error_frame: Callable[[ApiError], bytes]
    keepalives: tuple[bytes, ...]
    fault_error: Callable[[Fault], ApiError]
    rate_limit_headers: Callable[[float], Mapping[str, str]]


def sse(event: Json, name: str | None = None) -> bytes:
    """One server-sent event."""
    head = b"" if name is None else b"event: " + name.encode() + b"\n"
    return head + b"data: " + orjson.dumps(event) + b"\n\n"
