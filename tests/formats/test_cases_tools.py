"""Public failure cases of gateways, developer set: group E (tool call deltas)."""

import json
from typing import Any

from gateway.core.ask import Surface
from gateway.core.failure import FailureKind
from tests.support.formats import (
    ask,
    block_delta,
    block_start,
    block_stop,
    call,
    calls,
    chat_calls,
    chunk,
    endpoint,
    events,
    message_blocks,
    message_end,
    message_start,
    named,
    outgoing_body,
    relay,
    reply,
    sse,
    tool_use,
)

OPENAI, ANTHROPIC = endpoint("openai"), endpoint("anthropic")
USED = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
DONE = chunk(finish="stop"), "[DONE]"


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


def as_message(*chunks: Any) -> list[dict[str, Any]]:
    """Blocks an Anthropic client sees of an OpenAI stream."""
    stream = relay(ask({"stream": True}, Surface.MESSAGES), OPENAI)
    out = stream.feed(sse(chunk({"role": "assistant"}), *chunks, chunk(finish="tool_calls"), "[DONE]")) + stream.end()
    assert stream.failure is None
    return message_blocks(events(out))


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
    assert as_message(calls(call(0, "c1", None, '{"x"')), calls(call(0, "c1", "a", ":1}"))) == [
        tool_use("c1", "a", x=1)
    ]


def test_e8_call_that_never_gets_a_name_is_malformed() -> None:
    stream = relay(ask({"stream": True}, Surface.MESSAGES), OPENAI)
    nameless = sse(calls(call(0, "c1", "", "{}")), chunk(finish="tool_calls"))
    stream.feed(nameless + sse("[DONE]"))
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.MALFORMED
    closed = relay(ask({"stream": True}, Surface.MESSAGES), OPENAI)
    closed.feed(nameless)
    assert closed.end() == b""
    assert closed.failure == stream.failure


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
