"""Streams as they reach the client: at once, uncompressed, whole or clearly broken, and cancelled with their client."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from gateway.core.breaker import State
from loadtest.faults import Fault
from tests.support.running_gateway import Gate, RunningGateway, events_of, gateway_with, until

SURFACES = ("/v1/chat/completions", "/v1/completions", "/v1/messages")
PACED = Fault(tokens_per_s=1.0)  # each token after the first waits at the gate


def asked(path: str, text: str = "Count to 9", **fields: object) -> dict[str, object]:
    body: dict[str, object] = {"model": "auto", "max_tokens": 100, **fields}
    return body | ({"prompt": text} if path == "/v1/completions" else {"messages": [{"role": "user", "content": text}]})


@asynccontextmanager
async def gated(*vendors: str, fault: Fault = PACED) -> AsyncIterator[tuple[RunningGateway, Gate]]:
    gate = Gate()
    async with gateway_with(*vendors, sleep=gate) as running:
        await running.vendors[vendors[0]].fault(fault)
        try:
            yield running, gate
        finally:
            gate.open()


async def next_content(response: aiohttp.ClientResponse) -> str:
    """Data of the next event that carries text."""
    while True:
        line = (await response.content.readline()).decode()
        assert line, "the stream ended"
        if line.startswith("data: ") and any(f'{key}":"' in line for key in ("content", "text")):
            data = json.loads(line[6:])
            choice = (data.get("choices") or [{}])[0]
            told = choice.get("text") or choice.get("delta", {}).get("content")
            if told or data.get("type") == "content_block_delta":
                return line


@pytest.mark.case("F5")
@pytest.mark.parametrize("path", SURFACES)
async def test_says_what_keeps_proxies_from_buffering(path: str) -> None:
    headers = {"accept-encoding": "gzip, br"}
    async with (
        gateway_with("sim-fast") as running,
        running.post(path, asked(path, stream=True), headers=headers) as response,
    ):
        body = await response.text()
    names = ("Content-Type", "Cache-Control", "X-Accel-Buffering", "Transfer-Encoding", "Content-Encoding")
    assert [response.headers.get(name) for name in names] == [
        "text/event-stream; charset=utf-8", "no-cache, no-transform", "no", "chunked", None,
    ]  # fmt: skip
    assert len(events_of(body)) > 5


@pytest.mark.case("F5")
@pytest.mark.parametrize("vendor", ["sim-fast", "sim-claude"])
@pytest.mark.parametrize("path", SURFACES)
async def test_passes_each_event_on_before_the_next_one_is_sent(path: str, vendor: str) -> None:
    async with gated(vendor) as (running, gate), running.post(path, asked(path, stream=True)) as response:
        for number in range(1, 4):
            await next_content(response)
            assert gate.arrived <= number  # the vendor waits before its next token
            gate.let(1)


@pytest.mark.case("K3")
@pytest.mark.case("D5")
@pytest.mark.parametrize("path", SURFACES)
async def test_drops_the_provider_when_the_client_leaves_mid_stream(path: str) -> None:
    async with gated("sim-fast") as (running, gate):
        async with running.post(path, asked(path, stream=True)) as response:
            gate.let(2)
            for _ in range(3):
                await next_content(response)
            response.close()
        row = await running.row()
        await until(lambda: gate.cancelled == 1, "the end of the provider's connection")
        bill = running.vendors["sim-fast"].bill()["by_model"]["open-8b"]
        await running.idle()
    assert (row["outcome"], row["status"], row["attempts"][0]["outcome"]) == ("cancelled", 499, "cancelled")
    assert (row["usage"]["estimated"], row["usage"]["output"] > 0) == (True, True)
    assert row["cost_usd"] == pytest.approx(float(bill["usd"]), abs=1e-5)
    assert running.gateway.book.states(0.0)["sim-fast/open-8b"] is State.CLOSED


@pytest.mark.case("K1")
@pytest.mark.case("K2")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", SURFACES)
async def test_drops_the_provider_when_the_client_leaves_before_anything_came(
    path: str, stream: bool
) -> None:
    fault = Fault(delay_first_byte_ms=20_000.0)
    async with gated("sim-fast", "sim-pro", fault=fault) as (running, gate):
        body = json.dumps(asked(path, stream=stream)).encode()
        async with running.connection() as (_, writer):
            writer.write(b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % (path.encode(), len(body)))
            writer.write(body)
            await until(lambda: gate.arrived == 1)
        row = await running.row()
        await until(lambda: gate.cancelled == 1, "the end of the provider's connection")
        await running.idle()
        assert running.gateway.walk.parts.lines["sim-fast"].load.attempts == 0
        assert running.vendors["sim-pro"].requests() == []  # nobody is there to fail over for
    assert (row["outcome"], row["status"], len(row["attempts"])) == ("cancelled", 499, 1)
    assert running.gateway.book.states(0.0)["sim-fast/open-8b"] is State.CLOSED


@pytest.mark.case("A6")
@pytest.mark.case("G2")
@pytest.mark.parametrize("path", SURFACES)
async def test_ends_a_broken_stream_with_one_error_and_never_says_it_twice(path: str) -> None:
    async with gateway_with("sim-fast", "sim-pro") as running:
        await running.vendors["sim-fast"].fault(Fault(drop_after_events=3))
        async with running.post(path, asked(path, stream=True)) as response:
            body = await response.text()
        row = await running.row()
    errors = [event for event in events_of(body) if '"error"' in event]
    assert len(errors) == 1
    assert events_of(body)[-1] == errors[0] or events_of(body)[-2:] == [errors[0], "[DONE]"]
    assert '"finish_reason":"stop"' not in body.replace(" ", "")
    assert (row["outcome"], row["attempts"][0]["outcome"]) == ("partial", "partial")
    assert running.vendors["sim-pro"].requests() == []


@pytest.mark.case("A1")
@pytest.mark.case("A2")
@pytest.mark.case("A4")
@pytest.mark.case("A5")
@pytest.mark.case("A8")
@pytest.mark.parametrize(
    "fault",
    [
        Fault(error_event_after=0),
        Fault(status=429),
        Fault(drop_before_head=True),
        Fault(html_502=True),
        Fault(truncate_after_events=0),
    ],
)
@pytest.mark.parametrize("vendor", ["sim-fast", "sim-claude"])
@pytest.mark.parametrize("path", SURFACES)
async def test_hides_what_broke_before_the_first_content(path: str, vendor: str, fault: Fault) -> None:
    first = {"sim-fast": "sim-fast/open-8b", "sim-claude": "sim-claude/claude-sim-mid"}[vendor]
    body_sent = asked(path, stream=True, model=first, models=["sim-pro/pro-1"])
    async with gateway_with(vendor, "sim-pro") as running:
        await running.vendors[vendor].fault(fault)
        async with running.post(path, body_sent) as response:
            body = await response.text()
        row = await running.row()
    assert (response.status, response.headers["x-pointsman-attempts"]) == (200, "2")
    assert response.headers["x-pointsman-endpoint"].startswith("sim-pro/")
    assert "error" not in body
    assert body.count("pro-1") > 0
    assert (row["outcome"], [one["outcome"] == "ok" for one in row["attempts"]]) == ("ok", [False, True])


@pytest.mark.case("F1")
async def test_streams_bytes_that_are_split_anywhere() -> None:
    text = "Translate: «北京🙂 café»"
    async with gateway_with("sim-fast") as running:
        await running.vendors["sim-fast"].fault(Fault(byte_by_byte=True))
        async with running.chat(text, stream=True) as response:
            body = await response.text()
    pieces = [json.loads(event)["choices"][0]["delta"].get("content", "") for event in events_of(body)[:-1]]
    assert "北京🙂 café" in "".join(pieces)
