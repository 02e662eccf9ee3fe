"""Neutral messages as Anthropic messages.

System texts go to the top, wherever they stood. Turns of one side are merged, so that all results of a turn's tool
calls stand together and first, as the API demands. Empty texts and empty turns are left out.
"""

import base64
from collections.abc import Iterable, Mapping

from gateway.core.chat import Image, Json, Media, Message, Part, Role, Text, Thinking, ToolCall, ToolResult
from gateway.formats.arguments import read_arguments

Block = dict[str, Json]


def message_fields(messages: Iterable[Message]) -> set[str]:
    """What the messages hold that this format cannot be told."""
    fields: set[str] = set()
    for message in messages:
        for part in message.parts:
            fields |= _part_fields(part)
    return fields


def _part_fields(part: Part) -> set[str]:
    match part:
        case Media(kind="audio"):
            return {"input_audio"}
        case Media(data=data, media_type=form) if data is not None and not _document_type(form):
            return {f"file.{form}"}
        case ToolResult(parts=parts):
            return {field for inner in parts for field in _part_fields(inner)}
        case _:
            return set()


def _document_type(form: str | None) -> bool:
    return form == "application/pdf" or (form or "").startswith("text/")


def message_hints(messages: Iterable[Message]) -> set[str]:
    """What the messages hold that is left out: nothing the model needs to answer."""
    lost: set[str] = set()
    for message in messages:
        if message.name is not None:
            lost.add("messages[].name")
        for part in message.parts:
            if isinstance(part, Thinking) and not (part.signature or part.redacted):
                lost.add("messages[].reasoning_content")  # only signed reasoning may be given back
            elif isinstance(part, Image) and part.detail not in (None, "auto"):
                lost.add("image_url.detail")
    return lost


def write_messages(messages: Iterable[Message]) -> tuple[list[Block], list[Block]]:
    """System blocks and turns."""
    system: list[Block] = []
    turns: list[Block] = []
    for message in messages:
        blocks = [block for part in message.parts if (block := _block(part)) is not None]
        if message.role is Role.SYSTEM:
            system.extend(blocks)
        elif blocks:
            side = "assistant" if message.role is Role.ASSISTANT else "user"
            if turns and turns[-1]["role"] == side:
                turns[-1]["content"].extend(blocks)
            else:
                turns.append({"role": side, "content": blocks})
    for turn in turns:
        turn["content"].sort(key=_place)
    if not turns:  # instructions alone: they are the request
        return [], [{"role": "user", "content": system or [{"type": "text", "text": "."}]}]
    _trim_last(turns[-1])
    return system, turns


def _place(block: Block) -> int:
    """Tool results first, else the order that was."""
    return 0 if block["type"] == "tool_result" else 1


def _trim_last(turn: Block) -> None:
    """A last assistant turn is a prefill, which must not end in white space."""
    last = turn["content"][-1]
    if turn["role"] == "assistant" and last["type"] == "text":
        last["text"] = last["text"].rstrip() or "."


def _block(part: Part) -> Block | None:
    match part:
        case Text(text=text):
            return _cached({"type": "text", "text": text}, part.cache) if text else None
        case Image():
            return _cached({"type": "image", "source": _image_source(part)}, part.cache)
        case Media():
            return _cached(_document(part), part.cache)
        case Thinking():
            return _thinking(part)
        case ToolCall(id=call_id, name=name, arguments=arguments):
            call = {"type": "tool_use", "id": call_id, "name": name, "input": read_arguments(arguments)}
            return _cached(call, part.cache)
        case ToolResult():
            return _tool_result(part)


def _cached(block: Block, cache: Mapping[str, Json] | None) -> Block:
    return block if cache is None else {**block, "cache_control": dict(cache)}


def _thinking(part: Thinking) -> Block | None:
    if part.redacted is not None:
        return {"type": "redacted_thinking", "data": part.redacted}
    if part.signature is None:
        return None
    return {"type": "thinking", "thinking": part.text, "signature": part.signature}


def _image_source(image: Image) -> Block:
    if image.url is not None:
        return {"type": "url", "url": image.url}
    return {"type": "base64", "media_type": image.media_type, "data": image.data}


def _document(media: Media) -> Block:
    source: Block
    if media.url is not None:
        source = {"type": "url", "url": media.url}
    elif media.media_type == "application/pdf":
        source = {"type": "base64", "media_type": media.media_type, "data": media.data}
    else:
        text = base64.b64decode(media.data or "").decode("utf-8", "replace")
        source = {"type": "text", "media_type": "text/plain", "data": text}
    block = {"type": "document", "source": source}
    return block if media.name is None else {**block, "title": media.name}


def _tool_result(result: ToolResult) -> Block:
    content = [block for part in result.parts if (block := _block(part)) is not None]
    written: Block = {"type": "tool_result", "tool_use_id": result.call_id}
    if content:
        written["content"] = content
    if result.is_error:
        written["is_error"] = True
    return _cached(written, result.cache)
