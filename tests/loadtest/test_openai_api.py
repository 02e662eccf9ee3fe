"""The OpenAI vendors as the real SDK sees them."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any

import openai
import pytest

from loadtest.control import RunningVendor

Start = Callable[[str], Awaitable[RunningVendor]]

MATH: list[Any] = [{"role": "user", "content": "What is 12 * 12?"}]
ANSWER = "12 * 12 = 144.\n— open-8b at sim-fast"
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def sdk(vendor: RunningVendor) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=vendor.base_url, api_key="sim-key", max_retries=0)


@pytest.fixture
async def client(fast: RunningVendor) -> AsyncIterator[openai.AsyncOpenAI]:
    async with sdk(fast) as client:
        yield client


async def test_answers_whole(client: openai.AsyncOpenAI, fast: RunningVendor) -> None:
    reply = await client.chat.completions.create(model="open-8b", messages=MATH)
    assert reply.model_dump(exclude_unset=True, include={"id", "created", "model", "usage", "choices"}) == {
        "id": "chatcmpl-sim-fast-000001",
        "created": 1_764_000_000,
        "model": "open-8b",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "logprobs": None,
                "message": {"role": "assistant", "content": ANSWER, "refusal": None},
            }
        ],
        "usage": {
            "prompt_tokens": 10,
            "completion_tokens": 14,
            "total_tokens": 24,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
    }
    assert Decimal(fast.bill()["usd"]) == (10 * Decimal("0.10") + 14 * Decimal("0.20")) / 1_000_000


async def test_streams_token_by_token_with_usage_only_when_asked(client: openai.AsyncOpenAI) -> None:
    asked = await client.chat.completions.create(
        model="open-8b", messages=MATH, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in asked]
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert ("".join(pieces), len([piece for piece in pieces if piece])) == (ANSWER, 14)
    assert [chunk.usage.completion_tokens for chunk in chunks if chunk.usage] == [14]
    assert chunks[-1].choices == []
    unasked = await client.chat.completions.create(model="open-8b", messages=MATH, stream=True)
    plain = [chunk async for chunk in unasked]
    assert (plain[-1].choices[0].finish_reason, [chunk.usage for chunk in plain if chunk.usage]) == ("stop", [])


async def test_calls_tools_whole_and_in_fragments(client: openai.AsyncOpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "Call get_weather in parallel for Paris and Oslo"}]
    whole = await client.chat.completions.create(model="open-8b", messages=messages, tools=[WEATHER])
    calls = [call.function for call in whole.choices[0].message.tool_calls or () if call.type == "function"]
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [
        ("get_weather", {"city": "Paris"}),
        ("get_weather", {"city": "Oslo"}),
    ]
    arguments: dict[int, str] = {}
    fragments = 0
    stream = await client.chat.completions.create(model="open-8b", messages=messages, tools=[WEATHER], stream=True)
    async for chunk in stream:
        for delta in chunk.choices[0].delta.tool_calls or ():
            assert delta.function is not None
            arguments[delta.index] = arguments.get(delta.index, "") + (delta.function.arguments or "")
            fragments += 1
    assert [json.loads(text) for text in arguments.values()] == [{"city": "Paris"}, {"city": "Oslo"}]
    assert fragments > len(arguments) * 3


async def test_satisfies_a_json_schema(client: openai.AsyncOpenAI) -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]}
    reply = await client.chat.completions.create(
        model="open-8b",
        messages=[{"role": "user", "content": "The total is 42"}],
        response_format={"type": "json_schema", "json_schema": {"name": "t", "schema": schema}},
    )
    assert json.loads(reply.choices[0].message.content or "") == {"total": 42}


async def test_thinks_aloud_where_the_model_reasons(start: Start) -> None:
    async with sdk(await start("sim-pro")) as client:
        reply = await client.chat.completions.create(model="pro-thinker", messages=MATH)
        thoughts = reply.choices[0].message.model_extra or {}
        assert thoughts["reasoning_content"].startswith("The request is about")
        assert reply.usage is not None
        assert reply.usage.completion_tokens_details is not None
        assert 0 < (reply.usage.completion_tokens_details.reasoning_tokens or 0) < reply.usage.completion_tokens


async def test_completes_text_with_echo_choices_and_the_default_limit(client: openai.AsyncOpenAI) -> None:
    reply = await client.completions.create(model="open-8b", prompt="Hi", n=2, echo=True)
    text = "HiYou said: Hi. I am a simulated model, so that is all"
    assert [(choice.index, choice.text, choice.finish_reason) for choice in reply.choices] == [
        (0, text, "length"),
        (1, text, "length"),
    ]
    stream = await client.completions.create(model="open-8b", prompt="Hi", max_tokens=3, stream=True)
    assert [chunk.choices[0].text async for chunk in stream] == ["You", " said", ":", ""]


async def test_embeds_alike_as_floats_as_base64_and_at_another_vendor(client: openai.AsyncOpenAI, start: Start) -> None:
    plain = await client.embeddings.create(model="sim-embed-1", input=["a cat", "a dog"], encoding_format="float")
    packed = await client.embeddings.create(model="sim-embed-1", input=["a cat", "a dog"])  # the SDK asks for base64
    assert (len(plain.data[0].embedding), plain.usage.prompt_tokens) == (256, 4)
    assert packed.data[1].embedding == pytest.approx(plain.data[1].embedding, abs=1e-6)
    async with sdk(await start("sim-cheap")) as other:
        same = await other.embeddings.create(model="sim-embed-1", input="a cat", encoding_format="float")
        assert same.data[0].embedding == plain.data[0].embedding
    small = await client.embeddings.create(model="sim-embed-1", input=[[1, 2, 3]], dimensions=8)
    assert (len(small.data[0].embedding), small.usage.prompt_tokens) == (8, 3)


async def test_lists_its_models(client: openai.AsyncOpenAI) -> None:
    assert [model.id async for model in client.models.list()] == ["open-8b", "open-70b", "sim-embed-1"]


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"model": "gpt-4o"}, 404, "model_not_found"),
        ({"max_tokens": 9_000}, 400, "invalid_value"),
        ({"messages": []}, 400, "missing_required_parameter"),
        ({"messages": [{"role": "user", "content": "word " * 33_000}]}, 400, "context_length_exceeded"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]},
            400,
            None,
        ),
        ({"messages": ["not a message"]}, 400, None),
    ],
)
async def test_refuses_as_openai_does(
    client: openai.AsyncOpenAI, asked: dict[str, Any], status: int, code: str | None
) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        await client.chat.completions.create(**{"model": "open-8b", "messages": MATH, **asked})
    assert caught.value.status_code == status
    assert caught.value.type == "invalid_request_error"
    assert code in (None, caught.value.code)
