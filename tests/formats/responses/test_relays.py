"""Untranslated streams: equal but for the model, the cost and nothing else; and what is read from them."""

import json
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.chat import FinishReason
from gateway.core.failure import FailureKind
from gateway.core.usage import Usage
from gateway.formats.wire import StreamRelay
from tests.support.formats import ask, endpoint, events, priced, relay, sse, unpriced
from tests.support.responses import (
    added,
    begun,
    called,
    delta,
    done,
    ended,
    function_call,
    message,
    reasoning,
    response,
    sent,
    spoken,
)

AT = endpoint("responses")


def started(price: Any = priced) -> StreamRelay:
    return relay(ask({"stream": True}, Surface.RESPONSES), AT, price)


def test_passes_events_equal_but_for_model_and_cost() -> None:
    upstream = sent(*begun(), *spoken(0, "Hel", "lo"), ended(message("Hello")))
    stream = started()
    out = events(stream.feed(upstream) + stream.end())
    wanted = events(upstream)
    for event in wanted:
        if "response" in event:
            event["response"]["model"] = "told-model"
    wanted[-1]["response"]["usage"]["cost"] = 0.38
    assert out == wanted
    assert (stream.finished, stream.finish, stream.failure) == (True, FinishReason.STOP, None)
    assert stream.usage == Usage(input=20, cached_input=8, output=9, reasoning=4)
    assert (stream.output_chars, stream.next_number) == (5, len(wanted))
    assert stream.feed(upstream) == b""


def test_shows_no_cost_that_is_unknown() -> None:
    stream = started(unpriced)
    out = events(stream.feed(sent(*begun(), ended(message("Hi")))))
    assert "cost" not in out[-1]["response"]["usage"]


@pytest.mark.parametrize(
    ("event", "chars"),
    [
        (delta("output_text", 0, "abc"), 3),
        (delta("refusal", 0, "No"), 2),
        (delta("reasoning_text", 0, "Hm"), 2),
        (delta("reasoning_summary_text", 0, "Hm"), 2),
        (delta("function_call_arguments", 0, "{}"), 2),
        (delta("custom_tool_call_input", 0, "x"), 1),
        (delta("code_interpreter_call_code", 0, "x"), 1),
        (added(0, function_call("c", "weather", "")), 7),
        (added(0, {"type": "web_search_call", "id": "ws_1"}), 0),
    ],
)
def test_takes_for_content_what_is_content(event: dict[str, Any], chars: int) -> None:
    stream = started()
    stream.feed(sent(*begun(), event))
    assert (stream.content_seen, stream.output_chars, stream.held_events) == (True, chars, 2)


@pytest.mark.parametrize(
    "event",
    [
        delta("output_text", 0, ""),
        delta("output_text", 0, None),
        added(0, {**message(), "status": "in_progress"}),
        added(0, reasoning(sealed="gAAA")),
        {"type": "response.queued", "response": response(status="queued")},
        {"type": "response.content_part.added", "output_index": 0, "part": {"type": "output_text", "text": ""}},
    ],
)
def test_takes_nothing_else_for_content(event: dict[str, Any]) -> None:
    stream = started()
    stream.feed(sent(*begun(), event))
    assert (stream.content_seen, stream.held_events, stream.failure, stream.finished) == (False, 3, None, False)


def test_counts_on_where_events_have_no_numbers() -> None:
    stream = started()
    stream.feed(sse(*begun(), delta("output_text", 0, "Hi")))
    assert (stream.next_number, stream.content_seen) == (3, True)


def test_needs_no_name_of_an_event_nor_its_type() -> None:
    text = json.dumps({"output_index": 0, "delta": "Hi"}).encode()
    stream = started()
    assert stream.feed(b"event: response.output_text.delta\ndata: " + text + b"\n\n").startswith(b"event: response.out")
    assert stream.content_seen
    unnamed = started()
    assert unnamed.feed(sse(delta("output_text", 0, "Hi"))).startswith(b"event: response.output_text.delta\n")


def test_leaves_out_the_end_of_another_format() -> None:
    stream = started()
    out = stream.feed(sent(*begun(), ended(message("Hi"))) + b"data: [DONE]\n\n")
    assert b"[DONE]" not in out
    early = started()
    assert early.feed(b"data: [DONE]\n\n") == b""
    early.end()
    assert early.failure is not None
    assert early.failure.kind is FailureKind.TRUNCATED


@pytest.mark.parametrize(
    ("last", "finish"),
    [
        (ended(message("Hi")), FinishReason.STOP),
        (ended(message("Hi"), status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
         FinishReason.LENGTH),
        (ended(status="incomplete", incomplete_details={"reason": "content_filter"}), FinishReason.CONTENT_FILTER),
        (ended(status="incomplete", incomplete_details=None), FinishReason.LENGTH),
        (ended(message("Hi"), function_call("c", "f", "{}")), FinishReason.TOOL_CALLS),
        (ended({"type": "custom_tool_call", "name": "patch", "input": "x"}), FinishReason.TOOL_CALLS),
        (ended(message(refusal="No")), FinishReason.REFUSAL),
        ({"type": "response.incomplete", "response": {"id": "r"}}, FinishReason.LENGTH),
        ({"type": "response.completed", "response": {"id": "r"}}, FinishReason.STOP),
    ],
)  # fmt: skip
def test_reads_how_it_finished(last: dict[str, Any], finish: FinishReason) -> None:
    stream = started()
    stream.feed(sent(*begun(), last))
    assert (stream.finish, stream.finished, stream.failure) == (finish, True, None)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "error", "code": "insufficient_quota", "message": "No money."}, FailureKind.BILLING),
        ({"type": "error", "error": {"type": "invalid_request_error", "message": "No."}}, FailureKind.REJECTED),
        ({"error": {"code": "rate_limit_exceeded", "message": "Slow."}, "type": "x"}, FailureKind.RATE_LIMITED),
        (ended(status="failed", error={"code": "server_error", "message": "Oops."}), FailureKind.SERVER_ERROR),
        (ended(status="failed", error={"code": "invalid_prompt", "message": "Bad."}), FailureKind.REJECTED),
        (ended(status="cancelled"), FailureKind.SERVER_ERROR),
    ],
)
def test_an_error_is_a_failure_and_not_an_event(event: dict[str, Any], kind: FailureKind) -> None:
    stream = started()
    out = stream.feed(sent(*begun(), *spoken(0, "Hi"), event))
    assert len(events(out)) == 5
    assert stream.failure is not None
    assert (stream.failure.kind, stream.finished) == (kind, False)


@pytest.mark.parametrize("junk", [b"<html>no</html>", b"{", b"[1]", b'{"type":"response.output_item.added"}'])
def test_what_is_no_event_is_malformed(junk: bytes) -> None:
    stream = started()
    stream.feed(b"data: " + junk + b"\n\n")
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.MALFORMED


def test_keeps_usage_of_a_stream_that_was_cut() -> None:
    stream = started()
    stream.feed(sent(*begun(), *called(0, "c1", "f", '{"a":', "1}"), done(1, message())))
    stream.end()
    assert (stream.usage, stream.output_chars) == (None, 1 + 7)
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.TRUNCATED
