"""Public failure cases of gateways before Bedrock (cases.md), each by its number."""

from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.formats import registry
from tests.support.formats import ask, endpoint, outgoing_body

AT = endpoint("bedrock")
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "done"}
TOOLS = [{"type": "function", "function": {"name": "f", "description": "", "parameters": {}}}]


def turns(*messages: Any, **more: Any) -> list[Any]:
    return list(outgoing_body(ask({"messages": list(messages), **more}), AT)["messages"])


@pytest.mark.case("H1")
@pytest.mark.case("H2")
@pytest.mark.parametrize("content", [None, ""])
def test_h1_h2_call_without_text_is_a_call_alone(content: str | None) -> None:
    said = {"role": "assistant", "content": content, "tool_calls": [CALL]}
    found = turns({"role": "user", "content": "go"}, said, RESULT, tools=TOOLS)
    assert found[1] == {
        "role": "assistant",
        "content": [{"toolUse": {"toolUseId": "c1", "name": "f", "input": {}}}],
    }


@pytest.mark.case("H3")
def test_h3_empty_assistant_turn_is_left_out_and_sides_alternate() -> None:
    user = [{"role": "user", "content": text} for text in ("a", "b")]
    found = turns(user[0], {"role": "assistant", "content": ""}, user[1])
    assert found == [{"role": "user", "content": [{"text": "a"}, {"text": "b"}]}]


@pytest.mark.case("H4")
def test_h4_stop_sequences_arrive_without_empty_entries() -> None:
    asked = ask({"stop_sequences": ["STOPPROBE", ""]}, Surface.MESSAGES)
    assert outgoing_body(asked, AT)["inferenceConfig"] == {"stopSequences": ["STOPPROBE"]}


@pytest.mark.case("H6")
def test_h6_signed_reasoning_goes_back_before_the_result_of_its_call() -> None:
    detail = {"type": "reasoning.text", "text": "hm", "signature": "sig", "format": "bedrock", "index": 0}
    said = {"role": "assistant", "content": None, "tool_calls": [CALL], "reasoning_details": [detail]}
    found = turns({"role": "user", "content": "go"}, said, RESULT, tools=TOOLS)
    assert found[1]["content"][0] == {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}}
    assert [next(iter(block)) for block in found[1]["content"]] == ["reasoningContent", "toolUse"]


@pytest.mark.case("H8")
def test_h8_a_count_that_bedrock_refuses_is_a_failure_with_its_words() -> None:
    body = b'{"message": "The provided model doesn\'t support counting tokens."}'
    found = registry.wire_format("bedrock-anthropic").failure(400, {}, body, 0.0)
    assert found.error is not None
    assert found.error.message == "The provided model doesn't support counting tokens."


@pytest.mark.case("H9")
def test_h9_empty_description_and_parameters_are_left_out_or_filled() -> None:
    config = outgoing_body(ask({"tools": TOOLS}), AT)["toolConfig"]
    assert config == {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]}


def test_results_stand_first_in_their_turn_wherever_they_came() -> None:
    said = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    found = turns({"role": "user", "content": "go"}, said, {"role": "user", "content": "wait"}, RESULT, tools=TOOLS)
    assert [next(iter(block)) for block in found[2]["content"]] == ["toolResult", "text"]
