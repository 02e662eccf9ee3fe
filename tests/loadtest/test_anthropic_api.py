"""The Anthropic vendor as the real SDK sees it."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import anthropic
import pytest

from loadtest.control import RunningVendor

MATH: list[Any] = [{"role": "user", "content": "What is 12 * 12?"}]
ANSWER = "12 * 12 = 144.\n— claude-sim-mid at sim-claude"
WEATHER: Any = {"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}


@pytest.fixture
async def client(claude: RunningVendor) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=claude.origin, api_key="sim-key", max_retries=0) as client:
        yield client


async def test_answers_whole(client: anthropic.AsyncAnthropic, claude: RunningVendor) -> None:
    reply = await client.messages.create(model="claude-sim-mid", max_tokens=100, messages=MATH)
    assert reply.content[0].type == "text"
    assert (reply.id, reply.content[0].text, reply.stop_reason) == ("msg_sim-claude_000001", ANSWER, "end_turn")
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (10, 16)
    assert Decimal(claude.bill()["usd"]) == Decimal(10 * 1 + 16 * 5) / 1_000_000


async def test_streams_token_by_token(client: anthropic.AsyncAnthropic) -> None:
    async with client.messages.stream(model="claude-sim-mid", max_tokens=100, messages=MATH) as stream:
        pieces = [piece async for piece in stream.text_stream]
        final = await stream.get_final_message()
    assert ("".join(pieces), len(pieces)) == (ANSWER, 16)
    assert (final.stop_reason, final.usage.input_tokens, final.usage.output_tokens) == ("end_turn", 10, 16)


async def test_calls_tools_in_fragments_and_answers_their_results(client: anthropic.AsyncAnthropic) -> None:
    asked: Any = {"role": "user", "content": "Use get_weather for Paris"}
    async with client.messages.stream(
        model="claude-sim-mid", max_tokens=100, messages=[asked], tools=[WEATHER]
    ) as stream:
        final = await stream.get_final_message()
    call = final.content[0]
    assert call.type == "tool_use"
    assert (final.stop_reason, call.name, call.input) == ("tool_use", "get_weather", {"city": "Paris"})
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "Sunny."}
    history: list[Any] = [
        asked,
        {"role": "assistant", "content": [call.model_dump(include={"type", "id", "name", "input"})]},
        {"role": "user", "content": [result]},
    ]
    reply = await client.messages.create(model="claude-sim-mid", max_tokens=100, messages=history, tools=[WEATHER])
    assert reply.content[0].type == "text"
    assert reply.content[0].text.startswith("The tool says: Sunny.")


async def test_shows_signed_thinking(client: anthropic.AsyncAnthropic) -> None:
    async with client.messages.stream(
        model="claude-sim-large",
        max_tokens=2_000,
        messages=MATH,
        thinking={"type": "enabled", "budget_tokens": 1_024},
    ) as stream:
        final = await stream.get_final_message()
    assert [block.type for block in final.content] == ["thinking", "text"]
    assert final.content[0].type == "thinking"
    assert final.content[0].signature


async def test_says_which_stop_sequence_or_limit_ended_it(client: anthropic.AsyncAnthropic) -> None:
    count: list[Any] = [{"role": "user", "content": "Count to 9"}]
    stopped = await client.messages.create(model="claude-sim-mid", max_tokens=100, messages=count, stop_sequences=["4"])
    cut = await client.messages.create(model="claude-sim-mid", max_tokens=2, messages=count)
    assert [(one.stop_reason, one.stop_sequence) for one in (stopped, cut)] == [
        ("stop_sequence", "4"),
        ("max_tokens", None),
    ]


async def test_writes_and_reads_its_prompt_cache(client: anthropic.AsyncAnthropic, claude: RunningVendor) -> None:
    system: list[Any] = [{"type": "text", "text": "rule " * 64, "cache_control": {"type": "ephemeral"}}]
    usages = [
        (await client.messages.create(model="claude-sim-mid", max_tokens=1, system=system, messages=MATH)).usage
        for _ in range(2)
    ]
    assert [
        (usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens) for usage in usages
    ] == [(14, 64, 0), (14, 0, 64)]
    expected = Decimal(14 * 2 * 1 + 5 * 2) + 64 * Decimal("1.25") + 64 * Decimal("0.10")
    assert Decimal(claude.bill()["usd"]) == expected / 1_000_000


async def test_counts_tokens_for_nothing(client: anthropic.AsyncAnthropic, claude: RunningVendor) -> None:
    counted = await client.messages.count_tokens(model="claude-sim-mid", messages=MATH)
    assert (counted.input_tokens, claude.bill()["requests"]) == (10, 0)


async def test_lists_its_models(client: anthropic.AsyncAnthropic) -> None:
    assert [model.id async for model in client.models.list()] == ["claude-sim-mid", "claude-sim-large"]


@pytest.mark.parametrize(
    ("asked", "status", "kind"),
    [
        ({"model": "claude-9"}, 404, "not_found_error"),
        ({"max_tokens": 10_000}, 400, "invalid_request_error"),
        ({"messages": []}, 400, "invalid_request_error"),
        ({"messages": [{"role": "user", "content": "word " * 200_001}]}, 400, "invalid_request_error"),
    ],
)
async def test_refuses_as_anthropic_does(
    client: anthropic.AsyncAnthropic, asked: dict[str, Any], status: int, kind: str
) -> None:
    with pytest.raises(anthropic.APIStatusError) as caught:
        await client.messages.create(**{"model": "claude-sim-mid", "max_tokens": 9, "messages": MATH, **asked})
    body: Any = caught.value.body
    assert (caught.value.status_code, body["error"]["type"]) == (status, kind)
