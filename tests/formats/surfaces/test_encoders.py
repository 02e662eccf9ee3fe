"""Encoders, for what no wire format of today says yet and what comes in odd orders."""

import json

from gateway.core.ask import Surface
from gateway.core.chat import ChatReply, FinishReason, Text, ToolCall, ToolResult
from gateway.core.usage import Usage
from gateway.formats import registry
from gateway.formats.events import Delta, RefusalDelta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.surface import Ending, Identity
from tests.support.formats import ask, events, message_blocks, tool_use

STOP = Ending(FinishReason.STOP)


def written(surface: Surface, deltas: list[Delta], ending: Ending = STOP) -> bytes:
    encoder = registry.surface(surface).encoder(ask(surface=surface), Identity("i", 1, "m"))
    return encoder.open() + b"".join(map(encoder.delta, deltas)) + encoder.close(ending)


def test_chat_shows_a_refusal_as_one() -> None:
    out = events(written(Surface.CHAT, [RefusalDelta("No.")], Ending(FinishReason.REFUSAL)))
    assert out[1]["choices"][0]["delta"] == {"refusal": "No."}
    assert out[2]["choices"][0]["finish_reason"] == "content_filter"


def test_chat_numbers_reasoning_blocks() -> None:
    deltas: list[Delta] = [
        ThinkingDelta("a"),
        ThinkingDelta(signature="s", format="anthropic"),
        ThinkingDelta("b", format="x"),
    ]
    out = events(written(Surface.CHAT, deltas))
    assert [event["choices"][0]["delta"]["reasoning_details"][0] for event in out[1:4]] == [
        {"type": "reasoning.text", "format": "unknown", "index": 0, "text": "a"},
        {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0, "signature": "s"},
        {"type": "reasoning.text", "format": "x", "index": 1, "text": "b"},
    ]


def test_messages_name_a_stop_sequence_only_where_it_is_known() -> None:
    def reason(ending: Ending) -> tuple[str, str | None]:
        delta = events(written(Surface.MESSAGES, [], ending))[-2]["delta"]
        return delta["stop_reason"], delta["stop_sequence"]

    assert reason(Ending(FinishReason.STOP_SEQUENCE, "END")) == ("stop_sequence", "END")
    assert reason(Ending(FinishReason.STOP_SEQUENCE)) == ("end_turn", None)
    assert reason(Ending(FinishReason.PAUSE)) == ("pause_turn", None)


def test_messages_hold_calls_back_until_the_one_before_is_complete() -> None:
    deltas: list[Delta] = [
        ToolStart(0, "a", "f"),
        ToolStart(1, "b", "g"),
        ToolDelta(1, "{}"),
        ToolStart(2, "c", "h"),
        TextDelta("end"),
    ]
    blocks = message_blocks(events(written(Surface.MESSAGES, deltas)))
    assert blocks == [tool_use("a", "f"), tool_use("b", "g"), tool_use("c", "h"), {"type": "text", "text": "end"}]


def test_messages_keep_broken_arguments_as_they_came() -> None:
    deltas: list[Delta] = [ToolStart(0, "a", "f"), ToolDelta(0, '{"x":}'), TextDelta("end")]
    blocks = message_blocks(events(written(Surface.MESSAGES, deltas, Ending(FinishReason.LENGTH))))
    assert blocks == [{**tool_use("a", "f"), "input": '{"x":}'}, {"type": "text", "text": "end"}]


def test_parts_that_no_model_says_are_left_out_of_messages() -> None:
    reply = ChatReply("i", "m", (Text("a"), ToolResult("1", ()), ToolCall("c", "f", "")), FinishReason.STOP)
    surface = registry.surface(Surface.MESSAGES)
    shown = json.loads(surface.encode(ask(surface=Surface.MESSAGES), reply, Ending(FinishReason.STOP, None, Usage(5))))
    assert shown["content"] == [{"type": "text", "text": "a"}, tool_use("c", "f")]


def test_usage_without_a_price_has_no_cost() -> None:
    ending = Ending(FinishReason.STOP, None, Usage(input=5, output=2))
    out = events(written(Surface.MESSAGES, [TextDelta("a")], ending))
    assert "cost" not in out[-2]["usage"]
    reply = ChatReply("i", "m", (Text("a"),), FinishReason.STOP)
    for surface in (Surface.CHAT, Surface.COMPLETIONS):
        shown = json.loads(registry.surface(surface).encode(ask(surface=surface), reply, ending))
        assert "cost" not in shown["usage"]
        assert shown["created"] == 0
