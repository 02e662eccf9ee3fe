"""Streams: what relays count, and what they make of streams that break the rules."""

import json
from hashlib import blake2b
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.chat import FinishReason
from gateway.core.failure import Failure, FailureKind
from gateway.core.usage import Usage
from gateway.formats.relay import Relay
from gateway.formats.sse import MAX_EVENT_BYTES
from tests.support.formats import (
    UPSTREAM_MODEL,
    ask,
    block_delta,
    block_start,
    block_stop,
    chat_text,
    chunk,
    context,
    endpoint,
    events,
    message_end,
    message_start,
    named,
    names,
    relay,
    reply,
    sse,
    unpriced,
)

OPENAI, ANTHROPIC = endpoint("openai"), endpoint("anthropic")
CHAT, MESSAGES = ask({"stream": True}), ask({"stream": True}, Surface.MESSAGES)
USED = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
PAIRS = [(CHAT, OPENAI), (CHAT, ANTHROPIC), (MESSAGES, OPENAI), (MESSAGES, ANTHROPIC)]


def upstream(at: Any, text: str = "Hello") -> tuple[bytes, ...]:
    """A short stream in three portions: before content, content, ending."""
    if at is OPENAI:
        last = sse(chunk(finish="length"), {**chunk(), "choices": [], "usage": USED}, "[DONE]")
        return sse(chunk({"role": "assistant"})), sse(chunk({"content": text})), last
    start = named(message_start(input_tokens=12), block_start(0, {"type": "text", "text": ""}))
    return (
        start,
        named(block_delta(0, {"type": "text_delta", "text": text})),
        named(block_stop(0), *message_end("max_tokens")),
    )


@pytest.mark.parametrize(("asked", "at"), PAIRS)
def test_counts_what_the_walk_reads(asked: Any, at: Any) -> None:
    stream = relay(asked, at)
    before, content, ending = upstream(at)
    held = stream.feed(before)
    assert (stream.content_seen, stream.held_events, stream.finished) == (False, len(events(held)), False)
    stream.feed(content)
    assert (stream.content_seen, stream.output_chars, stream.finish) == (True, 5, None)
    assert stream.held_events == len(events(held))
    stream.feed(ending)
    assert (stream.finished, stream.failure, stream.finish) == (True, None, FinishReason.LENGTH)
    assert stream.usage == Usage(input=12, output=5)
    text = {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}
    assert stream.text_digest == reply(ask(), OPENAI, text).text_digest
    assert stream.feed(content) + stream.end() == b""


@pytest.mark.parametrize(("asked", "at"), PAIRS)
@pytest.mark.parametrize(
    "garbage",
    [
        b"data: {nonsense\n\n",
        b"data: <html>\n\n",
        b"data: []\n\n",
        b'data: {"choices": 5, "type": "message_start"}\n\n',
        b'data: {"choices": [{"delta": 5}], "type": "content_block_delta", "delta": 5}\n\n',
        b"data: \xff\xfe\n\n",
    ],
)
def test_garbage_is_a_failure_and_what_came_before_stays_valid(asked: Any, at: Any, garbage: bytes) -> None:
    stream = relay(asked, at)
    before, content, _ = upstream(at)
    whole = relay(asked, at)
    wanted = whole.feed(before) + whole.feed(content)
    assert stream.feed(before + content + garbage) == wanted
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.MALFORMED
    assert stream.content_seen


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES])
def test_a_stream_of_nothing_but_its_last_event_is_a_failure(surface: Surface) -> None:
    stream = relay(ask({"stream": True}, surface), OPENAI)
    assert stream.feed(sse("[DONE]")) == b""
    assert stream.failure == Failure(FailureKind.MALFORMED, "The stream ended before it began.")


@pytest.mark.parametrize(("asked", "at"), PAIRS)
def test_an_endless_event_is_a_failure(asked: Any, at: Any) -> None:
    stream = relay(asked, at)
    before, content, _ = upstream(at)
    assert stream.feed(before + content + b"data: ") != b""
    portion = b"x" * 65_536
    for _ in range(MAX_EVENT_BYTES // len(portion) + 1):
        assert stream.feed(portion) == b""
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.MALFORMED


@pytest.mark.parametrize(("asked", "at"), PAIRS)
def test_a_stream_that_said_how_it_finished_may_forget_its_last_event(asked: Any, at: Any) -> None:
    stream = relay(asked, at)
    _, content, _ = upstream(at)
    finish = sse(chunk(finish="stop")) if at is OPENAI else named(block_stop(0), message_end()[0])
    start = b"" if at is OPENAI else upstream(at)[0]
    out = stream.feed(start + content + finish)
    assert not stream.finished
    out += stream.end()
    assert (stream.finished, stream.failure) == (True, None)
    assert out.endswith(b"data: [DONE]\n\n" if asked is CHAT else b'"message_stop"}\n\n')


def test_a_last_event_may_lack_its_blank_line() -> None:
    stream = relay(CHAT, OPENAI)
    out = stream.feed(sse(chunk({"content": "a"}), chunk(finish="stop")) + b"data: [DONE]") + stream.end()
    assert stream.finished
    assert out.count(b"[DONE]") == 1


@pytest.mark.parametrize("asked", [CHAT, MESSAGES])
def test_usage_of_a_cut_anthropic_stream_is_estimated_by_what_was_seen(asked: Any) -> None:
    stream = relay(asked, ANTHROPIC)
    stream.feed(upstream(ANTHROPIC)[0])
    assert stream.usage == Usage(input=12, output=1, estimated=True)
    stream.feed(upstream(ANTHROPIC, "x" * 401)[1])
    assert stream.usage == Usage(input=12, output=101, estimated=True)
    uncounted = relay(asked, ANTHROPIC)
    uncounted.feed(named(message_start(input_tokens=0, output_tokens=0)))
    assert uncounted.usage is None


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600])
def test_digest_is_of_the_whole_text_however_many_deltas_it_came_in(size: int) -> None:
    stream = relay(CHAT, OPENAI)
    stream.feed(sse(*[chunk({"content": "é"})] * size))
    assert stream.text_digest == stream.text_digest == blake2b("é".encode() * size, digest_size=8).hexdigest()


# The fast path: bytes stay what they are wherever possible.


def test_events_keep_their_bytes_but_for_the_model() -> None:
    raw = (
        b'{"id":"x","model":"'
        + UPSTREAM_MODEL.encode()
        + b'","choices":[{"delta":{"content":"say \\"model\\":\\"gpt\\" "}}], "z": 1.50}'
    )
    stream = relay(CHAT, OPENAI)
    assert (
        stream.feed(b"data: " + raw + b"\n\n")
        == b"data: " + raw.replace(UPSTREAM_MODEL.encode(), b"told-model") + b"\n\n"
    )
    told = raw.replace(UPSTREAM_MODEL.encode(), b"told-model")
    assert stream.feed(b"data:" + told + b"\n\n") == b"data: " + told + b"\n\n"


@pytest.mark.parametrize(
    "model",
    [b'"model": "spaced"', b'"extra":{"model":"twice"},"model":"twice"', b'"model":null', b'"nothing":1', b'"model":7'],
)
def test_model_is_told_however_the_upstream_wrote_it(model: bytes) -> None:
    stream = relay(CHAT, OPENAI)
    raw = b'{"id":"x",' + model + b',"choices":[{"delta":{"content":"a"}}]}'
    (event,) = events(stream.feed(b"data: " + raw + b"\n\n"))
    assert event == {**json.loads(raw), "model": "told-model"}


def test_model_may_change_within_a_stream() -> None:
    stream = relay(CHAT, OPENAI)
    out = stream.feed(sse({**chunk({"content": "a"}), "model": "one"}, {**chunk({"content": "b"}), "model": "two"}))
    assert [event["model"] for event in events(out)] == ["told-model", "told-model"]


def test_id_stays_the_first_one() -> None:
    stream = relay(CHAT, OPENAI)
    usage = {"id": "", "choices": [], "usage": USED}
    out = relay(ask({"stream": True, "stream_options": {"include_usage": True}}), OPENAI).feed(sse(usage))
    assert events(out)[0]["id"] == "reply-1"
    out = stream.feed(sse(chunk({"content": "a"}), {**chunk({"content": "b"}), "id": "other"}))
    assert [event["id"] for event in events(out)] == ["chatcmpl-1", "chatcmpl-1"]


def test_usage_without_a_price_is_passed_as_it_is() -> None:
    asked = ask({"stream": True, "stream_options": {"include_usage": True}})
    out = relay(asked, OPENAI, unpriced).feed(sse({**chunk(), "choices": [], "usage": USED}))
    assert events(out)[0]["usage"] == USED
    counted = named(message_start(), message_end()[0])
    assert events(relay(MESSAGES, ANTHROPIC, unpriced).feed(counted))[1]["usage"] == {"output_tokens": 5}


def test_usage_beside_content_is_priced_where_it_is_complete() -> None:
    out = events(relay(CHAT, OPENAI).feed(sse(chunk({"content": "a"}, usage=dict(USED)))))
    assert out[0]["usage"] == {**USED, "cost": 0.22}


def test_frames_of_an_unknown_kind_pass() -> None:
    stream = relay(CHAT, OPENAI)
    (event,) = events(stream.feed(sse({"progress": 0.5})))
    assert event == {"progress": 0.5, "id": "reply-1", "model": "told-model"}
    messages = relay(MESSAGES, ANTHROPIC)
    assert names(messages.feed(b'data: {"type":"novelty"}\n\nevent: odd\ndata: {}\n\n')) == ["novelty", "odd"]
    assert messages.failure is None


def test_anthropic_events_keep_their_bytes() -> None:
    stream = relay(MESSAGES, ANTHROPIC)
    stream.feed(named(message_start(), block_start(0, {"type": "text", "text": ""})))
    delta = b'"delta":{"type":"text_delta","text":"\\u00fc"}}\n\n'
    raw = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0, ' + delta
    assert stream.feed(raw) == raw
    assert stream.output_chars == 1


@pytest.mark.parametrize(
    ("event", "seen", "chars"),
    [
        (block_start(0, {"type": "text", "text": "a"}), True, 1),
        (block_start(0, {"type": "text", "text": ""}), False, 0),
        (block_start(0, {"type": "thinking", "thinking": ""}), False, 0),
        (block_start(0, {"type": "tool_use", "name": "f"}), True, 1),
        (block_start(0, {"type": "server_tool_use", "name": "web"}), True, 3),
        (block_start(0, {"type": "redacted_thinking", "data": "x"}), True, 0),
        (block_delta(0, {"type": "text_delta", "text": ""}), False, 0),
        (block_delta(0, {"type": "thinking_delta", "thinking": "ab"}), True, 2),
        (block_delta(0, {"type": "thinking_delta", "thinking": ""}), False, 0),
        (block_delta(0, {"type": "input_json_delta", "partial_json": "{"}), True, 1),
        (block_delta(0, {"type": "input_json_delta", "partial_json": ""}), False, 0),
        (block_delta(0, {"type": "signature_delta", "signature": "s"}), False, 0),
        ({"type": "ping"}, False, 0),
    ],
)
def test_anthropic_content_is_told_from_metadata(event: dict[str, Any], seen: bool, chars: int) -> None:
    stream = relay(MESSAGES, ANTHROPIC)
    stream.feed(named(event))
    assert (stream.content_seen, stream.output_chars, stream.failure) == (seen, chars, None)
    assert stream.held_events == (not seen)


def test_text_of_completions_is_content() -> None:
    stream = relay(ask({"stream": True}, Surface.COMPLETIONS), endpoint(caps=("completions",)))
    out = stream.feed(sse({"model": "m", "choices": [{"text": "", "index": 0}]}, {"choices": [{"text": "Hi"}]}))
    assert [event["choices"][0]["text"] for event in events(out)] == ["", "Hi"]
    assert (stream.content_seen, stream.output_chars, stream.held_events) == (True, 2, 1)


@pytest.mark.parametrize("asked", [CHAT, MESSAGES])
@pytest.mark.parametrize(
    "frame",
    [
        b'event: error\ndata: {"error":{"message":"Busy","code":503}}\n\n',
        b'data: {"object":"error","message":"Busy","code":503}\n\n',
        b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"error","error":{"code":503}}]}\n\n',
        b'data: {"error":{"code":503},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}\n\n',
        b'{"error":{"code":503,"message":"Busy"}}',
    ],
)
def test_every_spelling_of_an_error_is_understood(asked: Any, frame: bytes) -> None:
    stream = relay(asked, OPENAI)
    stream.feed(frame)
    stream.end()
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.OVERLOADED


def test_content_beside_an_error_was_never_output() -> None:
    stream = relay(CHAT, OPENAI)
    assert stream.feed(sse(chunk({"content": "a"}, "error"))) == b""
    assert (stream.content_seen, stream.output_chars) == (False, 0)


def test_only_the_first_choice_is_translated() -> None:
    second = {**chunk(), "choices": [{"index": 1, "delta": {"content": "b"}}]}
    out = relay(MESSAGES, OPENAI).feed(sse(second, chunk({"content": "a"})))
    assert b'"a"' in out
    assert b'"b"' not in out


def test_translated_text_completions_leave_reasoning_out() -> None:
    asked = ask({"stream": True}, Surface.COMPLETIONS)
    out = events(relay(asked, OPENAI).feed(sse(chunk({"reasoning": "Hm"}), chunk({"content": "Hi"}), *ENDING)))
    assert [event["choices"][0]["text"] for event in out[:-1]] == ["Hi", ""]


ENDING = chunk(finish="stop"), "[DONE]"


def test_translated_chat_tells_usage_only_to_those_who_asked() -> None:
    stream = relay(CHAT, ANTHROPIC)
    out = b"".join(map(stream.feed, upstream(ANTHROPIC)))
    assert all("usage" not in event for event in events(out)[:-1])
    assert chat_text(events(out)) == "Hello"


def test_blocks_without_a_place_are_left_out_of_chat() -> None:
    stream = relay(CHAT, ANTHROPIC)
    stop = {"type": "message_delta", "delta": None, "usage": None}
    search = block_start(0, {"type": "web_search_tool_result", "content": []})
    unknown = block_delta(5, {"type": "input_json_delta", "partial_json": "{}"})
    signed = (
        block_delta(0, {"type": "thinking_delta", "thinking": ""}),
        block_delta(0, {"type": "text_delta", "text": ""}),
    )
    out = stream.feed(named(message_start(), search, unknown, *signed, block_stop(0), stop, *message_end()))
    assert len(events(out)) == 3
    assert stream.failure is None


def test_a_terminal_event_without_a_reason_is_a_stop() -> None:
    for asked in (CHAT, MESSAGES):
        stream = relay(asked, ANTHROPIC)
        stream.feed(named(message_start(), {"type": "message_stop"}))
        assert (stream.finished, stream.failure) == (True, None)


def test_the_common_half_has_no_format_of_its_own() -> None:
    bare = Relay(context())
    with pytest.raises(NotImplementedError):
        bare.feed(b"data: {}\n\n")
    with pytest.raises(NotImplementedError):
        bare._eof()
