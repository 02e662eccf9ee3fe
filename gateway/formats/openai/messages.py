"""Neutral messages as OpenAI messages.

One `tool` message for each result, right after the assistant's turn; text only in results, as the format demands.
"""

import base64
from collections.abc import Iterable

from gateway.core.chat import Image, Json, Media, Message, Part, Role, Text, Thinking, ToolCall, ToolResult
from gateway.formats.reasoning_details import write_detail


def message_fields(messages: Iterable[Message], quirks: frozenset[str]) -> set[str]:
    """What the messages hold that this format (or an endpoint with these quirks) cannot be told."""
    fields: set[str] = set()
    for message in messages:
        for part in message.parts:
            if isinstance(part, Image) and part.url is not None and "no_image_url" in quirks:
                fields.add("image_url")
            elif isinstance(part, Media) and part.url is not None:
                fields.add("file_url")
            elif isinstance(part, ToolResult) and not all(isinstance(inner, Text) for inner in part.parts):
                fields.add("tool_result.media")
    return fields


def write_messages(messages: Iterable[Message], quirks: frozenset[str] = frozenset()) -> list[dict[str, Json]]:
    written: list[dict[str, Json]] = []
    for message in messages:
        match message.role:
            case Role.TOOL:
                written.extend(_tool(part) for part in message.parts if isinstance(part, ToolResult))
            case Role.ASSISTANT:
                shown = _assistant(message.parts, quirks)
                if shown is not None:
                    written.append(_named(shown, message.name))
            case Role.SYSTEM | Role.USER:
                content = _content(message.parts)
                if content:
                    written.append(_named({"role": message.role.value, "content": content}, message.name))
    return written


def _named(message: dict[str, Json], name: str | None) -> dict[str, Json]:
    return message if name is None else {**message, "name": name}


def _tool(result: ToolResult) -> dict[str, Json]:
    text = "".join(part.text for part in result.parts if isinstance(part, Text))
    return {"role": "tool", "tool_call_id": result.call_id, "content": text}


def _assistant(parts: tuple[Part, ...], quirks: frozenset[str]) -> dict[str, Json] | None:
    """None for an empty turn: some servers refuse it, and it says nothing (cases.md H3)."""
    said = "".join(part.text for part in parts if isinstance(part, Text))
    calls = [part for part in parts if isinstance(part, ToolCall)]
    if not said and not calls:
        return None
    message: dict[str, Json] = {"role": "assistant", "content": said or None}
    message |= _thoughts([part for part in parts if isinstance(part, Thinking)], said, quirks)
    if calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
            for call in calls
        ]
    return message


def _thoughts(parts: list[Thinking], said: str, quirks: frozenset[str]) -> dict[str, Json]:
    """Reasoning where the server reads it: signed in details, else as text, which most ignore."""
    if "reasoning_details" in quirks and any(part.signature or part.redacted for part in parts):
        return {"reasoning_details": [write_detail(part, index) for index, part in enumerate(parts)]}
    thought = "".join(part.text for part in parts)
    if not thought:
        return {}
    if "thoughts_in_content" in quirks:
        blocks: list[Json] = [{"type": "thinking", "thinking": [{"type": "text", "text": thought}]}]
        return {"content": [*blocks, {"type": "text", "text": said}] if said else blocks}
    return {"reasoning" if "thoughts_in_reasoning" in quirks else "reasoning_content": thought}


def _content(parts: tuple[Part, ...]) -> Json:
    if all(isinstance(part, Text) for part in parts):
        texts = [part.text for part in parts if isinstance(part, Text) and part.text]
        if len(texts) <= 1:
            return "".join(texts)
    return [shown for part in parts if (shown := _part(part)) is not None]


def _part(part: Part) -> dict[str, Json] | None:
    match part:
        case Text(text=text):
            return {"type": "text", "text": text} if text else None
        case Image():
            url = part.url if part.url is not None else f"data:{part.media_type};base64,{part.data}"
            image: dict[str, Json] = {"url": url}
            if part.detail is not None:
                image["detail"] = part.detail
            return {"type": "image_url", "image_url": image}
        case Media(kind="audio"):
            form = (part.media_type or "audio/wav").removeprefix("audio/")
            return {"type": "input_audio", "input_audio": {"data": part.data, "format": form}}
        case Media() if (part.media_type or "").startswith("text/"):
            return {"type": "text", "text": base64.b64decode(part.data or "").decode("utf-8", "replace")}
        case Media():
            file = {"filename": part.name or "file.pdf", "file_data": f"data:{part.media_type};base64,{part.data}"}
            return {"type": "file", "file": file}
        case _:
            return None
