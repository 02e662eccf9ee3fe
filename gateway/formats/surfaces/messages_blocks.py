"""Content blocks of Anthropic messages as neutral parts."""

import base64
from collections.abc import Mapping

import orjson

from gateway.core.chat import Image, Json, Media, Part, Text, Thinking, ToolCall, ToolResult
from gateway.formats import readers
from gateway.formats.sealed_reasoning import is_sealed, unseal


def read_block(block: Mapping[str, Json], where: str, unplaced: set[str]) -> Part | None:
    """None for a block that the neutral form cannot say; its name is in `unplaced` then."""
    cache = readers.optional_mapping(block, "cache_control", f"{where}.")
    match readers.filled(block.get("type"), f"{where}.type"):
        case "text":
            if block.get("citations"):
                unplaced.add("citations")
            return Text(readers.text(block.get("text"), f"{where}.text"), cache)
        case "image":
            return _image(readers.mapping(block.get("source"), f"{where}.source"), f"{where}.source", cache, unplaced)
        case "document":
            return _document(block, where, cache, unplaced)
        case "tool_use":
            return ToolCall(
                id=readers.filled(block.get("id"), f"{where}.id"),
                name=readers.filled(block.get("name"), f"{where}.name"),
                arguments=orjson.dumps(readers.mapping(block.get("input"), f"{where}.input")).decode(),
                cache=cache,
            )
        case "tool_result":
            return _tool_result(block, where, cache, unplaced)
        case "thinking":
            signature = readers.optional_text(block, "signature", f"{where}.") or None
            text = readers.text(block.get("thinking"), f"{where}.thinking")
            return Thinking(text, signature, format="anthropic" if signature else None)
        case "redacted_thinking":
            data = readers.filled(block.get("data"), f"{where}.data")
            return unseal(data, "") if is_sealed(data) else Thinking("", redacted=data, format="anthropic")
        case other:
            unplaced.add(f"content[].type={other}"[:80])
            return None


def _tool_result(
    block: Mapping[str, Json], where: str, cache: Mapping[str, Json] | None, unplaced: set[str]
) -> ToolResult:
    call_id = readers.filled(block.get("tool_use_id"), f"{where}.tool_use_id")
    failed = bool(readers.flag(block, "is_error", f"{where}."))
    content = block.get("content")
    if content is None:
        return ToolResult(call_id, (), failed, cache)
    if isinstance(content, str):
        return ToolResult(call_id, (Text(content),), failed, cache)
    parts: list[Text | Image | Media] = []
    for index, item in enumerate(readers.items(content, f"{where}.content")):
        at = f"{where}.content[{index}]"
        part = read_block(readers.mapping(item, at), at, unplaced)
        if isinstance(part, Text | Image | Media):
            parts.append(part)
    return ToolResult(call_id, tuple(parts), failed, cache)


def _image(
    source: Mapping[str, Json], where: str, cache: Mapping[str, Json] | None, unplaced: set[str]
) -> Image:
    match readers.one_of(source.get("type"), f"{where}.type", ("base64", "url", "file")):
        case "base64":
            media_type = readers.filled(source.get("media_type"), f"{where}.media_type")
            return Image(data=readers.filled(source.get("data"), f"{where}.data"), media_type=media_type, cache=cache)
        case "url":
            return Image(url=readers.filled(source.get("url"), f"{where}.url"), cache=cache)
        case _:
            unplaced.add("file_id")
            return Image(url="", cache=cache)


def _document(
    block: Mapping[str, Json], where: str, cache: Mapping[str, Json] | None, unplaced: set[str]
) -> Media | None:
    source = readers.mapping(block.get("source"), f"{where}.source")
    name = readers.optional_text(block, "title", f"{where}.")
    citations = block.get("citations")
    if isinstance(citations, dict) and citations.get("enabled"):
        unplaced.add("citations")
    if block.get("context"):
        unplaced.add("document.context")
    known = ("base64", "text", "url", "content", "file")
    match readers.one_of(source.get("type"), f"{where}.source.type", known):
        case "base64":
            media_type = readers.filled(source.get("media_type"), f"{where}.source.media_type")
            data = readers.filled(source.get("data"), f"{where}.source.data")
            return Media("file", data, media_type=media_type, name=name, cache=cache)
        case "text":
            text = readers.text(source.get("data"), f"{where}.source.data")
            data = base64.b64encode(text.encode()).decode()
            return Media("file", data, media_type="text/plain", name=name, cache=cache)
        case "url":
            url = readers.filled(source.get("url"), f"{where}.source.url")
            return Media("file", url=url, media_type="application/pdf", name=name, cache=cache)
        case "file":
            unplaced.add("file_id")
            file_id = readers.filled(source.get("file_id"), f"{where}.source.file_id")
            return Media("file", file_id=file_id, name=name, cache=cache)
        case _:
            unplaced.add("document.content")
            return None
