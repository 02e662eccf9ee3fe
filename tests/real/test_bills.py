"""Money: what the records say is what the providers charge, request by request and to the cent.

A few hundred mixed requests on every surface, whole and streamed, with repeated prefixes, tools, embeddings, failures
and clients that leave. The vendors' bills are exact (decimal, from their own price lists) and share no code with the
gateway.
"""

import asyncio
import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from loadtest.control import RunningVendor
from loadtest.faults import Fault, Match
from tests.support.running_gateway import RunningGateway, until

REQUESTS, AT_ONCE = 300, 8
PREFIX = "You are a careful assistant of the accounts department. " * 24  # several blocks of the vendors' prompt caches
MODELS = ("auto", "open-8b", "open-70b", "pro-1", "pro-thinker", "claude-sim-mid", "claude-sim-large", "tier:medium")
TEXTS = ("What is 12 * 12?", "Count to 30", "Write a poem about rain", "Summarize: the cat sat on the mat for long",
         "Refactor this function", "Translate «北京🙂» to French")  # fmt: skip
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def _chat(dice: random.Random) -> tuple[str, dict[str, Any]]:
    messages: list[Any] = [{"role": "user", "content": dice.choice(TEXTS)}]
    if dice.random() < 0.5:
        messages.insert(0, {"role": "system", "content": PREFIX})
    body: dict[str, Any] = {"model": dice.choice(MODELS), "messages": messages}
    if dice.random() < 0.25:
        body["tools"] = [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}]
        messages[-1] = {"role": "user", "content": "Use get_weather for both Paris and Rome"}
    if dice.random() < 0.3:
        body["max_tokens"] = dice.choice((3, 50, 900))
    return "/v1/chat/completions", body


def _messages(dice: random.Random) -> tuple[str, dict[str, Any]]:
    body: dict[str, Any] = {
        "model": dice.choice(MODELS), "max_tokens": dice.choice((3, 200, 2_000)),
        "messages": [{"role": "user", "content": dice.choice(TEXTS)}],
    }  # fmt: skip
    if dice.random() < 0.5:
        body["system"] = [{"type": "text", "text": PREFIX, "cache_control": {"type": "ephemeral"}}]
    if body["max_tokens"] == 2_000 and body["model"] == "claude-sim-large":
        body["thinking"] = {"type": "enabled", "budget_tokens": 1_024}
    return "/v1/messages", body


def _completion(dice: random.Random) -> tuple[str, dict[str, Any]]:
    return "/v1/completions", {"model": "open-8b", "prompt": dice.choice(TEXTS), "max_tokens": 40}


def _embedding(dice: random.Random) -> tuple[str, dict[str, Any]]:
    return "/v1/embeddings", {"model": "sim-embed-1", "input": [dice.choice(TEXTS), "and more"]}


def drawn(dice: random.Random) -> tuple[str, dict[str, Any]]:
    """A request: path and body."""
    path, body = dice.choices((_chat, _messages, _completion, _embedding), (5, 4, 1, 1))[0](dice)
    if path != "/v1/embeddings" and dice.random() < 0.5:
        body["stream"] = True
    return path, body


def billed_usd(running: RunningGateway) -> Decimal:
    return sum((Decimal(vendor.bill()["usd"]) for vendor in running.vendors.values()), Decimal(0))


def recorded_usd(running: RunningGateway) -> float:
    return float(sum(one["cost_usd"] for row in running.rows.kept for one in row["attempts"]))


def used(rows: list[dict[str, Any]]) -> dict[str, int]:
    names = ("input", "cached_input", "cache_write", "output")
    return {name: sum(row["usage"][name] for row in rows if row["usage"]) for name in names}


def charged(vendors: Mapping[str, RunningVendor]) -> dict[str, int]:
    lines = [line for vendor in vendors.values() for line in vendor.bill()["by_model"].values()]
    told = {"input": "input_tokens", "cached_input": "cached_tokens", "cache_write": "cache_write_tokens",
            "output": "output_tokens"}  # fmt: skip
    return {name: sum(line[field] for line in lines) for name, field in told.items()}


async def test_records_of_each_request_equal_its_bill(running: RunningGateway) -> None:
    dice = random.Random(1)
    for number in range(1, REQUESTS // 2 + 1):
        path, body = drawn(dice)
        before = billed_usd(running)
        async with running.post(path, body) as response:
            answer = await response.read()
            assert response.status == 200, answer
        row = await running.row(number)
        delta = billed_usd(running) - before
        assert row["cost_usd"] == pytest.approx(float(delta), rel=1e-9), (path, body, row)
        assert row["usage"]["estimated"] is False
    assert used(running.rows.kept) == charged(running.vendors)
    assert charged(running.vendors)["cached_input"] > 1_000
    assert charged(running.vendors)["cache_write"] > 0


async def test_records_equal_the_bills_to_the_cent_whatever_happens(running: RunningGateway) -> None:
    dice = random.Random(2)
    await running.vendors["sim-cheap"].fault(Fault(status=500), Match(), times=25)
    await running.vendors["sim-fast"].fault(Fault(drop_after_events=6), Match(stream=True), times=15)
    await running.vendors["sim-claude"].fault(Fault(error_event_after=0), Match(stream=True), times=10)
    await running.vendors["sim-pro"].fault(Fault(usage_in_every_chunk=True), Match(stream=True), times=10)  # case D1
    asked = iter([drawn(dice) for _ in range(REQUESTS)])

    async def worker() -> None:
        for path, body in asked:
            async with running.post(path, body) as response:
                await response.read()

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    await running.row(REQUESTS)
    outcomes = {row["outcome"] for row in running.rows.kept}
    assert {"ok", "partial"} <= outcomes
    assert abs(recorded_usd(running) - float(billed_usd(running))) < 0.005
    whole = [row for row in running.rows.kept if row["outcome"] == "ok"]
    assert all(row["cost_usd"] == pytest.approx(sum(one["cost_usd"] for one in row["attempts"])) for row in whole)


@pytest.mark.case("D5")
async def test_records_a_cancelled_stream_by_what_was_seen(running: RunningGateway) -> None:
    await running.vendors["sim-pro"].fault(Fault(stall_after_events=20))
    await running.vendors["sim-claude"].fault(Fault(stall_after_events=20))
    for number, model in enumerate(("pro-1", "claude-sim-mid", "pro-1", "claude-sim-mid"), start=1):
        path = "/v1/chat/completions" if number < 3 else "/v1/messages"
        asked = [{"role": "user", "content": "Count to 60"}]
        body = {"model": model, "max_tokens": 200, "messages": asked, "stream": True}
        async with running.post(path, body) as response:
            seen = b""
            while b"20" not in seen:
                seen += await response.content.readany()
            response.close()
        row = await running.row(number)
        assert (row["outcome"], row["cost_usd"] > 0) == ("cancelled", True)
    await until(lambda: sum(vendor.bill()["requests"] for vendor in running.vendors.values()) == 4, "4 bills")
    assert abs(recorded_usd(running) - float(billed_usd(running))) < 0.005
    assert recorded_usd(running) == pytest.approx(float(billed_usd(running)), rel=0.5)
