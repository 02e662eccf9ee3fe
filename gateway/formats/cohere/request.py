"""Requests in Cohere's format. No client speaks it, so every request is written from the neutral form.

Source of names, ranges and limits: Cohere's SDK 7.3, `v2.client.chat` and its docstrings.
"""

import orjson

from gateway.core.ask import Ask
from gateway.core.catalog import JSON_SCHEMA, REASONING, Endpoint
from gateway.core.chat import ChatRequest, Json, Reasoning, ToolSpec
from gateway.formats import hints
from gateway.formats.cohere.messages import message_fields, message_hints, write_messages
from gateway.formats.wire import PROBE_MAX_TOKENS, PROBE_PROMPT, Inexpressible, Outgoing

CHAT = "/v2/chat"
WHOLE = (("content-type", "application/json"), ("accept", "application/json"))
STREAM = (("content-type", "application/json"), ("accept", "text/event-stream"))
MAX_STOPS = 5
_LEAST_P, _MOST_P = 0.01, 0.99
_PENALTIES = ("frequency_penalty", "presence_penalty")
# Cohere knows budgets only. Shares of the output cap per effort are OpenRouter's documented ones, as for Anthropic.
_SHARES = {"minimal": 0.1, "low": 0.2, "medium": 0.5, "high": 0.8, "xhigh": 0.95, "max": 0.95}


def inexpressible(ask: Ask, chat: ChatRequest, endpoint: Endpoint) -> Inexpressible:
    fields, lost = hints.split(chat.unplaced)
    fields |= message_fields(chat.messages) | _unspoken(chat)
    if ask.survey.signed_by:
        fields.add("signed_reasoning")  # Cohere signs nothing
    lost |= message_hints(chat.messages)
    if chat.user is not None:
        lost.add("user")
    lost |= {name for name in _PENALTIES if not 0 <= (getattr(chat, name) or 0) <= 1}
    if REASONING not in endpoint.caps and chat.reasoning is not None and chat.reasoning.effort != "none":
        lost.add("reasoning")
    if JSON_SCHEMA not in endpoint.caps and any(tool.strict for tool in chat.tools):
        lost.add("tools[].strict")
    return Inexpressible(frozenset(fields), frozenset(lost))


def _unspoken(chat: ChatRequest) -> set[str]:
    """Parameters that Cohere has no words for."""
    fields: set[str] = set()
    if chat.n > 1:
        fields.add("n")
    if chat.logprobs:
        fields.add("logprobs")
    if len(chat.stop) > MAX_STOPS:
        fields.add(f"stop[{MAX_STOPS}]")
    if chat.tools and chat.tool_choice is not None and chat.tool_choice.parallel is False:
        fields.add("parallel_tool_calls")
    if chat.tools and chat.response_format is not None and chat.response_format.kind != "text":
        fields.add("response_format.with_tools")
    return fields


def build(ask: Ask, endpoint: Endpoint, max_output: int | None) -> Outgoing:
    chat = ask.chat
    assert chat is not None
    reasons = REASONING in endpoint.caps
    body: dict[str, Json] = {
        "model": endpoint.upstream_id,
        "messages": write_messages(chat.messages, reasons=reasons),
        "stream": ask.stream,
    }
    if max_output is not None:
        body["max_tokens"] = max_output
    body |= _sampling(chat)
    if chat.stop:
        body["stop_sequences"] = list(chat.stop)
    if chat.tools:
        body |= _tools(chat, endpoint)
    wanted = chat.response_format
    if wanted is not None and wanted.kind != "text":
        schema = {"json_schema": dict(wanted.schema)} if wanted.schema is not None else {}
        body["response_format"] = {"type": "json_object", **schema}
    if reasons and chat.reasoning is not None:
        body["thinking"] = _thinking(chat.reasoning, endpoint, max_output)
    dropped = tuple(sorted(inexpressible(ask, chat, endpoint).hints))
    return Outgoing(CHAT, STREAM if ask.stream else WHOLE, orjson.dumps(body), dropped)


def probe(endpoint: Endpoint) -> Outgoing:
    body: dict[str, Json] = {
        "model": endpoint.upstream_id,
        "messages": [{"role": "user", "content": PROBE_PROMPT}],
        "stream": False,
        "max_tokens": PROBE_MAX_TOKENS,
    }
    if REASONING in endpoint.caps:
        body["thinking"] = {"type": "disabled"}
    return Outgoing(CHAT, WHOLE, orjson.dumps(body))


def _sampling(chat: ChatRequest) -> dict[str, Json]:
    """`p` keeps within what the API takes: clients send 1 for "everything"."""
    given: dict[str, Json] = {"temperature": chat.temperature, "k": chat.top_k, "seed": chat.seed}
    if chat.top_p is not None:
        given["p"] = min(max(chat.top_p, _LEAST_P), _MOST_P)
    given |= {name: value for name in _PENALTIES if (value := getattr(chat, name)) is not None and 0 <= value <= 1}
    return {name: value for name, value in given.items() if value is not None}


def _tools(chat: ChatRequest, endpoint: Endpoint) -> dict[str, Json]:
    """A tool named is the only tool, and required: Cohere knows no other way to say it."""
    choice = chat.tool_choice
    named = choice.name if choice is not None and choice.mode == "named" else None
    tools = [tool for tool in chat.tools if named is None or tool.name == named]
    fields: dict[str, Json] = {"tools": [_tool(tool) for tool in tools]}
    if choice is not None and choice.mode != "auto":
        fields["tool_choice"] = "NONE" if choice.mode == "none" else "REQUIRED"
    if JSON_SCHEMA in endpoint.caps and any(tool.strict for tool in tools):
        fields["strict_tools"] = True
    return fields


def _tool(tool: ToolSpec) -> dict[str, Json]:
    function: dict[str, Json] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = dict(tool.parameters) or {"type": "object", "properties": {}}
    return {"type": "function", "function": function}


def _thinking(wanted: Reasoning, endpoint: Endpoint, max_output: int | None) -> dict[str, Json]:
    if wanted.effort == "none":
        return {"type": "disabled"}
    cap = max_output or endpoint.max_output
    budget = wanted.budget_tokens
    if budget is None and wanted.effort is not None and cap is not None:
        budget = int(_SHARES[wanted.effort] * cap)
    if budget is None:
        return {"type": "enabled"}  # the model's own judgement
    return {"type": "enabled", "token_budget": max(min(budget, (cap or budget + 1) - 1), 1)}
