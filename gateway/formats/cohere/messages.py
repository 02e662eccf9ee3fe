"""Neutral messages as Cohere messages: OpenAI's roles, with reasoning as content, or as the plan of a turn's calls."""

import base64
from collections.abc import Iterable

from gateway.core.chat import Image, Json, Media, Message, Part, Role, Text, Thinking, ToolCall, ToolResult

Block = dict[str, Json]


def message_fields(messages: Iterable[Message]) -> set[str]:
    """What the messages hold that this format cannot be told."""
    return {field for message in messages for part in message.parts for field in _part_fields(part)}


def _part_fields(part: Part) -> set[str]:
    match part:
        case Media(kind="audio"):
            return {"input_audio"}
        case Media(data=None, url=url):
            return {"file_url" if url is not None else "file_id"}
        case Media(media_type=form) if not (form or "").startswith("text/"):
            return {f"file.{form}"}
        case ToolResult(parts=parts) if not all(isinstance(inner, Text) for inner in parts):
            return {"tool_result.media"}
        case _:
            return set()


def message_hints(messages: Iterable[Message]) -> set[str]:
    """What the messages hold that is left out: nothing the model needs to answer."""
    lost: set[str] = set()
    for message in messages:
        if message.name is not None:
            lost.add("messages[].name")
        if any(isinstance(part, ToolResult) and part.is_error for part in message.parts):
            lost.add("is_error")
    return lost


def write_messages(messages: Iterable[Message], *, reasons: bool) -> list[Block]:
    """`reasons`: the model takes its reasoning back; others know the plan of their calls only."""
    written: list[Block] = []
    for message in messages:
        match message.role:
            case Role.TOOL:
                written.extend(_result(part) for part in message.parts if isinstance(part, ToolResult))
            case Role.ASSISTANT:
                written.extend(_answer(message.parts, reasons=reasons))
            case Role.SYSTEM | Role.USER:
                content = _content(message.parts)
                if content:
                    written.append({"role": message.role.value, "content": content})
    return written


def _result(result: ToolResult) -> Block:
    text = "".join(part.text for part in result.parts if isinstance(part, Text))
    return {"role": "tool", "tool_call_id": result.call_id, "content": text}


def _answer(parts: tuple[Part, ...], *, reasons: bool) -> list[Block]:
    """One message, or none for a turn that says nothing."""
    said = "".join(part.text for part in parts if isinstance(part, Text))
    thought = "".join(part.text for part in parts if isinstance(part, Thinking))
    calls = [part for part in parts if isinstance(part, ToolCall)]
    message: Block = {"role": "assistant"}
    if thought and reasons:
        message["content"] = [{"type": "thinking", "thinking": thought}]
        if said:
            message["content"].append({"type": "text", "text": said})
    elif said:
        message["content"] = said
    if calls:
        if thought and not reasons:
            message["tool_plan"] = thought
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
            for call in calls
        ]
    return [message] if said or calls else []


def _content(parts: tuple[Part, ...]) -> Json:
    blocks = [block for part in parts if (block := _block(part)) is not None]
    return blocks[0]["text"] if len(blocks) == 1 and "text" in blocks[0] else blocks


def _block(part: Part) -> Block | None:
    match part:
        case Text(text=text):
            return {"type": "text", "text": text} if text else None
        case Image():
            image: Block = {"url": part.url if part.url is not None else f"data:{part.media_type};base64,{part.data}"}
            if part.detail is not None:
                image["detail"] = part.detail
            return {"type": "image_url", "image_url": image}
        case Media(data=data):
            return {"type": "text", "text": base64.b64decode(data or "").decode("utf-8", "replace")}
        case _:
            return None
