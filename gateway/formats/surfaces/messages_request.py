"""Anthropic messages: the client's JSON into the neutral form.

Two API versions are spoken. 2026-10-21 refuses what 2023-06-01 still took: sampling fields, documents in assistant
turns, citations on a user's text. Names in `unplaced` what the neutral form cannot say.
"""

from collections.abc import Mapping

from gateway.core.chat import (
    ChatRequest,
    Json,
    Message,
    Part,
    Reasoning,
    ResponseFormat,
    Role,
    Text,
    ToolChoice,
    ToolResult,
    ToolSpec,
)
from gateway.formats import readers
from gateway.formats.hints import words
from gateway.formats.surface import BadRequest
from gateway.formats.surfaces.chat_request import read_effort, unplaced_fields
from gateway.formats.surfaces.messages_blocks import read_block
from gateway.formats.surfaces.parts import read_parts

OLDER_VERSION = "2023-06-01"
NEWER_VERSION = "2026-10-21"
VERSIONS = (OLDER_VERSION, NEWER_VERSION)
PLACED = words(
    """model messages max_tokens system stop_sequences stream temperature top_p top_k tools tool_choice thinking
    output_config metadata"""
)
_SAMPLING = ("temperature", "top_p", "top_k")
_CHOICES = {"auto": "auto", "any": "required", "none": "none", "tool": "named"}


def read_messages(body: Mapping[str, Json], headers: Mapping[str, str]) -> ChatRequest:
    """The whole request, `max_tokens` unchecked (counting needs none); raises `BadRequest`."""
    version = readers.one_of(headers.get("anthropic-version", OLDER_VERSION), "anthropic-version", VERSIONS)
    if version == NEWER_VERSION:
        _check_sampling(body)
    unplaced = unplaced_fields(body, PLACED)
    messages = (*_system(body.get("system"), "system", unplaced), *_turns(body.get("messages"), version, unplaced))
    config = readers.optional_mapping(body, "output_config") or {}
    unplaced |= {f"output_config.{key}" for key in config if key not in ("effort", "format")}
    metadata = readers.optional_mapping(body, "metadata") or {}
    return ChatRequest(
        messages=messages,
        max_tokens=readers.positive_int(body, "max_tokens"),
        temperature=readers.optional_number(body, "temperature"),
        top_p=readers.optional_number(body, "top_p"),
        top_k=readers.optional_int(body, "top_k"),
        stop=tuple(entry for entry in readers.texts(body.get("stop_sequences"), "stop_sequences") if entry),
        tools=_tools(body.get("tools"), unplaced),
        tool_choice=_tool_choice(body),
        response_format=_response_format(config, unplaced),
        reasoning=_reasoning(body, config, unplaced),
        user=readers.optional_text(metadata, "user_id", "metadata."),
        stream=bool(readers.flag(body, "stream")),
        include_usage=True,
        unplaced=frozenset(unplaced),
        native_headers=_native_headers(version, headers),
    )


def _check_sampling(body: Mapping[str, Json]) -> None:
    for field in _SAMPLING:
        if body.get(field) is not None:
            advice = f"leave it out, or send {OLDER_VERSION}"
            raise BadRequest(f"{field} is not part of anthropic-version {NEWER_VERSION}: {advice}.", field)


def _native_headers(version: str, headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    beta = headers.get("anthropic-beta")
    return (("anthropic-version", version), *((("anthropic-beta", beta),) if beta else ()))


def _system(value: Json, where: str, unplaced: set[str]) -> tuple[Message, ...]:
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return (Message(Role.SYSTEM, (Text(value),)),)
    parts: list[Part] = []
    for index, item in enumerate(readers.items(value, where)):
        block = readers.mapping(item, f"{where}[{index}]")
        kind = readers.filled(block.get("type"), f"{where}[{index}].type")
        if kind != "text":
            unplaced.add(f"content[].type={kind}"[:80])
            continue
        text = readers.text(block.get("text"), f"{where}[{index}].text")
        parts.append(Text(text, readers.optional_mapping(block, "cache_control", f"{where}[{index}].")))
    return (Message(Role.SYSTEM, tuple(parts)),) if parts else ()


def _turns(value: Json, version: str, unplaced: set[str]) -> tuple[Message, ...]:
    if value is None:
        raise BadRequest("messages is missing: it must be a non-empty array of messages.", "messages")
    found = readers.items(value, "messages")
    if not found:
        raise BadRequest("messages must not be empty.", "messages")
    turns: list[Message] = []
    for index, item in enumerate(found):
        where = f"messages[{index}]"
        turn = readers.mapping(item, where)
        role = readers.one_of(turn.get("role"), f"{where}.role", ("user", "assistant", "system"))
        if version == NEWER_VERSION:
            _check_blocks(turn, role, where)
        if role == "system":
            turns.extend(_system(turn.get("content"), f"{where}.content", unplaced))
            continue
        turns.extend(_turn(Role(role), _content(turn.get("content"), f"{where}.content", unplaced)))
    return tuple(turns)


def _turn(role: Role, parts: tuple[Part, ...]) -> tuple[Message, ...]:
    """A user turn with tool results becomes two messages: the results, then the rest."""
    results = tuple(part for part in parts if isinstance(part, ToolResult))
    if not results:
        return (Message(role, parts),)
    rest = tuple(part for part in parts if not isinstance(part, ToolResult))
    return (Message(Role.TOOL, results), *((Message(role, rest),) if rest else ()))


def _check_blocks(turn: Mapping[str, Json], role: str, where: str) -> None:
    content = turn.get("content")
    for index, block in enumerate(content if isinstance(content, list) else ()):
        if not isinstance(block, dict):
            continue
        at = f"{where}.content[{index}]"
        if role == "assistant" and block.get("type") == "document":
            raise BadRequest(f"{at}: anthropic-version {NEWER_VERSION} takes no document in an assistant turn.", at)
        if role == "user" and block.get("type") == "text" and block.get("citations"):
            at = f"{at}.citations"
            raise BadRequest(f"{at}: anthropic-version {NEWER_VERSION} takes none on a user's text.", at)


def _content(value: Json, where: str, unplaced: set[str]) -> tuple[Part, ...]:
    if value is None:
        raise BadRequest(f"{where} is missing: it must be a string or an array of content blocks.", where)
    return read_parts(value, where, unplaced, "a string or an array of content blocks", read_block)


def _tools(value: Json, unplaced: set[str]) -> tuple[ToolSpec, ...]:
    if value is None:
        return ()
    specs: list[ToolSpec] = []
    for index, item in enumerate(readers.items(value, "tools")):
        where = f"tools[{index}]"
        tool = readers.mapping(item, where)
        form = readers.optional_text(tool, "type", f"{where}.") or "custom"
        if form != "custom":  # runs at Anthropic (web_search, …) or has its schema there (bash, text_editor, …)
            unplaced.add(f"tools[].type={form}"[:80])
            continue
        specs.append(
            ToolSpec(
                name=readers.filled(tool.get("name"), f"{where}.name"),
                description=readers.optional_text(tool, "description", f"{where}."),
                parameters=readers.mapping(tool.get("input_schema"), f"{where}.input_schema"),
                strict=readers.flag(tool, "strict", f"{where}."),
                cache=readers.optional_mapping(tool, "cache_control", f"{where}."),
            )
        )
        if tool.get("defer_loading"):
            unplaced.add("tools[].defer_loading")
    return tuple(specs)


def _tool_choice(body: Mapping[str, Json]) -> ToolChoice | None:
    choice = readers.optional_mapping(body, "tool_choice")
    if choice is None:
        return None
    mode = _CHOICES[readers.one_of(choice.get("type"), "tool_choice.type", tuple(_CHOICES))]
    name = readers.filled(choice.get("name"), "tool_choice.name") if mode == "named" else None
    alone = readers.flag(choice, "disable_parallel_tool_use", "tool_choice.")
    return ToolChoice(mode, name, None if alone is None else not alone)


def _response_format(config: Mapping[str, Json], unplaced: set[str]) -> ResponseFormat | None:
    wanted = readers.optional_mapping(config, "format", "output_config.")
    if wanted is None:
        return None
    kind = readers.filled(wanted.get("type"), "output_config.format.type")
    if kind != "json_schema":
        unplaced.add(f"output_config.format.type={kind}"[:80])
        return None
    schema = readers.mapping(wanted.get("schema"), "output_config.format.schema")
    return ResponseFormat("json_schema", "answer", schema, strict=True)


def _reasoning(body: Mapping[str, Json], config: Mapping[str, Json], unplaced: set[str]) -> Reasoning | None:
    effort = readers.optional_text(config, "effort", "output_config.")
    if effort is not None:
        effort = read_effort(effort, "output_config.effort", unplaced)
    thinking = readers.optional_mapping(body, "thinking")
    if thinking is None:
        return None if effort is None else Reasoning(effort)
    if thinking.get("display"):
        unplaced.add("thinking.display")
    match readers.filled(thinking.get("type"), "thinking.type"):
        case "disabled":
            return Reasoning("none")
        case "adaptive":
            return Reasoning(effort, adaptive=True)
        case "enabled":
            budget = readers.positive_int(thinking, "budget_tokens", "thinking.")
            if budget is None:
                where = "thinking.budget_tokens"
                raise BadRequest(f"{where} is missing: it must be a positive integer.", where)
            return Reasoning(effort, budget)
        case other:
            unplaced.add(f"thinking.type={other}"[:80])
            return None

