"""Whole answers: passed on with fidelity, or translated."""

import json
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.chat import FinishReason
from gateway.core.failure import AttemptError, FailureKind
from gateway.core.usage import Usage
from tests.support.formats import ask, call, endpoint, reply, tool_use, unpriced

OPENAI, ANTHROPIC = endpoint("openai"), endpoint("anthropic")
USED = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25, "prompt_tokens_details": {"cached_tokens": 8}}


def completion(message: dict[str, Any], finish: str | None = "stop", **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {"id": "cc-1", "model": "up", "choices": [choice], "usage": dict(USED), "vendor": 1, **more}


def message(*content: dict[str, Any], reason: str | None = "end_turn", **more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 2, "cache_creation_input_tokens": None}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "up", "vendor": 1}
    return {**head, "content": list(content), "stop_reason": reason, "stop_sequence": None, "usage": usage, **more}


def test_openai_answers_pass_with_model_and_cost() -> None:
    answer = completion({"content": "Hi", "reasoning_content": "Hm", "refusal": None})
    rendered = reply(ask(), OPENAI, answer)
    wanted = {**answer, "model": "told-model", "usage": {**USED, "cost": 0.3}}
    assert json.loads(rendered.body) == wanted
    assert rendered.usage == Usage(input=20, cached_input=8, output=5)
    assert (rendered.finish, rendered.output_chars) == (FinishReason.STOP, 4)
    assert json.loads(reply(ask(), OPENAI, answer, unpriced).body) == {**answer, "model": "told-model"}


def test_equal_texts_have_equal_digests_whatever_carried_them() -> None:
    texts = [
        reply(ask(), OPENAI, completion({"content": "Hi"})),
        reply(ask({}, Surface.MESSAGES), OPENAI, completion({"content": "Hi"})),
        reply(ask(), ANTHROPIC, message({"type": "text", "text": "Hi"})),
        reply(ask({}, Surface.MESSAGES), ANTHROPIC, message({"type": "text", "text": "Hi"})),
    ]
    assert len({rendered.text_digest for rendered in texts}) == 1
    assert reply(ask(), OPENAI, completion({"content": "Ho"})).text_digest != texts[0].text_digest


def test_openai_calls_refusals_and_typed_parts_are_counted() -> None:
    parts = [{"type": "thinking", "thinking": "ab"}, {"type": "text", "text": "cde"}, {"type": "other"}]
    legacy = {"name": "f", "arguments": "{}"}
    answer = completion(
        {"content": parts, "refusal": "No", "tool_calls": [call(0, "c", "f", "{}")], "function_call": legacy}
    )
    assert reply(ask(), OPENAI, answer).output_chars == 13


def test_completions_and_embeddings_pass_too() -> None:
    text = {"choices": [{"text": "Hi", "finish_reason": "length"}], "model": "up"}
    at = endpoint(caps=("completions",))
    rendered = reply(ask({}, Surface.COMPLETIONS), at, text)
    assert (rendered.finish, rendered.usage, rendered.output_chars) == (FinishReason.LENGTH, None, 2)
    vectors = {"data": [{"embedding": [0.5]}], "model": "up", "usage": {"prompt_tokens": 4, "total_tokens": 4}}
    rendered = reply(ask({"input": "a"}, Surface.EMBEDDINGS), OPENAI, vectors)
    used = {"prompt_tokens": 4, "total_tokens": 4, "cost": 0.04}
    assert json.loads(rendered.body) == {**vectors, "model": "told-model", "usage": used}
    assert (rendered.finish, rendered.usage) == (None, Usage(input=4))
    bare = {"data": [{"embedding": "AAAA"}]}
    assert json.loads(reply(ask({"input": "a"}, Surface.EMBEDDINGS), OPENAI, bare).body) == bare


@pytest.mark.parametrize(
    ("usage", "wanted"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 3, "prompt_cache_hit_tokens": 4}, Usage(9, 4, 0, 3)),
        ({"prompt_tokens": 9, "completion_tokens": 3, "num_cached_tokens": 4}, Usage(9, 4, 0, 3)),
        ({"prompt_tokens": 9, "completion_tokens": 3, "cached_tokens": 40}, Usage(9, 9, 0, 3)),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 3,
                "total_tokens": 19,
                "completion_tokens_details": {"reasoning_tokens": 7},
            },
            Usage(9, 0, 0, 10, 7),
        ),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 3,
                "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
                "completion_tokens_details": {"reasoning_tokens": 2},
                "cost": 0.25,
            },
            Usage(9, 4, 2, 3, 2, provider_cost_usd=0.25),
        ),
        ({"prompt_tokens": -1, "completion_tokens": 3, "cost": True}, Usage(0, 0, 0, 3)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, None),
        ({"completion_tokens": 5}, None),
        ({"prompt_tokens": 5}, None),
        ([], None),
    ],
)
def test_openai_usage_is_normalised(usage: Any, wanted: Usage | None) -> None:
    assert reply(ask(), OPENAI, completion({"content": "a"}, usage=usage)).usage == wanted


def test_anthropic_answers_pass_with_model_and_cost() -> None:
    answer = message(
        {"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Hi"}, tool_use("t", "f"), {"type": "x"}
    )
    rendered = reply(ask({}, Surface.MESSAGES), ANTHROPIC, answer)
    wanted = {**answer, "model": "told-model", "usage": {**answer["usage"], "cost": 0.22}}
    assert json.loads(rendered.body) == wanted
    assert rendered.usage == Usage(input=12, cached_input=2, output=5)
    assert (rendered.finish, rendered.output_chars) == (FinishReason.STOP, 7)
    free = message({"type": "text", "text": "Hi"}, usage=None)
    assert json.loads(reply(ask({}, Surface.MESSAGES), ANTHROPIC, free).body)["usage"] is None


def test_anthropic_cache_writes_are_told_apart() -> None:
    usage = {
        "input_tokens": 3,
        "cache_creation_input_tokens": 12,
        "cache_creation": {"ephemeral_5m_input_tokens": 8, "ephemeral_1h_input_tokens": 4},
        "output_tokens": 550,
        "output_tokens_details": {"thinking_tokens": 40},
    }
    rendered = reply(ask({}, Surface.MESSAGES), ANTHROPIC, message(usage=usage))
    assert rendered.usage == Usage(input=15, cache_write=12, output=550, reasoning=40, cache_write_1h=4)


def test_token_counts_pass_as_they_are() -> None:
    counted = ask({}, Surface.COUNT_TOKENS)
    rendered = reply(counted, ANTHROPIC, b'{"input_tokens": 14}')
    assert (rendered.body, rendered.usage) == (b'{"input_tokens": 14}', None)
    with pytest.raises(AttemptError):
        reply(counted, ANTHROPIC, {"tokens": 14})


def test_an_openai_answer_becomes_a_message() -> None:
    answer = completion(
        {"content": "Hi", "reasoning": "Hm", "tool_calls": [call(0, "c", "f", '{"x":1}'), call(1, "d", "g", "no json")]}
    )
    rendered = reply(ask({}, Surface.MESSAGES), OPENAI, answer)
    assert json.loads(rendered.body) == {
        "id": "reply-1",
        "type": "message",
        "role": "assistant",
        "model": "told-model",
        "content": [
            {"type": "thinking", "thinking": "Hm", "signature": ""},
            {"type": "text", "text": "Hi"},
            tool_use("c", "f", x=1),
            tool_use("d", "g", INVALID_JSON="no json"),
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 12,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 8,
            "output_tokens": 5,
            "cost": 0.3,
        },
    }
    assert (rendered.finish, rendered.output_chars) == (FinishReason.TOOL_CALLS, 20)


@pytest.mark.parametrize(
    ("said", "block"),
    [
        ({"content": None, "refusal": "No."}, {"type": "text", "text": "No."}),
        (
            {"reasoning_details": [{"type": "reasoning.encrypted", "data": "d", "format": "anthropic-claude-v1"}]},
            {"type": "redacted_thinking", "data": "d"},
        ),
        (
            {"reasoning_details": [{"text": "a", "signature": "s", "format": "anthropic-claude-v1"}]},
            {"type": "thinking", "thinking": "a", "signature": "s"},
        ),
        (
            {"content": [{"type": "thinking", "thinking": "a"}]},
            {"type": "thinking", "thinking": "a", "signature": ""},
        ),
        (
            {"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {"x": 1}}}]},
            {"type": "tool_use", "id": "c", "name": "f", "input": {"x": 1}},
        ),
        (
            {"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "[1]"}}]},
            {"type": "tool_use", "id": "c", "name": "f", "input": {"INVALID_JSON": "[1]"}},
        ),
    ],
)
def test_each_part_of_an_openai_answer_has_its_block(said: dict[str, Any], block: dict[str, Any]) -> None:
    shown = json.loads(reply(ask({}, Surface.MESSAGES), OPENAI, completion(said)).body)
    assert shown["content"] == [block]
    assert (shown["stop_reason"] == "refusal") == ("refusal" in said)


def test_an_answer_without_usage_or_reason_still_has_the_shape() -> None:
    answer = completion({"content": "a"}, None, usage=None)
    shown = json.loads(reply(ask({}, Surface.MESSAGES), OPENAI, answer).body)
    assert (shown["stop_reason"], shown["usage"]["output_tokens"]) == ("end_turn", 0)
    shown = json.loads(reply(ask(), ANTHROPIC, message(reason=None, usage={})).body)
    assert shown["choices"][0]["finish_reason"] == "stop"
    assert "usage" not in shown


def test_a_message_becomes_a_chat_completion() -> None:
    thinking = {"type": "thinking", "thinking": "Hm", "signature": "s"}
    answer = message(thinking, {"type": "text", "text": "Hi"}, tool_use("t", "f", x=1), {"type": "server_tool_use"})
    assert json.loads(reply(ask(), ANTHROPIC, {**answer, "stop_reason": "tool_use"}).body) == {
        "id": "reply-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "told-model",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hi",
                    "refusal": None,
                    "reasoning_content": "Hm",
                    "reasoning": "Hm",
                    "reasoning_details": [
                        {
                            "type": "reasoning.text",
                            "format": "anthropic-claude-v1",
                            "index": 0,
                            "text": "Hm",
                            "signature": "s",
                        }
                    ],
                    "tool_calls": [
                        {"id": "t", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
                    ],
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 12,
            "completion_tokens": 5,
            "total_tokens": 17,
            "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
            "cost": 0.22,
        },
    }


def test_a_call_alone_has_null_content_and_nothing_at_all_an_empty_one() -> None:
    alone = json.loads(reply(ask(), ANTHROPIC, message(tool_use("t", "f"))).body)["choices"][0]["message"]
    assert (alone["content"], alone["tool_calls"][0]["function"]["arguments"]) == (None, "{}")
    assert json.loads(reply(ask(), ANTHROPIC, message()).body)["choices"][0]["message"]["content"] == ""


@pytest.mark.parametrize("at", [OPENAI, ANTHROPIC])
def test_answers_become_text_completions(at: Any) -> None:
    answer = completion({"content": "Hi"}) if at is OPENAI else message({"type": "text", "text": "Hi"})
    shown = json.loads(reply(ask({}, Surface.COMPLETIONS), at, answer).body)
    assert shown["choices"] == [{"text": "Hi", "index": 0, "logprobs": None, "finish_reason": "stop"}]
    assert (shown["object"], shown["id"], shown["model"]) == ("text_completion", "reply-1", "told-model")
    assert shown["usage"]["cost"] is not None
    bare = completion({"content": None, "refusal": "No."}, usage=None)
    assert json.loads(reply(ask({}, Surface.COMPLETIONS), OPENAI, bare).body)["choices"][0]["text"] == "No."


ERRORS: list[tuple[Any, FailureKind]] = [
    (b"<html>", FailureKind.MALFORMED),
    (b"{", FailureKind.MALFORMED),
    (b"[]", FailureKind.MALFORMED),
    (b"[" * 100_000, FailureKind.MALFORMED),
    ({}, FailureKind.MALFORMED),
    ({"error": {"type": "overloaded_error", "message": "Busy"}}, FailureKind.OVERLOADED),
]


@pytest.mark.parametrize(("body", "kind"), ERRORS)
@pytest.mark.parametrize("at", [OPENAI, ANTHROPIC])
@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES])
def test_an_answer_that_is_none_fails_the_attempt(surface: Surface, at: Any, body: Any, kind: FailureKind) -> None:
    with pytest.raises(AttemptError) as caught:
        reply(ask({}, surface), at, body)
    assert caught.value.failure.kind is kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"choices": [{"message": {"content": 5}}]}, FailureKind.MALFORMED),
        ({"choices": ["a"]}, FailureKind.MALFORMED),
        ({"choices": []}, FailureKind.MALFORMED),
        ({"object": "error", "message": "Busy", "code": 503}, FailureKind.OVERLOADED),
        ({"detail": "No."}, FailureKind.SERVER_ERROR),
        ({"choices": [{"message": {}, "finish_reason": "error", "error": {"code": 429}}]}, FailureKind.RATE_LIMITED),
        ({"choices": [{"message": {}, "finish_reason": "error"}]}, FailureKind.SERVER_ERROR),
    ],
)
@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES])
def test_a_misshapen_openai_answer_fails_the_attempt(surface: Surface, body: Any, kind: FailureKind) -> None:
    with pytest.raises(AttemptError) as caught:
        reply(ask({}, surface), OPENAI, body)
    assert caught.value.failure.kind is kind


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES])
def test_a_misshapen_message_fails_the_attempt(surface: Surface) -> None:
    for body in ({"content": [{"type": "text"}]}, {"content": 5}, {"content": [5]}):
        with pytest.raises(AttemptError) as caught:
            reply(ask({}, surface), ANTHROPIC, body)
        assert caught.value.failure.kind is FailureKind.MALFORMED
