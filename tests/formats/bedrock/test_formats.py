"""What Bedrock's formats make of errors, endings and odd answers; goldens and recorded traffic have the rest."""

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.ask import Ask, Surface
from gateway.core.chat import FinishReason
from gateway.core.failure import AttemptError, Failure, FailureKind
from gateway.core.usage import Usage
from gateway.formats import registry
from gateway.formats.bedrock.reply import read_usage
from gateway.formats.wire import StreamRelay
from tests.support import frames
from tests.support.converse import ask_of
from tests.support.formats import ask, chat_text, context, endpoint, events, names, relay, reply

AT = endpoint("bedrock")
CLAUDE = endpoint("bedrock-anthropic")
ASK = ask({})
STREAMED = ask({"stream": True})
BOTH = ("bedrock", "bedrock-anthropic")


def failed(api: str, status: int, name: str, body: bytes) -> Failure:
    return registry.wire_format(api).failure(status, {"x-amzn-errortype": name}, body, 0.0)


@pytest.mark.parametrize("api", BOTH)
@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (400, "ValidationException", FailureKind.REJECTED),
        (400, "ServiceQuotaExceededException", FailureKind.RATE_LIMITED),
        (403, "AccessDeniedException", FailureKind.CREDENTIAL),
        (403, "ExpiredTokenException:http://internal.amazon.com/coral/", FailureKind.CREDENTIAL),
        (404, "com.amazon.bedrock#ResourceNotFoundException", FailureKind.NOT_FOUND),
        (408, "ModelTimeoutException", FailureKind.SERVER_ERROR),
        (424, "ModelErrorException", FailureKind.SERVER_ERROR),
        (429, "ModelNotReadyException", FailureKind.OVERLOADED),
        (429, "ThrottlingException", FailureKind.RATE_LIMITED),
        (500, "InternalServerException", FailureKind.SERVER_ERROR),
        (503, "ServiceUnavailableException", FailureKind.OVERLOADED),
        (418, "", FailureKind.REJECTED),
    ],
)
def test_every_exception_is_one_kind_of_failure(api: str, status: int, name: str, kind: FailureKind) -> None:
    found = failed(api, status, name, b'{"message": "Said so."}')
    assert (found.kind, found.error and found.error.message) == (kind, "Said so.")


def test_a_prompt_that_does_not_fit_is_told_by_its_words() -> None:
    for words in ("Input is too long for requested model.", "prompt is too long: 210000 tokens > 200000 maximum"):
        body = json.dumps({"Message": words}).encode()
        assert failed("bedrock", 400, "ValidationException", body).kind is FailureKind.CONTEXT_LENGTH


def test_a_model_that_bedrock_does_not_know_is_not_found() -> None:
    body = b'{"message": "The provided model identifier is invalid."}'
    assert failed("bedrock", 400, "ValidationException", body).kind is FailureKind.NOT_FOUND


@pytest.mark.parametrize("body", [b"<html></html>", b"[]", b"{}", b'{"message": 3}'])
def test_answers_without_words_are_judged_by_their_status(body: bytes) -> None:
    assert failed("bedrock", 503, "", body).kind is FailureKind.OVERLOADED


def test_says_nothing_of_limits_and_takes_its_own_keys() -> None:
    for api in BOTH:
        form = registry.wire_format(api)
        assert form.horizon_s({"x-ratelimit-remaining-requests": "0"}, 0.0) is None
        assert form.auth_headers("bedrock-api-key-x") == (("authorization", "Bearer bedrock-api-key-x"),)


def converse(*content: dict[str, Any], reason: str = "end_turn", **usage: Any) -> dict[str, Any]:
    counted = {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7, **usage}
    message = {"role": "assistant", "content": list(content)}
    return {"output": {"message": message}, "stopReason": reason, "usage": counted}


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", FinishReason.STOP),
        ("stop_sequence", FinishReason.STOP_SEQUENCE),
        ("max_tokens", FinishReason.LENGTH),
        ("model_context_window_exceeded", FinishReason.LENGTH),
        ("tool_use", FinishReason.TOOL_CALLS),
        ("guardrail_intervened", FinishReason.CONTENT_FILTER),
        ("content_filtered", FinishReason.CONTENT_FILTER),
        ("new_in_2030", FinishReason.STOP),
    ],
)
def test_endings_survive(reason: str, finish: FinishReason) -> None:
    assert reply(ASK, AT, converse({"text": "x"}, reason=reason)).finish is finish


def test_an_unusable_answer_is_a_failed_attempt() -> None:
    for reason in ("malformed_model_output", "malformed_tool_use"):
        with pytest.raises(AttemptError) as caught:
            reply(ASK, AT, converse({"text": "x"}, reason=reason))
        assert caught.value.failure.kind is FailureKind.MALFORMED
    stream = relay(STREAMED, AT)
    stream.feed(frames.event("messageStop", {"stopReason": "malformed_tool_use"}))
    assert stream.failure is not None


def test_cited_texts_are_texts_and_unknown_blocks_are_passed_over() -> None:
    cited = {"citationsContent": {"content": [{"text": "a"}, {"text": "b"}], "citations": [{"title": "t"}]}}
    body = reply(ASK, AT, converse(cited, {"searchResult": {}}, {"citationsContent": {}})).body
    assert json.loads(body)["choices"][0]["message"]["content"] == "ab"


def test_a_call_keeps_its_id_name_and_arguments() -> None:
    use = {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": [1, "b"]}}}
    message = json.loads(reply(ASK, AT, converse(use, reason="tool_use")).body)["choices"][0]["message"]
    assert message["tool_calls"] == [
        {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a":[1,"b"]}'}}
    ]


def test_claudes_own_answer_is_read_in_its_own_format() -> None:
    said = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "x"}], "usage": {"input_tokens": 3, "output_tokens": 1},
    }  # fmt: skip
    found = reply(ASK, CLAUDE, said)
    assert json.loads(found.body)["choices"][0]["message"]["content"] == "x"
    assert found.usage == Usage(input=3, output=1)


def test_thinking_keeps_its_signature_through_the_chat_surface() -> None:
    signed = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}}
    hidden = {"reasoningContent": {"redactedContent": "b64"}}
    bare = {"reasoningContent": {"reasoningText": {"text": "so"}}}
    message = json.loads(reply(ASK, AT, converse(signed, hidden, bare, {"text": "x"})).body)["choices"][0]["message"]
    assert message["reasoning_details"] == [
        {"type": "reasoning.text", "format": "bedrock", "index": 0, "text": "hm", "signature": "sig"},
        {"type": "reasoning.encrypted", "data": "b64", "format": "bedrock", "index": 1},
        {"type": "reasoning.text", "format": "bedrock", "index": 2, "text": "so"},
    ]


@pytest.mark.parametrize("body", [{}, {"output": {}}, [], {"output": {"message": {"content": [3]}}, "stopReason": "x"}])
def test_what_is_no_answer_is_malformed(body: Any) -> None:
    with pytest.raises(AttemptError):
        reply(ASK, AT, body)


def test_usage_counts_the_cache_once() -> None:
    told = {
        "inputTokens": 2, "outputTokens": 5, "cacheReadInputTokens": 10, "cacheWriteInputTokens": 20,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 15}, {"ttl": "5m", "inputTokens": 5}],
    }  # fmt: skip
    assert read_usage(told) == Usage(input=32, cached_input=10, cache_write=20, output=5, cache_write_1h=15)
    assert [read_usage(none) for none in (None, {}, {"inputTokens": 0}, {"inputTokens": "3"})] == [None] * 4


def started(*more: bytes, asked: Ask = STREAMED) -> tuple[StreamRelay, bytes]:
    stream = relay(asked, AT)
    head = frames.event("messageStart", {"role": "assistant"})
    out = stream.feed(head) + b"".join(stream.feed(data) for data in more)
    return stream, out


TEXT = frames.event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}})


def test_an_exception_before_content_fails_with_its_kind() -> None:
    for name, kind in (
        ("throttlingException", FailureKind.RATE_LIMITED),
        ("modelStreamErrorException", FailureKind.SERVER_ERROR),
        ("internalServerException", FailureKind.SERVER_ERROR),
        ("serviceUnavailableException", FailureKind.OVERLOADED),
        ("validationException", FailureKind.REJECTED),
    ):
        for api in BOTH:
            stream = relay(STREAMED, endpoint(api))
            stream.feed(frames.exception(name, "Said so."))
            assert stream.failure is not None
            assert (stream.failure.kind, stream.content_seen) == (kind, False), (api, name)


def test_an_exception_after_content_keeps_what_came_before() -> None:
    stream, out = started(TEXT + frames.exception("internalServerException", "Oh."))
    assert chat_text(events(out)) == "Hi"
    assert stream.failure is not None
    assert stream.failure.error is not None
    assert stream.failure.error.code == "internalServerException"


def test_a_damaged_frame_keeps_what_came_before() -> None:
    stream, out = started(TEXT + TEXT[:-1] + b"?")
    assert chat_text(events(out)) == "Hi"
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.MALFORMED
    assert stream.feed(TEXT) == b""


@pytest.mark.case("G2")
def test_a_stream_without_its_stop_is_truncated() -> None:
    stream, _ = started(TEXT)
    stream.end()
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.TRUNCATED


def test_a_stream_that_said_how_it_finished_is_whole_without_metadata() -> None:
    stream, _ = started(TEXT, frames.event("messageStop", {"stopReason": "end_turn"}))
    assert not stream.finished
    assert stream.end().endswith(b"data: [DONE]\n\n")
    assert (stream.failure, stream.usage, stream.finished) == (None, None, True)


def test_metadata_before_the_stop_ends_nothing() -> None:
    usage = {"usage": {"inputTokens": 1, "outputTokens": 2}}
    stream, _ = started(TEXT, frames.event("metadata", usage), frames.event("messageStop", {"stopReason": "end_turn"}))
    stream.end()
    assert (stream.failure, stream.usage) == (None, Usage(input=1, output=2))


def test_unknown_events_starts_and_deltas_are_passed_over() -> None:
    stream, out = started(
        frames.event("inventedIn2030", {}),
        frames.event("contentBlockStart", {"contentBlockIndex": 0, "start": {"image": {"format": "png"}}}),
        frames.event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"citation": {"title": "t"}}}),
        frames.event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": ""}}}),
        frames.event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": ""}}),
    )
    assert (stream.failure, stream.content_seen) == (None, False)
    assert chat_text(events(out)) == ""


def test_an_event_of_the_wrong_shape_is_malformed() -> None:
    stream, _ = started(frames.event("contentBlockDelta", {"delta": {"text": "x"}}))
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.MALFORMED


def test_claudes_own_events_pass_in_its_own_format() -> None:
    start = {"type": "message_start", "message": {"model": "claude", "usage": {"input_tokens": 3}}}
    delta = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}
    stop = {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 3}}
    stream = relay(ask({"stream": True}, Surface.MESSAGES), CLAUDE)
    out = b"".join(stream.feed(frames.chunk(event)) for event in (start, delta, stop))
    assert names(out) == ["message_start", "message_delta", "message_stop"]
    assert events(out)[2] == stop
    assert (stream.finished, stream.usage) == (True, Usage(input=3, output=2))


def test_a_count_comes_back_under_anthropics_name() -> None:
    counted = ask({}, Surface.COUNT_TOKENS)
    assert json.loads(reply(counted, CLAUDE, {"inputTokens": 11}).body) == {"input_tokens": 11}
    for body in (b"[]", b"{}", b"<html>"):
        with pytest.raises(AttemptError):
            reply(counted, CLAUDE, body)


def test_probes_are_small_and_go_where_the_model_is_asked() -> None:
    out = registry.wire_format("bedrock").probe(AT)
    assert (out.path, json.loads(out.body)) == (
        "/model/bedrock-upstream/converse",
        {"messages": [{"role": "user", "content": [{"text": "Reply with OK."}]}], "inferenceConfig": {"maxTokens": 16}},
    )
    out = registry.wire_format("bedrock-anthropic").probe(CLAUDE)
    turns = [{"role": "user", "content": "Reply with OK."}]
    assert (out.path, json.loads(out.body)) == (
        "/model/bedrock-anthropic-upstream/invoke",
        {"max_tokens": 16, "messages": turns, "anthropic_version": "bedrock-2023-05-31"},
    )


def test_a_blank_text_leaves_its_cache_point_to_what_came_before() -> None:
    parts = [{"type": "text", "text": "x"}, {"type": "text", "text": " ", "cache_control": {"type": "ephemeral"}}]
    asked = ask({"messages": [{"role": "user", "content": parts}, {"role": "user", "content": parts[1:]}]})
    at = endpoint("bedrock")
    form = registry.wire_format("bedrock")
    body = json.loads(form.build(asked, replace(at, upstream_id="anthropic.claude-x"), None).body)
    assert body["messages"] == [{"role": "user", "content": [{"text": "x"}, {"cachePoint": {"type": "default"}}]}]


def test_context_is_what_the_client_is_told() -> None:
    told = json.loads(reply(ASK, AT, converse({"text": "x"})).body)
    assert (told["id"], told["model"]) == (context().reply_id, "told-model")


def test_a_schema_needs_no_name() -> None:
    wanted = {"type": "json_schema", "structure": {"jsonSchema": {"schema": '{"type":"object"}'}}}
    body = {"messages": [{"role": "user", "content": [{"text": "x"}]}], "outputConfig": {"textFormat": wanted}}
    out = registry.wire_format("bedrock").build(ask_of(body, stream=False), AT, None)
    assert json.loads(out.body) == body
