"""A whole Cohere answer as a neutral one."""

from typing import Any

from gateway.core.chat import ChatReply, Part, Text, Thinking, ToolCall
from gateway.core.usage import Usage
from gateway.formats.anthropic.content import read_object
from gateway.formats.cohere.content import read_finish, read_usage
from gateway.formats.relay import SHAPE_ERRORS, misshapen


def read_reply(body: bytes, reply_id: str) -> tuple[ChatReply, Usage | None]:
    """Raises `AttemptError`."""
    answer = read_object(body, "an answer")
    try:
        finish = read_finish(answer["finish_reason"])
        parts = _parts(answer["message"], reply_id)
        return ChatReply(str(answer.get("id") or reply_id), "", parts, finish), read_usage(answer.get("usage"))
    except SHAPE_ERRORS as error:
        raise misshapen("The answer", error) from error


def _parts(message: dict[str, Any], reply_id: str) -> tuple[Part, ...]:
    """The plan of the calls is reasoning that is shown."""
    parts: list[Part] = []
    if message.get("tool_plan"):
        parts.append(Thinking(message["tool_plan"]))
    for block in message.get("content") or ():
        if block["type"] == "thinking":
            parts.append(Thinking(block["thinking"]))
        elif block["type"] == "text":
            parts.append(Text(block["text"]))
    for index, call in enumerate(message.get("tool_calls") or ()):
        function = call["function"]
        named = call.get("id") or f"call_{reply_id}_{index}"
        parts.append(ToolCall(named, function["name"], function.get("arguments") or ""))
    return tuple(parts)
