"""OpenAI chat completions: the client's JSON into the neutral form.

Complains with the position of what is wrong. Names in `unplaced` what the neutral form cannot say, so that only an
endpoint of the same wire format gets it.
"""

from collections.abc import Mapping

import orjson

from gateway.core.chat import (
    ChatRequest,
    Image,
    Json,
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
from gateway.formats import readers
from gateway.formats.hints import words
from gateway.formats.reasoning_details import read_details
from gateway.formats.surface import BadRequest
from gateway.formats.surfaces.parts import read_parts

_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
}
_ROLE_NAMES = tuple(_ROLES)
_SPEAKERS = {said: role for said, role in _ROLES.items() if role is not Role.TOOL}
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
PLACED = words(
    """model messages max_tokens max_completion_tokens temperature top_p top_k stop seed frequency_penalty
    presence_penalty tools tool_choice parallel_tool_calls response_format reasoning_effort reasoning user n
    logprobs top_logprobs stream stream_options"""
)
PLAIN = frozenset({"model", "messages", "stream", "max_tokens"})
# Values that ask for what happens anyway.
_INERT: Mapping[str, tuple[Json, ...]] = {
    "modalities": (["text"],),
    "store": (False,),
    "logit_bias": ({},),
    "metadata": ({},),
    "service_tier": ("auto", "default"),
    "functions": ([],),
    "echo": (False,),
    "best_of": (1,),
    "suffix": ("",),
}


def read_chat(body: Mapping[str, Json]) -> ChatRequest:
    """The whole request; raises `BadRequest`."""
    if body.keys() <= PLAIN:  # most requests: nothing to look for, so nothing is looked for
        plain: set[str] = set()
        messages = _messages(body.get("messages"), plain)
        stream = bool(readers.flag(body, "stream"))
        max_tokens = readers.positive_int(body, "max_tokens")
        return ChatRequest(
            messages=messages, max_tokens=max_tokens, stream=stream, bare=not plain, unplaced=frozenset(plain)
        )
    unplaced = unplaced_fields(body, PLACED)
    messages = _messages(body.get("messages"), unplaced)
    stop = readers.texts(body.get("stop"), "stop")
    return ChatRequest(
        messages=messages,
        max_tokens=_max_tokens(body),
        temperature=readers.optional_number(body, "temperature"),
        top_p=readers.optional_number(body, "top_p"),
        top_k=readers.optional_int(body, "top_k"),
        stop=tuple(entry for entry in stop if entry),
        seed=readers.optional_int(body, "seed"),
        frequency_penalty=readers.optional_number(body, "frequency_penalty"),
        presence_penalty=readers.optional_number(body, "presence_penalty"),
        tools=_tools(body.get("tools"), unplaced),
        tool_choice=_tool_choice(body, unplaced),
        response_format=_response_format(body, unplaced),
        reasoning=_reasoning(body, unplaced),
        user=readers.optional_text(body, "user"),
        n=readers.positive_int(body, "n") or 1,
        logprobs=bool(readers.flag(body, "logprobs")),
        stream=bool(readers.flag(body, "stream")),
        include_usage=include_usage(body),
        unplaced=frozenset(unplaced),
    )


def unplaced_fields(body: Mapping[str, Json], placed: frozenset[str]) -> set[str]:
    """Top-level fields outside `placed` that ask for something."""
    asked = {key for key, value in body.items() if value is not None and value not in _INERT.get(key, ())}
    return asked - placed


def include_usage(body: Mapping[str, Json]) -> bool:
    options = readers.optional_mapping(body, "stream_options")
    return options is not None and bool(readers.flag(options, "include_usage", "stream_options."))


def _max_tokens(body: Mapping[str, Json]) -> int | None:
    newer = readers.positive_int(body, "max_completion_tokens")
    older = readers.positive_int(body, "max_tokens")
    return older if newer is None else newer


def _messages(value: Json, unplaced: set[str]) -> tuple[Message, ...]:
    if value is None:
        raise BadRequest("messages is missing: it must be a non-empty array of messages.", "messages")
    found = readers.items(value, "messages")
    if not found:
        raise BadRequest("messages must not be empty.", "messages")
    # A list, since a generator costs more than the plain messages that it would make.
    return tuple([_plain(item) or _message(item, f"messages[{i}]", unplaced) for i, item in enumerate(found)])


def _plain(value: Json) -> Message | None:
    """A message of a role and a text, as most are, without the search for all that it has not; else None."""
    if type(value) is dict and len(value) == 2:
        role, content = value.get("role"), value.get("content")
        if type(content) is str and type(role) is str and role in _SPEAKERS:
            return Message(_SPEAKERS[role], (Text(content),))
    return None


def _message(value: Json, where: str, unplaced: set[str]) -> Message:
    message = readers.mapping(value, where)
    said = message.get("role")
    if said == "function":
        unplaced.add("messages[].role=function")
        return Message(Role.USER, _content(message.get("content"), f"{where}.content", unplaced))
    role = _ROLES[readers.one_of(said, f"{where}.role", _ROLE_NAMES)]
    name = readers.optional_text(message, "name", f"{where}.")
    content = _content(message.get("content"), f"{where}.content", unplaced)
    if role is Role.TOOL:
        call_id = readers.filled(message.get("tool_call_id"), f"{where}.tool_call_id")
        return Message(role, (ToolResult(call_id, _result_parts(content)),), None)
    if role is Role.ASSISTANT:
        return Message(role, _assistant_parts(message, content, where, unplaced), name)
    if message.get("content") is None:
        raise BadRequest(f"{where}.content is missing: it must be a string or an array of parts.", f"{where}.content")
    return Message(role, content, name)


def _result_parts(content: tuple[Part, ...]) -> tuple[Text | Image | Media, ...]:
    return tuple(part for part in content if isinstance(part, Text | Image | Media))


def _assistant_parts(
    message: Mapping[str, Json], content: tuple[Part, ...], where: str, unplaced: set[str]
) -> tuple[Part, ...]:
    parts: list[Part] = list(_thinking(message, where))
    parts.extend(content)
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        parts.append(Text(refusal))
    for key in ("function_call", "audio"):
        if message.get(key) is not None:
            unplaced.add(f"messages[].{key}")
    calls = message.get("tool_calls")
    for index, item in enumerate(readers.items(calls, f"{where}.tool_calls") if calls is not None else ()):
        parts.append(_tool_call(item, f"{where}.tool_calls[{index}]", unplaced))
    return tuple(parts)


def _thinking(message: Mapping[str, Json], where: str) -> tuple[Thinking, ...]:
    details = message.get("reasoning_details")
    if details is not None:
        return read_details(readers.items(details, f"{where}.reasoning_details"))
    for key in ("reasoning_content", "reasoning"):
        shown = message.get(key)
        if isinstance(shown, str) and shown:
            return (Thinking(shown),)
    return ()


def _tool_call(value: Json, where: str, unplaced: set[str]) -> ToolCall:
    call = readers.mapping(value, where)
    if call.get("type", "function") != "function":
        unplaced.add(f"tool_calls[].type={call['type']}")
        return ToolCall(str(call.get("id")), str(call["type"]), "")
    function = readers.mapping(call.get("function"), f"{where}.function")
    arguments = function.get("arguments")
    if isinstance(arguments, dict):  # some clients forget that it is JSON text
        arguments = orjson.dumps(arguments).decode()
    return ToolCall(
        id=readers.filled(call.get("id"), f"{where}.id"),
        name=readers.filled(function.get("name"), f"{where}.function.name"),
        arguments="" if arguments is None else readers.text(arguments, f"{where}.function.arguments"),
    )


def _content(value: Json, where: str, unplaced: set[str]) -> tuple[Part, ...]:
    if value is None:
        return ()
    return read_parts(value, where, unplaced, "a string or an array of parts", _part)


def _part(part: Mapping[str, Json], where: str, unplaced: set[str]) -> Part | None:
    cache = readers.optional_mapping(part, "cache_control", f"{where}.")
    if part.get("prompt_cache_breakpoint"):
        unplaced.add("content[].prompt_cache_breakpoint")
    match readers.filled(part.get("type"), f"{where}.type"):
        case "text":
            return Text(readers.text(part.get("text"), f"{where}.text"), cache)
        case "refusal":
            return Text(readers.text(part.get("refusal"), f"{where}.refusal"))
        case "image_url":
            return _image(part.get("image_url"), f"{where}.image_url", cache)
        case "input_audio":
            audio = readers.mapping(part.get("input_audio"), f"{where}.input_audio")
            data = readers.filled(audio.get("data"), f"{where}.input_audio.data")
            form = readers.filled(audio.get("format"), f"{where}.input_audio.format")
            return Media("audio", data, media_type=f"audio/{form}", cache=cache)
        case "file":
            return _file(readers.mapping(part.get("file"), f"{where}.file"), f"{where}.file", cache, unplaced)
        case other:
            unplaced.add(f"content[].type={other}"[:80])
            return None


def _image(value: Json, where: str, cache: Mapping[str, Json] | None) -> Image:
    image = {"url": value} if isinstance(value, str) else readers.mapping(value, where)
    url = readers.filled(image.get("url"), f"{where}.url")
    detail = readers.optional_text(image, "detail", f"{where}.")
    inline = split_data_url(url)
    if inline is not None:
        return Image(data=inline[1], media_type=inline[0], detail=detail, cache=cache)
    return Image(url=url, detail=detail, cache=cache)


def _file(file: Mapping[str, Json], where: str, cache: Mapping[str, Json] | None, unplaced: set[str]) -> Media:
    name = readers.optional_text(file, "filename", f"{where}.")
    file_id = readers.optional_text(file, "file_id", f"{where}.")
    if file_id:
        unplaced.add("file_id")  # known to the one provider that gave it
        return Media("file", file_id=file_id, name=name, cache=cache)
    data = readers.filled(file.get("file_data"), f"{where}.file_data")
    inline = split_data_url(data)
    if inline is not None:
        return Media("file", inline[1], media_type=inline[0], name=name, cache=cache)
    if data.startswith(("http://", "https://")):  # OpenRouter's extension
        return Media("file", url=data, media_type="application/pdf", name=name, cache=cache)
    return Media("file", data, media_type="application/pdf", name=name, cache=cache)


def split_data_url(url: str) -> tuple[str, str] | None:
    """Media type and base64 text of a `data:` URL; None for any other URL."""
    if not url.startswith("data:"):
        return None
    head, comma, data = url[5:].partition(",")
    return (head.partition(";")[0], data) if comma and head.endswith(";base64") else None


def _tools(value: Json, unplaced: set[str]) -> tuple[ToolSpec, ...]:
    if value is None:
        return ()
    specs: list[ToolSpec] = []
    for index, item in enumerate(readers.items(value, "tools")):
        where = f"tools[{index}]"
        tool = readers.mapping(item, where)
        form = readers.optional_text(tool, "type", f"{where}.") or "function"  # Mistral's clients leave it out
        if form != "function":
            unplaced.add(f"tools[].type={form}"[:80])
            continue
        function = readers.mapping(tool.get("function"), f"{where}.function")
        specs.append(
            ToolSpec(
                name=readers.filled(function.get("name"), f"{where}.function.name"),
                description=readers.optional_text(function, "description", f"{where}.function."),
                parameters=readers.optional_mapping(function, "parameters", f"{where}.function.") or {},
                strict=readers.flag(function, "strict", f"{where}.function."),
                cache=readers.optional_mapping(tool, "cache_control", f"{where}."),
            )
        )
    return tuple(specs)


def _tool_choice(body: Mapping[str, Json], unplaced: set[str]) -> ToolChoice | None:
    value, parallel = body.get("tool_choice"), readers.flag(body, "parallel_tool_calls")
    if value is None:
        return None if parallel is None else ToolChoice("auto", parallel=parallel)
    if isinstance(value, str):
        said = readers.one_of(value, "tool_choice", ("auto", "none", "required", "any"))
        return ToolChoice("required" if said == "any" else said, parallel=parallel)  # "any" is Mistral's word
    choice = readers.mapping(value, "tool_choice")
    form = readers.filled(choice.get("type"), "tool_choice.type")
    if form != "function":
        unplaced.add(f"tool_choice.type={form}"[:80])
        return ToolChoice("auto", parallel=parallel)
    function = readers.mapping(choice.get("function"), "tool_choice.function")
    return ToolChoice("named", readers.filled(function.get("name"), "tool_choice.function.name"), parallel)


def _response_format(body: Mapping[str, Json], unplaced: set[str]) -> ResponseFormat | None:
    given = readers.optional_mapping(body, "response_format")
    if given is None:
        return None
    kind = readers.filled(given.get("type"), "response_format.type")
    if kind in ("text", "json_object"):
        return ResponseFormat(kind)
    if kind != "json_schema":
        unplaced.add(f"response_format.type={kind}"[:80])
        return None
    where = "response_format.json_schema"
    spec = readers.mapping(given.get("json_schema"), where)
    return ResponseFormat(
        kind,
        name=readers.filled(spec.get("name"), f"{where}.name"),
        schema=readers.optional_mapping(spec, "schema", f"{where}."),
        strict=readers.flag(spec, "strict", f"{where}."),
        description=readers.optional_text(spec, "description", f"{where}."),
    )


def _reasoning(body: Mapping[str, Json], unplaced: set[str]) -> Reasoning | None:
    effort = readers.optional_text(body, "reasoning_effort")
    if effort is not None:
        return Reasoning(read_effort(effort, "reasoning_effort", unplaced))
    given = readers.optional_mapping(body, "reasoning")  # OpenRouter's spelling
    if given is None:
        return None
    budget = readers.optional_int(given, "max_tokens", "reasoning.")
    named = readers.optional_text(given, "effort", "reasoning.")
    if named is not None:
        return Reasoning(read_effort(named, "reasoning.effort", unplaced), budget)
    enabled = readers.flag(given, "enabled", "reasoning.")
    if budget is None:
        return None if enabled is None else Reasoning("medium" if enabled else "none")
    return Reasoning(budget_tokens=budget)


def read_effort(effort: str, where: str, unplaced: set[str]) -> str | None:
    """A known effort; another word (some servers have their own) can only go where the client's JSON goes as it is."""
    if effort in EFFORTS:
        return effort
    unplaced.add(f"{where}={effort}"[:80])
    return None
