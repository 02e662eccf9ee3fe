"""Client surfaces: what the walk asks of an API that clients speak.

Owns the protocols and the errors a surface shows. Refuses to know any upstream.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.core.ask import Ask, Surface
from gateway.core.chat import ChatReply, FinishReason, Json
from gateway.core.usage import Usage
from gateway.formats.events import Delta


class BadRequest(Exception):
    """The client's request is wrong (400 `invalid_request`); `param` is the position, e.g. `messages[2].content`."""

    def __init__(self, message: str, param: str | None = None, code: str | None = "invalid_request") -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code


@dataclass(frozen=True, slots=True)
class ClientError:
    """An error as a client sees it, before its surface gives it a shape."""

    status: int
    message: str
    type: str
    code: str | None = None
    param: str | None = None
    extra: Mapping[str, Json] = field(default_factory=dict)  # goes into `error.metadata`
    place: int = 0  # as an event of a stream: its number, where the surface numbers them


@dataclass(frozen=True, slots=True)
class Ending:
    """How an answer ended: what a surface's last events say."""

    finish: FinishReason
    stop_sequence: str | None = None
    usage: Usage | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What an answer calls itself: one id for the whole stream."""

    id: str
    created_s: int
    model: str


class StreamEncoder(Protocol):
    """Writes one translated stream in the surface's events."""

    next_number: int  # of the event to come, where the surface numbers them; else 0

    def open(self) -> bytes:
        """Events that come before any content."""

    def delta(self, delta: Delta) -> bytes: ...

    def close(self, ending: Ending) -> bytes:
        """Every last event, the terminal one included."""


class ClientSurface(Protocol):
    @property
    def surface(self) -> Surface: ...

    @property
    def path(self) -> str:
        """E.g. `/v1/chat/completions`."""

    @property
    def native_api(self) -> str | None:
        """The wire format the surface speaks itself."""

    def parse(self, body: Mapping[str, Json], size: int, headers: Mapping[str, str]) -> Ask:
        """The client's JSON (without the gateway's extras; header names in lower case) as a value; or `BadRequest`."""

    def error_body(self, error: ClientError) -> bytes: ...

    def error_event(self, error: ClientError) -> bytes:
        """One error event for a stream that is already committed."""

    def encoder(self, ask: Ask, identity: Identity) -> StreamEncoder:
        """For answers that come in another wire format."""

    def encode(self, ask: Ask, reply: ChatReply, ending: Ending) -> bytes:
        """A whole answer that came in another wire format; `reply.id` and `.model` are what the client is told."""
