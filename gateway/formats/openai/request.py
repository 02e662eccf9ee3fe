"""Requests to OpenAI-compatible endpoints: the client's own JSON where it speaks this format, else the neutral form.

Only translated requests can have something inexpressible; the reasons are decided here, beside the writing.
"""

from collections.abc import Mapping

import orjson

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import REASONING, Endpoint, Operation
from gateway.core.chat import ChatRequest, Json, ResponseFormat, ToolChoice, ToolSpec
from gateway.formats import hints
from gateway.formats.openai.messages import message_fields, write_messages
from gateway.formats.wire import PROBE_MAX_TOKENS, PROBE_PROMPT, Inexpressible, Outgoing

PATHS = {
    Surface.CHAT: "/chat/completions",
    Surface.COMPLETIONS: "/completions",
    Surface.EMBEDDINGS: "/embeddings",
}
_OWN = (Surface.CHAT, Surface.EMBEDDINGS)  # as constants: members of enums cost ten times a name
_COMPLETIONS, _EMBEDDINGS = Surface.COMPLETIONS, Surface.EMBEDDINGS
_JSON = ("content-type", "application/json")
_WHOLE_HEADERS = (_JSON, ("accept", "application/json"))
_STREAM_HEADERS = (_JSON, ("accept", "text/event-stream"))
MAX_STOPS = 4  # OpenAI API reference, `stop`
_NOTHING = Inexpressible()
_BOUND = Inexpressible(frozenset({"signed_reasoning"}))
_SAMPLING = ("temperature", "top_p", "seed", "frequency_penalty", "presence_penalty")
# Budgets of Anthropic's thinking as efforts; the middle of OpenRouter's documented shares of a 32k budget.
_EFFORT_BUDGETS = ((4_096, "low"), (16_384, "medium"))


def speaks(ask: Ask, endpoint: Endpoint) -> bool:
    """Whether the client's JSON can go to this endpoint as it is."""
    if ask.surface in _OWN:
        return True
    return ask.surface is _COMPLETIONS and (
        Operation.COMPLETIONS in endpoint.caps or endpoint.operation is Operation.COMPLETIONS
    )


def inexpressible(ask: Ask, endpoint: Endpoint) -> Inexpressible:
    foreign = ask.survey.signed_by - {"openai"} and "reasoning_details" not in endpoint.quirks
    if speaks(ask, endpoint):
        return _BOUND if foreign else _NOTHING
    chat = ask.chat
    assert chat is not None
    fields, lost = hints.split(chat.unplaced)
    if foreign:
        fields.add("signed_reasoning")
    if chat.n > 1:
        fields.add("n")
    if len(chat.stop) > MAX_STOPS:
        fields.add(f"stop[{MAX_STOPS}]")
    fields |= message_fields(chat.messages, endpoint.quirks)
    if chat.top_k is not None:
        lost.add("top_k")
    if "no_sampling" in endpoint.quirks:
        lost |= {name for name in _SAMPLING if getattr(chat, name) is not None}
    if chat.user is not None and "no_user" in endpoint.quirks:
        lost.add("user")
    if chat.reasoning is not None and REASONING not in endpoint.caps and chat.reasoning.effort != "none":
        lost.add("reasoning")
    if any(part.is_error for message in chat.messages for part in message.parts if hasattr(part, "is_error")):
        lost.add("is_error")
    return Inexpressible(frozenset(fields), frozenset(lost))


def build(ask: Ask, endpoint: Endpoint, max_output: int | None) -> Outgoing:
    if speaks(ask, endpoint):
        body, path = _native(ask, endpoint, max_output), PATHS[ask.surface]
        dropped: tuple[str, ...] = ()
    else:
        assert ask.chat is not None
        body, path = _translated(ask.chat, endpoint, max_output), PATHS[Surface.CHAT]
        dropped = tuple(sorted(inexpressible(ask, endpoint).hints))
    if "no_stream_options" in endpoint.quirks:
        body.pop("stream_options", None)  # such servers send usage unasked
    elif ask.stream:
        body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
    return Outgoing(path, headers(ask.stream), orjson.dumps(body), dropped)


def headers(stream: object) -> tuple[tuple[str, str], ...]:
    return _STREAM_HEADERS if stream else _WHOLE_HEADERS


def probe(endpoint: Endpoint) -> Outgoing:
    body: dict[str, Json] = {"model": endpoint.upstream_id}
    if endpoint.operation is Operation.EMBEDDINGS:
        body["input"] = "ok"
        return Outgoing(PATHS[Surface.EMBEDDINGS], headers(None), orjson.dumps(body))
    if endpoint.operation is Operation.COMPLETIONS:
        body |= {"prompt": PROBE_PROMPT, "max_tokens": PROBE_MAX_TOKENS}
        return Outgoing(PATHS[Surface.COMPLETIONS], headers(None), orjson.dumps(body))
    body["messages"] = [{"role": "user", "content": PROBE_PROMPT}]
    body[_max_tokens_key(endpoint, {})] = PROBE_MAX_TOKENS
    effort = least_effort(endpoint)
    if effort is not None:
        body["reasoning_effort"] = effort
    return Outgoing(PATHS[Surface.CHAT], headers(None), orjson.dumps(body))


def _native(ask: Ask, endpoint: Endpoint, max_output: int | None) -> dict[str, Json]:
    """The client's JSON with only the fields that the gateway owns changed."""
    body = dict(ask.body)
    body["model"] = endpoint.upstream_id
    if ask.surface is _EMBEDDINGS:
        return body
    key = "max_tokens" if ask.surface is _COMPLETIONS else _max_tokens_key(endpoint, body)
    for name in ("max_tokens", "max_completion_tokens"):
        if name != key or max_output is None:
            body.pop(name, None)
    if max_output is not None:
        body[key] = max_output
    return body


def _max_tokens_key(endpoint: Endpoint, body: Mapping[str, Json]) -> str:
    """The spelling the endpoint needs, else the client's own, else the one every server knows."""
    if "max_completion_tokens" in endpoint.quirks:
        return "max_completion_tokens"
    if "max_tokens" in endpoint.quirks:
        return "max_tokens"
    return "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"


def _translated(chat: ChatRequest, endpoint: Endpoint, max_output: int | None) -> dict[str, Json]:
    body: dict[str, Json] = {"model": endpoint.upstream_id, "messages": write_messages(chat.messages, endpoint.quirks)}
    if max_output is not None:
        body[_max_tokens_key(endpoint, {})] = max_output
    body |= _sampling(chat, endpoint.quirks)
    if chat.stop:
        body["stop"] = list(chat.stop)
    if chat.tools:
        body["tools"] = [_tool(tool) for tool in chat.tools]
        if chat.tool_choice is not None:
            body |= _tool_choice(chat.tool_choice)
    if chat.response_format is not None:
        body["response_format"] = _response_format(chat.response_format)
    effort = wanted_effort(chat, endpoint) if REASONING in endpoint.caps else None
    if effort is not None:
        body["reasoning_effort"] = effort
    if chat.user is not None and "no_user" not in endpoint.quirks:
        body["user"] = chat.user
    if chat.stream:
        body["stream"] = True
    return body


def _sampling(chat: ChatRequest, quirks: frozenset[str]) -> dict[str, Json]:
    if "no_sampling" in quirks:
        return {}
    given = {name: value for name in _SAMPLING if (value := getattr(chat, name)) is not None}
    if "seed" in given and "random_seed" in quirks:
        given["random_seed"] = given.pop("seed")
    return given


def _tool(tool: ToolSpec) -> dict[str, Json]:
    function: dict[str, Json] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = dict(tool.parameters) or {"type": "object", "properties": {}}
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _tool_choice(choice: ToolChoice) -> dict[str, Json]:
    said: Json = {"type": "function", "function": {"name": choice.name}} if choice.mode == "named" else choice.mode
    fields: dict[str, Json] = {"tool_choice": said}
    if choice.parallel is not None:
        fields["parallel_tool_calls"] = choice.parallel
    return fields


def _response_format(wanted: ResponseFormat) -> dict[str, Json]:
    if wanted.kind != "json_schema":
        return {"type": wanted.kind}
    spec: dict[str, Json] = {"name": wanted.name or "answer", "schema": dict(wanted.schema or {})}
    if wanted.strict is not None:
        spec["strict"] = wanted.strict
    if wanted.description is not None:
        spec["description"] = wanted.description
    return {"type": "json_schema", "json_schema": spec}


def wanted_effort(chat: ChatRequest, endpoint: Endpoint) -> str | None:
    """What to send as `reasoning_effort`; None: nothing, and the model does as it does."""
    wanted = chat.reasoning
    if wanted is None:
        return None
    if wanted.effort == "none":
        return least_effort(endpoint)
    if wanted.effort is not None:
        return "high" if wanted.effort in ("xhigh", "max") else wanted.effort  # not every model knows more than high
    if wanted.budget_tokens is None:
        return "medium"  # adaptive: the model's own judgement, which is what the default effort means
    return next((effort for top, effort in _EFFORT_BUDGETS if wanted.budget_tokens <= top), "high")


def least_effort(endpoint: Endpoint) -> str | None:
    """The least effort that the endpoint's quirks name; models differ in what they accept."""
    return next((word for word in ("none", "minimal", "low") if f"reasoning_{word}" in endpoint.quirks), None)
