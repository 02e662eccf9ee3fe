"""What is read of a half: the request to ask again, and the texts that people compare."""

import json
from typing import Any

import pytest

from gateway.core.evaluation import Half
from monitor.evaluation.reading import Reading, Unreadable, read_half
from tests.support.builders import a_body
from tests.support.evaluating import a_half, text_of
from tests.support.openai_scripts import DONE, ROLE, a_chunk, a_stream, an_answer, says
from tests.support.responses import function_call, message, response

CALL = {"id": "call_of_openai", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
ANTHROPIC: dict[str, Any] = {
    "id": "m", "type": "message", "role": "assistant", "model": "c", "stop_reason": "tool_use",
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "x"},
        {"type": "text", "text": "See:"},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": 1}},
    ],
    "usage": {"input_tokens": 1, "output_tokens": 1},
}  # fmt: skip


def read(half: Half) -> Reading:
    return read_half(half)


def why(half: Half) -> str:
    with pytest.raises(Unreadable) as caught:
        read_half(half)
    return str(caught.value)


def test_reads_a_whole_answer_and_a_stream_alike() -> None:
    whole = read(a_half(answer=text_of(an_answer("Hello"))))
    streamed = read(a_half(answer=text_of(a_stream("Hel", "lo"))))
    assert (whole.prompt, whole.first) == (streamed.prompt, streamed.first) == ("### user\n\nHello there", "Hello")


def test_asks_for_one_whole_answer_whatever_the_client_wanted() -> None:
    wishes = {"stream": True, "stream_options": {"include_usage": True}, "n": 1, "temperature": 0.3, "session_id": "s"}
    ask = read(a_half(request=a_body(**wishes))).ask
    assert (ask.stream, ask.body) == (False, a_body(temperature=0.3))
    assert ask.bytes >= len(json.dumps(ask.body, separators=(",", ":")))


def test_shows_the_conversation_with_what_was_called_and_what_came_of_it() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        ]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_of_openai", "content": "a cat"},
    ]  # fmt: skip
    assert read(a_half(request=a_body(messages=messages))).prompt == (
        "### system\n\nBe brief.\n\n### user\n\nWhat is this?\n\n[image]\n\n[audio]\n\n"
        '### assistant\n\n{"tool":"look","arguments":{"at":1}}\n\n### tool\n\na cat'
    )


def test_shows_the_tools_and_the_format_that_were_asked_for() -> None:
    tools = [
        {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {}}},
        {"type": "function", "function": {"name": "wait", "parameters": {}}},
    ]
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    assert read(a_half(request=a_body("Hi", tools=tools, response_format=schema))).prompt == (
        "### user\n\nHi\n\n### tools offered\n\nlook: Looks.\nwait\n\n"
        '### answer\'s format\n\njson_schema\n{"type":"object"}'
    )
    loose = read(a_half(request=a_body("Hi", response_format={"type": "json_object"}))).prompt
    assert loose == "### user\n\nHi\n\n### answer's format\n\njson_object"


def test_reads_the_messages_surface_and_hides_whose_answer_it_is() -> None:
    request = a_body("Hi", max_tokens=100, system="Be brief.")
    found = read(a_half(surface="messages", request=request, answer=json.dumps(ANTHROPIC)))
    assert found.prompt == "### system\n\nBe brief.\n\n### user\n\nHi"
    assert found.first == 'See:\n\n{"tool":"look","arguments":{"at":1}}'
    assert found.ask.survey.max_tokens == 100


def test_reads_the_responses_surface() -> None:
    request = {"model": "auto", "input": "Hi", "instructions": "Be brief."}
    answer = response(message("See:"), function_call("call_1", "look", "not JSON"))
    found = read(a_half(surface="responses", request=request, answer=json.dumps(answer)))
    assert found.prompt == "### system\n\nBe brief.\n\n### user\n\nHi"
    assert found.first == 'See:\n\n{"tool":"look","arguments":"not JSON"}'


def test_shows_a_call_without_arguments() -> None:
    call = {**CALL, "function": {"name": "look", "arguments": ""}}
    script = [ROLE, a_chunk({"tool_calls": [{"index": 0, **call}]}), a_chunk({}, "tool_calls"), DONE]
    assert read(a_half(answer=text_of(script))).first == '{"tool":"look","arguments":{}}'


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"surface": "telepathy"}, "the request cannot be read"),
        ({"request": {"model": "auto", "messages": [{"role": "?"}]}}, "the request cannot be read"),
        ({"surface": "embeddings", "request": {"model": "m", "input": "x"}}, "the request is no conversation"),
        ({"answer": '{"choices": []}'}, "the answer cannot be read"),
        ({"answer": text_of([ROLE, says("four")])}, "the answer is not whole"),
    ],
)
def test_says_why_nothing_can_be_compared(broken: dict[str, Any], reason: str) -> None:
    assert why(a_half(**broken)) == reason
