"""A whole Gemini answer as a neutral one."""

from collections.abc import Iterable

from gateway.core.chat import ChatReply, Part, Text, Thinking, ToolCall
from gateway.core.usage import Usage
from gateway.formats.anthropic.content import read_object
from gateway.formats.events import Delta, RefusalDelta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.gemini.stream import GeminiDecoder
from gateway.formats.relay import SHAPE_ERRORS, misshapen
from gateway.formats.upstream_errors import malformed


def read_reply(body: bytes, reply_id: str) -> tuple[ChatReply, Usage | None]:
    """Raises `AttemptError`."""
    answer = read_object(body, "an answer")
    decoder = GeminiDecoder(reply_id)
    try:
        deltas = decoder.answer(answer)
        model = str(answer.get("modelVersion") or "")
    except SHAPE_ERRORS as error:
        raise misshapen("The answer", error) from error
    if decoder.finish is None:
        raise malformed("The answer does not say how it finished.")
    refusal = "".join(delta.text for delta in deltas if isinstance(delta, RefusalDelta)) or None
    named = str(answer.get("responseId") or reply_id)
    return ChatReply(named, model, tuple(_parts(deltas)), decoder.finish, None, refusal), decoder.usage


def _parts(deltas: Iterable[Delta]) -> list[Part]:
    parts: list[Part] = []
    for delta in deltas:
        last = parts[-1] if parts else None
        match delta:
            case TextDelta(text):
                if isinstance(last, Text):
                    parts[-1] = Text(last.text + text)
                else:
                    parts.append(Text(text))
            case ThinkingDelta(text, signature):
                parts.append(Thinking(text, signature, format="gemini"))
            case ToolStart(_, call_id, name):
                parts.append(ToolCall(call_id, name, ""))
            case ToolDelta(_, arguments):
                assert isinstance(last, ToolCall)
                parts[-1] = ToolCall(last.id, last.name, arguments)
            case RefusalDelta():
                pass
    return parts
