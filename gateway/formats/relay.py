"""Streams through the gateway, whatever the format: what every relay counts, and the relay that translates.

Owns the bookkeeping that the walk reads (content seen, held events, digest) and the rule that a stream's faults become
a `Failure`, never an exception. Refuses to know any JSON shape: `passthrough` relays and decoders know theirs.
"""

import dataclasses
from collections.abc import Iterable
from hashlib import blake2b
from typing import Protocol

from msgspec.structs import replace

from gateway.core.ask import Ask
from gateway.core.chat import ChatReply, FinishReason, Text, Thinking, ToolCall
from gateway.core.estimate import CHARS_PER_TOKEN
from gateway.core.failure import AttemptError, Failure, FailureKind
from gateway.core.usage import Usage
from gateway.formats import codec, upstream_errors
from gateway.formats.events import Delta, RefusalDelta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.masking import is_html
from gateway.formats.sse import SseDecoder, SseEvent
from gateway.formats.surface import ClientSurface, Ending, Identity, StreamEncoder
from gateway.formats.upstream_errors import malformed
from gateway.formats.wire import RelayContext, Rendered

# What reading a JSON value as the wrong shape raises.
SHAPE_ERRORS = (AttributeError, IndexError, KeyError, TypeError, ValueError)
_FOLDED_TEXTS = 256  # deltas hashed at a time: hashing each alone costs a tenth of the relay
_UNREAD_BYTES = 65_536  # enough for any error body that comes where a stream should


class Framing(Protocol):
    """Cuts an upstream's bytes into events; knows nothing of what they mean."""

    @property
    def fault(self) -> Failure | None:
        """What makes the rest unreadable; events before it stay valid."""

    def feed(self, data: bytes) -> list[SseEvent]: ...

    def end(self) -> list[SseEvent]: ...


class Relay:
    """The common half of every stream relay; `_event` and `_eof` are the format's own."""

    def __init__(self, context: RelayContext) -> None:
        self.content_seen = False
        self.finished = False
        self.failure: Failure | None = None
        self.output_chars = 0
        self.held_events = 0
        self.finish: FinishReason | None = None
        self._context = context
        self._usage: Usage | None = None
        self.framing: Framing = SseDecoder()
        self._hash = blake2b(digest_size=8)
        self._texts: list[str] = []  # not yet in the hash
        self._unread: bytes | None = b""  # what came while no event did: perhaps no stream at all

    @property
    def next_number(self) -> int:
        return 0

    @property
    def text_digest(self) -> str:
        self._fold()
        return self._hash.hexdigest()

    @property
    def usage(self) -> Usage | None:
        used = self._usage
        if used is None or not used.estimated:
            return used
        return replace(used, output=max(used.output, -(-self.output_chars // CHARS_PER_TOKEN)))

    def feed(self, data: bytes) -> bytes:
        if self.finished or self.failure is not None:
            return b""
        events = self.framing.feed(data)
        if self._unread is not None:
            self._unread = None if events else (self._unread + data)[:_UNREAD_BYTES]
        out = self._guarded(events)
        fault = self.framing.fault
        if fault is not None:
            self._fail(fault)
        return out

    def end(self) -> bytes:
        if self.finished or self.failure is not None:
            return b""
        out = self._guarded(self.framing.end())
        if self._unread is not None and self._unread.strip() and self.finish is None:
            self._fail(_no_stream(self._unread))
        if self.finish is None:
            self._fail(Failure(FailureKind.TRUNCATED, "The stream ended without its last event."))
        return out + self._closing()

    def _closing(self) -> bytes:
        """Whatever is still owed to the client when the upstream closes."""
        if self.finished or self.failure is not None:
            return b""
        try:
            return self._eof()
        except AttemptError as error:
            self._fail(error.failure)
            return b""

    def _fail(self, failure: Failure) -> None:
        if not self.finished and self.failure is None:
            self.failure = failure

    def _guarded(self, events: Iterable[SseEvent]) -> bytes:
        out: list[bytes] = []
        try:
            for event in events:
                self._event(event, out)
                if self.finished:
                    break
        except AttemptError as error:
            self.failure = error.failure
        except SHAPE_ERRORS as shape:
            self.failure = misshapen("An event of the stream", shape).failure
        return b"".join(out)

    def _event(self, event: SseEvent, out: list[bytes]) -> None:
        raise NotImplementedError

    def _eof(self) -> bytes:
        """Last bytes of a stream that said how it finished and then closed without a terminal event."""
        raise NotImplementedError

    def _text(self, text: str) -> None:
        self.content_seen = True
        self.output_chars += len(text)
        texts = self._texts
        texts.append(text)
        if len(texts) == _FOLDED_TEXTS:
            self._fold()

    def _fold(self) -> None:
        text = "".join(self._texts)
        self._hash.update(text.encode("utf-8", "surrogatepass"))
        self._texts.clear()
        if self._context.texts is not None:
            self._context.texts.append(text)

    def _other(self, chars: int) -> None:
        """Content that is not text: reasoning, tool calls."""
        self.content_seen = True
        self.output_chars += chars


def misshapen(what: str, error: Exception) -> AttemptError:
    """Valid JSON in a shape that is not the format's."""
    return malformed(f"{what} is not what it should be ({type(error).__name__}).")


def _no_stream(body: bytes) -> Failure:
    """What a body is that should have been an event stream: an HTML page, or a JSON error in spite of its 200."""
    if is_html(body):
        return malformed("The upstream sent an HTML page instead of a stream.").failure
    try:
        found = codec.loads(body)
    except ValueError:
        found = None
    if isinstance(found, dict) and (found.get("error") or found.get("type") == "error"):
        return upstream_errors.of_object(found, "error instead of a stream")
    return malformed("The upstream sent something else instead of a stream.").failure


class StreamDecoder(Protocol):
    """Reads a wire format's events into neutral ones; raises `AttemptError` for an error the stream carries."""

    finish: FinishReason | None
    stop_sequence: str | None
    usage: Usage | None
    done: bool  # the terminal event was seen

    def read(self, event: SseEvent) -> list[Delta]: ...

    def close(self) -> None:
        """Raises `AttemptError` where something is missing at the end."""


class TranslatingRelay(Relay):
    """Upstream events → neutral events → the client's events."""

    def __init__(self, context: RelayContext, decoder: StreamDecoder, encoder: StreamEncoder) -> None:
        super().__init__(context)
        self._decoder = decoder
        self._encoder = encoder
        self._opened = False
        self._meant = FinishReason.STOP  # by a plain "stop"

    @property
    def next_number(self) -> int:
        return self._encoder.next_number

    def _event(self, event: SseEvent, out: list[bytes]) -> None:
        decoder = self._decoder
        deltas = decoder.read(event)
        if not self._opened:
            if decoder.done:
                raise malformed("The stream ended before it began.")
            self._opened = True
            self.held_events += 1
            out.append(self._encoder.open())
        for delta in deltas:
            self._deliver(delta, out)
        self.finish, self._usage = decoder.finish, decoder.usage
        if decoder.done:
            if self.finish is None:
                self.finish = FinishReason.STOP  # a terminal event without a reason, as some servers send
            out.append(self._eof())

    def _eof(self) -> bytes:
        self._decoder.close()
        if self.finish is FinishReason.STOP:  # some servers say no more than that (cases.md G1)
            self.finish = self._meant
        assert self.finish is not None
        usage = self.usage
        cost_usd = None if usage is None else self._context.price(usage)
        self.finished = True
        return self._encoder.close(Ending(self.finish, self._decoder.stop_sequence, usage, cost_usd))

    def _deliver(self, delta: Delta, out: list[bytes]) -> None:
        match delta:
            case TextDelta(text):
                self._text(text)
            case RefusalDelta(text):
                self._meant = FinishReason.REFUSAL
                self._text(text)
            case ThinkingDelta():
                self._other(len(delta.text))
            case ToolStart():
                self._meant = FinishReason.TOOL_CALLS
                self._other(len(delta.name))
            case ToolDelta():
                self._other(len(delta.arguments))
        written = self._encoder.delta(delta)
        if written:
            out.append(written)


def translate(ask: Ask, surface: ClientSurface, context: RelayContext, decoder: StreamDecoder) -> TranslatingRelay:
    identity = Identity(context.reply_id, context.created_s, context.model)
    return TranslatingRelay(context, decoder, surface.encoder(ask, identity))


def translated_reply(
    ask: Ask, surface: ClientSurface, context: RelayContext, answer: ChatReply, usage: Usage | None
) -> Rendered:
    """A whole neutral answer as the client's surface writes it."""
    text = "".join(part.text for part in answer.parts if isinstance(part, Text)) + (answer.refusal or "")
    chars = len(text) + sum(len(part.text) for part in answer.parts if isinstance(part, Thinking))
    chars += sum(len(part.name) + len(part.arguments) for part in answer.parts if isinstance(part, ToolCall))
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8)
    if context.texts is not None:
        context.texts.append(text)
    cost_usd = None if usage is None else context.price(usage)
    shown = dataclasses.replace(answer, id=context.reply_id, model=context.model, created_s=context.created_s)
    body = surface.encode(ask, shown, Ending(answer.finish, answer.stop_sequence, usage, cost_usd))
    return Rendered(body, usage, answer.finish, digest.hexdigest(), chars)
