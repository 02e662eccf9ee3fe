"""A whole Anthropic message as a neutral answer, for clients of other formats."""

from typing import Any

from gateway.core.chat import ChatReply, FinishReason, Part, Text, Thinking, ToolCall
from gateway.core.usage import Usage
from gateway.formats import codec
from gateway.formats.anthropic import usage as counting
from gateway.formats.anthropic.content import read_finish, read_object
from gateway.formats.relay import SHAPE_ERRORS, misshapen


def read_reply(body: bytes, reply_id: str) -> tuple[ChatReply, Usage | None]:
    """Raises `AttemptError`."""
    answer = read_object(body, "an answer")
    try:
        return _read(answer, reply_id), counting.read_usage(answer.get("usage") or {})
    except SHAPE_ERRORS as error:
        raise misshapen("The answer", error) from error


def _read(answer: dict[str, Any], reply_id: str) -> ChatReply:
    parts: list[Part] = []
    for block in answer["content"]:
        match block["type"]:
            case "text":
                parts.append(Text(block["text"]))
            case "thinking":
                parts.append(Thinking(block["thinking"], block.get("signature") or None, format="anthropic"))
            case "redacted_thinking":
                parts.append(Thinking("", redacted=block["data"], format="anthropic"))
            case "tool_use":
                parts.append(ToolCall(block["id"], block["name"], codec.dumps(block["input"]).decode()))
            case _:
                pass
    return ChatReply(
        id=answer.get("id") or reply_id,
        model=answer.get("model") or "",
        parts=tuple(parts),
        finish=read_finish(answer.get("stop_reason")) or FinishReason.STOP,
        stop_sequence=answer.get("stop_sequence") or None,
    )
