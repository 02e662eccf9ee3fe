"""What a message or delta of the OpenAI format carries besides plain text, and how an answer finished."""

from collections.abc import Mapping

from gateway.core.chat import FinishReason, Json

_STOP = FinishReason.STOP
_FINISH = {
    "stop": _STOP,
    "length": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,  # Mistral
    "max_tokens": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
}


def read_finish(choice: Mapping[str, Json]) -> FinishReason | None:
    """None while the choice is unfinished. An unknown reason is a stop: the answer is whole, whatever it is called."""
    reason = choice.get("finish_reason")
    if not reason:
        return None
    finish = _FINISH.get(reason, _STOP)
    if finish is _STOP and ("stop_reason" in choice or "matched_stop" in choice) and matched_stop(choice):
        return FinishReason.STOP_SEQUENCE
    return finish


def matched_stop(choice: Mapping[str, Json]) -> str | None:
    """The stop sequence that matched, where a server tells (vLLM, SGLang); token ids are ignored."""
    for key in ("stop_reason", "matched_stop"):
        value = choice.get(key)
        if isinstance(value, str) and value:
            return value
    return None


def other_chars(message: Mapping[str, Json]) -> int | None:
    """Characters of reasoning, refusals and tool calls in a message or delta; None where there is no such content."""
    for key, given in message.items():
        if given and key != "content" and key != "role":
            break
    else:
        return None  # most messages and deltas
    chars, seen = 0, False
    for key in ("reasoning_content", "reasoning"):
        value = message.get(key)
        if isinstance(value, str) and value:
            chars, seen = len(value), True
            break
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        chars, seen = chars + len(refusal), True
    for call in message.get("tool_calls") or ():
        function = call.get("function") or {}
        chars += len(function.get("name") or "") + len(function.get("arguments") or "")
        seen = True
    legacy = message.get("function_call") or {}
    called = len(legacy.get("name") or "") + len(legacy.get("arguments") or "")  # Snowflake sends an empty one always
    chars, seen = chars + called, seen or called > 0
    return chars if seen or message.get("reasoning_details") or message.get("audio") else None


def content_text(content: Json) -> tuple[str, str]:
    """Text and reasoning of a content: a string, null, or Mistral's typed parts."""
    if isinstance(content, str):
        return content, ""
    said: list[str] = []
    thought: list[str] = []
    for part in content or ():
        if part.get("type") == "thinking":
            thinking = part.get("thinking")
            inner = thinking if isinstance(thinking, list) else [{"text": thinking}]
            thought.extend(piece.get("text") or "" for piece in inner)
        else:
            said.append(part.get("text") or "")
    return "".join(said), "".join(thought)
