"""Whether an answer is JSON where JSON was asked for, whoever gave it and however it came."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import Endpoint
from gateway.core.chat import FinishReason
from gateway.formats.form import JUDGED_CHARS, in_form, place_for_text
from gateway.formats.registry import wire_format
from tests.support.formats import (
    ask,
    block_delta,
    block_start,
    block_stop,
    chunk,
    context,
    endpoint,
    message_end,
    message_start,
    named,
    relay,
    reply,
    sse,
)

OBJECT = {"response_format": {"type": "json_object"}}
SCHEMA = {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "array"}}}}
OPENAI, ANTHROPIC, RESPONSES = endpoint("openai"), endpoint("anthropic"), endpoint("responses")
STOP = FinishReason.STOP
CLAUDES = {
    "id": "m", "type": "message", "role": "assistant", "model": "up", "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1}, "content": [{"type": "text", "text": '{"a":1}'}],
}  # fmt: skip
GPTS = {
    "id": "c", "object": "chat.completion", "created": 1, "model": "up",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": '{"a":1}'}}],
}  # fmt: skip
RESPONSE = {
    "id": "r", "object": "response", "status": "completed", "model": "up",
    "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": '{"a":1}'}]}],
}  # fmt: skip
CLAUDES_STREAM = named(
    message_start(), block_start(0, {"type": "text", "text": ""}),
    block_delta(0, {"type": "text_delta", "text": '{"a"'}), block_delta(0, {"type": "text_delta", "text": ":1}"}),
    block_stop(0), *message_end("end_turn"),
)  # fmt: skip
GPTS_STREAM = sse(chunk({"content": '{"a"'}), chunk({"content": ":1}"}), chunk(finish="stop"), "[DONE]")


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({}, None),
        ({"response_format": {"type": "text"}}, None),
        ({**OBJECT, "n": 2}, None),
        (OBJECT, []),
        (SCHEMA, []),
    ],
)
def test_the_text_is_kept_only_where_a_form_was_asked_for(body: Any, kept: list[str] | None) -> None:
    assert place_for_text(ask(body)) == kept


def test_embeddings_have_no_form() -> None:
    assert place_for_text(ask({"input": "x"}, Surface.EMBEDDINGS)) is None


@pytest.mark.parametrize(
    ("body", "texts", "finish", "found"),
    [
        (OBJECT, ['{"a":', "1}"], STOP, True),
        (OBJECT, [' {"a": 1}\n'], STOP, True),
        (OBJECT, ["[1]"], STOP, False),
        (SCHEMA, ["[1]"], STOP, True),
        (SCHEMA, ["Here you are: [1]"], STOP, False),
        (SCHEMA, ['```json\n{"a":1}\n```'], STOP, False),
        (SCHEMA, ['{"a":'], FinishReason.LENGTH, False),
        (SCHEMA, [], STOP, False),
        (SCHEMA, ["[" * 100_000], STOP, False),
        (SCHEMA, ['["\ud83d"]'], STOP, True),
        (SCHEMA, ["I must not."], FinishReason.REFUSAL, None),
        (SCHEMA, ["Let me look."], FinishReason.TOOL_CALLS, None),
        (SCHEMA, ["1" * (JUDGED_CHARS + 1)], STOP, None),
    ],
)
def test_an_answer_is_judged_by_what_was_asked(
    body: Any, texts: list[str], finish: FinishReason, found: bool | None
) -> None:
    assert in_form(ask(body), texts, finish) is found


def texts_of(asked: Ask, at: Endpoint, answer: Any) -> list[str]:
    """What is put into the place for it."""
    noted = replace(context(), texts=[])
    if isinstance(answer, bytes):
        stream = wire_format(at.api).stream_relay(asked, at, noted)
        stream.feed(answer)
        assert stream.text_digest
    else:
        wire_format(at.api).reply(asked, at, json.dumps(answer).encode(), noted)
    assert noted.texts is not None
    return noted.texts


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES, Surface.RESPONSES])
@pytest.mark.parametrize(
    ("at", "answer"),
    [(OPENAI, GPTS), (OPENAI, GPTS_STREAM), (ANTHROPIC, CLAUDES), (ANTHROPIC, CLAUDES_STREAM), (RESPONSES, RESPONSE)],
)
def test_every_format_hands_over_the_text_translated_or_not(surface: Surface, at: Endpoint, answer: Any) -> None:
    asked = ask({"stream": isinstance(answer, bytes)}, surface)
    assert "".join(texts_of(asked, at, answer)) == '{"a":1}'


def test_nothing_is_kept_where_nobody_wants_it() -> None:
    asked = ask()
    assert reply(asked, OPENAI, GPTS).finish is STOP
    stream = relay(ask({"stream": True}), OPENAI)
    stream.feed(GPTS_STREAM)
    assert stream.finished
