"""Whole responses: passed on with fidelity, or translated."""

import json
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.chat import FinishReason
from gateway.core.failure import AttemptError, FailureKind
from gateway.core.usage import Usage
from gateway.formats.responses.usage import read_usage
from tests.support.formats import ask, endpoint, reply, unpriced
from tests.support.responses import USED, function_call, message, reasoning, response

AT = endpoint("responses")
OUTPUT = (
    reasoning("Hm.", sealed="gAAA"),
    {"id": "ws_1", "type": "web_search_call", "status": "completed"},
    message("Hi"),
    function_call("c1", "weather", '{"a":1}'),
)


def native(answer: Any, price: Any = unpriced) -> Any:
    return reply(ask({}, Surface.RESPONSES), AT, answer, price)


def test_passes_with_model_and_cost() -> None:
    rendered = reply(ask({}, Surface.RESPONSES), AT, response(*OUTPUT))
    wanted = response(*OUTPUT, model="told-model", usage={**USED, "cost": 0.38})
    assert json.loads(rendered.body) == wanted
    assert rendered.usage == Usage(input=20, cached_input=8, output=9, reasoning=4)
    assert (rendered.finish, rendered.output_chars) == (FinishReason.TOOL_CALLS, 3 + 2 + 7 + 7)
    assert json.loads(native(response(*OUTPUT)).body) == response(*OUTPUT, model="told-model")


def test_passes_what_is_not_ended() -> None:
    """Background mode, which only its own provider can go on with."""
    rendered = native(response(status="queued", usage=None))
    assert (rendered.finish, rendered.usage) == (None, None)


def test_is_translated_for_chat() -> None:
    answer = json.loads(reply(ask(), AT, response(*OUTPUT)).body)
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == "tool_calls"
    told = choice["message"]
    assert (told["content"], told["reasoning_content"]) == ("Hi", "Hm.")
    assert told["reasoning_details"] == [
        {"type": "reasoning.text", "format": "openai-responses-v1", "index": 0, "text": "Hm.", "signature": "gAAA"}
    ]
    assert [call["function"] for call in told["tool_calls"]] == [{"name": "weather", "arguments": '{"a":1}'}]
    assert (answer["model"], answer["usage"]["cost"]) == ("told-model", 0.38)


def test_is_translated_for_messages() -> None:
    answer = json.loads(reply(ask({}, Surface.MESSAGES), AT, response(*OUTPUT, function_call("", "now", ""))).body)
    assert answer["content"][-3:] == [
        {"type": "text", "text": "Hi"},
        {"type": "tool_use", "id": "c1", "name": "weather", "input": {"a": 1}},
        {"type": "tool_use", "id": "call_reply-1_4", "name": "now", "input": {}},
    ]
    assert answer["stop_reason"] == "tool_use"


def test_translates_refusals_and_empty_reasoning() -> None:
    answer = json.loads(reply(ask(), AT, response(reasoning(), message("", refusal="No"))).body)
    (choice,) = answer["choices"]
    assert (choice["message"]["refusal"], choice["finish_reason"]) == ("No", "content_filter")
    assert "reasoning_content" not in choice["message"]


@pytest.mark.case("A1")
@pytest.mark.parametrize("surface", [Surface.RESPONSES, Surface.CHAT])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (response(status="failed", error={"code": "server_error", "message": "Oops."}), FailureKind.SERVER_ERROR),
        (response(status="failed", error={"code": "image_too_large", "message": "Big."}), FailureKind.REJECTED),
        (response(status="cancelled"), FailureKind.SERVER_ERROR),
        ({"error": {"message": "No model", "code": "model_not_found"}}, FailureKind.NOT_FOUND),
        ({"type": "error", "message": "Slow", "code": "rate_limit_exceeded"}, FailureKind.RATE_LIMITED),
        (b"<html>", FailureKind.MALFORMED),
        (b"nonsense", FailureKind.MALFORMED),
        (b"[]", FailureKind.MALFORMED),
        ({"id": "r", "status": "completed"}, FailureKind.MALFORMED),
        (response({"type": "message", "content": 5}), FailureKind.MALFORMED),
    ],
)
def test_an_error_in_a_200_is_a_failure(surface: Surface, body: Any, kind: FailureKind) -> None:
    with pytest.raises(AttemptError) as caught:
        reply(ask({}, surface), AT, body)
    assert caught.value.failure.kind is kind


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        (None, None),
        ({"input_tokens": 0, "output_tokens": 0}, None),
        ({"input_tokens": 5}, None),
        ({"input_tokens": 5, "output_tokens": 2}, Usage(input=5, output=2)),
        (
            {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 9, "cache_write_tokens": 3},
             "output_tokens": 4, "output_tokens_details": {"reasoning_tokens": 6}},
            Usage(input=9, cached_input=6, cache_write=3, output=4, reasoning=4),
        ),
        ({"input_tokens": 1, "output_tokens": 1, "cost": 0.5, "input_tokens_details": None},
         Usage(input=1, output=1, provider_cost_usd=0.5)),
        ({"input_tokens": 1, "output_tokens": 1, "cost": {"currency": "USD", "total_cost": 0.25}},
         Usage(input=1, output=1, provider_cost_usd=0.25)),  # Perplexity
        ({"input_tokens": 1, "output_tokens": 1, "cost": True}, Usage(input=1, output=1)),
    ],
)  # fmt: skip
def test_reads_usage(usage: Any, read: Usage | None) -> None:
    assert read_usage(usage) == read
