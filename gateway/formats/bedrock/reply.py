"""Converse's answers: what they say, how they ended and what they used."""

from collections.abc import Mapping
from typing import Any

from gateway.core.chat import ChatReply, FinishReason, Json, Part, Text, Thinking, ToolCall
from gateway.core.usage import Usage
from gateway.formats import codec
from gateway.formats.anthropic.content import read_object
from gateway.formats.relay import SHAPE_ERRORS, misshapen
from gateway.formats.upstream_errors import malformed

_FINISH = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP_SEQUENCE,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "content_filtered": FinishReason.CONTENT_FILTER,
    "guardrail_intervened": FinishReason.CONTENT_FILTER,
}
_SPOILT = frozenset({"malformed_model_output", "malformed_tool_use"})


def read_finish(reason: Json) -> FinishReason:
    """An unknown reason is a stop, since the answer is whole; raises `AttemptError` where it came to nothing."""
    if reason in _SPOILT:
        raise malformed(f"The model's answer was unusable ({reason}).")
    return _FINISH.get(reason, FinishReason.STOP)


def read_usage(usage: Json) -> Usage | None:
    """`inputTokens` leaves out what was read from or written to the cache. None where nothing was counted."""
    if not isinstance(usage, Mapping):
        return None
    fresh, output = _count(usage, "inputTokens"), _count(usage, "outputTokens")
    read, written = _count(usage, "cacheReadInputTokens"), _count(usage, "cacheWriteInputTokens")
    if not (fresh or output or read or written):
        return None
    hour = sum(_count(item, "inputTokens") for item in usage.get("cacheDetails") or () if item.get("ttl") == "1h")
    return Usage(
        input=fresh + read + written,
        cached_input=read,
        cache_write=written,
        output=output,
        cache_write_1h=min(hour, written),
    )


def read_reply(body: bytes, reply_id: str) -> tuple[ChatReply, Usage | None]:
    """Raises `AttemptError`."""
    answer = read_object(body, "an answer")
    try:
        parts = [part for block in answer["output"]["message"]["content"] if (part := _part(block)) is not None]
        finish = read_finish(answer["stopReason"])
        return ChatReply(reply_id, "", tuple(parts), finish), read_usage(answer.get("usage"))
    except SHAPE_ERRORS as error:
        raise misshapen("The answer", error) from error


def _part(block: dict[str, Any]) -> Part | None:
    if "text" in block:
        return Text(block["text"])
    if "toolUse" in block:
        call = block["toolUse"]
        return ToolCall(call["toolUseId"], call["name"], codec.dumps(call["input"]).decode())
    if "citationsContent" in block:
        return Text("".join(piece.get("text") or "" for piece in block["citationsContent"].get("content") or ()))
    if "reasoningContent" in block:
        return _thinking(block["reasoningContent"])
    return None


def _thinking(block: dict[str, Any]) -> Thinking:
    if "redactedContent" in block:
        return Thinking("", redacted=block["redactedContent"], format="bedrock")
    said = block["reasoningText"]
    return Thinking(said["text"], said.get("signature") or None, format="bedrock")


def _count(usage: Mapping[str, Json], key: str) -> int:
    value = usage.get(key)
    return max(value, 0) if isinstance(value, int) else 0
