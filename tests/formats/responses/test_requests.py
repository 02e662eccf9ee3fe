"""Requests in this format: what the goldens do not show."""

import json
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.formats import registry
from tests.support.formats import USER, ask, endpoint, outgoing_body

FORM = registry.wire_format("responses")
AT = endpoint("responses")
THINKER = endpoint("responses", caps=("reasoning",))


def fields(asked: Any, at: Any = AT) -> tuple[set[str], set[str]]:
    found = FORM.inexpressible(asked, at)
    return set(found.fields), set(found.hints)


@pytest.mark.case("H4")
def test_h4_stop_sequences_exclude_the_endpoint() -> None:
    assert fields(ask({"stop": ["END"]})) == ({"stop"}, set())
    assert fields(ask({"stop_sequences": ["END"]}, Surface.MESSAGES)) == ({"stop"}, set())


def test_a_limit_below_the_least_one_excludes_the_endpoint() -> None:
    assert fields(ask({"max_tokens": 15})) == ({"max_tokens<16"}, set())
    assert fields(ask({"max_tokens": 16})) == (set(), set())


@pytest.mark.case("H6")
def test_h6_reasoning_that_others_signed_excludes_the_endpoint() -> None:
    signed = {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm.", "signature": "s"}]}
    messages = [*USER, signed, *USER]
    found, hints = fields(ask({"messages": messages}, Surface.MESSAGES))
    assert (found, hints) == ({"signed_reasoning"}, {"messages[].reasoning_content"})


def test_reasoning_is_asked_for_only_where_it_can_be_had() -> None:
    asked = ask({"reasoning_effort": "low"})
    assert fields(asked) == (set(), {"reasoning"})
    assert "reasoning" not in outgoing_body(asked, AT)
    assert outgoing_body(asked, THINKER)["reasoning"] == {"effort": "low"}
    assert "reasoning" not in outgoing_body(ask(), THINKER)


def test_tools_are_strict_only_where_that_was_asked_for() -> None:
    """The absence of `strict` means true in this format, and false in all others."""
    tools = [{"type": "function", "function": {"name": "f"}}]
    (tool,) = outgoing_body(ask({"tools": tools}), AT)["tools"]
    nothing = {"type": "object", "properties": {}}
    assert tool == {"type": "function", "name": "f", "parameters": nothing, "strict": False}


def test_choices_of_tools() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    for choice in ("auto", "none", "required"):
        assert outgoing_body(ask({"tools": tools, "tool_choice": choice}), AT)["tool_choice"] == choice
    assert "tool_choice" not in outgoing_body(ask({"tools": tools}), AT)


def test_a_schema_may_have_no_more_than_a_name() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x"}}
    told = outgoing_body(ask({"response_format": form}), AT)["text"]["format"]
    assert told == {"type": "json_schema", "name": "x", "schema": {}}


def test_an_empty_turn_is_left_out() -> None:
    empty = {"role": "user", "content": [{"type": "text", "text": ""}]}
    messages = [*USER, {"role": "assistant", "content": ""}, empty]
    assert outgoing_body(ask({"messages": messages}), AT)["input"] == [{"role": "user", "content": "hi"}]


def test_several_texts_stay_apart() -> None:
    content = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    messages = [{"role": "user", "content": content}, {"role": "assistant", "content": content}]
    assert outgoing_body(ask({"messages": messages}), AT)["input"] == [
        {"role": "user", "content": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "a"}, {"type": "output_text", "text": "b"}]},
    ]


def test_a_probe_costs_little_and_leaves_nothing_behind() -> None:
    assert FORM.probe(AT).path == "/responses"
    probe = outgoing(AT)
    assert probe == {"model": "responses-upstream", "input": "Reply with OK.", "store": False, "max_output_tokens": 16}
    least = endpoint("responses", quirks=frozenset({"reasoning_minimal"}))
    assert outgoing(least)["reasoning"] == {"effort": "minimal"}


def outgoing(at: Any) -> Any:
    return json.loads(FORM.probe(at).body)


def test_says_what_the_walk_needs() -> None:
    assert (FORM.api, FORM.requires_max_tokens, FORM.models_path) == ("responses", False, "/models")
    assert FORM.auth_headers("k") == (("authorization", "Bearer k"),)
    limited = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}
    assert FORM.horizon_s(limited, 0.0) == 360.0
    body = b'{"error":{"message":"Slow down","type":"requests","code":"rate_limit_exceeded"}}'
    failure = FORM.failure(429, {"retry-after": "7"}, body, 0.0)
    assert (failure.kind.value, failure.retry_after_s) == ("rate_limited", 7.0)


@pytest.mark.parametrize(
    ("surface", "also", "spoken"),
    [
        (Surface.RESPONSES, ("responses",), "responses"),
        (Surface.CHAT, ("responses",), "openai"),
        (Surface.RESPONSES, (), "openai"),
        (Surface.MESSAGES, ("responses", "anthropic"), "anthropic"),
        (Surface.EMBEDDINGS, ("responses",), "openai"),
    ],
)
def test_is_spoken_where_client_and_endpoint_both_do(surface: Surface, also: tuple[str, ...], spoken: str) -> None:
    assert registry.spoken(surface, endpoint("openai", also_speaks=also)).api == spoken
