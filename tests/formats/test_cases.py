"""Public failure cases of gateways (developer set: groups A, D to H, L) that surfaces and wire formats decide."""

import json
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.chat import FinishReason
from gateway.core.failure import FailureKind
from gateway.core.usage import Usage
from gateway.formats import registry
from gateway.formats.surface import BadRequest, ClientError
from tests.support.formats import (
    ask,
    block_delta,
    block_start,
    block_stop,
    chat_calls,
    chat_text,
    chunk,
    endpoint,
    events,
    message_blocks,
    message_end,
    message_start,
    named,
    names,
    outgoing_body,
    relay,
    reply,
    sse,
)

OPENAI, ANTHROPIC = endpoint("openai"), endpoint("anthropic")
USED = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
DONE = chunk(finish="stop"), "[DONE]"


# A: errors inside a 200 stream


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


# B3: what counts as the first token


def test_b3_roles_pings_and_comments_are_no_content() -> None:
    chat = relay(ask({"stream": True}), OPENAI)
    chat.feed(b": ping\n\n" + sse(chunk({"role": "assistant"}), chunk({"role": "assistant", "content": ""}), chunk({})))
    assert (chat.content_seen, chat.held_events) == (False, 3)
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


# D: usage in streams


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


# E: tool call deltas


def test_e1_parallel_tool_blocks_get_indices_of_their_own() -> None:
    stream = relay(ask({"stream": True}), ANTHROPIC)
    out = stream.feed(
        named(
            message_start(),
            block_start(0, {"type": "text", "text": ""}),
            block_delta(0, {"type": "text_delta", "text": "Both."}),
            block_stop(0),
            block_start(1, {"type": "tool_use", "id": "toolu_1", "name": "a", "input": {}}),
            block_delta(1, {"type": "input_json_delta", "partial_json": ""}),
            block_delta(1, {"type": "input_json_delta", "partial_json": '{"x":'}),
            block_delta(1, {"type": "input_json_delta", "partial_json": "1}"}),
            block_stop(1),
            block_start(2, {"type": "tool_use", "id": "toolu_2", "name": "b", "input": {}}),
            block_delta(2, {"type": "input_json_delta", "partial_json": '{"y":2}'}),
            block_stop(2),
            *message_end("tool_use"),
        )
    )
    assert chat_calls(events(out)) == [(0, "toolu_1", "a", '{"x":1}'), (1, "toolu_2", "b", '{"y":2}')]
    assert events(out)[-2]["choices"][0]["finish_reason"] == "tool_calls"


def calls(*fragments: dict[str, Any]) -> dict[str, Any]:
    return chunk({"tool_calls": list(fragments)})


def call(index: int, call_id: str | None, name: str | None, arguments: str | None) -> dict[str, Any]:
    return {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def as_message(*chunks: Any) -> list[dict[str, Any]]:
    """Blocks an Anthropic client sees of an OpenAI stream."""
    stream = relay(ask({"stream": True}, Surface.MESSAGES), OPENAI)
    out = stream.feed(sse(chunk({"role": "assistant"}), *chunks, chunk(finish="tool_calls"), "[DONE]")) + stream.end()
    assert stream.failure is None
    return message_blocks(events(out))


def tool_use(call_id: str, name: str, **call_input: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": call_input}


def test_e3_calls_that_all_say_index_0_are_told_apart() -> None:
    assert as_message(calls(call(0, "c1", "a", '{"x":1}')), calls(call(0, "c2", "b", '{"y":2}'))) == [
        tool_use("c1", "a", x=1),
        tool_use("c2", "b", y=2),
    ]


def test_e3_missing_ids_and_indices_are_made() -> None:
    first = {"function": {"name": "a", "arguments": "{}"}}
    second = {"function": {"name": "b", "arguments": {"y": 2}}}
    assert as_message(calls(first, second)) == [tool_use("call_reply-1_0", "a"), tool_use("call_reply-1_1", "b", y=2)]


def test_e6_whole_arguments_in_one_event_are_kept() -> None:
    assert as_message(calls(call(0, "c1", "a", '{"x":1}'))) == [tool_use("c1", "a", x=1)]


def test_e6_whole_input_in_the_blocks_start_is_kept() -> None:
    stream = relay(ask({"stream": True}), ANTHROPIC)
    start = block_start(0, tool_use("toolu_1", "a", x=1))
    out = stream.feed(named(message_start(), start, block_stop(0), *message_end("tool_use")))
    assert chat_calls(events(out)) == [(0, "toolu_1", "a", '{"x":1}')]


def test_e6_whole_arguments_of_a_whole_answer_are_kept() -> None:
    message = {"content": None, "tool_calls": [call(0, "c1", "a", '{"x":1}'), call(1, None, "b", "")]}
    answer = {"choices": [{"message": message, "finish_reason": "stop"}]}
    shown = json.loads(reply(ask(surface=Surface.MESSAGES), OPENAI, answer).body)
    assert shown["content"] == [tool_use("c1", "a", x=1), tool_use("call_reply-1_1", "b")]
    assert shown["stop_reason"] == "tool_use"


def test_e7_call_without_arguments_is_a_call_with_an_empty_object() -> None:
    assert as_message(calls(call(0, "c1", "a", ""))) == [tool_use("c1", "a")]
    stream = relay(ask({"stream": True}), ANTHROPIC)
    start = block_start(0, {"type": "tool_use", "id": "t1", "name": "a", "input": {}})
    out = stream.feed(named(message_start(), start, block_stop(0), *message_end("tool_use")))
    assert chat_calls(events(out)) == [(0, "t1", "a", "{}")]


def test_e7_empty_arguments_in_the_history_become_an_object() -> None:
    history = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "tool_calls": [call(0, "c1", "a", "")]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
    ]
    body = outgoing_body(ask({"messages": history}), ANTHROPIC, 100)
    assert body["messages"][1]["content"] == [tool_use("c1", "a")]


def test_e8_empty_argument_delta_is_nothing() -> None:
    first, second = calls(call(0, None, None, '{"x"')), calls(call(0, None, None, ":1}"))
    assert as_message(calls(call(0, "c1", "a", "")), first, calls(call(0, None, None, None)), second) == [
        tool_use("c1", "a", x=1)
    ]


def test_e8_name_that_comes_after_its_arguments_is_waited_for() -> None:
    assert as_message(calls(call(0, "c1", None, '{"x"')), calls(call(0, "c1", "a", ":1}"))) == [tool_use("c1", "a", x=1)]


def test_e8_call_that_never_gets_a_name_is_malformed() -> None:
    stream = relay(ask({"stream": True}, Surface.MESSAGES), OPENAI)
    stream.feed(sse(calls(call(0, "c1", "", "{}")), chunk(finish="tool_calls"), "[DONE]"))
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.MALFORMED


def test_e_interleaved_calls_are_written_one_after_the_other() -> None:
    assert as_message(
        calls(call(0, "c1", "a", '{"x":')),
        calls(call(1, "c2", "b", "")),
        chunk({"content": "and"}),
        calls(call(1, None, None, '{"y":2}')),
        calls(call(2, "c3", "c", "")),
        calls(call(0, None, None, "1}")),
        calls(call(0, None, None, " ")),
        calls(call(2, None, None, '{"z":')),
        calls(call(1, None, None, " ")),
        calls(call(2, None, None, "3}")),
    ) == [tool_use("c1", "a", x=1), tool_use("c2", "b", y=2), {"type": "text", "text": "and"}, tool_use("c3", "c", z=3)]


# F: chunk shape, Unicode, framing


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
    halves = b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\ndata: {"choices":[{"delta":{"content":"\\ude42"}}]}\n\n'
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


# G: finish reasons and truncation


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


# H: translation

HISTORY_TOOLS = [{"type": "function", "function": {"name": "a", "parameters": {"type": "object"}}}]


@pytest.mark.parametrize("content", [None, "", []])
def test_h1_h2_call_without_text_gets_no_empty_block(content: Any) -> None:
    history = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": content, "tool_calls": [call(0, "c1", "a", '{"x":1}')]},
        {"role": "tool", "tool_call_id": "c1", "content": ""},
    ]
    assert outgoing_body(ask({"messages": history}), ANTHROPIC, 100)["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {"role": "assistant", "content": [tool_use("c1", "a", x=1)]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1"}]},
    ]


def test_h3_empty_assistant_turn_is_left_out() -> None:
    history = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "b"},
    ]
    merged = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert outgoing_body(ask({"messages": history}), ANTHROPIC, 100)["messages"] == [{"role": "user", "content": merged}]
    as_chat = outgoing_body(ask({"messages": history}, Surface.MESSAGES), OPENAI)["messages"]
    assert as_chat == [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]


def test_h4_stop_sequences_arrive_without_empty_entries() -> None:
    probe = ask({"stop_sequences": ["", "STOPPROBE"]}, Surface.MESSAGES)
    assert outgoing_body(probe, OPENAI)["stop"] == ["STOPPROBE"]
    assert outgoing_body(ask({"stop": ["", "STOPPROBE"]}), ANTHROPIC, 100)["stop_sequences"] == ["STOPPROBE"]


def test_h4_stop_that_the_format_refuses_excludes_the_endpoint() -> None:
    asked = ask({"stop": ["", "\n"]})
    assert registry.wire_format("anthropic").inexpressible(asked, ANTHROPIC).fields == {"stop"}
    many = ask({"stop_sequences": list("abcde")}, Surface.MESSAGES)
    assert registry.wire_format("openai").inexpressible(many, OPENAI).fields == {"stop[4]"}


@pytest.mark.parametrize("told", [{"stop_reason": "END"}, {"matched_stop": "END"}])
def test_h5_matched_stop_is_reported(told: dict[str, str]) -> None:
    last = chunk(finish="stop")
    last["choices"][0].update(told)
    stream = relay(ask({"stream": True}, Surface.MESSAGES), OPENAI)
    delta = events(stream.feed(sse(chunk({"content": "a"}), last, "[DONE]")))[-2]["delta"]
    assert delta == {"stop_reason": "stop_sequence", "stop_sequence": "END"}
    whole = {"choices": [{"message": {"content": "a"}, "finish_reason": "stop", **told}]}
    shown = json.loads(reply(ask(surface=Surface.MESSAGES), OPENAI, whole).body)
    assert (shown["stop_reason"], shown["stop_sequence"]) == ("stop_sequence", "END")


def test_h5_numeric_stop_ids_are_ignored() -> None:
    last = chunk(finish="stop")
    last["choices"][0].update({"stop_reason": 128009, "matched_stop": 2})
    stream = relay(ask({"stream": True}, Surface.MESSAGES), OPENAI)
    delta = events(stream.feed(sse(chunk({"content": "a"}), last, "[DONE]")))[-2]["delta"]
    assert delta == {"stop_reason": "end_turn", "stop_sequence": None}


def test_h6_signed_thinking_makes_the_round_trip_on_the_chat_surface() -> None:
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": "sig=="},
        {"type": "redacted_thinking", "data": "opaque"},
        {"type": "thinking", "thinking": "So.", "signature": "sig2=="},
        tool_use("t1", "a", x=1),
    ]
    answer = {"type": "message", "content": blocks, "stop_reason": "tool_use", "usage": {"input_tokens": 1}}
    message = json.loads(reply(ask(), ANTHROPIC, answer).body)["choices"][0]["message"]
    assert message["reasoning_content"] == message["reasoning"] == "Hm.So."
    history = [
        {"role": "user", "content": "hi"},
        message,
        {"role": "tool", "tool_call_id": "t1", "content": "1"},
    ]
    asked = ask({"messages": history, "tools": HISTORY_TOOLS})
    assert asked.survey.signed_by == {"anthropic"}
    assert outgoing_body(asked, ANTHROPIC, 100)["messages"][1]["content"] == blocks
    assert registry.wire_format("openai").inexpressible(asked, OPENAI).fields == {"signed_reasoning"}


def test_h6_signed_thinking_makes_the_round_trip_through_a_stream() -> None:
    stream = relay(ask({"stream": True}), ANTHROPIC)
    out = stream.feed(
        named(
            message_start(),
            block_start(0, {"type": "thinking", "thinking": "", "signature": ""}),
            block_delta(0, {"type": "thinking_delta", "thinking": "H"}),
            block_delta(0, {"type": "thinking_delta", "thinking": "m."}),
            block_delta(0, {"type": "signature_delta", "signature": "sig=="}),
            block_stop(0),
            block_start(1, {"type": "redacted_thinking", "data": "opaque"}),
            block_stop(1),
            *message_end(),
        )
    )
    deltas = [event["choices"][0]["delta"] for event in events(out)[:-1]]
    details = [entry for delta in deltas for entry in delta.get("reasoning_details", ())]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "Hm."
    history = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "a", "reasoning_details": details}]
    assert outgoing_body(ask({"messages": history}), ANTHROPIC, 100)["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "sig=="},
        {"type": "redacted_thinking", "data": "opaque"},
        {"type": "text", "text": "a"},
    ]


def test_h8_errors_have_the_anthropic_shape_on_every_anthropic_surface() -> None:
    for surface in (Surface.MESSAGES, Surface.COUNT_TOKENS):
        body = registry.surface(surface).error_body(ClientError(400, "No.", "invalid_request", param="messages"))
        inner = {"type": "invalid_request_error", "message": "No.", "param": "messages"}
        assert json.loads(body) == {"type": "error", "error": inner}


def test_h9_empty_description_and_parameters_are_left_out_or_filled() -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": "", "parameters": {}}}]
    body = outgoing_body(ask({"tools": tools}), ANTHROPIC, 100)
    assert body["tools"] == [{"name": "f", "input_schema": {"type": "object"}}]
    bare = [{"name": "f", "description": "", "input_schema": {}}]
    body = outgoing_body(ask({"tools": bare}, Surface.MESSAGES), OPENAI)
    function = {"name": "f", "parameters": {"type": "object", "properties": {}}}
    assert body["tools"] == [{"type": "function", "function": function}]


@pytest.mark.parametrize(
    ("surface", "tools", "param"),
    [
        (Surface.CHAT, [{"type": "function", "function": {"parameters": {}}}], "tools[0].function.name"),
        (Surface.CHAT, [HISTORY_TOOLS[0], {"type": "function", "function": {"name": ""}}], "tools[1].function.name"),
        (Surface.MESSAGES, [{"name": "", "input_schema": {}}], "tools[0].name"),
        (Surface.MESSAGES, [{"input_schema": {}}], "tools[0].name"),
    ],
)
def test_h9_unnamed_tool_is_a_bad_request_with_its_index(surface: Surface, tools: Any, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        ask({"tools": tools}, surface)
    assert caught.value.param == param


# L: errors


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_l1_retry_after_is_kept(api: str) -> None:
    failure = registry.wire_format(api).failure(429, {"retry-after": "30"}, b"{}", 0.0)
    assert (failure.kind, failure.retry_after_s) == (FailureKind.RATE_LIMITED, 30.0)


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_l2_context_length_keeps_status_and_message(api: str) -> None:
    body = {"error": {"message": "Too long by 5.", "code": "context_length_exceeded"}}
    failure = registry.wire_format(api).failure(400, {}, json.dumps(body).encode(), 0.0)
    assert (failure.kind, failure.status) == (FailureKind.CONTEXT_LENGTH, 400)
    assert failure.error is not None
    assert failure.error.message == "Too long by 5."


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES])
def test_l4_real_cause_of_an_error_frame_is_seen(surface: Surface) -> None:
    stream = relay(ask({"stream": True}, surface), OPENAI)
    stream.feed(sse({"error": {"code": 400, "message": "context length exceeded"}}))
    assert stream.failure is not None
    assert (stream.failure.kind, stream.failure.status) == (FailureKind.CONTEXT_LENGTH, 400)
    assert "context length exceeded" in stream.failure.message


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>502 Bad Gateway</html>", FailureKind.MALFORMED),
        (b'{"error": {"message": "Overloaded", "type": "overloaded_error"}}', FailureKind.OVERLOADED),
        (b'{"choices": []}', FailureKind.MALFORMED),
        (b"what", FailureKind.MALFORMED),
        (b"", FailureKind.TRUNCATED),
    ],
)
def test_l4_body_that_is_no_stream_is_understood(body: bytes, kind: FailureKind) -> None:
    stream = relay(ask({"stream": True}), OPENAI)
    assert stream.feed(body) + stream.end() == b""
    assert stream.failure is not None
    assert stream.failure.kind is kind
