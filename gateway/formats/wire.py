"""Upstream wire formats: what the walk and the monitor ask of an API that providers speak.

Owns protocols and values. Same-format traffic passes with fidelity, other traffic goes through the neutral form; which
of both it is, a format decides itself from the ask's surface and the endpoint.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from gateway.core.ask import Ask
from gateway.core.catalog import Endpoint
from gateway.core.chat import FinishReason
from gateway.core.failure import Failure
from gateway.core.usage import Usage
from gateway.core.value import Value

PROBE_PROMPT = "Reply with OK."
PROBE_MAX_TOKENS = 16  # OpenAI refuses fewer on some models (cases.md C5); still under a thousandth of a cent


class Outgoing(Value):
    """A request to send: `path` is relative to the provider's base URL; headers carry no credential."""

    path: str
    headers: tuple[tuple[str, str], ...]  # where `auth_headers` has the same name, this one counts
    body: bytes
    dropped: tuple[str, ...] = ()  # hints the endpoint will not see
    tracing: tuple[tuple[str, str], ...] = ()  # headers as no other request has them


class Inexpressible(Value):
    fields: frozenset[str] = frozenset()  # exclude the endpoint (`capability:<field>`)
    hints: frozenset[str] = frozenset()  # are merely dropped, unless the client requires parameters


class RelayContext(Value):
    """What an answer's translator must know of the attempt."""

    reply_id: str  # for answers that bring none
    created_s: int
    model: str  # what the client is told
    price: Callable[[Usage], float | None]  # USD, for `usage.cost`; None: unknown
    texts: list[str] | None = None  # where the answer's text is put, piece by piece; None: nobody wants it


class Rendered(Value):
    """A whole answer, ready for the client."""

    body: bytes
    usage: Usage | None
    finish: FinishReason | None
    text_digest: str  # blake2b-8 of the answer's text, hex
    output_chars: int  # of text, reasoning and tool arguments


class StreamRelay(Protocol):
    """Sans-I/O: bytes of the upstream's body in, bytes for the client out."""

    content_seen: bool  # text, reasoning, a tool call or a refusal was output
    finished: bool  # the terminal event was seen
    failure: Failure | None  # what is wrong with the stream; bytes returned before it stay valid
    output_chars: int
    held_events: int  # output before any content
    finish: FinishReason | None

    @property
    def next_number(self) -> int:
        """Of the next event for the client, where its surface numbers them; else 0."""

    @property
    def text_digest(self) -> str: ...

    @property
    def usage(self) -> Usage | None:
        """The last complete usage; None: never given. `estimated` while the output is only counted by characters."""

    def feed(self, data: bytes) -> bytes:
        """Never raises for what an upstream sends: sets `failure`."""

    def end(self) -> bytes:
        """The upstream closed: last bytes; `failure` is TRUNCATED where the terminal event never came."""


class WireFormat(Protocol):
    @property
    def api(self) -> str: ...

    @property
    def requires_max_tokens(self) -> bool: ...

    @property
    def models_path(self) -> str | None:
        """A free check of the provider and its key, by GET; None where there is none."""

    def inexpressible(self, ask: Ask, endpoint: Endpoint) -> Inexpressible: ...

    def build(self, ask: Ask, endpoint: Endpoint, max_output: int | None) -> Outgoing:
        """`max_output` is sent as it is (None: nothing is sent). Only for asks without inexpressible fields."""

    def stream_relay(self, ask: Ask, endpoint: Endpoint, context: RelayContext) -> StreamRelay: ...

    def reply(self, ask: Ask, endpoint: Endpoint, body: bytes, context: RelayContext) -> Rendered:
        """A whole 2xx answer; raises `AttemptError` where it is none, or an error in disguise."""

    def failure(self, status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> Failure:
        """A non-2xx answer as a failure. Header names in lower case; `now_s` is Unix time."""

    def horizon_s(self, headers: Mapping[str, str], now_s: float) -> float | None:
        """Seconds until a successful answer's exhausted rate limit resets; None where something is left."""

    def auth_headers(self, key: str) -> tuple[tuple[str, str], ...]: ...

    def probe(self, endpoint: Endpoint) -> Outgoing:
        """The cheapest request that proves the endpoint answers: a few tokens, no reasoning."""
