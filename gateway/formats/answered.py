"""An answer as a client got it, read back into the neutral form: the JSON of a whole one, or the events of a stream.

Read by the gateway's own readers of the client's format. Who wants to know, and how much of it, is the business of
traces and of evaluation.
"""

from collections.abc import Callable, Iterable

from gateway.core.ask import Surface
from gateway.core.chat import FinishReason, Json, Part, Text, Thinking, ToolCall
from gateway.core.failure import AttemptError
from gateway.core.value import TrackedValue
from gateway.formats.anthropic.reply import read_reply as read_messages
from gateway.formats.anthropic.stream import AnthropicDecoder
from gateway.formats.events import Delta, RefusalDelta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.openai.reply import read_reply as read_chat
from gateway.formats.openai.stream import OpenAIDecoder
from gateway.formats.relay import SHAPE_ERRORS, StreamDecoder
from gateway.formats.responses.reply import read_reply as read_responses
from gateway.formats.responses.stream import ResponsesDecoder
from gateway.formats.sse import SseDecoder

_WHOLE = {Surface.CHAT: read_chat, Surface.MESSAGES: read_messages, Surface.RESPONSES: read_responses}
_STREAMED: dict[Surface, Callable[[], StreamDecoder]] = {
    Surface.CHAT: lambda: OpenAIDecoder(""),
    Surface.MESSAGES: AnthropicDecoder,
    Surface.RESPONSES: lambda: ResponsesDecoder(""),
}


class Unanswered(Exception):
    """What was kept cannot be read as an answer of this surface."""


class Answered(TrackedValue):
    parts: tuple[Part, ...]  # a refusal is a text
    finish: FinishReason | None  # None: the stream, or what was kept of it, ends before its end


def read_answer(surface: Surface, answer: Json) -> Answered:
    """Raises Unanswered."""
    if not isinstance(answer, str) or surface not in _WHOLE:
        raise Unanswered
    read = _whole if answer.lstrip()[:1] == "{" else _streamed
    try:
        return read(surface, answer.encode("utf-8", "replace"))
    except (AttemptError, *SHAPE_ERRORS) as error:
        raise Unanswered from error


def _whole(surface: Surface, body: bytes) -> Answered:
    reply, _ = _WHOLE[surface](body, "")
    refused = () if reply.refusal is None else (Text(reply.refusal),)
    return Answered((*reply.parts, *refused), reply.finish)


def _streamed(surface: Surface, body: bytes) -> Answered:
    """What was said up to where the stream, or what was kept of it, ends."""
    decoder, framing = _STREAMED[surface](), SseDecoder()
    said = _Said()
    try:
        for event in (*framing.feed(body), *framing.end()):
            said.add(decoder.read(event))
    except (AttemptError, *SHAPE_ERRORS):
        pass
    return Answered(said.parts(), (decoder.finish or FinishReason.STOP) if decoder.done else None)


class _Said:
    """Gathers the pieces of a streamed answer."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._calls: dict[int, tuple[str, str, list[str]]] = {}

    def add(self, deltas: Iterable[Delta]) -> None:
        for delta in deltas:
            match delta:
                case TextDelta(text) | RefusalDelta(text):
                    self._texts.append(text)
                case ThinkingDelta():
                    self._thoughts.append(delta.text)
                case ToolStart():
                    self._calls[delta.index] = (delta.id, delta.name, [])
                case ToolDelta():
                    self._calls[delta.index][2].append(delta.arguments)

    def parts(self) -> tuple[Part, ...]:
        thoughts, text = "".join(self._thoughts), "".join(self._texts)
        found: list[Part] = [Thinking(thoughts)] if thoughts else []
        found += [Text(text)] if text else []
        found += [ToolCall(call_id, name, "".join(pieces)) for call_id, name, pieces in self._calls.values()]
        return tuple(found)
