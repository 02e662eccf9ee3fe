"""What Gemini's answers come to: how they end, what goes wrong, what they use."""

import json
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.chat import FinishReason
from gateway.core.failure import AttemptError, FailureKind
from gateway.core.usage import Usage
from gateway.formats import registry
from gateway.formats.gemini.content import read_usage
from gateway.formats.surfaces.chat_reply import DONE
from tests.support.formats import ask, chat_calls, context, endpoint, events, relay, reply, sse

AT = endpoint("gemini")
STREAM = {"stream": True}
CALL = {"functionCall": {"name": "f", "args": {}}}


def answer(*parts: dict[str, Any], finish: str | None = "STOP", **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], **more}


def failed(body: Any) -> tuple[FailureKind, str]:
    with pytest.raises(AttemptError) as caught:
        reply(ask(), AT, body)
    return caught.value.failure.kind, caught.value.failure.message


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("STOP", FinishReason.STOP),
        ("OTHER", FinishReason.STOP),
        ("A_WORD_OF_TOMORROW", FinishReason.STOP),
        ("MAX_TOKENS", FinishReason.LENGTH),
        ("CONTINUATION", FinishReason.LENGTH),
        ("SAFETY", FinishReason.CONTENT_FILTER),
        ("RECITATION", FinishReason.CONTENT_FILTER),
        ("LANGUAGE", FinishReason.CONTENT_FILTER),
        ("BLOCKLIST", FinishReason.CONTENT_FILTER),
        ("PROHIBITED_CONTENT", FinishReason.CONTENT_FILTER),
        ("SPII", FinishReason.CONTENT_FILTER),
        ("MODEL_ARMOR", FinishReason.CONTENT_FILTER),
    ],
)
def test_ends_as_the_reason_says(reason: str, finish: FinishReason) -> None:
    assert reply(ask(), AT, answer({"text": "a"}, finish=reason)).finish is finish


@pytest.mark.parametrize("reason", ["STOP", "UNEXPECTED_TOOL_CALL"])
def test_ends_in_calls_where_there_are_any(reason: str) -> None:
    assert reply(ask(), AT, answer(CALL, finish=reason)).finish is FinishReason.TOOL_CALLS


def test_calls_cut_by_the_limit_end_by_the_limit() -> None:
    assert reply(ask(), AT, answer(CALL, finish="MAX_TOKENS")).finish is FinishReason.LENGTH


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MISSING_THOUGHT_SIGNATURE"])
def test_an_answer_that_came_to_nothing_is_malformed(reason: str) -> None:
    assert failed(answer(finish=reason)) == (FailureKind.MALFORMED, f"The model's answer was unusable ({reason}).")


def test_an_unusable_answer_is_explained_in_the_providers_words() -> None:
    body = answer(finish="MALFORMED_FUNCTION_CALL")
    body["candidates"][0]["finishMessage"] = "print(f("
    assert failed(body)[1] == "The model's answer was unusable (MALFORMED_FUNCTION_CALL: print(f()."


def test_an_account_that_is_limited_is_our_keys_fault() -> None:
    assert failed(answer(finish="PUP_LIMITED_DISABLED"))[0] is FailureKind.CREDENTIAL


NAMELESS = answer({"functionCall": {"args": {}}})


@pytest.mark.parametrize("body", [answer({"text": "a"}, finish=None), {}, {"candidates": [7]}, [], b"<html>", NAMELESS])
def test_what_is_no_answer_is_malformed(body: Any) -> None:
    assert failed(body)[0] is FailureKind.MALFORMED


def test_an_error_in_disguise_is_the_error() -> None:
    error = {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}
    assert failed({"error": error})[0] is FailureKind.OVERLOADED


def test_a_blocked_prompt_is_a_refusal_in_the_providers_words() -> None:
    body = {
        "promptFeedback": {"blockReason": "MODEL_ARMOR", "blockReasonMessage": "No injections."},
        "usageMetadata": {"promptTokenCount": 3},
    }
    rendered = reply(ask(), AT, body)
    message = json.loads(rendered.body)["choices"][0]
    assert (message["message"]["refusal"], message["finish_reason"]) == ("No injections.", "content_filter")
    assert rendered.usage == Usage(input=3)


def test_only_the_first_candidate_counts() -> None:
    body = answer({"text": "a"})
    body["candidates"].append({"index": 1, "content": {"parts": [{"text": "b"}]}, "finishReason": "STOP"})
    assert json.loads(reply(ask(), AT, body).body)["choices"][0]["message"]["content"] == "a"


def test_texts_are_joined_around_what_is_no_text() -> None:
    parts = ({"text": "a"}, {"text": "b"}, {"executableCode": {"code": "1"}}, {"text": "c"})
    rendered = reply(ask({}, Surface.MESSAGES), AT, answer(*parts))
    assert json.loads(rendered.body)["content"] == [{"type": "text", "text": "abc"}]


def test_whole_answers_keep_reasoning_signatures_and_calls() -> None:
    parts = (
        {"text": "Hm.", "thought": True},
        {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "S"},
        {"functionCall": {"id": "own", "name": "g"}},
    )
    message = json.loads(reply(ask(), AT, answer(*parts)).body)["choices"][0]["message"]
    assert message["reasoning_content"] == "Hm."
    assert message["reasoning_details"] == [
        {"type": "reasoning.text", "format": "google-gemini-v1", "index": 0, "text": "Hm."},
        {"type": "reasoning.text", "format": "google-gemini-v1", "index": 1, "signature": "S"},
    ]
    assert [(call["id"], call["function"]) for call in message["tool_calls"]] == [
        ("call_reply-1_0", {"name": "f", "arguments": '{"a":1}'}),
        ("own", {"name": "g", "arguments": "{}"}),
    ]


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({}, None),
        ({"promptTokenCount": 0}, None),
        ({"promptTokenCount": "3"}, None),
        (
            {
                "promptTokenCount": 100,
                "toolUsePromptTokenCount": 10,
                "cachedContentTokenCount": 60,
                "candidatesTokenCount": 5,
                "thoughtsTokenCount": 20,
                "totalTokenCount": 135,
            },
            Usage(input=110, cached_input=60, output=25, reasoning=20),
        ),
        ({"promptTokenCount": 5, "cachedContentTokenCount": 9}, Usage(input=5, cached_input=5)),
    ],
)
def test_counts_thoughts_with_the_output_and_tools_with_the_input(told: dict[str, Any], usage: Usage | None) -> None:
    assert read_usage(told) == usage


@pytest.mark.case("I2")
def test_i2_cached_input_is_paid_once() -> None:
    told = {"promptTokenCount": 262_960, "cachedContentTokenCount": 257_955, "candidatesTokenCount": 1_744}
    used = read_usage(told)
    assert used is not None
    cost_usd = (used.input - used.cached_input) * 1.25e-6 + used.cached_input * 0.625e-6 + used.output * 10e-6
    assert round(cost_usd, 6) == 0.184918


def test_a_stream_of_one_event_is_whole() -> None:
    stream = relay(ask(STREAM), AT)
    out = stream.feed(sse(answer({"text": "a"}, usageMetadata={"promptTokenCount": 1}))) + stream.end()
    assert (stream.failure, stream.finish, out[-len(DONE) :]) == (None, FinishReason.STOP, DONE)


def test_counts_after_the_finish_are_waited_for() -> None:
    stream = relay(ask(STREAM), AT)
    stream.feed(sse(answer({"text": "a"}, finish=None), answer()))
    assert not stream.finished
    stream.feed(sse({"usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 2}}))
    assert (stream.finished, stream.usage) == (True, Usage(input=4, output=2))


def test_a_stream_without_a_finish_is_truncated_and_what_was_seen_is_billed() -> None:
    stream = relay(ask(STREAM), AT)
    counted = {"promptTokenCount": 4, "candidatesTokenCount": 1}
    stream.feed(sse(answer({"text": "a" * 40}, finish=None, usageMetadata=counted)))
    stream.end()
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.TRUNCATED
    assert stream.usage == Usage(input=4, output=10, estimated=True)


@pytest.mark.case("E3")
def test_e3_calls_in_several_events_are_counted_through() -> None:
    stream = relay(ask(STREAM), AT)
    out = events(stream.feed(sse(answer(CALL, finish=None), answer(CALL))) + stream.end())
    assert chat_calls(out) == [(0, "call_reply-1_0", "f", "{}"), (1, "call_reply-1_1", "f", "{}")]


def test_an_error_inside_the_stream_ends_it() -> None:
    stream = relay(ask(STREAM), AT)
    error = {"code": 429, "message": "Quota exceeded.", "status": "RESOURCE_EXHAUSTED"}
    stream.feed(sse(answer({"text": "a"}, finish=None), {"error": error}))
    assert stream.failure is not None
    assert (stream.failure.kind, stream.failure.status) == (FailureKind.RATE_LIMITED, 429)


def test_embeddings_are_packed_for_clients_who_ask_so() -> None:
    asked = ask({"input": "a", "encoding_format": "base64"}, Surface.EMBEDDINGS)
    body = json.dumps({"embeddings": [{"values": [1.0, -2.5]}]}).encode()
    rendered = registry.wire_format("gemini").reply(asked, AT, body, context(lambda used: None))
    assert json.loads(rendered.body) == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": "AACAPwAAIMA="}],
        "model": "told-model",
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }
    assert rendered.usage == Usage(input=1, estimated=True)


@pytest.mark.parametrize("body", [{"embeddings": []}, {}, {"embeddings": [{"values": None}]}])
def test_what_is_no_embedding_is_malformed(body: Any) -> None:
    with pytest.raises(AttemptError) as caught:
        reply(ask({"input": "a"}, Surface.EMBEDDINGS), AT, body)
    assert caught.value.failure.kind is FailureKind.MALFORMED
