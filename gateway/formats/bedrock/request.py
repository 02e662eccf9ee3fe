"""Requests in Bedrock's Converse format. No client speaks it, so every request is written from the neutral form."""

from urllib.parse import quote

import orjson

from gateway.core.ask import Ask
from gateway.core.catalog import REASONING, Endpoint
from gateway.core.chat import ChatRequest, Json, ResponseFormat, ToolChoice, ToolSpec
from gateway.formats import codec, hints
from gateway.formats.anthropic.thinking import asked
from gateway.formats.bedrock.messages import (
    cache_point,
    caches,
    holds_calls,
    message_fields,
    message_hints,
    write_messages,
)
from gateway.formats.bedrock.vendors import CACHING, vendor, vendor_fields
from gateway.formats.wire import PROBE_MAX_TOKENS, PROBE_PROMPT, Inexpressible, Outgoing

_UNKNOWN = ("seed", "frequency_penalty", "presence_penalty", "user")
_NOT_THINKING = {"temperature": "temperature", "top_p": "topP"}
WHOLE = (("content-type", "application/json"), ("accept", "application/json"))
STREAM = (("content-type", "application/json"), ("accept", "application/vnd.amazon.eventstream"))


def inexpressible(ask: Ask, chat: ChatRequest, endpoint: Endpoint) -> Inexpressible:
    fields, lost = hints.split(chat.unplaced)
    fields |= message_fields(chat.messages) | _unspoken(chat)
    if ask.survey.signed_by - {"bedrock"}:
        fields.add("signed_reasoning")
    lost |= message_hints(chat.messages) | {name for name in _UNKNOWN if getattr(chat, name) is not None}
    if chat.temperature is not None and chat.temperature > 1:
        lost.add("temperature")
    if asked(chat) is not None and REASONING not in endpoint.caps:
        lost.add("reasoning")
    return Inexpressible(frozenset(fields), frozenset(lost))


def _unspoken(chat: ChatRequest) -> set[str]:
    """Parameters that Converse has no words for."""
    fields: set[str] = set()
    if chat.n > 1:
        fields.add("n")
    if chat.logprobs:
        fields.add("logprobs")
    if chat.response_format is not None and chat.response_format.kind == "json_object":
        fields.add("response_format.json_object")
    if chat.tools and chat.tool_choice is not None and chat.tool_choice.parallel is False:
        fields.add("parallel_tool_calls")
    if holds_calls(chat.messages) and (not chat.tools or _forbidden(chat)):
        fields.add("tools" if not chat.tools else "tool_choice.none")  # calls may only stand beside their tools
    if any(not stop.strip() for stop in chat.stop):
        fields.add("stop")
    return fields


def build(ask: Ask, chat: ChatRequest, endpoint: Endpoint, max_output: int | None) -> Outgoing:
    caching = vendor(endpoint.upstream_id) in CACHING
    system, turns = write_messages(chat.messages, caching=caching)
    body: dict[str, Json] = {"messages": turns}
    if system:
        body["system"] = system
    more, lost = vendor_fields(chat, endpoint, max_output)
    body |= _inference(chat, max_output, more, lost)
    if more:
        body["additionalModelRequestFields"] = more
    if chat.tools and not _forbidden(chat):
        body["toolConfig"] = _tool_config(chat.tools, chat.tool_choice, caching=caching)
    if chat.response_format is not None and chat.response_format.kind == "json_schema":
        body["outputConfig"] = {"textFormat": _text_format(chat.response_format)}
    if not caching and (caches(chat.messages) or any(tool.cache for tool in chat.tools)):
        lost.add("cache_control")
    dropped = tuple(sorted(lost | inexpressible(ask, chat, endpoint).hints))
    way, headers = ("converse-stream", STREAM) if ask.stream else ("converse", WHOLE)
    return Outgoing(model_path(endpoint.upstream_id, way), headers, orjson.dumps(body), dropped)


def model_path(upstream_id: str, way: str) -> str:
    """Ids hold colons, and ARNs slashes too: both are one segment of the path."""
    return f"/model/{quote(upstream_id, safe='')}/{way}"


def probe(endpoint: Endpoint) -> Outgoing:
    body = {
        "messages": [{"role": "user", "content": [{"text": PROBE_PROMPT}]}],
        "inferenceConfig": {"maxTokens": PROBE_MAX_TOKENS},
    }
    return Outgoing(model_path(endpoint.upstream_id, "converse"), WHOLE, orjson.dumps(body))


def _forbidden(chat: ChatRequest) -> bool:
    return chat.tool_choice is not None and chat.tool_choice.mode == "none"


def _inference(chat: ChatRequest, max_output: int | None, more: dict[str, Json], lost: set[str]) -> dict[str, Json]:
    """Sampling; Claude refuses it together with thinking."""
    sampling: dict[str, Json] = {}
    if max_output is not None:
        sampling["maxTokens"] = max_output
    if chat.temperature is not None:
        sampling["temperature"] = min(chat.temperature, 1)
    if chat.top_p is not None:
        sampling["topP"] = chat.top_p
    if "thinking" in more:
        lost |= {name for name, key in _NOT_THINKING.items() if sampling.pop(key, None) is not None}
    if chat.stop:
        sampling["stopSequences"] = list(chat.stop)
    return {"inferenceConfig": sampling} if sampling else {}


def _tool_config(tools: tuple[ToolSpec, ...], choice: ToolChoice | None, *, caching: bool) -> dict[str, Json]:
    written: list[Json] = []
    for tool in tools:
        spec: dict[str, Json] = {"name": tool.name}
        if tool.description:
            spec["description"] = tool.description
        spec["inputSchema"] = {"json": {"type": "object", **tool.parameters}}
        if tool.strict:
            spec["strict"] = True
        written.append({"toolSpec": spec})
        if tool.cache is not None and caching:
            written.append(cache_point(tool.cache))
    config: dict[str, Json] = {"tools": written}
    if choice is not None:
        config["toolChoice"] = _tool_choice(choice)
    return config


def _tool_choice(choice: ToolChoice) -> dict[str, Json]:
    match choice.mode:
        case "required":
            return {"any": {}}
        case "named":
            return {"tool": {"name": choice.name}}
        case _:
            return {"auto": {}}


def _text_format(wanted: ResponseFormat) -> dict[str, Json]:
    """The schema goes as text."""
    schema: dict[str, Json] = {"schema": codec.dumps(dict(wanted.schema or {})).decode()}
    if wanted.name is not None:
        schema["name"] = wanted.name
    return {"type": "json_schema", "structure": {"jsonSchema": schema}}
