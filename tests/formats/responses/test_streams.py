"""Streams of this format for clients of others: whatever a server leaves out of them."""

from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.chat import FinishReason
from gateway.core.failure import FailureKind
from gateway.formats.events import Delta, RefusalDelta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.responses.stream import ResponsesDecoder
from gateway.formats.sse import SseDecoder
from tests.support.formats import ask, endpoint, relay, sse
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
    sent,
    spoken,
)


def decoded(*events: dict[str, Any]) -> tuple[list[Delta], ResponsesDecoder]:
    decoder = ResponsesDecoder("reply-1")
    deltas = [one for event in SseDecoder().feed(sent(*events)) for one in decoder.read(event)]
    decoder.close()
    return deltas, decoder


def test_reads_deltas() -> None:
    sealed = reasoning("a", "b", sealed="gAAA")
    deltas, decoder = decoded(
        *begun(),
        added(0, reasoning(sealed="gBEGIN")),
        delta("reasoning_summary_text", 0, "a", summary_index=0),
        delta("reasoning_summary_text", 0, "b", summary_index=1),
        done(0, sealed),
        *spoken(1, "Hel", "lo"),
        *called(2, "c1", "weather", '{"a":', "1}"),
        *called(3, "c2", "now"),
        ended(sealed, message("Hello"), function_call("c1", "weather", '{"a":1}'), function_call("c2", "now", "")),
    )
    assert deltas == [
        ThinkingDelta("a", format="responses"),
        ThinkingDelta("\n\nb", format="responses"),
        ThinkingDelta(signature="gAAA", format="responses"),
        TextDelta("Hel"),
        TextDelta("lo"),
        ToolStart(0, "c1", "weather"),
        ToolDelta(0, '{"a":'),
        ToolDelta(0, "1}"),
        ToolStart(1, "c2", "now"),
    ]
    assert (decoder.done, decoder.finish) == (True, FinishReason.TOOL_CALLS)


@pytest.mark.case("E6")
@pytest.mark.parametrize("announced", [True, False])
def test_e6_takes_arguments_that_come_only_when_the_call_is_done(announced: bool) -> None:
    call = function_call("c1", "weather", '{"a":1}')
    start = [added(0, {**call, "arguments": ""})] if announced else []
    deltas, _ = decoded(
        *begun(), *start,
        {"type": "response.function_call_arguments.done", "output_index": 0, "arguments": '{"a":1}'},
        done(0, call), ended(call),
    )  # fmt: skip
    assert deltas == [ToolStart(0, "c1", "weather"), ToolDelta(0, '{"a":1}')]


def test_takes_what_comes_only_with_the_whole_response() -> None:
    output = (
        reasoning(content=["Hm."]), {"type": "web_search_call", "id": "w"}, message("Hi", "", refusal="No"),
        function_call("c1", "f", "{}"),
    )  # fmt: skip
    deltas, _ = decoded(*begun(), ended(*output))
    assert deltas == [
        ThinkingDelta("Hm.", format="responses"),
        TextDelta("Hi"),
        RefusalDelta("No"),
        ToolStart(0, "c1", "f"),
        ToolDelta(0, "{}"),
    ]


def test_says_nothing_twice() -> None:
    item = message("Hello", name="msg_0")
    deltas, _ = decoded(*begun(), *spoken(0, "Hello"), done(0, item), ended(item))
    assert deltas == [TextDelta("Hello")]
    thought = reasoning(content=["Hm."])
    deltas, _ = decoded(added(0, thought), delta("reasoning_text", 0, "Hm."), done(0, thought), ended(thought))
    assert deltas == [ThinkingDelta("Hm.", format="responses")]


def test_tells_items_apart_by_id_where_there_is_no_place() -> None:
    """As llama.cpp's server sends them."""
    call = function_call("", "f", "{}", "fc_9")
    nameless = {**call, "call_id": None}
    deltas, _ = decoded(
        {"type": "response.output_item.added", "item": {**nameless, "arguments": ""}},
        {"type": "response.function_call_arguments.delta", "item_id": "fc_9", "delta": "{}"},
        {"type": "response.output_item.added", "item": {**nameless, "arguments": ""}},
        {"type": "response.output_item.done", "item": nameless},
        {"type": "response.refusal.delta", "item_id": "msg_1", "delta": "No"},
        ended(call, message(refusal="No")),
    )
    assert deltas == [ToolStart(0, "call_reply-1_0", "f"), ToolDelta(0, "{}"), RefusalDelta("No")]


def test_passes_over_what_it_does_not_know() -> None:
    deltas, decoder = decoded(
        delta("function_call_arguments", 0, "{}"),  # of a call that never began
        delta("audio", 0, "UklG"),
        delta("output_text", 0, None),
        {"type": "response.web_search_call.searching", "output_index": 1},
    )
    assert (deltas, decoder.done) == ([], False)


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES, Surface.COMPLETIONS])
@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "error", "code": "insufficient_quota", "message": "No money."}, FailureKind.BILLING),
        (ended(status="failed", error={"code": "server_error", "message": "Oops."}), FailureKind.SERVER_ERROR),
    ],
)
def test_an_error_is_a_failure_on_every_surface(surface: Surface, event: dict[str, Any], kind: FailureKind) -> None:
    stream = relay(ask({"stream": True}, surface), endpoint("responses"))
    stream.feed(sent(*begun(), *spoken(0, "Hi"), event))
    assert stream.failure is not None
    assert (stream.failure.kind, stream.finished, stream.next_number) == (kind, False, 0)


def test_events_have_numbers_on_this_surface_alone() -> None:
    upstream = sent(*begun(), *spoken(0, "Hi"))
    surfaces = (Surface.CHAT, Surface.RESPONSES)
    streams = [relay(ask({"stream": True}, surface), endpoint("responses")) for surface in surfaces]
    streams.append(relay(ask({"stream": True}), endpoint("openai")))
    for stream in streams:
        stream.feed(upstream)
    assert [stream.next_number for stream in streams] == [0, 5, 0]


def test_ends_by_its_last_event_and_not_by_a_mark() -> None:
    stream = relay(ask({"stream": True}), endpoint("responses"))
    out = stream.feed(sse(*begun(), *spoken(0, "Hi"), "[DONE]"))
    assert (stream.finished, b"[DONE]" in out) == (False, False)
    out = stream.feed(sse(ended(message("Hi"))))
    assert (stream.finished, out.endswith(b"data: [DONE]\n\n")) == (True, True)
