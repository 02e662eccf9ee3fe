"""Neutral messages as Gemini contents.

System texts go to `systemInstruction`, wherever they stood. Turns of one side are merged, but results of calls have a
turn of their own right after the calls, and stand in their order: the API pairs them by id and by name.

A thought signature belongs to one part. The carriers that clients have for it keep reasoning apart from calls, so on
the way back signatures are given to the calls in their order (a call's is the one the API insists on: "Thought
signatures", Google), and only what is left over to the text.
"""

from collections.abc import Iterable
from typing import Any

from gateway.core.chat import Image, Json, Media, Message, Part, Role, Text, Thinking, ToolCall, ToolResult
from gateway.formats.arguments import read_arguments

Block = dict[str, Any]

# Documented by Google for calls that another model made: the API takes this for a signature.
NO_SIGNATURE = "skip_thought_signature_validator"
_REACHABLE = ("gs://", "https://generativelanguage.googleapis.com/", "https://www.youtube.com/", "https://youtu.be/")
_RESULT = "functionResponse"
_NAMELESS = "unknown"  # a result whose call is not in the conversation


def message_fields(messages: Iterable[Message]) -> set[str]:
    """What the messages hold that this format cannot be told."""
    return {field for message in messages for part in message.parts for field in _part_fields(part)}


def _part_fields(part: Part) -> set[str]:
    match part:
        case Image(url=url) if url is not None and not url.startswith(_REACHABLE):
            return {"image_url"}
        case Media(data=None, url=None):
            return {"file_id"}
        case Media(data=None, url=url) if not (url or "").startswith(_REACHABLE):
            return {"file_url"}
        case ToolResult(parts=parts):
            return {field for inner in parts for field in _part_fields(inner)}
        case _:
            return set()


def message_hints(messages: Iterable[Message]) -> set[str]:
    """What the messages hold that is left out: nothing the model needs to answer."""
    lost: set[str] = set()
    for message in messages:
        if message.name is not None:
            lost.add("messages[].name")
        for part in message.parts:
            if isinstance(part, Thinking) and part.text and part.format != "gemini":
                lost.add("messages[].reasoning_content")
            elif isinstance(part, Image) and part.detail not in (None, "auto"):
                lost.add("image_url.detail")
    return lost


def holds_media_results(messages: Iterable[Message]) -> bool:
    """Whether a call answered with more than text, which only the third generation reads."""
    results = (part for message in messages for part in message.parts if isinstance(part, ToolResult))
    return any(not isinstance(inner, Text) for result in results for inner in result.parts)


def write_contents(messages: tuple[Message, ...], *, signed: bool) -> tuple[list[Block], list[Block]]:
    """System parts and turns; `signed`: the model insists on signatures, so calls of others get the documented word."""
    called = {part.id: part.name for message in messages for part in message.parts if isinstance(part, ToolCall)}
    order = {call_id: number for number, call_id in enumerate(called)}
    system: list[Block] = []
    turns: list[Block] = []
    for message in messages:
        if message.role is Role.ASSISTANT:
            _add(turns, "model", _answer(message.parts, signed=signed))
        elif message.role is Role.SYSTEM:
            system.extend(_said(message.parts))
        else:
            _add(turns, "user", [_result(part, called) for part in message.parts if isinstance(part, ToolResult)])
            _add(turns, "user", _said(part for part in message.parts if not isinstance(part, ToolResult)))
    for turn in turns:
        if _RESULT in turn["parts"][0]:
            turn["parts"].sort(key=lambda part: order.get(part[_RESULT]["id"], len(order)))
    if not turns:  # instructions alone: they are the request
        return [], [{"role": "user", "parts": system or [{"text": "."}]}]
    return system, turns


def _add(turns: list[Block], role: str, parts: list[Block]) -> None:
    if not parts:
        return
    if turns and turns[-1]["role"] == role and (_RESULT in turns[-1]["parts"][0]) == (_RESULT in parts[0]):
        turns[-1]["parts"].extend(parts)
    else:
        turns.append({"role": role, "parts": parts})


def _said(parts: Iterable[Part]) -> list[Block]:
    return [block for part in parts if (block := _part(part)) is not None]


def _part(part: Part) -> Block | None:
    match part:
        case Text(text=text):
            return {"text": text} if text else None
        case Image(url=None, data=data, media_type=form):
            return {"inlineData": {"mimeType": form or "image/png", "data": data}}
        case Image(url=url):
            return {"fileData": {"fileUri": url}}
        case Media(data=None, url=url, media_type=form):
            return {"fileData": {"fileUri": url, **({"mimeType": form} if form else {})}}
        case Media(data=data, media_type=form, kind=kind):
            usual = "audio/wav" if kind == "audio" else "application/pdf"
            return {"inlineData": {"mimeType": form or usual, "data": data}}
        case _:
            return None


def _answer(parts: tuple[Part, ...], *, signed: bool) -> list[Block]:
    """One turn of the model, each signature at the part it belongs to."""
    signatures: list[str] = []
    blocks: list[Block] = []
    calls: list[Block] = []
    for part in parts:
        match part:
            case Thinking(format="gemini"):
                sealed = part.signature or part.redacted
                if sealed:
                    signatures.append(sealed)
                if part.text:
                    blocks.append({"text": part.text, "thought": True})
            case ToolCall():
                call = {"id": part.id, "name": part.name, "args": read_arguments(part.arguments)}
                calls.append({"functionCall": call})
                blocks.append(calls[-1])
            case _:
                blocks.extend(_said((part,)))
    spare = max(len(signatures) - len(calls), 0)
    for block, signature in zip(calls, signatures[spare:], strict=False):
        block["thoughtSignature"] = signature
    if calls and not signatures and signed:
        calls[0]["thoughtSignature"] = NO_SIGNATURE  # the first of parallel calls is the one that is checked
    return _sign_texts(blocks, signatures[:spare])


def _sign_texts(blocks: list[Block], signatures: list[str]) -> list[Block]:
    """The last signature to the last text, those before it to parts without text, as streams have them."""
    if not signatures:
        return blocks
    texts = [block for block in blocks if "text" in block and "thought" not in block]
    bare: list[Block] = [{"text": "", "thoughtSignature": signature} for signature in signatures]
    if texts:
        texts[-1]["thoughtSignature"] = bare.pop()["thoughtSignature"]
    return bare + blocks


def _result(result: ToolResult, called: dict[str, str]) -> Block:
    """A result that is a JSON object's place: text goes under the key that Google's documents give."""
    text = "".join(part.text for part in result.parts if isinstance(part, Text))
    key = "error" if result.is_error else "output"
    answer: dict[str, Json] = {
        "id": result.call_id,
        "name": called.get(result.call_id, _NAMELESS),
        "response": {key: text},
    }
    media = _said(part for part in result.parts if not isinstance(part, Text))
    if media:
        answer["parts"] = media
    return {_RESULT: answer}
