"""Prompt and answer as GenAI messages: only where the operator wants them on spans and the record has them.

Read by the gateway's own readers of the client's format; what cannot be read, or is larger than a collector takes, is
left out rather than cut in the middle. Media given by value stay out in any case.

Source: gen-ai-input-messages.json and gen-ai-output-messages.json (`tracing.conventions` says which).
"""

from gateway.core.ask import Surface
from gateway.core.chat import Image, Json, Media, Message, Part, Text, Thinking, ToolCall, ToolResult
from gateway.formats import codec
from gateway.formats.answered import Unanswered, read_answer
from gateway.formats.registry import surface as surface_named
from gateway.formats.relay import SHAPE_ERRORS
from gateway.formats.surface import BadRequest

LIMIT_CHARS = 256 * 1024  # of each attribute: collectors take messages of 4 MB with all their spans


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
    try:
        read = read_answer(surface, answer)
    except Unanswered:
        return None
    finish = "error" if read.finish is None else read.finish.value
    parts = [_part(part) for part in read.parts]
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
