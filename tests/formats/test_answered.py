"""Answers read back from what clients got, of every surface that has conversations."""

import json
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.chat import FinishReason, Text, Thinking, ToolCall
from gateway.formats.answered import Answered, Unanswered, read_answer
from tests.support.openai_scripts import DONE, ROLE, a_chunk, a_stream, an_answer, says
from tests.support.responses import message, response

STOP = FinishReason.STOP
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}


def text_of(script: Any) -> str:
    return b"".join(one for one in script if isinstance(one, bytes)).decode()


def test_reads_whole_answers() -> None:
    anthropic = {
        "id": "m", "type": "message", "role": "assistant", "model": "c", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Hello"}], "usage": {"input_tokens": 1, "output_tokens": 1},
    }  # fmt: skip
    hello = Answered((Text("Hello"),), STOP)
    assert read_answer(Surface.CHAT, text_of(an_answer("Hello"))) == hello
    assert read_answer(Surface.MESSAGES, json.dumps(anthropic)) == hello
    assert read_answer(Surface.RESPONSES, json.dumps(response(message("Hello")))) == hello


def test_takes_a_refusal_for_a_text() -> None:
    refused = json.loads(text_of(an_answer("")))
    refused["choices"][0]["message"] = {"role": "assistant", "content": None, "refusal": "No."}
    assert read_answer(Surface.CHAT, json.dumps(refused)) == Answered((Text("No."),), FinishReason.REFUSAL)


def test_gathers_the_pieces_of_a_stream() -> None:
    deltas = [{"reasoning_content": "Hm."}, {"content": "See: "}, {"tool_calls": [{"index": 0, **CALL}]}]
    script = [ROLE, *map(a_chunk, deltas), a_chunk({}, "tool_calls"), DONE]
    parts = (Thinking("Hm."), Text("See: "), ToolCall("c1", "look", '{"at": 1}'))
    assert read_answer(Surface.CHAT, text_of(a_stream("Hel", "lo"))) == Answered((Text("Hello"),), STOP)
    assert read_answer(Surface.CHAT, text_of(script)) == Answered(parts, FinishReason.TOOL_CALLS)


@pytest.mark.parametrize(
    ("surface", "stream", "parts"),
    [
        (Surface.CHAT, text_of([ROLE, says("four")]), (Text("four"),)),
        (Surface.CHAT, text_of([ROLE, says("four")]) + "data: [1]\n\n", (Text("four"),)),
        (Surface.MESSAGES, "event: ?\n\n", ()),
        (Surface.RESPONSES, "", ()),
    ],
)
def test_tells_how_far_a_broken_stream_came(surface: Surface, stream: str, parts: Any) -> None:
    assert read_answer(surface, stream) == Answered(parts, None)


@pytest.mark.parametrize(
    ("surface", "answer"),
    [
        (Surface.CHAT, None),
        (Surface.SPEECH, "x"),
        (Surface.CHAT, '{"choices": []}'),
        (Surface.CHAT, '{"error": {"message": "no"}}'),
    ],
)
def test_refuses_what_is_no_answer(surface: Surface, answer: Any) -> None:
    with pytest.raises(Unanswered):
        read_answer(surface, answer)
