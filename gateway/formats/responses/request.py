"""Requests to the responses API: the client's own JSON where it speaks this format, else the neutral form."""

from collections.abc import Mapping

import orjson

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import REASONING, Endpoint
from gateway.core.chat import ChatRequest, Json, ResponseFormat, ToolChoice, ToolSpec
from gateway.formats import hints
from gateway.formats.openai.request import headers, least_effort, wanted_effort
from gateway.formats.responses.items import message_fields, message_hints, write_items
from gateway.formats.surfaces.responses_items import is_our_reasoning
from gateway.formats.wire import PROBE_MAX_TOKENS, PROBE_PROMPT, Inexpressible, Outgoing

PATH = "/responses"
LEAST_OUTPUT = 16  # OpenAI API reference, `max_output_tokens`
_NOTHING = Inexpressible()
_BOUND = Inexpressible(frozenset({"signed_reasoning"}))
_SAMPLING = ("temperature", "top_p")
_UNKNOWN_SAMPLING = ("top_k", "seed", "frequency_penalty", "presence_penalty")


def speaks(ask: Ask) -> bool:
    """Whether the client's JSON can go as it is."""
    return ask.surface is Surface.RESPONSES


def inexpressible(ask: Ask, endpoint: Endpoint) -> Inexpressible:
    foreign = bool(ask.survey.signed_by - {"responses"})
    if speaks(ask):
        return _BOUND if foreign else _NOTHING
    chat = ask.chat
    assert chat is not None
    fields, lost = hints.split(chat.unplaced)
    if foreign:
        fields.add("signed_reasoning")
    if chat.n > 1:
        fields.add("n")
    if chat.stop:
        fields.add("stop")
    if chat.logprobs:
        fields.add("logprobs")
    if chat.max_tokens is not None and chat.max_tokens < LEAST_OUTPUT:
        fields.add(f"max_tokens<{LEAST_OUTPUT}")
    fields |= message_fields(chat.messages, endpoint.quirks)
    lost |= message_hints(chat.messages)
    lost |= {name for name in _UNKNOWN_SAMPLING if getattr(chat, name) is not None}
    if "no_sampling" in endpoint.quirks:
        lost |= {name for name in _SAMPLING if getattr(chat, name) is not None}
    if chat.reasoning is not None and REASONING not in endpoint.caps and chat.reasoning.effort != "none":
        lost.add("reasoning")
    return Inexpressible(frozenset(fields), frozenset(lost))


def build(ask: Ask, endpoint: Endpoint, max_output: int | None) -> Outgoing:
    if speaks(ask):
        return Outgoing(PATH, headers(ask.stream), orjson.dumps(_native(ask.body, endpoint, max_output)))
    assert ask.chat is not None
    dropped = tuple(sorted(inexpressible(ask, endpoint).hints))
    return Outgoing(PATH, headers(ask.stream), orjson.dumps(_translated(ask.chat, endpoint, max_output)), dropped)


def probe(endpoint: Endpoint) -> Outgoing:
    body: dict[str, Json] = {"model": endpoint.upstream_id, "input": PROBE_PROMPT, "store": False}
    body["max_output_tokens"] = PROBE_MAX_TOKENS
    effort = least_effort(endpoint)
    if effort is not None:
        body["reasoning"] = {"effort": effort}
    return Outgoing(PATH, headers(None), orjson.dumps(body))


def _native(asked: Mapping[str, Json], endpoint: Endpoint, max_output: int | None) -> dict[str, Json]:
    """The client's JSON with only the fields that the gateway owns changed."""
    body = dict(asked)
    body["model"] = endpoint.upstream_id
    if max_output is not None:
        body["max_output_tokens"] = max_output
    if isinstance(body.get("input"), list) and any(map(_is_unknown, body["input"])):
        body["input"] = [item for item in body["input"] if not _is_unknown(item)]
    return body


def _is_unknown(item: Mapping[str, Json]) -> bool:
    """Whether an item is reasoning that another format's model showed: no provider knows the id we gave it."""
    return is_our_reasoning(item.get("id")) and not item.get("encrypted_content")


def _translated(chat: ChatRequest, endpoint: Endpoint, max_output: int | None) -> dict[str, Json]:
    body: dict[str, Json] = {"model": endpoint.upstream_id, "input": write_items(chat.messages), "store": False}
    if max_output is not None:
        body["max_output_tokens"] = max_output
    if "no_sampling" not in endpoint.quirks:
        body |= {name: value for name in _SAMPLING if (value := getattr(chat, name)) is not None}
    if chat.tools:
        body["tools"] = [_tool(tool) for tool in chat.tools]
        if chat.tool_choice is not None:
            body |= _tool_choice(chat.tool_choice)
    if chat.response_format is not None:
        body["text"] = {"format": _format(chat.response_format)}
    if REASONING in endpoint.caps:
        body["include"] = ["reasoning.encrypted_content"]
        effort = wanted_effort(chat, endpoint)
        if effort is not None:
            body["reasoning"] = {"effort": effort}
    if chat.user is not None:
        body["user"] = chat.user
    if chat.stream:
        body["stream"] = True
    return body


def _tool(tool: ToolSpec) -> dict[str, Json]:
    spec: dict[str, Json] = {"type": "function", "name": tool.name}
    if tool.description:
        spec["description"] = tool.description
    spec["parameters"] = dict(tool.parameters) or {"type": "object", "properties": {}}
    spec["strict"] = bool(tool.strict)  # its absence means true here, and false everywhere else
    return spec


def _tool_choice(choice: ToolChoice) -> dict[str, Json]:
    said: Json = {"type": "function", "name": choice.name} if choice.mode == "named" else choice.mode
    fields: dict[str, Json] = {"tool_choice": said}
    if choice.parallel is not None:
        fields["parallel_tool_calls"] = choice.parallel
    return fields


def _format(wanted: ResponseFormat) -> dict[str, Json]:
    if wanted.kind != "json_schema":
        return {"type": wanted.kind}
    spec: dict[str, Json] = {"type": "json_schema", "name": wanted.name or "answer"}
    spec["schema"] = dict(wanted.schema or {})
    if wanted.strict is not None:
        spec["strict"] = wanted.strict
    if wanted.description is not None:
        spec["description"] = wanted.description
    return spec
