"""Streams that pass as they are: bytes of audio, and events of partial images and transcripts."""

from gateway.core.ask import Ask
from gateway.core.chat import FinishReason
from gateway.core.failure import AttemptError, Failure
from gateway.core.usage import Usage
from gateway.formats import codec, sse, upstream_errors
from gateway.formats.masking import is_html
from gateway.formats.passed.reply import usage_of
from gateway.formats.relay import Relay
from gateway.formats.sse import SseEvent
from gateway.formats.upstream_errors import malformed
from gateway.formats.wire import RelayContext

_LAST = (b"[DONE]",)
_LAST_TYPES = ("transcript.text.done", "speech.audio.done")


class EventsRelay(Relay):
    """Events as they came; the last one with a count says what was consumed."""

    def __init__(self, ask: Ask, context: RelayContext) -> None:
        super().__init__(context)
        self._ask = ask

    def _event(self, event: SseEvent, out: list[bytes]) -> None:
        if event.data in _LAST:
            self._finish(out, event)
            return
        said = codec.loads(event.data)
        if said.get("error"):
            raise AttemptError(upstream_errors.of_object(said, "error in a stream"))
        self._text(event.data.decode("utf-8", "replace"))
        if said.get("usage"):
            self._usage = usage_of(self._ask, said)
        if said.get("type") in _LAST_TYPES:
            self._finish(out, event)
        else:
            out.append(sse.encode(event.data, event.name))

    def _finish(self, out: list[bytes], event: SseEvent) -> None:
        self.finish, self.finished = FinishReason.STOP, True
        out.append(sse.encode(event.data, event.name))

    def end(self) -> bytes:
        if self.content_seen:  # images end without a last event of their own
            self.finish = FinishReason.STOP
        return super().end()

    def _eof(self) -> bytes:
        self.finished = True
        return b""


class BytesRelay(Relay):
    """Bytes as they come; the upstream's framing says whether they are all."""

    def __init__(self, ask: Ask, context: RelayContext) -> None:
        super().__init__(context)
        self._ask = ask

    @property
    def usage(self) -> Usage:
        return usage_of(self._ask, {})

    def feed(self, data: bytes) -> bytes:
        if self.finished or self.failure is not None:
            return b""
        fault = None if self.content_seen else _fault(data)
        if fault is not None:
            self._fail(fault)
            return b""
        self.content_seen = True
        self._hash.update(data)
        return data

    def end(self) -> bytes:
        if not self.content_seen:
            self._fail(malformed("The answer is empty.").failure)
        else:
            self.finish, self.finished = FinishReason.STOP, True
        return b""


def _fault(data: bytes) -> Failure | None:
    """What is wrong with an answer that begins so; plain samples may begin with any byte."""
    if is_html(data):
        return malformed("The upstream sent an HTML page instead of audio.").failure
    if data[:1] != b"{":
        return None
    try:
        return upstream_errors.of_object(codec.loads(data), "error instead of audio")
    except ValueError:
        return None
