"""A whole response as a neutral answer, for clients of other formats."""

from gateway.core.chat import ChatReply, FinishReason, Part, Text, Thinking, ToolCall
from gateway.core.usage import Usage
from gateway.formats.relay import SHAPE_ERRORS, misshapen
from gateway.formats.responses.content import Object, raise_failed, read_finish, read_object, reasoning_text
from gateway.formats.responses.usage import read_usage
from gateway.formats.sealed_reasoning import NATIVE


def read_reply(body: bytes, reply_id: str) -> tuple[ChatReply, Usage | None]:
    """Raises `AttemptError`."""
    answer = read_object(body, "an answer")
    raise_failed(answer, "the response failed")
    try:
        return _read(answer, reply_id), read_usage(answer.get("usage"))
    except SHAPE_ERRORS as error:
        raise misshapen("The answer", error) from error


def _read(answer: Object, reply_id: str) -> ChatReply:
    parts: list[Part] = []
    refusal = ""
    for place, item in enumerate(answer["output"]):
        match item["type"]:
            case "message":
                texts = [part["text"] for part in item["content"] if part.get("text")]
                parts.extend(map(Text, texts))
                refusal += "".join(part.get("refusal") or "" for part in item["content"])
            case "reasoning":
                thought = Thinking(reasoning_text(item), item.get("encrypted_content") or None, format=NATIVE)
                if thought.text or thought.signature:
                    parts.append(thought)
            case "function_call":
                call_id = item.get("call_id") or f"call_{reply_id}_{place}"
                parts.append(ToolCall(call_id, item["name"], item.get("arguments") or ""))
            case _:
                pass  # of a tool that ran at the provider: none was asked for
    return ChatReply(
        id=answer.get("id") or reply_id,
        model=answer.get("model") or "",
        parts=tuple(parts),
        finish=read_finish(answer) or FinishReason.STOP,
        refusal=refusal or None,
    )
