"""What Cohere's answers come to: how they end, what goes wrong, what they use."""

import json
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.chat import FinishReason
from gateway.core.failure import AttemptError, Failure, FailureKind
from gateway.core.usage import Usage
from gateway.formats.cohere.content import read_usage
from tests.support.formats import ask, endpoint, named, relay, reply

AT = endpoint("cohere")
START = {"type": "message-start", "id": "c-1", "delta": {"message": {"role": "assistant"}}}
TEXT = {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "a"}}}}


def answer(finish: str = "COMPLETE", **message: Any) -> dict[str, Any]:
    return {"id": "c-1", "finish_reason": finish, "message": {"role": "assistant", **message}}


def failure_of(body: Any, surface: Surface = Surface.CHAT) -> Failure:
    asked = ask({"input": "a"} if surface is Surface.EMBEDDINGS else {}, surface)
    with pytest.raises(AttemptError) as caught:
        reply(asked, AT, body)
    return caught.value.failure


def end(**delta: Any) -> dict[str, Any]:
    return {"type": "message-end", "id": "c-1", "delta": delta}


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("COMPLETE", FinishReason.STOP),
        ("A_WORD_OF_TOMORROW", FinishReason.STOP),
        ("STOP_SEQUENCE", FinishReason.STOP_SEQUENCE),
        ("MAX_TOKENS", FinishReason.LENGTH),
        ("ERROR_LIMIT", FinishReason.LENGTH),
        ("TOOL_CALL", FinishReason.TOOL_CALLS),
        ("ERROR_TOXIC", FinishReason.CONTENT_FILTER),
    ],
)
def test_ends_as_the_reason_says(reason: str, finish: FinishReason) -> None:
    assert reply(ask(), AT, answer(reason, content=[{"type": "text", "text": "a"}])).finish is finish


def test_keeps_plan_reasoning_text_and_calls() -> None:
    content = [
        {"type": "thinking", "thinking": "Hm."},
        {"type": "image", "image": "?"},
        {"type": "text", "text": "Looking."},
    ]
    calls = [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
        {"type": "function", "function": {"name": "g"}},
    ]
    body = answer("TOOL_CALL", tool_plan="Plan.", content=content, tool_calls=calls)
    message = json.loads(reply(ask(), AT, body).body)["choices"][0]["message"]
    assert (message["reasoning_content"], message["content"]) == ("Plan.Hm.", "Looking.")
    assert [(call["id"], call["function"]) for call in message["tool_calls"]] == [
        ("a", {"name": "f", "arguments": '{"x":1}'}),
        ("call_reply-1_1", {"name": "g", "arguments": "{}"}),
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (answer("ERROR"), "The model failed (ERROR): no message"),
        ({**answer("TIMEOUT"), "error": "too slow"}, "error instead of an answer: too slow"),
    ],
)
def test_an_answer_that_failed_is_the_servers_fault(body: Any, message: str) -> None:
    failure = failure_of(body)
    assert (failure.kind, failure.message, failure.status) == (FailureKind.SERVER_ERROR, message, 500)


@pytest.mark.parametrize("body", [{}, [], b"<html>", {"finish_reason": "COMPLETE"}, answer(content=[{}])])
def test_what_is_no_answer_is_malformed(body: Any) -> None:
    assert failure_of(body).kind is FailureKind.MALFORMED


@pytest.mark.parametrize("body", [{}, {"embeddings": {"float": []}}, {"embeddings": {"float": [None]}}])
def test_what_is_no_embedding_is_malformed(body: Any) -> None:
    assert failure_of(body, Surface.EMBEDDINGS).kind is FailureKind.MALFORMED


def test_embeddings_that_nobody_counted_are_estimated() -> None:
    rendered = reply(ask({"input": "abcde"}, Surface.EMBEDDINGS), AT, {"embeddings": {"float": [[1.0]]}})
    assert rendered.usage == Usage(input=2, estimated=True)


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        (None, None),
        ({}, None),
        ({"billed_units": None, "tokens": {"input_tokens": "?"}}, None),
        (
            {"billed_units": {"input_tokens": 5.0, "output_tokens": 7}, "tokens": {"input_tokens": 500}},
            Usage(input=5, output=7),
        ),
        ({"tokens": {"input_tokens": 500, "output_tokens": 9}, "cached_tokens": 400}, Usage(input=500, output=9)),
    ],
)
def test_counts_what_is_billed(told: Any, usage: Usage | None) -> None:
    assert read_usage(told) == usage


def test_a_stream_that_failed_is_the_servers_fault() -> None:
    stream = relay(ask({"stream": True}), AT)
    stream.feed(named(START, TEXT, end(finish_reason="ERROR", error="boom")))
    assert stream.failure is not None
    assert (stream.failure.kind, stream.failure.message) == (
        FailureKind.SERVER_ERROR,
        "The model failed (ERROR): boom",
    )


def test_an_error_inside_the_stream_ends_it() -> None:
    stream = relay(ask({"stream": True}), AT)
    stream.feed(named(START) + b'data: {"message":"prompt is too long"}\n\n')
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.CONTEXT_LENGTH


def test_a_stream_without_its_end_is_truncated() -> None:
    stream = relay(ask({"stream": True}), AT)
    stream.feed(named(START, TEXT))
    stream.end()
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.TRUNCATED


def test_a_stream_that_only_says_done_ended_without_a_reason() -> None:
    stream = relay(ask({"stream": True}), AT)
    stream.feed(named(START, TEXT) + b"data: [DONE]\n\n")
    assert (stream.failure, stream.finish, stream.usage) == (None, FinishReason.STOP, None)


def test_a_stream_is_the_same_wherever_it_is_cut() -> None:
    upstream = named(START, TEXT, end(finish_reason="COMPLETE", usage={"billed_units": {"input_tokens": 1}}))
    whole = relay(ask({"stream": True}), AT)
    wanted = whole.feed(upstream)
    for cut in range(1, len(upstream)):
        stream = relay(ask({"stream": True}), AT)
        assert stream.feed(upstream[:cut]) + stream.feed(upstream[cut:]) == wanted
        assert (stream.usage, stream.finish) == (Usage(input=1), FinishReason.STOP)
