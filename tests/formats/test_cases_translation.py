"""Public failure cases of gateways, developer set: group H (protocol translation)."""

import json
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.formats import registry
from gateway.formats.surface import BadRequest, ClientError
from tests.support.formats import (
    ask,
    block_delta,
    block_start,
    block_stop,
    call,
    chunk,
    endpoint,
    events,
    message_end,
    message_start,
    named,
    outgoing_body,
    relay,
    reply,
    sse,
    tool_use,
)

OPENAI, ANTHROPIC = endpoint("openai"), endpoint("anthropic")
USED = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
DONE = chunk(finish="stop"), "[DONE]"


HISTORY_TOOLS = [{"type": "function", "function": {"name": "a", "parameters": {"type": "object"}}}]


@pytest.mark.parametrize("content", [None, "", []])
def test_h1_h2_call_without_text_gets_no_empty_block(content: Any) -> None:
    history = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": content, "tool_calls": [call(0, "c1", "a", '{"x":1}')]},
        {"role": "tool", "tool_call_id": "c1", "content": ""},
    ]
    assert outgoing_body(ask({"messages": history}), ANTHROPIC, 100)["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {"role": "assistant", "content": [tool_use("c1", "a", x=1)]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1"}]},
    ]


def test_h3_empty_assistant_turn_is_left_out() -> None:
    history = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "b"},
    ]
    merged = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert outgoing_body(ask({"messages": history}), ANTHROPIC, 100)["messages"] == [
        {"role": "user", "content": merged}
    ]
    as_chat = outgoing_body(ask({"messages": history}, Surface.MESSAGES), OPENAI)["messages"]
    assert as_chat == [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]


def test_h4_stop_sequences_arrive_without_empty_entries() -> None:
    probe = ask({"stop_sequences": ["", "STOPPROBE"]}, Surface.MESSAGES)
    assert outgoing_body(probe, OPENAI)["stop"] == ["STOPPROBE"]
    assert outgoing_body(ask({"stop": ["", "STOPPROBE"]}), ANTHROPIC, 100)["stop_sequences"] == ["STOPPROBE"]


def test_h4_stop_that_the_format_refuses_excludes_the_endpoint() -> None:
    asked = ask({"stop": ["", "\n"]})
    assert registry.wire_format("anthropic").inexpressible(asked, ANTHROPIC).fields == {"stop"}
    many = ask({"stop_sequences": list("abcde")}, Surface.MESSAGES)
    assert registry.wire_format("openai").inexpressible(many, OPENAI).fields == {"stop[4]"}


@pytest.mark.parametrize("told", [{"stop_reason": "END"}, {"matched_stop": "END"}])
def test_h5_matched_stop_is_reported(told: dict[str, str]) -> None:
    last = chunk(finish="stop")
    last["choices"][0].update(told)
    stream = relay(ask({"stream": True}, Surface.MESSAGES), OPENAI)
    delta = events(stream.feed(sse(chunk({"content": "a"}), last, "[DONE]")))[-2]["delta"]
    assert delta == {"stop_reason": "stop_sequence", "stop_sequence": "END"}
    whole = {"choices": [{"message": {"content": "a"}, "finish_reason": "stop", **told}]}
    shown = json.loads(reply(ask(surface=Surface.MESSAGES), OPENAI, whole).body)
    assert (shown["stop_reason"], shown["stop_sequence"]) == ("stop_sequence", "END")


def test_h5_numeric_stop_ids_are_ignored() -> None:
    last = chunk(finish="stop")
    last["choices"][0].update({"stop_reason": 128009, "matched_stop": 2})
    stream = relay(ask({"stream": True}, Surface.MESSAGES), OPENAI)
    delta = events(stream.feed(sse(chunk({"content": "a"}), last, "[DONE]")))[-2]["delta"]
    assert delta == {"stop_reason": "end_turn", "stop_sequence": None}


def test_h6_signed_thinking_makes_the_round_trip_on_the_chat_surface() -> None:
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": "sig=="},
        {"type": "redacted_thinking", "data": "opaque"},
        {"type": "thinking", "thinking": "So.", "signature": "sig2=="},
        tool_use("t1", "a", x=1),
    ]
    answer = {"type": "message", "content": blocks, "stop_reason": "tool_use", "usage": {"input_tokens": 1}}
    message = json.loads(reply(ask(), ANTHROPIC, answer).body)["choices"][0]["message"]
    assert message["reasoning_content"] == message["reasoning"] == "Hm.So."
    history = [
        {"role": "user", "content": "hi"},
        message,
        {"role": "tool", "tool_call_id": "t1", "content": "1"},
    ]
    asked = ask({"messages": history, "tools": HISTORY_TOOLS})
    assert asked.survey.signed_by == {"anthropic"}
    assert outgoing_body(asked, ANTHROPIC, 100)["messages"][1]["content"] == blocks
    assert registry.wire_format("openai").inexpressible(asked, OPENAI).fields == {"signed_reasoning"}


def test_h6_signed_thinking_makes_the_round_trip_through_a_stream() -> None:
    stream = relay(ask({"stream": True}), ANTHROPIC)
    out = stream.feed(
        named(
            message_start(),
            block_start(0, {"type": "thinking", "thinking": "", "signature": ""}),
            block_delta(0, {"type": "thinking_delta", "thinking": "H"}),
            block_delta(0, {"type": "thinking_delta", "thinking": "m."}),
            block_delta(0, {"type": "signature_delta", "signature": "sig=="}),
            block_stop(0),
            block_start(1, {"type": "redacted_thinking", "data": "opaque"}),
            block_stop(1),
            *message_end(),
        )
    )
    deltas = [event["choices"][0]["delta"] for event in events(out)[:-1]]
    details = [entry for delta in deltas for entry in delta.get("reasoning_details", ())]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "Hm."
    history = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "a", "reasoning_details": details}]
    assert outgoing_body(ask({"messages": history}), ANTHROPIC, 100)["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "sig=="},
        {"type": "redacted_thinking", "data": "opaque"},
        {"type": "text", "text": "a"},
    ]


def test_h8_errors_have_the_anthropic_shape_on_every_anthropic_surface() -> None:
    for surface in (Surface.MESSAGES, Surface.COUNT_TOKENS):
        body = registry.surface(surface).error_body(ClientError(400, "No.", "invalid_request", param="messages"))
        inner = {"type": "invalid_request_error", "message": "No.", "param": "messages"}
        assert json.loads(body) == {"type": "error", "error": inner}


def test_h9_empty_description_and_parameters_are_left_out_or_filled() -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": "", "parameters": {}}}]
    body = outgoing_body(ask({"tools": tools}), ANTHROPIC, 100)
    assert body["tools"] == [{"name": "f", "input_schema": {"type": "object"}}]
    bare = [{"name": "f", "description": "", "input_schema": {}}]
    body = outgoing_body(ask({"tools": bare}, Surface.MESSAGES), OPENAI)
    function = {"name": "f", "parameters": {"type": "object", "properties": {}}}
    assert body["tools"] == [{"type": "function", "function": function}]


@pytest.mark.parametrize(
    ("surface", "tools", "param"),
    [
        (Surface.CHAT, [{"type": "function", "function": {"parameters": {}}}], "tools[0].function.name"),
        (Surface.CHAT, [HISTORY_TOOLS[0], {"type": "function", "function": {"name": ""}}], "tools[1].function.name"),
        (Surface.MESSAGES, [{"name": "", "input_schema": {}}], "tools[0].name"),
        (Surface.MESSAGES, [{"input_schema": {}}], "tools[0].name"),
    ],
)
def test_h9_unnamed_tool_is_a_bad_request_with_its_index(surface: Surface, tools: Any, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        ask({"tools": tools}, surface)
    assert caught.value.param == param
