"""Reads recorded Converse requests into the neutral form: what a client would have had to ask for them to be sent."""

import json
from typing import Any

from msgspec.structs import replace

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
from gateway.formats.bedrock.messages import DOCUMENTS, IMAGES, SOUNDS

_TYPES = {short: long for table in (IMAGES, DOCUMENTS, SOUNDS) for long, short in reversed(table.items())}


def ask_of(body: dict[str, Any], *, stream: bool) -> Ask:
    chat = chat_of(body, stream=stream)
    return Ask(Surface.CHAT, "m", stream=stream, body={}, survey=survey_chat(chat), chat=chat)


def chat_of(body: dict[str, Any], *, stream: bool) -> ChatRequest:
    inference, more = body.get("inferenceConfig") or {}, body.get("additionalModelRequestFields") or {}
    config = body.get("toolConfig") or {}
    thinking = more.get("thinking") or {}
    reasoning = None
    if thinking.get("type") == "enabled":
        reasoning = Reasoning(budget_tokens=thinking["budget_tokens"])
    elif thinking.get("type") == "adaptive":
        reasoning = Reasoning(adaptive=True)
    elif "reasoning_config" in more:
        reasoning = Reasoning(effort=more["reasoning_config"])
    messages = [Message(Role.SYSTEM, parts_of(body["system"]))] if body.get("system") else []
    messages += [Message(Role(turn["role"]), parts_of(turn["content"])) for turn in body["messages"]]
    return ChatRequest(
        messages=tuple(messages),
        max_tokens=inference.get("maxTokens"),
        temperature=inference.get("temperature"),
        top_p=inference.get("topP"),
        top_k=more.get("top_k") or (more.get("inferenceConfig") or {}).get("topK"),
        stop=tuple(inference.get("stopSequences") or ()),
        tools=_tools(config.get("tools") or []),
        tool_choice=_choice(config.get("toolChoice")),
        response_format=_format(body.get("outputConfig")),
        reasoning=reasoning,
        stream=stream,
    )


def parts_of(blocks: list[dict[str, Any]]) -> tuple[Part, ...]:
    parts: list[Part] = []
    for block in blocks:
        if "cachePoint" in block:
            kept = {"ttl": block["cachePoint"]["ttl"]} if "ttl" in block["cachePoint"] else {}
            parts.append(replace(parts.pop(), cache={"type": "ephemeral", **kept}))
        else:
            parts.append(_part(block))
    return tuple(parts)


def _part(block: dict[str, Any]) -> Part:
    (kind,) = block
    value = block[kind]
    match kind:
        case "text":
            return Text(value)
        case "json":
            return Text(json.dumps(value))
        case "image":
            return Image(data=value["source"]["bytes"], media_type=_TYPES[value["format"]])
        case "document":
            return Media("file", value["source"]["bytes"], media_type=_TYPES[value["format"]], name=value["name"])
        case "audio":
            return Media("audio", value["source"]["bytes"], media_type=_TYPES[value["format"]])
        case "toolUse":
            return ToolCall(value["toolUseId"], value["name"], json.dumps(value["input"]))
        case "toolResult":
            parts = tuple(_part(inner) for inner in value["content"])
            return ToolResult(value["toolUseId"], parts, value.get("status") == "error")  # type: ignore[arg-type]
        case _:
            return _thinking(block["reasoningContent"])


def _thinking(value: dict[str, Any]) -> Thinking:
    if "redactedContent" in value:
        return Thinking("", redacted=value["redactedContent"], format="bedrock")
    said = value["reasoningText"]
    return Thinking(said["text"], said.get("signature"), format="bedrock")


def _tools(tools: list[dict[str, Any]]) -> tuple[ToolSpec, ...]:
    found: list[ToolSpec] = []
    for tool in tools:
        if "cachePoint" in tool:
            last = found.pop()
            found.append(ToolSpec(last.name, last.description, last.parameters, last.strict, {"type": "ephemeral"}))
            continue
        spec = tool["toolSpec"]
        found.append(ToolSpec(spec["name"], spec.get("description"), spec["inputSchema"]["json"], spec.get("strict")))
    return tuple(found)


def _choice(choice: dict[str, Any] | None) -> ToolChoice | None:
    if choice is None:
        return None
    (kind,) = choice
    return ToolChoice({"any": "required", "tool": "named"}.get(kind, kind), choice[kind].get("name"))


def _format(config: dict[str, Any] | None) -> ResponseFormat | None:
    if config is None:
        return None
    wanted = config["textFormat"]["structure"]["jsonSchema"]
    return ResponseFormat("json_schema", wanted.get("name"), json.loads(wanted["schema"]))
