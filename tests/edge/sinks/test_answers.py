"""Kept answers as people read them."""

from typing import Any

import pytest
from msgspec.structs import replace

from gateway.edge.sinks.answers import answer_of
from tests.support.decisions import ANSWERED, TEXTS
from tests.support.openai_scripts import DONE, ROLE, a_chunk, says

CALL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at":1}'}}


def read(response: str | None, surface: str = "chat") -> Any:
    return answer_of(replace(ANSWERED, surface=surface, texts={"request": {}, "response": response}))


def test_leaves_a_whole_answer_as_it_came() -> None:
    assert read('{"id":"a","choices":[]}', "messages") == {"id": "a", "choices": []}
    assert read(TEXTS["response"]) == {"choices": [{"message": {"content": "a canary's answer"}}]}


def test_tells_what_a_stream_said_as_a_chat_completion() -> None:
    pieces = [{"reasoning_content": "Hm. "}, {"content": "See"}, {"content": ": "}, {"tool_calls": [CALL]}]
    stream = b"".join([ROLE, *map(a_chunk, pieces), a_chunk({}, "tool_calls"), DONE]).decode()
    assert read(stream) == {
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "See: ",
                    "reasoning_content": "Hm. ",
                    "tool_calls": [
                        {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at":1}'}}
                    ],
                },
                "finish_reason": "tool_calls",
            }
        ]
    }


def test_tells_a_plain_stream() -> None:
    stream = b"".join([says("See"), says(" it"), a_chunk({}, "stop"), DONE]).decode()
    message = {"role": "assistant", "content": "See it"}
    assert read(stream) == {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def test_tells_a_stream_of_calls_alone_without_content() -> None:
    stream = b"".join([a_chunk({"tool_calls": [CALL]}), a_chunk({}, "tool_calls"), DONE]).decode()
    assert read(stream)["choices"][0]["message"]["content"] is None


@pytest.mark.parametrize("surface", ["completions", "speech", "rerank", "chat"])
def test_leaves_as_it_is_what_no_reader_knows(surface: str) -> None:
    assert read("data: {}\n\n", surface) == "data: {}\n\n"


def test_has_none_where_the_record_has_none() -> None:
    assert [read(None), answer_of(ANSWERED)] == [None, None]
