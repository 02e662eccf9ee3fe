"""Prompt and answer as GenAI messages: only where the operator wants them on spans and the record has them.

Read by the gateway's own readers of the client's format; what cannot be read, or is larger than a collector takes, is
left out rather than cut in the middle. Media given by value stay out in any case.

Source: gen-ai-input-messages.json and gen-ai-output-messages.json (`tracing.conventions` says which).
"""

from collections.abc import Callable, Iterable
from typing import Any

from gateway.core.ask import Surface
from gateway.core.chat import FinishReason, Image, Json, Media, Message, Part, Text, Thinking, ToolCall, ToolResult
from gateway.core.failure import AttemptError
from gateway.formats import codec
from gateway.formats.anthropic.reply import read_reply as read_messages
from gateway.formats.anthropic.stream import AnthropicDecoder
from gateway.formats.events import Delta, RefusalDelta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.openai.reply import read_reply as read_chat
from gateway.formats.openai.stream import OpenAIDecoder
from gateway.formats.registry import surface as surface_named
from gateway.formats.relay import SHAPE_ERRORS, StreamDecoder
from gateway.formats.responses.reply import read_reply as read_responses
from gateway.formats.responses.stream import ResponsesDecoder
from gateway.formats.sse import SseDecoder
from gateway.formats.surface import BadRequest

LIMIT_CHARS = 256 * 1024  # of each attribute: collectors take messages of 4 MB with all their spans

_WHOLE = {Surface.CHAT: read_chat, Surface.MESSAGES: read_messages, Surface.RESPONSES: read_responses}
_STREAMED: dict[Surface, Callable[[], StreamDecoder]] = {
    Surface.CHAT: lambda: OpenAIDecoder(""),
    Surface.MESSAGES: AnthropicDecoder,
    Surface.RESPONSES: lambda: ResponsesDecoder(""),
}


def messages_in(surface: Surface, body: Json) -> str | None:
    """The conversation as the request brought it; its earliest messages are left out where it is too long."""
    try:
        chat = surface_named(surface).parse(body, 0, {}).chat
    except (BadRequest, *SHAPE_ERRORS):
        return None
    if chat is None:
        return None
    messages = list(chat.messages)
    while messages:
        text = _dumped([_message(one) for one in messages])
        if len(text) <= LIMIT_CHARS:
            return text
        del messages[: max(1, len(messages) // 2)]
    return None


def messages_out(surface: Surface, answer: Json) -> str | None:
    """The answer as the client got it: the JSON of a whole one, or the events of a stream."""
    if not isinstance(answer, str) or surface not in _WHOLE:
        return None
    read = _whole if answer.lstrip()[:1] == "{" else _streamed
    try:
        parts, finish = read(surface, answer.encode("utf-8", "replace"))
    except (AttemptError, *SHAPE_ERRORS):
        return None
    text = _dumped([{"role": "assistant", "parts": parts, "finish_reason": finish}])
    return text if len(text) <= LIMIT_CHARS else None


def _dumped(messages: Json) -> str:
    return codec.dumps(messages).decode("utf-8", "replace")


def _message(message: Message) -> Json:
    return {"role": message.role.value, "parts": [_part(part) for part in message.parts]}


def _part(part: Part) -> Json:
    match part:
        case Text():
            return {"type": "text", "content": part.text}
        case Thinking():
            return {"type": "reasoning", "content": part.text}
        case ToolCall():
            return _call(part.id, part.name, part.arguments)
        case ToolResult():
            said = "".join(one.text for one in part.parts if isinstance(one, Text))
            return {"type": "tool_call_response", "id": part.call_id, "response": said}
        case Image():
            return _medium("image", part.url, part.media_type)
        case Media():
            return _medium(part.kind, part.url or part.file_id, part.media_type)


def _medium(modality: str, uri: str | None, media_type: str | None) -> Json:
    told = {"modality": modality} if media_type is None else {"modality": modality, "mime_type": media_type}
    return {"type": "blob", **told, "content": ""} if uri is None else {"type": "uri", **told, "uri": uri}


def _call(call_id: str, name: str, arguments: str) -> Json:
    try:
        given = codec.loads(arguments.encode("utf-8", "replace")) if arguments else {}
    except ValueError:
        given = arguments
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": given}


def _whole(surface: Surface, body: bytes) -> tuple[list[Json], str]:
    reply, _ = _WHOLE[surface](body, "")
    refused = [] if reply.refusal is None else [Text(reply.refusal)]
    return [_part(part) for part in (*reply.parts, *refused)], reply.finish.value


def _streamed(surface: Surface, body: bytes) -> tuple[list[Json], str]:
    """What was said up to where the stream, or what was kept of it, ends."""
    decoder, framing = _STREAMED[surface](), SseDecoder()
    said = _Said()
    try:
        for event in (*framing.feed(body), *framing.end()):
            said.add(decoder.read(event))
    except (AttemptError, *SHAPE_ERRORS):
        pass
    return said.parts(), (decoder.finish or FinishReason.STOP).value if decoder.done else "error"


class _Said:
    """Gathers the pieces of a streamed answer."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._calls: dict[int, Any] = {}

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

    def parts(self) -> list[Json]:
        thoughts, text = "".join(self._thoughts), "".join(self._texts)
        found: list[Json] = [_part(Thinking(thoughts))] if thoughts else []
        found += [_part(Text(text))] if text else []
        return found + [_call(call_id, name, "".join(pieces)) for call_id, name, pieces in self._calls.values()]
