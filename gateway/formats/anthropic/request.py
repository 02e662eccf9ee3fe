"""Requests to Anthropic endpoints: the client's own JSON where it speaks this format, else the neutral form."""

from collections.abc import Mapping

import orjson

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import JSON_SCHEMA, Endpoint
from gateway.core.chat import ChatRequest, Json, Role, Thinking, ToolChoice, ToolSpec
from gateway.formats import hints
from gateway.formats.anthropic.messages import message_fields, message_hints, write_messages
from gateway.formats.anthropic.thinking import LEAST_BUDGET, asked, is_lost, write_thinking
from gateway.formats.wire import PROBE_MAX_TOKENS, PROBE_PROMPT, Inexpressible, Outgoing

VERSION = "2023-06-01"
PATHS = {Surface.MESSAGES: "/messages", Surface.COUNT_TOKENS: "/messages/count_tokens"}
FALLBACK_MAX_TOKENS = 4_096  # every Claude takes it; only where neither client nor catalog knows a limit
_UNKNOWN = ("seed", "frequency_penalty", "presence_penalty")
_MODES = {"auto": "auto", "required": "any", "none": "none", "named": "tool"}


def speaks(ask: Ask) -> bool:
    """Whether the client's JSON can go to this format as it is."""
    return ask.surface in PATHS


def inexpressible(ask: Ask, endpoint: Endpoint) -> Inexpressible:
    fields = {"signed_reasoning"} if ask.survey.signed_by - {"anthropic"} else set()
    chat = ask.chat
    if chat is None:
        return Inexpressible(frozenset({"embeddings"}))
    if speaks(ask):
        return Inexpressible(frozenset(fields))
    unplaced, lost = hints.split(chat.unplaced)
    fields |= unplaced | message_fields(chat.messages)
    if chat.n > 1:
        fields.add("n")
    if chat.logprobs:
        fields.add("logprobs")
    if chat.response_format is not None and chat.response_format.kind == "json_object":
        fields.add("response_format.json_object")
    if any(not stop.strip() for stop in chat.stop):
        fields.add("stop")  # the API refuses stop sequences of white space only
    lost |= message_hints(chat.messages) | {name for name in _UNKNOWN if getattr(chat, name) is not None}
    lost |= _lost_sampling(chat, endpoint)
    if is_lost(chat, endpoint):
        lost.add("reasoning")
    if JSON_SCHEMA not in endpoint.caps and any(tool.strict for tool in chat.tools):
        lost.add("tools[].strict")
    return Inexpressible(frozenset(fields), frozenset(lost))


def build(ask: Ask, endpoint: Endpoint, max_output: int | None) -> Outgoing:
    assert ask.chat is not None
    body, dropped = compose(ask, ask.chat, endpoint, max_output)
    native = ask.chat.native_headers if speaks(ask) else ()
    path = PATHS.get(ask.surface, PATHS[Surface.MESSAGES])
    return Outgoing(path, headers(ask.stream, native), orjson.dumps(body), dropped)


def compose(
    ask: Ask, chat: ChatRequest, endpoint: Endpoint, max_output: int | None
) -> tuple[dict[str, Json], tuple[str, ...]]:
    """The body, and the hints it leaves out."""
    if speaks(ask):
        return _native(ask, chat, endpoint, max_output)
    limit = max_output or endpoint.max_output or FALLBACK_MAX_TOKENS
    lost = set(inexpressible(ask, endpoint).hints)
    body = _translated(chat, endpoint, limit)
    if asked(chat) is not None and "thinking" not in body:
        lost.add("reasoning")
    return body, tuple(sorted(lost))


def headers(stream: object, native: tuple[tuple[str, str], ...] = ()) -> tuple[tuple[str, str], ...]:
    """The version always goes along, also to a server that wants no key; `native` are the client's own, which count."""
    versioned = native if native and native[0][0] == "anthropic-version" else (("anthropic-version", VERSION), *native)
    accept = "text/event-stream" if stream else "application/json"
    return (("content-type", "application/json"), ("accept", accept), *versioned)


def probe(endpoint: Endpoint) -> Outgoing:
    turns = [{"role": "user", "content": PROBE_PROMPT}]
    body: dict[str, Json] = {"model": endpoint.upstream_id, "max_tokens": PROBE_MAX_TOKENS, "messages": turns}
    if "adaptive_thinking" in endpoint.quirks:
        body["thinking"] = {"type": "disabled"}
    return Outgoing(PATHS[Surface.MESSAGES], headers(None), orjson.dumps(body))


def _native(
    ask: Ask, chat: ChatRequest, endpoint: Endpoint, max_output: int | None
) -> tuple[dict[str, Json], tuple[str, ...]]:
    """The client's JSON with only the fields that the gateway owns changed."""
    body = dict(ask.body)
    body["model"] = endpoint.upstream_id
    if _holds_unsigned(chat):
        body["messages"] = [_without_unsigned(turn) for turn in body["messages"]]
    if ask.surface is Surface.COUNT_TOKENS:
        for field in ("max_tokens", "stream"):  # of an answer
            body.pop(field, None)
        return body, ()
    if max_output is None:
        return body, ()
    body["max_tokens"] = max_output
    thinking = body.get("thinking")
    if thinking is None or thinking.get("budget_tokens") is None or thinking["budget_tokens"] < max_output:
        return body, ()
    if max_output <= LEAST_BUDGET:  # a lowered limit leaves the budget no room
        del body["thinking"]
        return body, ("thinking",)
    body["thinking"] = {**thinking, "budget_tokens": max_output - 1}
    return body, ()


def _holds_unsigned(chat: ChatRequest) -> bool:
    """Whether there is reasoning that another format's model showed: we wrote it as thinking without a signature."""
    return any(
        isinstance(part, Thinking) and not (part.signature or part.redacted)
        for message in chat.messages
        if message.role is Role.ASSISTANT
        for part in message.parts
    )


def _without_unsigned(turn: Mapping[str, Json]) -> dict[str, Json]:
    content = turn["content"]
    if turn["role"] != "assistant" or isinstance(content, str):
        return dict(turn)
    kept = [block for block in content if block["type"] != "thinking" or block.get("signature")]
    return {**turn, "content": kept or [{"type": "text", "text": "."}]}


def _translated(chat: ChatRequest, endpoint: Endpoint, max_tokens: int) -> dict[str, Json]:
    system, turns = write_messages(chat.messages)
    body: dict[str, Json] = {"model": endpoint.upstream_id, "max_tokens": max_tokens, "messages": turns}
    if system:
        body["system"] = system
    body |= write_thinking(chat, endpoint, max_tokens)
    body |= _sampling(chat, endpoint)
    if chat.stop:
        body["stop_sequences"] = list(chat.stop)
    if chat.tools:
        body["tools"] = [_tool(tool, endpoint) for tool in chat.tools]
        if chat.tool_choice is not None:
            body["tool_choice"] = _tool_choice(chat.tool_choice)
    wanted = chat.response_format
    if wanted is not None and wanted.kind == "json_schema":
        form = {"type": "json_schema", "schema": dict(wanted.schema or {})}
        body["output_config"] = {**body.get("output_config", {}), "format": form}
    if chat.user is not None:
        body["metadata"] = {"user_id": chat.user}
    if chat.stream:
        body["stream"] = True
    return body


def _thinks(chat: ChatRequest, endpoint: Endpoint) -> bool:
    return asked(chat) is not None and not is_lost(chat, endpoint)


def _lost_sampling(chat: ChatRequest, endpoint: Endpoint) -> set[str]:
    """Sampling hints that the API would refuse here, or takes only in part (temperatures above 1 are sent as 1)."""
    given = {name for name in ("temperature", "top_p", "top_k") if getattr(chat, name) is not None}
    if "no_sampling" in endpoint.quirks or _thinks(chat, endpoint):
        return given
    lost = {"top_p"} if {"temperature", "top_p"} <= given else set()
    if chat.temperature is not None and chat.temperature > 1:
        lost.add("temperature")
    return lost


def _sampling(chat: ChatRequest, endpoint: Endpoint) -> dict[str, Json]:
    lost = _lost_sampling(chat, endpoint)
    given = {name: getattr(chat, name) for name in ("top_p", "top_k")}
    sent = {name: value for name, value in given.items() if value is not None and name not in lost}
    if chat.temperature is not None and not ("no_sampling" in endpoint.quirks or _thinks(chat, endpoint)):
        sent["temperature"] = min(chat.temperature, 1)
    return sent


def _tool(tool: ToolSpec, endpoint: Endpoint) -> dict[str, Json]:
    spec: dict[str, Json] = {"name": tool.name}
    if tool.description:
        spec["description"] = tool.description
    spec["input_schema"] = {"type": "object", **tool.parameters}
    if tool.strict and JSON_SCHEMA in endpoint.caps:
        spec["strict"] = True
    if tool.cache is not None:
        spec["cache_control"] = dict(tool.cache)
    return spec


def _tool_choice(choice: ToolChoice) -> dict[str, Json]:
    written: dict[str, Json] = {"type": _MODES[choice.mode]}
    if choice.name is not None:
        written["name"] = choice.name
    if choice.parallel is not None and choice.mode != "none":
        written["disable_parallel_tool_use"] = not choice.parallel
    return written
