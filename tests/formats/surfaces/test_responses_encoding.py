"""Answers of other wire formats on `/v1/responses`."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ask import Surface
from gateway.core.chat import ChatReply, FinishReason, Text, Thinking, ToolCall
from gateway.core.usage import Usage
from gateway.formats import registry
from gateway.formats.events import Delta, RefusalDelta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.sealed_reasoning import seal, unseal
from gateway.formats.surface import ClientError, Ending, Identity
from tests.support.formats import ask, events, names
from tests.support.responses import assembled

SURFACE = registry.surface(Surface.RESPONSES)
USED = Usage(input=10, cached_input=4, cache_write=2, output=5, reasoning=3)
TOLD = {
    "input_tokens": 10, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
    "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 15, "cost": 0.5,
}  # fmt: skip


def whole(*parts: Any, finish: FinishReason = FinishReason.STOP, **more: Any) -> dict[str, Any]:
    refusal = more.pop("refusal", None)
    reply = ChatReply("r1", "told", parts, finish, refusal=refusal, created_s=7)
    ending = Ending(finish, usage=more.pop("usage", USED), cost_usd=0.5)
    found: dict[str, Any] = json.loads(SURFACE.encode(ask(more, Surface.RESPONSES), reply, ending))
    return found


def streamed(*deltas: Delta, finish: FinishReason = FinishReason.STOP) -> list[Any]:
    encoder = SURFACE.encoder(ask({}, Surface.RESPONSES), Identity("r1", 7, "told"))
    out = encoder.open() + b"".join(map(encoder.delta, deltas)) + encoder.close(Ending(finish, None, USED, 0.5))
    found = events(out)
    assert names(out) == [event["type"] for event in found]
    assert encoder.next_number == len(found)
    return found


def test_writes_a_response() -> None:
    asked: dict[str, Any] = {
        "instructions": "Be brief.", "metadata": {"a": "b"}, "temperature": 0.5, "store": True, "tool_choice": "none",
        "reasoning": {"effort": "low"}, "max_output_tokens": 50, "tools": [{"type": "function", "name": "f"}],
    }  # fmt: skip
    assert whole(Text("Hi"), **asked) == {
        "id": "resp_pm_r1", "object": "response", "created_at": 7, "status": "completed", "background": False,
        "error": None, "incomplete_details": None, "model": "told", "previous_response_id": None,
        "output": [{
            "id": "msg_pm_r1_0", "type": "message", "status": "completed", "role": "assistant",
            "content": [{"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}],
        }],
        "instructions": "Be brief.", "max_output_tokens": 50, "metadata": {"a": "b"}, "parallel_tool_calls": True,
        "reasoning": {"effort": "low", "summary": None}, "store": False, "temperature": 0.5,
        "text": {"format": {"type": "text"}}, "tool_choice": "none", "tools": [{"type": "function", "name": "f"}],
        "top_p": None, "truncation": "disabled", "user": None, "usage": TOLD,
    }  # fmt: skip


def test_writes_every_kind_of_item_in_its_order() -> None:
    output = whole(
        Thinking("Hm.", "sig", format="anthropic"), Text("a"), Text("b"), ToolCall("c1", "f", '{"a":1}'),
        ToolCall("c2", "g", ""), Thinking("", redacted="x", format="anthropic"), Text("c"), refusal="No",
    )["output"]  # fmt: skip
    shown = [{key: value for key, value in item.items() if key not in ("status", "role")} for item in output]
    text = {"annotations": [], "logprobs": []}
    assert shown == [
        {"id": "rs_pm_r1_0", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}],
         "encrypted_content": "pointsman:anthropic:signed:sig"},
        {"id": "msg_pm_r1_1", "type": "message",
         "content": [{"type": "output_text", "text": "a", **text}, {"type": "output_text", "text": "b", **text}]},
        {"id": "fc_pm_r1_2", "type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'},
        {"id": "fc_pm_r1_3", "type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
        {"id": "rs_pm_r1_4", "type": "reasoning", "summary": [], "encrypted_content": "pointsman:anthropic:redacted:x"},
        {"id": "msg_pm_r1_5", "type": "message", "content": [{"type": "output_text", "text": "c", **text}]},
        {"id": "msg_pm_r1_6", "type": "message", "content": [{"type": "refusal", "refusal": "No"}]},
    ]  # fmt: skip


@pytest.mark.case("G1")
@pytest.mark.parametrize(
    ("finish", "refusal", "status", "reason"),
    [
        (FinishReason.STOP, None, "completed", None),
        (FinishReason.STOP_SEQUENCE, None, "completed", None),
        (FinishReason.TOOL_CALLS, None, "completed", None),
        (FinishReason.PAUSE, None, "completed", None),
        (FinishReason.LENGTH, None, "incomplete", "max_output_tokens"),
        (FinishReason.CONTENT_FILTER, None, "incomplete", "content_filter"),
        (FinishReason.REFUSAL, None, "incomplete", "content_filter"),
        (FinishReason.REFUSAL, "No", "completed", None),
    ],
)
def test_g1_says_how_it_ended_whole_and_streamed(
    finish: FinishReason, refusal: str | None, status: str, reason: str | None
) -> None:
    answer = whole(Text("Hi"), finish=finish, refusal=refusal, usage=None)
    said = [TextDelta("Hi"), *([RefusalDelta(refusal)] if refusal else [])]
    last = streamed(*said, finish=finish)[-1]
    assert last["type"] == f"response.{status}"
    for shown in (answer, last["response"]):
        details = shown["incomplete_details"]
        assert (shown["status"], details and details["reason"]) == (status, reason)
        assert shown["output"][-1]["status"] == status
    assert (answer["usage"], last["response"]["usage"]) == (None, TOLD)


def test_a_cost_that_nobody_knows_is_not_told() -> None:
    reply = ChatReply("r1", "told", (), FinishReason.STOP, created_s=7)
    body = SURFACE.encode(ask({}, Surface.RESPONSES), reply, Ending(FinishReason.STOP, usage=USED))
    assert json.loads(body)["usage"] == {key: value for key, value in TOLD.items() if key != "cost"}


def test_needs_no_output_to_be_incomplete() -> None:
    assert streamed(finish=FinishReason.LENGTH)[-1]["response"]["output"] == []
    thought = streamed(ThinkingDelta("Hm."), finish=FinishReason.LENGTH)[-1]["response"]["output"]
    assert [item["summary"][0]["text"] for item in thought] == ["Hm."]


@pytest.mark.case("E1")
def test_e1_calls_in_pieces_of_each_other_are_items_of_their_own() -> None:
    found = streamed(
        ToolStart(0, "c1", "f"), ToolDelta(0, '{"a"'), ToolStart(1, "c2", "g"), ToolDelta(1, "{}"), ToolDelta(0, ":1}")
    )
    output = assembled(found)
    assert [(item["call_id"], item["arguments"]) for item in output] == [("c1", '{"a":1}'), ("c2", "{}")]
    assert found[-1]["response"]["output"] == output


@pytest.mark.case("E7")
def test_e7_a_call_without_arguments_is_a_call_with_an_empty_object() -> None:
    found = streamed(ToolStart(0, "c1", "f"))
    assert [item["arguments"] for item in assembled(found)] == ["{}"]
    assert found[-1]["response"]["output"][0]["arguments"] == "{}"


def test_writes_text_and_refusal_as_parts_of_one_message() -> None:
    output = assembled(streamed(TextDelta("a"), TextDelta("b"), RefusalDelta("c")))
    assert [[part["type"] for part in item["content"]] for item in output] == [["output_text", "refusal"]]


def test_an_error_event_has_its_number_and_is_seen_by_every_sdk() -> None:
    error = ClientError(502, "Oops.", "api_error", "overloaded", extra={"endpoint": "a/b"}, place=7)
    (event,) = events(SURFACE.error_event(error))
    assert names(SURFACE.error_event(error)) == ["error"]
    told = {"code": "overloaded", "message": "Oops.", "param": None}
    assert event == {
        "type": "error", **told, "sequence_number": 7,
        "error": {"type": "api_error", **told, "metadata": {"endpoint": "a/b"}},
    }  # fmt: skip
    bare = events(SURFACE.error_event(ClientError(500, "Oops.", "api_error")))[0]
    assert "metadata" not in bare["error"]
    assert json.loads(SURFACE.error_body(error))["error"]["message"] == "Oops."


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9)
DELTAS = st.lists(
    st.one_of(
        TEXT.map(TextDelta),
        TEXT.map(RefusalDelta),
        TEXT.map(ThinkingDelta),
        st.builds(ThinkingDelta, st.just(""), TEXT, st.none(), st.sampled_from(["anthropic", "responses", None])),
        st.builds(ThinkingDelta, st.just(""), st.none(), TEXT, st.just("anthropic")),
        st.just("call"),
    ),
    max_size=12,
)


@given(DELTAS)
def test_events_add_up_to_the_response_that_they_end_with(drawn: list[Any]) -> None:
    deltas: list[Delta] = []
    calls = 0
    for one in drawn:
        if one == "call":
            deltas += [ToolStart(calls, f"c{calls}", "f"), ToolDelta(calls, "{}")]
            calls += 1
        else:
            deltas.append(one)
    found = streamed(*deltas)
    assert assembled(found) == found[-1]["response"]["output"]


@given(st.sampled_from(["anthropic", "gemini", "responses"]), TEXT, st.booleans())
def test_what_is_sealed_is_unsealed_the_same(form: str, data: str, redacted: bool) -> None:
    part = Thinking("Hm.", redacted=data, format=form) if redacted else Thinking("Hm.", data, format=form)
    sealed = seal(part)
    assert sealed is not None
    if not (form == "responses" and data.startswith("pointsman:")):
        assert unseal(sealed, "Hm.") == part


def test_nothing_is_sealed_that_nobody_signed() -> None:
    assert seal(Thinking("Hm.")) is None
