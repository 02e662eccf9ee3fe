"""What `/v1/responses` asks for, in neutral words."""

from typing import Any

import pytest

from gateway.core.ask import Ask, Surface
from gateway.core.chat import (
    ChatRequest,
    Image,
    Media,
    Message,
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
from gateway.formats import registry
from gateway.formats.surface import BadRequest
from tests.support.responses import function_call, message, reasoning

U, A, S, T = Role.USER, Role.ASSISTANT, Role.SYSTEM, Role.TOOL
HI = Message(U, (Text("hi"),))


def parsed(**body: Any) -> Ask:
    return registry.surface(Surface.RESPONSES).parse({"model": "m", "input": "hi", **body}, 9, {})


def read(**body: Any) -> ChatRequest:
    chat = parsed(**body).chat
    assert chat is not None
    return chat


def said(*items: Any) -> tuple[Message, ...]:
    return read(input=list(items)).messages


def refused(**body: Any) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        parsed(**body)
    return caught.value


def test_reads_a_text() -> None:
    ask = parsed(stream=True)
    assert ask.chat == ChatRequest(messages=(HI,), stream=True, include_usage=True)
    assert (ask.surface, ask.model, ask.stream, ask.bytes, ask.include_usage) == (Surface.RESPONSES, "m", True, 9, True)


def test_reads_every_field_with_a_place() -> None:
    schema = {"type": "object"}
    assert read(
        instructions="Be brief.",
        max_output_tokens=50,
        temperature=0.5,
        top_p=0.9,
        user="u",
        tools=[{"type": "function", "name": "f", "description": "d", "parameters": schema, "strict": True},
               {"type": "function", "name": "g", "parameters": None}],
        tool_choice="required",
        parallel_tool_calls=False,
        text={"format": {"type": "json_schema", "name": "out", "schema": schema, "strict": True}},
        reasoning={"effort": "high", "summary": "auto"},
        metadata={"a": "b"},
        stream_options={"include_obfuscation": False},
        include=["reasoning.encrypted_content", "web_search_call.action.sources"],
        store=False,
        background=False,
        truncation="disabled",
        top_logprobs=0,
        service_tier="auto",
    ) == ChatRequest(
        messages=(Message(S, (Text("Be brief."),)), HI),
        max_tokens=50,
        temperature=0.5,
        top_p=0.9,
        user="u",
        tools=(ToolSpec("f", "d", schema, True), ToolSpec("g", None, {})),
        tool_choice=ToolChoice("required", parallel=False),
        response_format=ResponseFormat("json_schema", "out", schema, True),
        reasoning=Reasoning("high"),
        include_usage=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "choice"),
    [
        ({}, None),
        ({"parallel_tool_calls": True}, ToolChoice("auto", parallel=True)),
        ({"tool_choice": "none"}, ToolChoice("none")),
        ({"tool_choice": {"type": "function", "name": "f"}}, ToolChoice("named", "f")),
    ],
)
def test_reads_the_choice_of_tools(given: dict[str, Any], choice: ToolChoice | None) -> None:
    assert read(**given).tool_choice == choice


@pytest.mark.parametrize(
    ("given", "form"),
    [
        ({"format": {"type": "text"}}, None),
        ({"format": None, "verbosity": "medium"}, None),
        ({"format": {"type": "json_object"}}, ResponseFormat("json_object")),
    ],
)
def test_reads_the_form_of_the_answer(given: dict[str, Any], form: ResponseFormat | None) -> None:
    chat = read(text=given)
    assert (chat.response_format, chat.unplaced) == (form, frozenset())


def test_joins_the_items_of_one_turn() -> None:
    """Case E1 as a request: all results of a turn stand together, whatever the client's order of items."""
    assert said(
        {"role": "developer", "content": "d"},
        {"role": "system", "content": "s"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]},
        reasoning("Hm.", "So.", sealed="gAAA"),
        message("b", refusal="c"),
        function_call("c1", "f", "{}"),
        function_call("c2", "g", ""),
        {"type": "function_call_output", "call_id": "c1", "output": "1"},
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "2"}]},
        {"role": "user", "content": "e"},
        {"role": "user", "content": "f"},
    ) == (
        Message(S, (Text("d"),)),
        Message(S, (Text("s"),)),
        Message(U, (Text("a"),)),
        Message(A, (Thinking("Hm.\n\nSo.", "gAAA", format="responses"), Text("b"), Text("c"),
                    ToolCall("c1", "f", "{}"), ToolCall("c2", "g", ""))),
        Message(T, (ToolResult("c1", (Text("1"),)), ToolResult("c2", (Text("2"),)))),
        Message(U, (Text("e"),)),
        Message(U, (Text("f"),)),
    )  # fmt: skip


def test_reads_parts() -> None:
    data, pdf = "data:image/png;base64,iVBO", "data:application/pdf;base64,JVBE"
    (turn,) = said({"role": "user", "content": [
        {"type": "text", "text": "a"},
        {"type": "input_image", "image_url": data, "detail": "low"},
        {"type": "input_image", "image_url": "https://e.com/a.png"},
        {"type": "input_file", "filename": "a.pdf", "file_data": pdf},
        {"type": "input_file", "file_data": "JVBE"},
        {"type": "input_file", "file_url": "https://e.com/a.pdf"},
        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
    ]})  # fmt: skip
    assert turn.parts == (
        Text("a"),
        Image(data="iVBO", media_type="image/png", detail="low"),
        Image(url="https://e.com/a.png"),
        Media("file", "JVBE", media_type="application/pdf", name="a.pdf"),
        Media("file", "JVBE", media_type="application/pdf"),
        Media("file", url="https://e.com/a.pdf", media_type="application/pdf"),
        Media("audio", "UklG", media_type="audio/wav"),
    )


def test_reads_media_in_results() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,iVBO"}
    (turn,) = said({"type": "function_call_output", "call_id": "c", "output": [image]})
    assert turn.parts == (ToolResult("c", (Image(data="iVBO", media_type="image/png"),)),)
    (turn,) = said({"type": "function_call_output", "call_id": "c", "output": None})
    assert turn.parts == (ToolResult("c", (Text(""),)),)


@pytest.mark.case("H6")
@pytest.mark.parametrize(
    ("item", "parts"),
    [
        (reasoning("Hm.", sealed="gA:B=="), (Thinking("Hm.", "gA:B==", format="responses"),)),
        (reasoning("Hm.", sealed="pointsman:anthropic:signed:a:b="), (Thinking("Hm.", "a:b=", format="anthropic"),)),
        (reasoning(sealed="pointsman:anthropic:redacted:x"), (Thinking("", redacted="x", format="anthropic"),)),
        (reasoning(sealed="pointsman::signed:x"), (Thinking("", "x"),)),
        (reasoning(sealed="pointsman::redacted:x"), (Thinking("", redacted="x"),)),
        (reasoning(sealed="pointsman:odd"), (Thinking("", "pointsman:odd", format="responses"),)),
        (reasoning("short", content=["the whole"]), (Thinking("the whole"),)),
        (reasoning("Hm."), (Thinking("Hm."),)),
        ({"type": "reasoning", "id": "rs_1"}, ()),
    ],
)
def test_h6_reasoning_finds_back_to_who_signed_it(item: dict[str, Any], parts: tuple[Thinking, ...]) -> None:
    (turn,) = said(item)
    assert turn.parts == parts


def test_leaves_out_a_reference_to_reasoning_that_was_only_shown() -> None:
    """The AI SDK sends it by itself in a tool loop, unless it was told that nothing is stored."""
    chat = read(input=[{"role": "user", "content": "hi"}, {"type": "item_reference", "id": "rs_pm_x_0"}])
    assert (chat.messages, chat.unplaced) == ((HI,), {"input[].type=reasoning"})


def test_may_leave_out_the_input_where_it_goes_on_from_something() -> None:
    chat = read(input=None, previous_response_id="resp_1")
    assert (chat.messages, chat.unplaced) == ((), {"previous_response_id"})
    assert read(input=None, prompt={"id": "p"}).messages == ()


@pytest.mark.parametrize(
    ("change", "param", "words"),
    [
        ({"model": None}, "model", "model is missing"),
        ({"input": None}, "input", "input is missing"),
        ({"input": []}, "input", "non-empty array"),
        ({"input": 5}, "input", "must be an array, not an integer"),
        ({"input": ["hi"]}, "input[0]", "must be an object"),
        ({"input": [{"role": "bot", "content": ""}]}, "input[0].role", "got 'bot'"),
        ({"input": [{"role": "user"}]}, "input[0].content", "content is missing"),
        ({"input": [{"role": "user", "content": 5}]}, "input[0].content", "not an integer"),
        ({"input": [{"role": "user", "content": [{}]}]}, "input[0].content[0].type", "is missing"),
        ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "input[0].content[0].file_data", "missi"),
        ({"input": [{"type": "function_call", "name": "f"}]}, "input[0].call_id", "is missing"),
        ({"input": [{"type": "function_call", "call_id": "c", "name": "f"}]}, "input[0].arguments", "not null"),
        ({"input": [{"type": "function_call_output"}]}, "input[0].call_id", "is missing"),
        ({"input": [{"type": "reasoning", "summary": [{"text": 1}]}]}, "input[0].summary[0].text", "a string"),
        ({"input": [{"type": "item_reference", "id": "msg_pm_x_0"}]}, "input[0]", "nothing is stored here"),
        ({"previous_response_id": "resp_pm_x"}, "previous_response_id", "send the conversation in input"),
        ({"tools": [{"name": "f"}]}, "tools[0].type", "is missing"),
        ({"tools": [{"type": "function"}]}, "tools[0].name", "is missing"),
        ({"tool_choice": "any"}, "tool_choice", "auto, none, required"),
        ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema", "an object"),
        ({"max_output_tokens": 0}, "max_output_tokens", "positive"),
        ({"include": [5]}, "include[0]", "a string"),
        ({"reasoning": "high"}, "reasoning", "an object"),
    ],
)
def test_says_what_is_wrong_and_where(change: dict[str, Any], param: str, words: str) -> None:
    error = refused(**change)
    assert error.param == param
    assert words in error.message


def test_defers_the_loading_of_tools_only_where_that_is_known() -> None:
    tool = {"type": "function", "name": "f", "defer_loading": True}
    assert read(tools=[tool]).unplaced == {"tools[].defer_loading"}


@pytest.mark.parametrize(
    ("given", "offered"),
    [
        ({}, True),
        ({"tool_choice": "auto"}, True),
        ({"tool_choice": "required"}, False),
        ({"tool_choice": "none"}, True),
        ({"tool_choice": {"type": "web_search"}}, False),
        ({"tools": [{"type": "web_search"}]}, False),
    ],
)
def test_tells_tools_that_are_offered_from_tools_that_are_demanded(given: dict[str, Any], offered: bool) -> None:
    chat = read(**{"tools": [{"type": "function", "name": "f"}, {"type": "web_search"}], **given})
    name = "tools[].type=web_search"
    assert (name in chat.offered, name in chat.unplaced) == (offered, not offered)
