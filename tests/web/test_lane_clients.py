"""Clients of the fast lane that leave, wait, read slowly; and the drain."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import yaml

from gateway.web import lane as lane_module
from gateway.web.lane import WRITE_HIGH_BYTES
from loadtest.faults import Fault
from tests.support.raw_client import chat_body, read_answer, request
from tests.support.running_gateway import Gate, RunningGateway, gateway_with, running_gateway, until

SLOW_HEAD = Fault(delay_first_byte_ms=20_000.0)
PACED = Fault(tokens_per_s=10.0)
ASK, STREAM = request(chat_body()), request(chat_body(stream=True))


@asynccontextmanager
async def gated(fault: Fault) -> AsyncIterator[tuple[RunningGateway, Gate]]:
    """A gateway whose provider waits at a gate."""
    gate = Gate()
    async with gateway_with("sim-fast", sleep=gate) as running:
        await running.vendors["sim-fast"].fault(fault)
        try:
            yield running, gate
        finally:
            gate.open()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the peer sees a reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


@pytest.mark.parametrize("sent", [ASK, STREAM], ids=["whole", "stream"])
async def test_drops_the_provider_when_the_connection_is_reset(sent: bytes) -> None:
    async with gated(SLOW_HEAD) as (running, gate):
        async with running.connection() as (_, writer):
            writer.write(sent)
            await until(lambda: gate.arrived == 1)
            reset(writer)
        row = await running.row()
        await until(lambda: gate.cancelled == 1)
        await running.idle()
    assert (row["outcome"], row["status"]) == ("cancelled", 499)


@pytest.mark.parametrize("sent", [ASK, STREAM], ids=["whole", "stream"])
async def test_finds_out_that_a_client_who_closed_in_order_has_left(sent: bytes) -> None:
    async with gated(SLOW_HEAD) as (running, gate):
        async with running.connection() as (_, writer):
            writer.write(sent)
            await until(lambda: gate.arrived == 1)
        await until(lambda: running.clients.keeper.sweep() or gate.cancelled == 1)
        row = await running.row()
        await running.idle()
    assert (row["outcome"], row["status"]) == ("cancelled", 499)


async def test_drops_the_provider_when_the_client_closes_in_the_middle_of_a_stream() -> None:
    async with gated(PACED) as (running, gate):
        async with running.connection() as (reader, writer):
            writer.write(STREAM)
            assert (await reader.readuntil(b"data:")).startswith(b"HTTP/1.1 200")
        row = await running.row()
        await until(lambda: gate.cancelled == 1)
        await running.idle()
    assert (row["outcome"], row["status"]) == ("cancelled", 499)


@pytest.mark.parametrize("sent", [ASK, ASK + ASK, STREAM + ASK], ids=["one", "two", "a stream and one"])
async def test_answers_a_client_that_will_send_no_more(sent: bytes) -> None:
    async with gated(SLOW_HEAD) as (running, gate), running.connection() as (reader, writer):
        writer.write(sent)
        writer.write_eof()
        await until(lambda: gate.arrived == 1)
        for _ in range(3):
            running.clients.keeper.sweep()
            await asyncio.sleep(0)
        gate.open()
        found = [await read_answer(reader) for _ in range(sent.count(b"POST"))]
        assert {answer.status for answer in found} == {200}
        assert found[-1].headers["connection"] == "close"
        assert await reader.read() == b""


@pytest.mark.parametrize("left", [ASK[:20], ASK[:-5]], ids=["head", "body"])
async def test_does_not_wait_for_the_rest_of_a_request_that_cannot_come(left: bytes) -> None:
    async with gateway_with("sim-fast") as running:
        for before in (b"", ASK):
            async with running.connection() as (reader, writer):
                writer.write(before + left)
                writer.write_eof()
                if before:
                    assert (await read_answer(reader)).status == 200
                assert (await asyncio.gather(reader.read(), return_exceptions=True))[0] in (b"", reader.exception())
        await running.idle()
        await until(lambda: len(running.clients.keeper) == 0)


class EndlessProvider:
    """Streams one event after another, as fast as they are taken."""

    def __init__(self) -> None:
        self.sent = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        choice = {"index": 0, "delta": {"content": "x" * 4_000}, "finish_reason": None}
        chunk = {"id": "1", "object": "chat.completion.chunk", "choices": [choice]}
        event = b"data: %b\n\n" % json.dumps(chunk).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(b"%x\r\n%b\r\n" % (len(event), event))
                await writer.drain()
                self.sent += 1
        writer.close()


@asynccontextmanager
async def endless() -> AsyncIterator[tuple[RunningGateway, EndlessProvider]]:
    """A gateway before an endless provider."""
    provider = EndlessProvider()
    server = await asyncio.start_server(provider, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    model = {"id": "m", "tier": "small", "context": 9_999, "max_output": 999, "price": {"input": 1, "output": 1}}
    row = {"api": "openai", "base_url": url, "key": {"none": True}, "models": [model]}
    async with server, running_gateway(yaml.safe_dump({"providers": {"p": row}})) as running:
        yield running, provider


async def test_stalls_the_provider_while_the_client_does_not_read() -> None:
    async with endless() as (running, provider), running.connection() as (reader, writer):
        lanes = running.clients.lanes
        assert lanes is not None
        writer.transport.pause_reading()
        writer.write(STREAM)
        await until(lambda: any(one.paused for one in lanes))
        [one] = lanes
        unsent = one.transport.get_write_buffer_size()
        before = -1
        while provider.sent > before:  # until the buffers on the way are full
            before = provider.sent
            for _ in range(500):
                await asyncio.sleep(0)
        assert one.paused
        assert one.transport.get_write_buffer_size() == unsent < 8 * WRITE_HIGH_BYTES
        writer.transport.resume_reading()
        while provider.sent < before + 1_000:
            await reader.readuntil(b"\n\n")


async def test_cuts_off_a_client_that_does_not_read_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    async with endless() as (running, _), running.connection() as (_, writer):
        lanes = running.clients.lanes
        assert lanes is not None
        writer.transport.pause_reading()
        writer.write(STREAM)
        await until(lambda: any(one.paused for one in lanes))
        running.clients.keeper.sweep()
        monkeypatch.setattr(lane_module, "SEND_S", -1.0)
        running.clients.keeper.sweep()
        row = await running.row()
    assert (row["outcome"], row["status"]) == ("cancelled", 499)


# -- drain -------------------------------------------------------------------------------------------------------------


async def test_closes_idle_connections_at_once_and_busy_ones_after_their_answer() -> None:
    async with (
        gated(PACED) as (running, gate),
        running.connection() as (idle, _),
        running.connection() as (busy, writer),
    ):
        await until(lambda: len(running.clients.keeper) == 2)
        writer.write(STREAM)
        await busy.readuntil(b"data:")
        running.gateway.draining = True
        drain = asyncio.create_task(running.clients.drain(20.0))
        assert await idle.read() == b""
        assert not drain.done()
        gate.open()
        assert (await busy.read()).endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
        assert await drain == 0


async def test_hears_one_more_request_where_the_head_before_the_drain_did_not_say_that_it_was_the_last() -> None:
    async with gated(PACED) as (running, gate), running.connection() as (reader, writer):
        writer.write(STREAM)
        await reader.readuntil(b"data:")
        running.gateway.draining = True
        drain = asyncio.create_task(running.clients.drain(20.0))
        gate.open()
        await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.write(ASK)
        answer = await read_answer(reader)
        assert (answer.status, answer.headers["connection"], await reader.read()) == (200, "close", b"")
        assert await drain == 0


async def test_says_that_it_closes_where_the_answer_begins_during_the_drain() -> None:
    async with gated(SLOW_HEAD) as (running, gate), running.connection() as (reader, writer):
        writer.write(ASK)
        await until(lambda: gate.arrived == 1)
        running.gateway.draining = True
        drain = asyncio.create_task(running.clients.drain(20.0))
        await asyncio.sleep(0)
        gate.open()
        answer = await read_answer(reader)
        assert (answer.status, answer.headers["connection"], await reader.read()) == (200, "close", b"")
        assert await drain == 0
