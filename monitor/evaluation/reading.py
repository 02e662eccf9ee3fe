"""From the half that a gateway handed over to what is needed of it: the request to ask again, and texts for people.

Pure. Texts hold nothing that tells which model wrote them: no reasoning, and no ids of tool calls.
"""

from collections.abc import Iterable

from msgspec import Struct

from gateway.core.ask import Ask, Surface
from gateway.core.chat import ChatRequest, FinishReason, Image, Json, Media, Part, Text, Thinking, ToolCall, ToolResult
from gateway.core.evaluation import Half, headers_again
from gateway.core.extras import BODY_FIELDS
from gateway.formats import codec
from gateway.formats.answered import Unanswered, read_answer
from gateway.formats.registry import surface as surface_named
from gateway.formats.relay import SHAPE_ERRORS
from gateway.formats.surface import BadRequest

# Of the client's body: how it wanted to be answered, not what it asked.
_MANNERS = BODY_FIELDS | {"stream", "stream_options", "n"}


class Unreadable(Exception):
    """Nothing can be compared; the message says why and holds no content."""


class Reading(Struct, frozen=True):
    """`ask` is for one whole answer; `prompt` and `first` are texts as people read them."""

    ask: Ask
    prompt: str
    first: str


def read_half(half: Half) -> Reading:
    """Raises Unreadable."""
    ask = _asked(half)
    if ask.chat is None:
        raise Unreadable("the request is no conversation")
    return Reading(ask, prompt_text(ask.chat), answer_text(ask.surface, half.answer).text)


def _asked(half: Half) -> Ask:
    body = {name: value for name, value in half.request.items() if name not in _MANNERS}
    try:
        surface = surface_named(Surface(half.surface))
        return surface.parse(body, len(codec.dumps(body)), headers_again(half.headers))
    except (BadRequest, *SHAPE_ERRORS):
        raise Unreadable("the request cannot be read") from None


class AnswerText(Struct, frozen=True):
    text: str
    cut: bool  # it ended at the limit for its length


def answer_text(surface: Surface, answer: str) -> AnswerText:
    """Raises Unreadable."""
    try:
        read = read_answer(surface, answer)
    except Unanswered:
        raise Unreadable("the answer cannot be read") from None
    if read.finish is None:
        raise Unreadable("the answer is not whole")
    return AnswerText(_shown(read.parts), read.finish is FinishReason.LENGTH)


def prompt_text(chat: ChatRequest) -> str:
    """The conversation, each message under a heading with its role, then what the model was given besides."""
    sections = [(message.role.value, _shown(message.parts)) for message in chat.messages]
    if chat.tools:
        offered = [f"{tool.name}: {tool.description}" if tool.description else tool.name for tool in chat.tools]
        sections.append(("tools offered", "\n".join(offered)))
    wanted = chat.response_format
    if wanted is not None and wanted.kind != "text":
        schema = "" if wanted.schema is None else f"\n{_json(wanted.schema)}"
        sections.append(("answer's format", f"{wanted.kind}{schema}"))
    return "\n\n".join(f"### {heading}\n\n{text}" for heading, text in sections)


def _shown(parts: Iterable[Part]) -> str:
    return "\n\n".join(text for text in map(_part, parts) if text)


def _part(part: Part) -> str:
    match part:
        case Text():
            return part.text
        case Thinking():
            return ""
        case ToolCall():
            return _call(part)
        case ToolResult():
            return _shown(part.parts)
        case Image():
            return "[image]"
        case Media():
            return f"[{part.kind}]"


def _call(call: ToolCall) -> str:
    try:
        arguments = codec.loads(call.arguments.encode("utf-8", "replace")) if call.arguments else {}
    except ValueError:
        arguments = call.arguments
    return _json({"tool": call.name, "arguments": arguments})


def _json(value: Json) -> str:
    return codec.dumps(value).decode("utf-8", "replace")
