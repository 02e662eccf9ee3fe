"""Requests in Gemini's format. No client speaks it, so every request is written from the neutral form."""

from urllib.parse import quote

import orjson

from gateway.core.ask import Ask
from gateway.core.catalog import JSON_SCHEMA, REASONING, Endpoint
from gateway.core.chat import ChatRequest, Json, ToolChoice, ToolSpec
from gateway.formats import hints
from gateway.formats.gemini.messages import holds_media_results, message_fields, message_hints, write_contents
from gateway.formats.gemini.thinking import is_older, write_thinking
from gateway.formats.wire import Inexpressible

WHOLE = (("content-type", "application/json"), ("accept", "application/json"))
STREAM = (("content-type", "application/json"), ("accept", "text/event-stream"))
MAX_STOPS = 5  # Gemini API reference, `stopSequences`
_SAMPLING = {"temperature": "temperature", "top_p": "topP", "top_k": "topK"}
_MORE = {"seed": "seed", "presence_penalty": "presencePenalty", "frequency_penalty": "frequencyPenalty"}
_MODES = {"none": "NONE", "required": "ANY", "named": "ANY"}


def model_path(models: str, endpoint: Endpoint, way: str) -> str:
    return f"{models}/{quote(endpoint.upstream_id, safe='')}:{way}"


def inexpressible(ask: Ask, chat: ChatRequest, endpoint: Endpoint) -> Inexpressible:
    fields, lost = hints.split(chat.unplaced)
    fields |= message_fields(chat.messages) | _unspoken(chat, endpoint)
    if ask.survey.signed_by - {"gemini"}:
        fields.add("signed_reasoning")
    lost |= message_hints(chat.messages)
    if chat.user is not None:
        lost.add("user")
    if "no_sampling" in endpoint.quirks:
        lost |= {name for name in _SAMPLING if getattr(chat, name) is not None}
    if REASONING not in endpoint.caps and chat.reasoning is not None and chat.reasoning.effort != "none":
        lost.add("reasoning")
    if any(tool.strict for tool in chat.tools) and not _validated(chat, endpoint):
        lost.add("tools[].strict")
    return Inexpressible(frozenset(fields), frozenset(lost))


def _unspoken(chat: ChatRequest, endpoint: Endpoint) -> set[str]:
    """Parameters that the format, or this model's generation, has no words for."""
    fields: set[str] = set()
    if chat.n > 1:
        fields.add("n")
    if chat.logprobs:
        fields.add("logprobs")
    if len(chat.stop) > MAX_STOPS:
        fields.add(f"stop[{MAX_STOPS}]")
    if chat.tools and chat.tool_choice is not None and chat.tool_choice.parallel is False:
        fields.add("parallel_tool_calls")
    if "second_generation" in endpoint.quirks:
        if chat.tools and _wants_json(chat):
            fields.add("response_format.with_tools")
        if holds_media_results(chat.messages):
            fields.add("tool_result.media")
    return fields


def body(chat: ChatRequest, endpoint: Endpoint, max_output: int | None) -> dict[str, Json]:
    system, contents = write_contents(chat.messages, signed=not is_older(endpoint))
    written: dict[str, Json] = {"contents": contents}
    if system:
        written["systemInstruction"] = {"parts": system}
    if chat.tools:
        written["tools"] = [{"functionDeclarations": [_declaration(tool) for tool in chat.tools]}]
        calling = _calling(chat, endpoint)
        if calling is not None:
            written["toolConfig"] = {"functionCallingConfig": calling}
    config = _config(chat, endpoint, max_output)
    if config:
        written["generationConfig"] = config
    return written


def dumped(value: dict[str, Json]) -> bytes:
    return orjson.dumps(value)


def _config(chat: ChatRequest, endpoint: Endpoint, max_output: int | None) -> dict[str, Json]:
    named = _MORE if "no_sampling" in endpoint.quirks else {**_SAMPLING, **_MORE}
    config = {key: value for name, key in named.items() if (value := getattr(chat, name)) is not None}
    if max_output is not None:
        config["maxOutputTokens"] = max_output
    if chat.stop:
        config["stopSequences"] = list(chat.stop)
    if _wants_json(chat):
        config["responseMimeType"] = "application/json"
        if chat.response_format is not None and chat.response_format.schema is not None:
            config["responseJsonSchema"] = dict(chat.response_format.schema)
    return config | write_thinking(chat, endpoint, max_output)


def _wants_json(chat: ChatRequest) -> bool:
    return chat.response_format is not None and chat.response_format.kind != "text"


def _declaration(tool: ToolSpec) -> dict[str, Json]:
    declared: dict[str, Json] = {"name": tool.name}
    if tool.description:
        declared["description"] = tool.description
    if tool.parameters:
        declared["parametersJsonSchema"] = dict(tool.parameters)
    return declared


def _validated(chat: ChatRequest, endpoint: Endpoint) -> bool:
    """Whether calls, if any, are held to their schemas: ANY always holds them, VALIDATED is AUTO that does."""
    free = chat.tool_choice is None or chat.tool_choice.mode == "auto"
    return not free or JSON_SCHEMA in endpoint.caps


def _calling(chat: ChatRequest, endpoint: Endpoint) -> dict[str, Json] | None:
    choice = chat.tool_choice or ToolChoice("auto")
    if choice.mode == "auto":
        strict = any(tool.strict for tool in chat.tools) and _validated(chat, endpoint)
        return {"mode": "VALIDATED"} if strict else None
    config: dict[str, Json] = {"mode": _MODES[choice.mode]}
    if choice.name is not None:
        config["allowedFunctionNames"] = [choice.name]
    return config
