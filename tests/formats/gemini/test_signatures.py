"""Thought signatures make the round trip on every surface that has reasoning: the API refuses calls without theirs."""

import json
from typing import Any

import pytest

from gateway.core.ask import Surface
from tests.support.formats import ask, endpoint, outgoing_body, reply

AT = endpoint("gemini")
TOLD = [
    {"text": "I should ask.", "thought": True},
    {"text": "Looking."},
    {"functionCall": {"id": "f1", "name": "weather", "args": {"city": "Rome"}}, "thoughtSignature": "SIG1"},
    {"functionCall": {"id": "f2", "name": "weather", "args": {"city": "Oslo"}}},
]
ANSWER = {"candidates": [{"content": {"role": "model", "parts": TOLD}, "finishReason": "STOP"}]}


def by_chat(shown: dict[str, Any]) -> dict[str, Any]:
    results = [{"role": "tool", "tool_call_id": call, "content": "wet"} for call in ("f1", "f2")]
    return {"messages": [{"role": "user", "content": "hi"}, shown["choices"][0]["message"], *results]}


def by_messages(shown: dict[str, Any]) -> dict[str, Any]:
    results = [{"type": "tool_result", "tool_use_id": call, "content": "wet"} for call in ("f1", "f2")]
    said = {"role": "assistant", "content": shown["content"]}
    return {"messages": [{"role": "user", "content": "hi"}, said, {"role": "user", "content": results}]}


def by_responses(shown: dict[str, Any]) -> dict[str, Any]:
    results = [{"type": "function_call_output", "call_id": call, "output": "wet"} for call in ("f1", "f2")]
    return {"input": [{"role": "user", "content": "hi"}, *shown["output"], *results]}


@pytest.mark.case("H6")
@pytest.mark.parametrize(
    ("surface", "next_turn"),
    [(Surface.CHAT, by_chat), (Surface.MESSAGES, by_messages), (Surface.RESPONSES, by_responses)],
)
def test_h6_signatures_find_back_to_their_calls(surface: Surface, next_turn: Any) -> None:
    shown = json.loads(reply(ask({}, surface), AT, ANSWER).body)
    asked = ask(next_turn(shown), surface)
    assert asked.survey.signed_by == {"gemini"}
    _, model, results = outgoing_body(asked, AT)["contents"]
    assert [part for part in model["parts"] if "thought" not in part] == TOLD[1:]
    assert [part["functionResponse"]["name"] for part in results["parts"]] == ["weather", "weather"]


@pytest.mark.case("H6")
@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES, Surface.RESPONSES])
def test_h6_a_signed_text_finds_its_signature_again(surface: Surface) -> None:
    parts = [{"text": "Hello.", "thoughtSignature": "SIG"}]
    body = {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]}
    shown = json.loads(reply(ask({}, surface), AT, body).body)
    turn = {
        Surface.CHAT: lambda: {"messages": [*HI, shown["choices"][0]["message"], *HI]},
        Surface.MESSAGES: lambda: {"messages": [*HI, {"role": "assistant", "content": shown["content"]}, *HI]},
        Surface.RESPONSES: lambda: {"input": [*HI, *shown["output"], *HI]},
    }[surface]()
    assert outgoing_body(ask(turn, surface), AT)["contents"][1] == {"role": "model", "parts": parts}


HI = [{"role": "user", "content": "hi"}]
