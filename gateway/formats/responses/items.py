"""Neutral messages as input items of a response."""

import base64
from collections.abc import Iterable

from gateway.core.chat import Image, Json, Media, Message, Role, Text, Thinking, ToolCall, ToolResult
from gateway.formats.sealed_reasoning import NATIVE

Item = dict[str, Json]


def message_fields(messages: Iterable[Message], quirks: frozenset[str]) -> set[str]:
    """What the messages hold that this format (or an endpoint with these quirks) cannot be told."""
    fields: set[str] = set()
    for message in messages:
        for part in message.parts:
            for inner in part.parts if isinstance(part, ToolResult) else (part,):
                if isinstance(inner, Image) and inner.url is not None and "no_image_url" in quirks:
                    fields.add("image_url")
                elif isinstance(inner, Media) and inner.kind == "audio":
                    fields.add("input_audio")
    return fields


def message_hints(messages: Iterable[Message]) -> set[str]:
    """What the messages hold that is left out: nothing the model needs to answer."""
    lost: set[str] = set()
    for message in messages:
        if message.name is not None:
            lost.add("messages[].name")
        for part in message.parts:
            if isinstance(part, Thinking) and _reasoning(part) is None:
                lost.add("messages[].reasoning_content")  # only what the provider encrypted may be given back
            elif isinstance(part, ToolResult) and part.is_error:
                lost.add("is_error")
    return lost


def write_items(messages: Iterable[Message]) -> list[Item]:
    items: list[Item] = []
    for message in messages:
        said: list[Item] = []  # text of the turn that is not yet an item
        for part in message.parts:
            if isinstance(part, Thinking | ToolCall | ToolResult):
                _flush(said, message.role, items)
                written = _item(part)
                if written is not None:
                    items.append(written)
            else:
                shown = _part(part, message.role)
                if shown is not None:
                    said.append(shown)
        _flush(said, message.role, items)
    return items


def _flush(said: list[Item], role: Role, items: list[Item]) -> None:
    if said:
        content: Json = said[0]["text"] if len(said) == 1 and "text" in said[0] else list(said)
        items.append({"role": role.value, "content": content})
        said.clear()


def _item(part: Thinking | ToolCall | ToolResult) -> Item | None:
    match part:
        case Thinking():
            return _reasoning(part)
        case ToolCall(id=call_id, name=name, arguments=arguments):
            return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments or "{}"}
        case ToolResult(call_id=call_id, parts=parts):
            return {"type": "function_call_output", "call_id": call_id, "output": _output(parts)}


def _reasoning(part: Thinking) -> Item | None:
    """None for what this format did not encrypt. Without an id, as OpenAI's own clients send it."""
    sealed = part.signature or part.redacted
    if sealed is None or part.format != NATIVE:
        return None
    summary = [{"type": "summary_text", "text": part.text}] if part.text else []
    return {"type": "reasoning", "summary": summary, "encrypted_content": sealed}


def _output(parts: tuple[Text | Image | Media, ...]) -> Json:
    if all(isinstance(part, Text) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, Text))
    return [shown for part in parts if (shown := _part(part, Role.TOOL)) is not None]


def _part(part: Text | Image | Media, role: Role) -> Item | None:
    match part:
        case Text(text=text):
            kind = "output_text" if role is Role.ASSISTANT else "input_text"
            return {"type": kind, "text": text} if text else None
        case Image():
            url = part.url if part.url is not None else f"data:{part.media_type};base64,{part.data}"
            return {"type": "input_image", "image_url": url, "detail": part.detail or "auto"}
        case Media() if part.url is not None:
            return {"type": "input_file", "file_url": part.url}
        case Media() if (part.media_type or "").startswith("text/"):
            return {"type": "input_text", "text": base64.b64decode(part.data or "").decode("utf-8", "replace")}
        case Media():
            data = f"data:{part.media_type};base64,{part.data}"
            return {"type": "input_file", "filename": part.name or "file.pdf", "file_data": data}
