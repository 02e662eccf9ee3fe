"""Prompts and answers as GenAI messages, of every surface that has conversations."""

import json
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.edge.genai_messages import LIMIT_CHARS, messages_in, messages_out
from tests.support.builders import a_body
from tests.support.openai_scripts import DONE, ROLE, a_chunk, a_stream, an_answer, says

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}


def read(surface: Surface, body: Any) -> Any:
    found = messages_in(surface, body)
    return None if found is None else json.loads(found)


def said(surface: Surface, answer: Any) -> Any:
    found = messages_out(surface, answer)
    return None if found is None else json.loads(found)


def reply(*parts: Any, finish: str = "stop") -> Any:
    return [{"role": "assistant", "parts": list(parts), "finish_reason": finish}]


def text(content: str) -> Any:
    return {"type": "text", "content": content}


def the_call(arguments: Any) -> Any:
    return {"type": "tool_call", "id": "c1", "name": "look", "arguments": arguments}


# -- prompts -----------------------------------------------------------------------------------------------------------


def test_reads_a_chat_with_all_its_parts() -> None:
    body = {
        "model": "auto",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            ]},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": "a cat"},
        ],
    }  # fmt: skip
    assert read(Surface.CHAT, body) == [
        {"role": "system", "parts": [text("Be brief.")]},
        {"role": "user", "parts": [
            text("What is this?"),
            {"type": "uri", "modality": "image", "uri": "https://x.test/a.png"},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": ""},
            {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": ""},
        ]},
        {"role": "assistant", "parts": [the_call({"at": 1})]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "a cat"}]},
    ]  # fmt: skip


def test_reads_every_surface_that_has_conversations() -> None:
    hi = [{"role": "user", "parts": [text("hi")]}]
    assert read(Surface.MESSAGES, a_body("hi", max_tokens=5)) == hi
    assert read(Surface.RESPONSES, {"model": "auto", "input": "hi"}) == hi
    assert read(Surface.COMPLETIONS, {"model": "auto", "prompt": "hi"}) == hi


def test_reads_thoughts_and_arguments_that_are_no_json() -> None:
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "x"}
    said = [{"role": "user", "content": "a"}, {"role": "assistant", "content": [thinking]}]
    body = {"model": "auto", "max_tokens": 5, "messages": said}
    assert read(Surface.MESSAGES, body)[1]["parts"] == [{"type": "reasoning", "content": "Hm."}]
    for arguments, shown in (("{", "{"), ("", {})):
        call = {**CALL, "function": {"name": "look", "arguments": arguments}}
        body = a_body(messages=[{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [call]}])
        assert read(Surface.CHAT, body)[1]["parts"] == [the_call(shown)]


def test_keeps_the_latest_messages_where_all_are_too_many() -> None:
    messages = [{"role": "user", "content": f"{number} {'x' * 100_000}"} for number in range(5)]
    kept = [one["parts"][0]["content"][0] for one in read(Surface.CHAT, {"model": "auto", "messages": messages})]
    assert kept == ["3", "4"]
    assert messages_in(Surface.CHAT, a_body("x" * LIMIT_CHARS)) is None


@pytest.mark.parametrize("body", [None, "text", {}, {"messages": "x"}, {"model": "m", "messages": [{"role": "?"}]}])
def test_tells_nothing_of_a_prompt_that_it_cannot_read(body: Any) -> None:
    assert messages_in(Surface.CHAT, body) is None
    assert messages_in(Surface.EMBEDDINGS, {"model": "m", "input": "x"}) is None


# -- answers -----------------------------------------------------------------------------------------------------------


def body_of(script: Any) -> str:
    return b"".join(one for one in script if isinstance(one, bytes)).decode()


def test_reads_whole_answers() -> None:
    assert said(Surface.CHAT, body_of(an_answer("Hello"))) == reply(text("Hello"))
    refused = json.loads(body_of(an_answer("")))
    refused["choices"][0]["message"] = {"role": "assistant", "content": None, "refusal": "No."}
    assert said(Surface.CHAT, json.dumps(refused)) == reply(text("No."), finish="refusal")
    anthropic = {
        "id": "m", "type": "message", "role": "assistant", "model": "c", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Hello"}], "usage": {"input_tokens": 1, "output_tokens": 1},
    }  # fmt: skip
    assert said(Surface.MESSAGES, json.dumps(anthropic)) == reply(text("Hello"))


def test_reads_streams_to_their_end() -> None:
    assert said(Surface.CHAT, body_of(a_stream("Hel", "lo"))) == reply(text("Hello"))
    calls = [{"index": 0, **CALL}]
    deltas = [{"reasoning_content": "Hm."}, {"content": "See: "}, {"tool_calls": calls}]
    script = [ROLE, *map(a_chunk, deltas), a_chunk({}, "tool_calls"), DONE]
    thought = {"type": "reasoning", "content": "Hm."}
    parts = [thought, text("See: "), the_call({"at": 1})]
    assert said(Surface.CHAT, body_of(script)) == reply(*parts, finish="tool_calls")


def test_reads_streams_up_to_where_they_break() -> None:
    assert said(Surface.CHAT, body_of([ROLE, says("four")])) == reply(text("four"), finish="error")
    assert said(Surface.CHAT, body_of([ROLE, says("four")]) + "data: [1]\n\n") == reply(text("four"), finish="error")
    assert said(Surface.MESSAGES, "event: ?\n\n") == reply(finish="error")
    assert said(Surface.RESPONSES, "") == reply(finish="error")


def test_tells_nothing_of_an_answer_that_it_cannot_read() -> None:
    assert messages_out(Surface.CHAT, None) is None
    assert messages_out(Surface.SPEECH, "x") is None
    assert messages_out(Surface.CHAT, '{"choices": []}') is None
    assert messages_out(Surface.CHAT, '{"error": {"message": "no"}}') is None
    assert messages_out(Surface.CHAT, body_of(an_answer("x" * LIMIT_CHARS))) is None
