"""Streams put together as the SDKs do: the whole answer that a stream says."""

from collections.abc import Iterable
from typing import Any

from tests.support.formats import chat_calls, message_blocks


def chat_answer(written: Iterable[Any]) -> dict[str, Any]:
    """Chunks of a chat completion as one answer."""
    chunks = [one for one in written if isinstance(one, dict)]
    deltas = [one["choices"][0]["delta"] for one in chunks if one.get("choices")]
    texts = ("content", "reasoning_content", "reasoning", "refusal")
    message: dict[str, Any] = {"role": "assistant"}
    for name in texts:
        message[name] = "".join(delta[name] for delta in deltas if isinstance(delta.get(name), str))
    message["reasoning_details"] = [one for delta in deltas for one in delta.get("reasoning_details") or ()]
    message["tool_calls"] = [
        {"id": call_id, "function": {"name": name, "arguments": arguments}}
        for _, call_id, name, arguments in chat_calls(chunks)
    ]
    ends = [one["choices"][0].get("finish_reason") for one in chunks if one.get("choices")]
    used = [one["usage"] for one in chunks if one.get("usage")]
    return {
        "choices": [{"message": message, "finish_reason": next(filter(None, reversed(ends)), None)}],
        "usage": used[-1] if used else None,
    }


def message_answer(written: Iterable[Any]) -> dict[str, Any]:
    """Events of a message as one message."""
    found = list(written)
    answer: dict[str, Any] = {"content": message_blocks(found), "usage": {}}
    for event in found:
        match event["type"]:
            case "message_start":
                answer["usage"] |= event["message"]["usage"]
            case "message_delta":
                answer |= event["delta"]
                answer["usage"] |= event.get("usage") or {}
            case _:
                pass
    return answer
