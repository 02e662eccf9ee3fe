"""Reads recorded generateContent requests into the neutral form: what a client would have had to ask for.

The recordings spell fields both ways (`functionCall`, `function_call`), as the API allows; `camel` makes them one.
"""

import json
import re
from typing import Any

from gateway.core.ask import Ask, Surface, survey_chat
from gateway.core.chat import (
    ChatRequest,
    Image,
    Media,
    Message,
    Part,
    Reasoning,
    ResponseFormat,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolSpec,
)

_SNAKE = re.compile(r"_([a-z])")
_FREE = frozenset({"args", "response", "parametersJsonSchema", "responseJsonSchema", "parameters", "responseSchema"})
_MODES = {"AUTO": "auto", "VALIDATED": "auto", "ANY": "required", "NONE": "none"}


def camel(value: Any) -> Any:
    """All of the API's own names in camel case; what belongs to the client stays as it is."""
    if isinstance(value, list):
        return [camel(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    named = {_SNAKE.sub(lambda found: found[1].upper(), key): inner for key, inner in value.items()}
    return {key: inner if key in _FREE else camel(inner) for key, inner in named.items()}


def ask_of(body: dict[str, Any], *, stream: bool) -> Ask:
    """`body` in camel case."""
    chat = _chat_of(body, stream=stream)
    return Ask(Surface.CHAT, "m", stream=stream, body={}, survey=survey_chat(chat), chat=chat)


def _chat_of(body: dict[str, Any], *, stream: bool) -> ChatRequest:
    config = body.get("generationConfig") or {}
    calling = (body.get("toolConfig") or {}).get("functionCallingConfig")
    declared = [tool for entry in body.get("tools") or () for tool in entry["functionDeclarations"]]
    strict = calling is not None and calling["mode"] == "VALIDATED"
    system = [Message(Role.SYSTEM, _parts(body["systemInstruction"]["parts"]))] if "systemInstruction" in body else []
    turns = [
        Message(Role.ASSISTANT if turn["role"] == "model" else Role.USER, _parts(turn["parts"]))
        for turn in body["contents"]
    ]
    return ChatRequest(
        messages=(*system, *turns),
        temperature=config.get("temperature"),
        tools=tuple(
            ToolSpec(tool["name"], tool.get("description"), tool.get("parametersJsonSchema") or {}, strict or None)
            for tool in declared
        ),
        tool_choice=_choice(calling),
        response_format=_format(config),
        reasoning=Reasoning(adaptive=True) if "thinkingConfig" in config else None,
        stream=stream,
    )


def _choice(calling: Any) -> ToolChoice | None:
    if calling is None:
        return None
    named = calling.get("allowedFunctionNames") or [None]
    return ToolChoice("named" if len(named) == 1 and named[0] else _MODES[calling["mode"]], named[0])


def _format(config: dict[str, Any]) -> ResponseFormat | None:
    if config.get("responseMimeType") != "application/json":
        return None
    schema = config.get("responseJsonSchema")
    return ResponseFormat("json_object" if schema is None else "json_schema", schema=schema)


def _parts(blocks: list[dict[str, Any]]) -> tuple[Part, ...]:
    parts: list[Part] = []
    for block in blocks:
        signature = block.get("thoughtSignature")
        if block.get("thought"):
            parts.append(Thinking(block["text"], format="gemini"))
            continue
        if signature:
            parts.append(Thinking("", signature, format="gemini"))
        parts.append(_part(block))
    return tuple(parts)


def _part(block: dict[str, Any]) -> Part:
    match block:
        case {"text": text}:
            return Text(text)
        case {"inlineData": {"mimeType": form, "data": data}} if form.startswith("image/"):
            return Image(data=data, media_type=form)
        case {"inlineData": {"mimeType": form, "data": data}}:
            return Media("audio" if form.startswith("audio/") else "file", data, media_type=form)
        case {"fileData": {"fileUri": url, "mimeType": form}}:
            return Media("file", url=url, media_type=form)
        case {"functionCall": call}:
            return ToolCall(call["id"], call["name"], json.dumps(call["args"]))
        case {"functionResponse": answer}:
            text = Text(json.dumps(answer["response"]))
            media = [part for part in map(_part, answer.get("parts") or ()) if isinstance(part, Image | Media)]
            return ToolResult(answer["id"], (text, *media))
        case _:
            raise ValueError(f"no client can say this: {sorted(block)}")
