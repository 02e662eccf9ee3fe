"""OpenAI responses: the client's JSON into the neutral form.

Nothing is stored here, so whatever refers to an earlier answer can only go to the provider that gave it. Names in
`unplaced` what the neutral form cannot say.
"""

from collections.abc import Mapping

from gateway.core.chat import (
    ChatRequest,
    Json,
    Message,
    Reasoning,
    ResponseFormat,
    Role,
    Text,
    ToolChoice,
    ToolSpec,
)
from gateway.formats import readers
from gateway.formats.hints import words
from gateway.formats.surface import BadRequest
from gateway.formats.surfaces.chat_request import read_effort, unplaced_fields
from gateway.formats.surfaces.responses_items import is_ours, read_input

PLACED = words(
    """model input instructions tools tool_choice parallel_tool_calls text reasoning max_output_tokens temperature top_p
    user stream stream_options metadata include"""
)
# Values that ask for what happens anyway, beside those that chat completions have as well.
_INERT: Mapping[str, Json] = {"background": False, "truncation": "disabled", "top_logprobs": 0}
_REFERENCES = ("previous_response_id", "conversation", "prompt")  # to what the provider keeps
# What may be included beside the answer: reasoning always is, and the others belong to tools that run at the provider.
_INCLUDED = words(
    """reasoning.encrypted_content web_search_call.action.sources web_search_call.results code_interpreter_call.outputs
    file_search_call.results computer_call_output.output.image_url message.input_image.image_url"""
)
_REASONING = ("effort", "summary", "generate_summary")


def read_responses(body: Mapping[str, Json]) -> ChatRequest:
    """The whole request; raises `BadRequest`."""
    unplaced = unplaced_fields(body, PLACED)
    unplaced -= {name for name, value in _INERT.items() if body.get(name) == value}
    if is_ours(body.get("previous_response_id")):
        where = "previous_response_id"
        advice = "send the conversation in input instead"
        raise BadRequest(f"{where}: no answer is stored here (store: false); {advice}.", where)
    unplaced |= {
        f"include={name}"[:80] for name in readers.texts(body.get("include"), "include") if name not in _INCLUDED
    }
    instructions = readers.optional_text(body, "instructions")
    tools, hosted = _tools(body.get("tools"), unplaced)
    choice = _tool_choice(body, unplaced)
    optional = bool(tools) and (choice is None or choice.mode in ("auto", "none")) and not _chosen(unplaced)
    if not optional:
        unplaced |= hosted
    return ChatRequest(
        messages=(*_system(instructions), *_input(body, unplaced)),
        max_tokens=readers.positive_int(body, "max_output_tokens"),
        temperature=readers.optional_number(body, "temperature"),
        top_p=readers.optional_number(body, "top_p"),
        tools=tools,
        tool_choice=choice,
        response_format=_text(body, unplaced),
        reasoning=_reasoning(body, unplaced),
        user=readers.optional_text(body, "user"),
        stream=bool(readers.flag(body, "stream")),
        include_usage=True,
        unplaced=frozenset(unplaced),
        offered=frozenset(hosted) if optional else frozenset(),
    )


def _chosen(unplaced: set[str]) -> bool:
    """Whether a tool that is no function must be used."""
    return any(name.startswith("tool_choice.") for name in unplaced)


def _system(instructions: str | None) -> tuple[Message, ...]:
    return (Message(Role.SYSTEM, (Text(instructions),)),) if instructions else ()


def _input(body: Mapping[str, Json], unplaced: set[str]) -> list[Message]:
    value = body.get("input")
    referring = any(body.get(name) is not None for name in _REFERENCES)
    if value is None or value == []:
        if referring:
            return []
        raise BadRequest("input is missing: it must be a string or a non-empty array of items.", "input")
    return read_input(value, unplaced)


def _tools(value: Json, unplaced: set[str]) -> tuple[tuple[ToolSpec, ...], set[str]]:
    """Functions, and what else there is: tools that run at the provider (web_search, …), or are called in another way
    (custom, namespace, …). Beside functions, and where none is demanded, an agent's model can do without those.
    """
    hosted: set[str] = set()
    specs: list[ToolSpec] = []
    if value is None:
        return (), hosted
    for index, item in enumerate(readers.items(value, "tools")):
        where = f"tools[{index}]"
        tool = readers.mapping(item, where)
        form = readers.filled(tool.get("type"), f"{where}.type")
        if form != "function":
            hosted.add(f"tools[].type={form}"[:80])
            continue
        specs.append(
            ToolSpec(
                name=readers.filled(tool.get("name"), f"{where}.name"),
                description=readers.optional_text(tool, "description", f"{where}."),
                parameters=readers.optional_mapping(tool, "parameters", f"{where}.") or {},
                strict=readers.flag(tool, "strict", f"{where}."),
            )
        )
        if tool.get("defer_loading"):
            unplaced.add("tools[].defer_loading")
    return tuple(specs), hosted


def _tool_choice(body: Mapping[str, Json], unplaced: set[str]) -> ToolChoice | None:
    value, parallel = body.get("tool_choice"), readers.flag(body, "parallel_tool_calls")
    if value is None:
        return None if parallel is None else ToolChoice("auto", parallel=parallel)
    if isinstance(value, str):
        return ToolChoice(readers.one_of(value, "tool_choice", ("auto", "none", "required")), parallel=parallel)
    choice = readers.mapping(value, "tool_choice")
    form = readers.filled(choice.get("type"), "tool_choice.type")
    if form != "function":
        unplaced.add(f"tool_choice.type={form}"[:80])
        return ToolChoice("auto", parallel=parallel)
    return ToolChoice("named", readers.filled(choice.get("name"), "tool_choice.name"), parallel)


def _text(body: Mapping[str, Json], unplaced: set[str]) -> ResponseFormat | None:
    text = readers.optional_mapping(body, "text") or {}
    for key, value in text.items():
        if key != "format" and value is not None and (key, value) != ("verbosity", "medium"):
            unplaced.add(f"text.{key}"[:80])
    given = readers.optional_mapping(text, "format", "text.")
    if given is None:
        return None
    where = "text.format"
    kind = readers.filled(given.get("type"), f"{where}.type")
    if kind == "text":
        return None
    if kind == "json_object":
        return ResponseFormat(kind)
    if kind != "json_schema":
        unplaced.add(f"{where}.type={kind}"[:80])
        return None
    return ResponseFormat(
        kind,
        name=readers.filled(given.get("name"), f"{where}.name"),
        schema=readers.mapping(given.get("schema"), f"{where}.schema"),
        strict=readers.flag(given, "strict", f"{where}."),
        description=readers.optional_text(given, "description", f"{where}."),
    )


def _reasoning(body: Mapping[str, Json], unplaced: set[str]) -> Reasoning | None:
    given = readers.optional_mapping(body, "reasoning") or {}
    unplaced |= {f"reasoning.{key}"[:80] for key, value in given.items() if value is not None and key not in _REASONING}
    effort = readers.optional_text(given, "effort", "reasoning.")
    return None if effort is None else Reasoning(read_effort(effort, "reasoning.effort", unplaced))
