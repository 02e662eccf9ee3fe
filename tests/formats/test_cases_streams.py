"""Public failure cases of gateways: groups A (errors in a 200), B (first token), D (usage), F (framing), G (ends)."""

import json
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.chat import FinishReason
from gateway.core.failure import FailureKind
from gateway.core.usage import Usage
from gateway.formats import registry
from gateway.formats.surface import ClientError
from tests.support.formats import (
    ask,
    block_delta,
    block_start,
    call,
    calls,
    chat_text,
    chunk,
    endpoint,
    events,
    message_end,
    message_start,
    named,
    names,
    outgoing_body,
    relay,
    sse,
)

OPENAI, ANTHROPIC = endpoint("openai"), endpoint("anthropic")
USED = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
DONE = chunk(finish="stop"), "[DONE]"


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES, Surface.COMPLETIONS])
def test_a1_error_as_first_event_is_a_failed_attempt_with_nothing_to_show(surface: Surface) -> None:
    stream = relay(ask({"stream": True}, surface), ANTHROPIC)
    assert stream.feed(named(OVERLOADED)) == b""
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.OVERLOADED
    assert not stream.content_seen


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES])
def test_a2_error_after_metadata_comes_before_content(surface: Surface) -> None:
    stream = relay(ask({"stream": True}, surface), ANTHROPIC)
    held = stream.feed(named(message_start(), {"type": "ping"}, OVERLOADED))
    assert (stream.content_seen, stream.held_events) == (False, len(events(held)))
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.OVERLOADED


@pytest.mark.parametrize("api", ["openai", "anthropic"])
@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES, Surface.COMPLETIONS])
def test_a9_mid_stream_error_never_becomes_a_clean_end(surface: Surface, api: str) -> None:
    stream = relay(ask({"stream": True}, surface), endpoint(api))
    text = block_start(0, {"type": "text", "text": ""}), block_delta(0, {"type": "text_delta", "text": "Hel"})
    if api == "anthropic":
        out = stream.feed(named(message_start(), *text, OVERLOADED))
    else:
        out = stream.feed(sse(chunk({"content": "Hel"}), {"error": {"message": "Overloaded", "code": 529}}, *DONE))
    assert b"Hel" in out
    assert stream.content_seen
    assert not stream.finished
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.OVERLOADED
    assert stream.feed(sse(*DONE)) + stream.end() == b""
    for ending in (b"[DONE]", b"message_stop", b'"stop"'):
        assert ending not in out


def test_a9_error_event_is_explicit_on_every_surface() -> None:
    error = ClientError(503, "The model stopped.", "upstream_error", "all_attempts_failed", extra={"attempts": 1})
    shown = {
        "message": "The model stopped.",
        "type": "upstream_error",
        "param": None,
        "code": "all_attempts_failed",
        "metadata": {"attempts": 1},
    }
    for surface in (Surface.CHAT, Surface.COMPLETIONS, Surface.EMBEDDINGS):
        (event,) = events(registry.surface(surface).error_event(error))
        assert event["error"] == shown
        assert event["choices"][0]["finish_reason"] == "error"
    written = registry.surface(Surface.MESSAGES).error_event(error)
    assert names(written) == ["error"]
    inner = {
        "type": "overloaded_error",
        "message": "The model stopped.",
        "code": "all_attempts_failed",
        "metadata": {"attempts": 1},
    }
    assert events(written) == [{"type": "error", "error": inner}]


def test_b3_roles_pings_and_comments_are_no_content() -> None:
    chat = relay(ask({"stream": True}), OPENAI)
    chat.feed(b": ping\n\n" + sse(chunk({"role": "assistant"}), chunk({"role": "assistant", "content": ""}), chunk({})))
    chat.feed(sse(chunk({"content": "", "function_call": {"name": "", "arguments": ""}})))  # Snowflake's habit
    assert (chat.content_seen, chat.held_events) == (False, 4)
    messages = relay(ask({"stream": True}, Surface.MESSAGES), ANTHROPIC)
    messages.feed(named(message_start(), {"type": "ping"}, block_start(0, {"type": "text", "text": ""})))
    messages.feed(named(block_delta(0, {"type": "text_delta", "text": ""})))
    assert (messages.content_seen, messages.held_events) == (False, 4)


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "x"},
        {"reasoning_content": "x"},
        {"reasoning": "x"},
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]},
        {"refusal": "No"},
        {"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]},
        {"function_call": {"name": "f", "arguments": ""}},
        {"audio": {"data": "x"}},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "x"}]}]},
    ],
)
def test_b3_text_reasoning_tool_calls_and_refusals_are_content(delta: dict[str, Any]) -> None:
    stream = relay(ask({"stream": True}), OPENAI)
    stream.feed(sse(chunk(delta)))
    assert (stream.content_seen, stream.failure) == (True, None)


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES])
def test_d1_last_complete_usage_wins(surface: Surface) -> None:
    stream = relay(ask({"stream": True}, surface), OPENAI)
    zeros = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    stream.feed(sse(chunk({"content": "a"}, usage=None), chunk({"content": "b"}, usage=zeros)))
    assert stream.usage is None
    stream.feed(sse(chunk(finish="stop"), {**chunk(), "choices": [], "usage": USED}, "[DONE]"))
    assert stream.usage == Usage(input=12, output=5)


def test_d2_partial_usage_never_reaches_the_client() -> None:
    stream = relay(ask({"stream": True, "stream_options": {"include_usage": True}}), OPENAI)
    partial = {"prompt_tokens_details": {"cached_tokens": 0}}
    out = stream.feed(
        sse(
            chunk({"content": "a"}, usage=partial),
            {**chunk(), "choices": [], "usage": partial},
            chunk(finish="stop"),
            {**chunk(), "choices": [], "usage": USED},
            "[DONE]",
        )
    )
    usages = [event.get("usage") for event in events(out)[:-1]]
    assert usages == [None, None, {**USED, "cost": 0.22}]
    assert stream.usage == Usage(input=12, output=5)


def test_d4_extra_usage_chunk_only_for_those_who_asked() -> None:
    upstream = sse(chunk({"content": "a"}), chunk(finish="stop"), {**chunk(), "choices": [], "usage": USED}, "[DONE]")
    asked = relay(ask({"stream": True, "stream_options": {"include_usage": True}}), OPENAI)
    assert [e["choices"] for e in events(asked.feed(upstream))[:-1]][2] == []
    unasked = relay(ask({"stream": True}), OPENAI)
    out = events(unasked.feed(upstream))
    assert all(event["choices"] for event in out[:-1])
    assert unasked.usage == asked.usage == Usage(input=12, output=5)


def test_d4_gateway_asks_the_upstream_for_usage_itself() -> None:
    assert outgoing_body(ask({"stream": True}), OPENAI)["stream_options"] == {"include_usage": True}
    kept = {"stream_options": {"include_usage": False, "include_obfuscation": False}, "stream": True}
    assert outgoing_body(ask(kept), OPENAI)["stream_options"] == {"include_usage": True, "include_obfuscation": False}
    assert "stream_options" not in outgoing_body(ask(), OPENAI)


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES])
def test_f1_utf8_may_be_cut_anywhere(surface: Surface) -> None:
    upstream = sse(chunk({"content": "北京🙂"}), *DONE).decode().encode("utf-8")
    upstream = upstream.replace(b"\\u5317\\u4eac\\ud83d\\ude42", "北京🙂".encode())
    whole = relay(ask({"stream": True}, surface), OPENAI).feed(upstream)
    assert "北京🙂".encode() in whole
    for cut in range(len(upstream) + 1):
        stream = relay(ask({"stream": True}, surface), OPENAI)
        assert stream.feed(upstream[:cut]) + stream.feed(upstream[cut:]) == whole
        assert stream.finished
    stream = relay(ask({"stream": True}, surface), OPENAI)
    assert b"".join(stream.feed(upstream[i : i + 1]) for i in range(len(upstream))) == whole


def test_f1_halves_of_an_emoji_in_two_deltas_survive() -> None:
    first = b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n'
    halves = first + first.replace(b"ud83d", b"ude42")
    for surface in (Surface.CHAT, Surface.MESSAGES):
        stream = relay(ask({"stream": True}, surface), OPENAI)
        out = stream.feed(halves)
        assert stream.failure is None
        assert b"\\ud83d" in out
        assert b"\\ude42" in out


FILTERS = {"id": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}


def test_f2_first_chunk_with_empty_choices_passes() -> None:
    stream = relay(ask({"stream": True}), OPENAI)
    out = events(stream.feed(sse(FILTERS, chunk({"content": "a"}), *DONE)))
    assert stream.finished
    assert out[0]["prompt_filter_results"] == [{"prompt_index": 0}]
    assert chat_text(out) == "a"


def test_f2_stream_of_empty_choices_only_completes() -> None:
    for surface in (Surface.CHAT, Surface.MESSAGES):
        stream = relay(ask({"stream": True}, surface), OPENAI)
        stream.feed(sse(FILTERS, FILTERS, "[DONE]"))
        assert (stream.finished, stream.failure, stream.content_seen) == (True, None, False)


def test_f3_frame_without_choices_counts_and_does_not_confuse() -> None:
    upstream = sse(chunk({"content": "a"}), {"usage": USED}, *DONE)
    unasked = relay(ask({"stream": True}), OPENAI)
    assert len(events(unasked.feed(upstream))) == 3
    asked = relay(ask({"stream": True, "stream_options": {"include_usage": True}}), OPENAI)
    frame = events(asked.feed(upstream))[1]
    assert frame["choices"] == []
    assert (frame["object"], frame["id"], frame["model"]) == ("chat.completion.chunk", "chatcmpl-1", "told-model")
    assert unasked.usage == asked.usage == Usage(input=12, output=5)
    groq = relay(ask({"stream": True}), OPENAI)
    groq.feed(sse(chunk({"content": "a"}), chunk(finish="stop", x_groq={"usage": USED}), "[DONE]"))
    assert groq.usage == Usage(input=12, output=5)


def test_f4_one_stable_id_and_no_delta_needed() -> None:
    bare = {"id": "", "choices": [{"index": 0, "content_filter_results": {"hate": {}}}]}
    stream = relay(ask({"stream": True}), OPENAI)
    out = events(stream.feed(sse(chunk({"content": "a"}), bare, chunk({"content": "b"}), *DONE)))
    assert {event["id"] for event in out[:-1]} == {"chatcmpl-1"}
    assert stream.finished
    nameless = relay(ask({"stream": True}), OPENAI)
    out = events(nameless.feed(sse(bare, chunk({"content": "b"}), *DONE)))
    assert {event["id"] for event in out[:-1]} == {"reply-1"}


def test_f6_comments_crlf_and_missing_spaces_are_taken() -> None:
    stream = relay(ask({"stream": True}), OPENAI)
    note = b": OPENROUTER PROCESSING\r\n\r\n"
    body = note + b"data:" + json.dumps(chunk({"content": "a"})).encode() + b"\r\n\r\n" + note
    out = stream.feed(body + b"data:" + json.dumps(chunk(finish="stop")).encode() + b"\r\n\r\ndata:[DONE]\r\n\r\n")
    assert chat_text(events(out)) == "a"
    assert stream.finished


def test_g1_stop_with_a_call_is_tool_calls_when_translated_and_untouched_when_not() -> None:
    upstream = sse(calls(call(0, "c1", "a", "{}")), *DONE)
    native = relay(ask({"stream": True}), OPENAI)
    assert events(native.feed(upstream))[-2]["choices"][0]["finish_reason"] == "stop"
    translated = relay(ask({"stream": True}, Surface.MESSAGES), OPENAI)
    assert events(translated.feed(upstream))[-2]["delta"]["stop_reason"] == "tool_use"
    assert translated.finish is FinishReason.TOOL_CALLS


@pytest.mark.parametrize(
    ("openai", "anthropic", "finish"),
    [
        ("length", "max_tokens", FinishReason.LENGTH),
        ("content_filter", "refusal", FinishReason.CONTENT_FILTER),
        ("stop", "end_turn", FinishReason.STOP),
    ],
)
def test_g1_finish_reasons_survive_translation(openai: str, anthropic: str, finish: FinishReason) -> None:
    to_message = relay(ask({"stream": True}, Surface.MESSAGES), OPENAI)
    out = to_message.feed(sse(chunk({"content": "a"}), chunk(finish=openai), "[DONE]"))
    assert events(out)[-2]["delta"]["stop_reason"] == anthropic
    assert to_message.finish is finish
    to_chat = relay(ask({"stream": True}), ANTHROPIC)
    out = to_chat.feed(named(message_start(), *message_end(anthropic)))
    assert events(out)[-2]["choices"][0]["finish_reason"] == openai


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES])
@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_g2_stream_without_its_terminal_event_is_truncated(surface: Surface, api: str) -> None:
    stream = relay(ask({"stream": True}, surface), endpoint(api))
    text = block_start(0, {"type": "text", "text": ""}), block_delta(0, {"type": "text_delta", "text": "a"})
    stream.feed(sse(chunk({"content": "a"})) if api == "openai" else named(message_start(), *text))
    assert stream.end() == b""
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.TRUNCATED
    assert stream.end() == b""
