"""A whole OpenAI chat completion as a neutral answer, for clients of other formats."""

from typing import Any

from gateway.core.chat import ChatReply, FinishReason, Part, Text, Thinking, ToolCall
from gateway.core.usage import Usage
from gateway.formats import codec
from gateway.formats.openai.content import content_text, matched_stop, read_finish
from gateway.formats.openai.passthrough import finished_with_error, raise_error, read_object
from gateway.formats.openai.usage import read_usage
from gateway.formats.reasoning_details import read_details
from gateway.formats.relay import SHAPE_ERRORS, misshapen


def read_reply(body: bytes, reply_id: str) -> tuple[ChatReply, Usage | None]:
    """Raises `AttemptError`."""
    answer = read_object(body, "an answer")
    raise_error(answer, "error in a 200 answer")
    try:
        return _read(answer, reply_id), read_usage(answer.get("usage"))
    except SHAPE_ERRORS as error:
        raise misshapen("The answer", error) from error


def _read(answer: dict[str, Any], reply_id: str) -> ChatReply:
    choice = answer["choices"][0]
    if choice.get("finish_reason") == "error":
        raise finished_with_error(choice)
    message = choice["message"]
    said, thought = content_text(message.get("content"))
    parts: list[Part] = _thinking(message, thought)
    if said:
        parts.append(Text(said))
    for index, call in enumerate(message.get("tool_calls") or ()):
        function = call["function"]
        arguments = function.get("arguments") or ""
        if isinstance(arguments, dict):
            arguments = codec.dumps(arguments).decode()
        parts.append(ToolCall(call.get("id") or f"call_{reply_id}_{index}", function["name"], arguments))
    finish = read_finish(choice) or FinishReason.STOP
    if finish is FinishReason.STOP and message.get("tool_calls"):
        finish = FinishReason.TOOL_CALLS
    elif finish is FinishReason.STOP and message.get("refusal"):
        finish = FinishReason.REFUSAL
    return ChatReply(
        id=answer.get("id") or reply_id,
        model=answer.get("model") or "",
        parts=tuple(parts),
        finish=finish,
        stop_sequence=matched_stop(choice) if finish is FinishReason.STOP_SEQUENCE else None,
        refusal=message.get("refusal") or None,
    )


def _thinking(message: dict[str, Any], thought: str) -> list[Part]:
    details = message.get("reasoning_details")
    if details:
        return list(read_details(details))
    shown = message.get("reasoning_content") or message.get("reasoning") or thought
    return [Thinking(shown)] if shown else []
