"""Neutral messages as Converse messages.

System texts go to the top, wherever they stood. Turns of one side are merged and tool results stand first in theirs.
Empty texts and empty turns are left out, since the API refuses them.
"""

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from gateway.core.chat import Image, Json, Media, Message, Part, Role, Text, Thinking, ToolCall, ToolResult
from gateway.formats.arguments import read_arguments

Block = dict[str, Json]

IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
DOCUMENTS = {
    "application/pdf": "pdf",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "md",
    "text/plain": "txt",
}
SOUNDS = {f"audio/{name}": name for name in ("aac", "flac", "mp3", "ogg", "opus", "wav", "webm")}
SOUNDS |= {"audio/mpeg": "mp3", "audio/x-wav": "wav"}
_CALL_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")  # service model, ToolUseId
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9\s\-()\[\]]+")  # API reference, DocumentBlock.name
_SPACES = re.compile(r"\s+")
_FILLER: Block = {"text": "."}  # where something must stand


def message_fields(messages: Iterable[Message]) -> set[str]:
    """What the messages hold that this format cannot be told."""
    return {field for message in messages for part in message.parts for field in _part_fields(part, inside=False)}


def _part_fields(part: Part, *, inside: bool) -> set[str]:
    match part:
        case Image(url=url, media_type=form):
            if url is not None:
                return {"image_url"}
            return set() if form in IMAGES else {f"image.{form}"}
        case Media(kind="audio", media_type=form, data=data):
            return set() if form in SOUNDS and data and not inside else {"input_audio"}
        case Media(data=None, url=url):
            return {"file_url" if url is not None else "file_id"}
        case Media(media_type=form):
            return set() if form in DOCUMENTS else {f"file.{form}"}
        case ToolResult(parts=parts):
            return {field for inner in parts for field in _part_fields(inner, inside=True)}
        case _:
            return set()


def message_hints(messages: Iterable[Message]) -> set[str]:
    """What the messages hold that is left out: nothing the model needs to answer."""
    lost: set[str] = set()
    for message in messages:
        if message.name is not None:
            lost.add("messages[].name")
        for part in message.parts:
            if isinstance(part, Thinking) and not (part.signature or part.redacted):
                lost.add("messages[].reasoning_content")
            elif isinstance(part, Image) and part.detail not in (None, "auto"):
                lost.add("image_url.detail")
    return lost


def holds_calls(messages: Iterable[Message]) -> bool:
    return any(isinstance(part, ToolCall | ToolResult) for message in messages for part in message.parts)


def caches(messages: Iterable[Message]) -> bool:
    """Whether some part asks for a cache point."""
    return any(getattr(part, "cache", None) is not None for message in messages for part in message.parts)


def write_messages(messages: Iterable[Message], *, caching: bool) -> tuple[list[Block], list[Block]]:
    """System blocks and turns; cache points only where the model takes them."""
    system: list[Block] = []
    turns: list[Block] = []
    for message in messages:
        blocks = [block for part in message.parts for block in _blocks(part, caching)]
        if all("cachePoint" in block for block in blocks):
            continue
        if message.role is Role.SYSTEM:
            system.extend(blocks)
        else:
            side = "assistant" if message.role is Role.ASSISTANT else "user"
            if turns and turns[-1]["role"] == side:
                turns[-1]["content"].extend(blocks)
            else:
                turns.append({"role": side, "content": blocks})
    if not turns:  # instructions alone: they are the request
        return [], [{"role": "user", "content": system or [dict(_FILLER)]}]
    for turn in turns:
        _arrange(turn["content"])
    return system, turns


def cache_point(cache: Mapping[str, Json]) -> Block:
    kept = cache.get("ttl")
    return {"cachePoint": {"type": "default", **({"ttl": kept} if kept in ("5m", "1h") else {})}}


def _arrange(content: list[Block]) -> None:
    """Tool results first, documents under names of their own, and never a document without a text."""
    content.sort(key=lambda block: 0 if "toolResult" in block else 1)
    documents = [block["document"] for block in content if "document" in block]
    seen: set[str] = set()
    for number, document in enumerate(documents, 1):
        name = _SPACES.sub(" ", _NOT_IN_A_NAME.sub("-", document["name"])).strip(" -") or "document"
        document["name"] = name if name not in seen else f"{name} {number}"
        seen.add(document["name"])
    if documents and not any("text" in block or "toolResult" in block for block in content):
        content.append(dict(_FILLER))


def _blocks(part: Part, caching: bool) -> list[Block]:
    """A part and the cache point after it; that of a blank text stands after whatever came before."""
    block = _block(part)
    written = [] if block is None else [block]
    cache = getattr(part, "cache", None)
    return [*written, cache_point(cache)] if cache is not None and caching else written


def _block(part: Part) -> Block | None:
    match part:
        case Text(text=text):
            return {"text": text} if text.strip() else None
        case Image(data=data, media_type=form):
            return {"image": {"format": IMAGES[form or ""], "source": {"bytes": data}}}
        case Media(kind="audio", data=data, media_type=form):
            return {"audio": {"format": SOUNDS[form or ""], "source": {"bytes": data}}}
        case Media(data=data, media_type=form, name=name):
            source = {"bytes": data}
            return {"document": {"format": DOCUMENTS[form or ""], "name": name or "document", "source": source}}
        case Thinking():
            return _thinking(part)
        case ToolCall(id=call_id, name=name, arguments=arguments):
            return {"toolUse": {"toolUseId": _call_id(call_id), "name": name, "input": read_arguments(arguments)}}
        case ToolResult():
            return _tool_result(part)


def _thinking(part: Thinking) -> Block | None:
    if part.redacted is not None:
        return {"reasoningContent": {"redactedContent": part.redacted}}
    if part.signature is None:
        return None
    return {"reasoningContent": {"reasoningText": {"text": part.text, "signature": part.signature}}}


def _tool_result(result: ToolResult) -> Block:
    content = [block for part in result.parts if (block := _block(part)) is not None]
    written: Block = {"toolUseId": _call_id(result.call_id), "content": content or [dict(_FILLER)]}
    if result.is_error:
        written["status"] = "error"
    return {"toolResult": written}


def _call_id(call_id: str) -> str:
    """Ids of other providers may be longer than Bedrock's; the same id always becomes the same."""
    if _CALL_ID.fullmatch(call_id):
        return call_id
    return "call_" + blake2b(call_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
