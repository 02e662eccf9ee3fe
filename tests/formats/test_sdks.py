"""The vendors' own SDKs read what surfaces write: an independent reader of translated answers, streams and errors."""

import json
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from gateway.core.ask import Surface
from gateway.formats import registry
from gateway.formats.surface import ClientError
from tests.support.formats import ask, endpoint, relay, reply, tool_use

STREAMS = Path(__file__).parent / "testdata"
ERROR = ClientError(429, "Slow down.", "rate_limit", "rate_limited")


def answering(body: bytes, kind: str, status: int = 200) -> httpx2.Client:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, content=body, headers={"content-type": kind})

    return httpx2.Client(transport=httpx2.MockTransport(answer))


def openai_sdk(body: bytes, kind: str = "text/event-stream", status: int = 200) -> openai.OpenAI:
    http = answering(body, kind, status)
    return openai.OpenAI(api_key="k", base_url="http://gateway.invalid/v1", http_client=http, max_retries=0)


def anthropic_sdk(body: bytes, kind: str = "text/event-stream", status: int = 200) -> anthropic.Anthropic:
    http = answering(body, kind, status)
    return anthropic.Anthropic(api_key="k", base_url="http://gateway.invalid", http_client=http, max_retries=0)


def written(path: str, surface: Surface) -> bytes:
    body = {"stream": True, **({} if surface is Surface.MESSAGES else {"stream_options": {"include_usage": True}})}
    stream = relay(ask(body, surface), endpoint(path.split("/", maxsplit=1)[0]))
    return stream.feed((STREAMS / path).read_bytes()) + stream.end()


def chat_stream(body: bytes) -> Any:
    sdk = openai_sdk(body)
    with sdk.chat.completions.stream(model="m", messages=[{"role": "user", "content": "hi"}]) as stream:
        return stream.get_final_completion()


def message_stream(body: bytes) -> Any:
    sdk = anthropic_sdk(body)
    with sdk.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]) as stream:
        return stream.get_final_message()


def test_openai_sdk_reads_a_translated_stream_with_calls() -> None:
    done = chat_stream(written("anthropic/streams/thinking_and_calls.sse", Surface.CHAT))
    (choice,) = done.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "Looking.")
    calls = [(call.id, call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls]
    assert calls == [("t1", "look", {"at": 1}), ("t2", "nop", {})]
    assert (done.usage.total_tokens, done.usage.cost) == (15, 0.2)


# What another format signed comes in a redacted block of its own.
SIGNED = ["thinking", "redacted_thinking", "thinking", "redacted_thinking", "thinking"]


@pytest.mark.parametrize("name", ["text", "refusal", "signed_reasoning", "reasoning_and_calls"])
def test_anthropic_sdk_reads_translated_streams(name: str) -> None:
    done = message_stream(written(f"openai/streams/{name}.sse", Surface.MESSAGES))
    kinds = [block.type for block in done.content]
    assert (kinds, done.stop_reason) == {
        "text": (["text"], "end_turn"),
        "refusal": (["text"], "refusal"),
        "signed_reasoning": ([*SIGNED, "text"], "max_tokens"),
        "reasoning_and_calls": (["thinking", "text", "tool_use", "tool_use"], "tool_use"),
    }[name]
    inputs = [block.input for block in done.content if block.type == "tool_use"]
    assert inputs == ([{"at": 1}, {}] if name == "reasoning_and_calls" else [])
    assert done.usage.output_tokens == (9 if name in ("text", "reasoning_and_calls") else 0)


def test_sdks_read_streams_passed_on() -> None:
    assert message_stream(written("anthropic/streams/text.sse", Surface.MESSAGES)).content[0].text == "Hello 北京🙂"
    assert chat_stream(written("openai/streams/text.sse", Surface.CHAT)).choices[0].message.content == "Hello 北京🙂"


def test_sdks_read_translated_answers() -> None:
    said = {
        "type": "message",
        "content": [{"type": "text", "text": "Hi"}, tool_use("t", "f", x=1)],
        "stop_reason": "tool_use",
    }
    body = reply(ask(), endpoint("anthropic"), {**said, "usage": {"input_tokens": 1, "output_tokens": 2}}).body
    done: Any = openai_sdk(body, "application/json").chat.completions.create(model="m", messages=[])
    assert done.choices[0].message.tool_calls[0].function.arguments == '{"x":1}'
    answer = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    body = reply(ask({}, Surface.MESSAGES), endpoint(), answer).body
    told: Any = anthropic_sdk(body, "application/json").messages.create(model="m", max_tokens=9, messages=[])
    assert (told.content[0].text, told.stop_reason) == ("Hi", "end_turn")


def test_sdks_raise_on_error_bodies() -> None:
    body = registry.surface(Surface.CHAT).error_body(ERROR)
    with pytest.raises(openai.RateLimitError) as caught:
        openai_sdk(body, "application/json", 429).chat.completions.create(model="m", messages=[])
    assert caught.value.code == "rate_limited"
    body = registry.surface(Surface.MESSAGES).error_body(ERROR)
    with pytest.raises(anthropic.RateLimitError, match=r"Slow down\."):
        anthropic_sdk(body, "application/json", 429).messages.create(model="m", max_tokens=9, messages=[])


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.COMPLETIONS])
def test_openai_sdk_raises_on_an_error_event(surface: Surface) -> None:
    sdk = openai_sdk(registry.surface(surface).error_event(ERROR))
    stream: Any
    if surface is Surface.CHAT:
        stream = sdk.chat.completions.create(model="m", messages=[], stream=True)
    else:
        stream = sdk.completions.create(model="m", prompt="a", stream=True)
    with pytest.raises(openai.APIError, match=r"Slow down\."):
        list(stream)


def test_anthropic_sdk_raises_on_an_error_event() -> None:
    with pytest.raises(anthropic.APIError, match=r"Slow down\."):
        message_stream(registry.surface(Surface.MESSAGES).error_event(ERROR))
