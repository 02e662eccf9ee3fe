"""Connections that wait too long or are too many."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.web import body as body_module
from gateway.web import guard
from gateway.web.guard import HEAD_S, Doorkeeper, Guarded
from tests.support.running_gateway import RunningGateway, gateway_with, until


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Inner(asyncio.Protocol):
    """What aiohttp's protocol is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        self.told.append(data)

    def eof_received(self) -> bool | None:
        self.told.append("eof")
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append("lost")

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")


class Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


class Door:
    """A doorkeeper with its connections at hand."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.inners: list[Inner] = []
        self.keeper = Doorkeeper(self._new, self.clock)

    def _new(self) -> Inner:
        self.inners.append(Inner())
        return self.inners[-1]

    def connect(self) -> tuple[Guarded, Inner, Wire]:
        made, wire = self.keeper(), Wire()
        assert isinstance(made, Guarded)
        made.connection_made(wire)
        return made, self.inners[-1], wire

    def wait(self, seconds: float) -> None:
        self.clock.now_s += seconds
        self.keeper.sweep()


def test_passes_everything_on() -> None:
    door = Door()
    made, inner, _ = door.connect()
    made.data_received(b"GET")
    made.pause_writing()
    made.resume_writing()
    made.eof_received()
    made.connection_lost(None)
    assert inner.told == ["made", b"GET", "pause", "resume", "eof", "lost"]
    assert len(door.keeper) == 0


def test_closes_a_connection_that_says_nothing() -> None:
    door = Door()
    _, _, wire = door.connect()
    door.wait(HEAD_S)
    assert not wire.aborted
    door.wait(0.1)
    assert (wire.aborted, door.keeper.timed_out) == (True, 1)


def test_closes_a_head_that_comes_too_slowly_however_steadily() -> None:
    door = Door()
    made, _, wire = door.connect()
    for _ in range(11):
        made.data_received(b"x")
        door.wait(1.0)
    assert wire.aborted


async def test_leaves_alone_what_is_being_answered_and_what_idles_between_requests() -> None:
    door = Door()
    made, inner, wire = door.connect()
    made.data_received(b"GET / HTTP/1.1\r\n\r\n")
    door.keeper.began(inner)
    made.data_received(b"a body's piece")
    door.wait(1_000.0)
    door.keeper.ended(inner)
    door.wait(1_000.0)
    assert not wire.aborted


async def test_counts_a_second_heads_time_from_its_first_byte() -> None:
    door = Door()
    made, inner, wire = door.connect()
    door.keeper.began(inner)
    door.keeper.ended(inner)
    door.wait(60.0)
    made.data_received(b"G")
    door.wait(HEAD_S)
    assert not wire.aborted
    door.wait(0.1)
    assert wire.aborted


def test_turns_away_more_connections_than_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "CONNECTIONS_MAX", 2)
    door = Door()
    first, _, _ = door.connect()
    door.connect()
    refused, inner, wire = door.connect()
    refused.data_received(b"GET")
    refused.eof_received()
    refused.connection_lost(None)
    assert (wire.aborted, inner.told, door.keeper.turned_away, len(door.keeper)) == (True, [], 1, 2)
    first.connection_lost(None)
    _, _, wire = door.connect()
    assert not wire.aborted


def test_ignores_connections_it_does_not_know() -> None:
    door = Door()
    door.keeper.began(Inner())
    door.keeper.ended(Inner())
    assert len(door.keeper) == 0


# -- the same on real sockets ------------------------------------------------------------------------------------------


@pytest.fixture
async def running() -> AsyncIterator[RunningGateway]:
    async with gateway_with("sim-fast") as gateway:
        yield gateway


async def test_hangs_up_on_an_unfinished_head(running: RunningGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = running.clients.keeper
    async with running.connection() as (reader, writer):
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost:")
        await until(lambda: len(keeper) == 1)
        monkeypatch.setattr(guard, "HEAD_S", -1.0)
        keeper.sweep()
        with pytest.raises(ConnectionResetError):
            await reader.read()


async def test_keeps_an_idle_connection_open(running: RunningGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    request = b"GET /v1/models/auto HTTP/1.1\r\nhost: x\r\n\r\n"
    async with running.connection() as (reader, writer):
        for _ in range(2):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            size = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(size.partition(b":")[2]))
            await running.idle()
            monkeypatch.setattr(guard, "HEAD_S", -1.0)
            running.clients.keeper.sweep()
            monkeypatch.undo()
    await until(lambda: len(running.clients.keeper) == 0)


async def test_gives_up_on_a_body_that_does_not_come(running: RunningGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "BODY_IDLE_S", 0.01)
    async with running.connection() as (reader, writer):
        writer.write(b'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"model":')
        answer = await reader.readuntil(b"}}")
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"came too slowly" in answer


async def test_gives_up_on_a_body_that_comes_for_ever(
    running: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_module, "BODY_TOTAL_S", 0.01)
    async with running.connection() as (reader, writer):
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n")
        answer = await reader.readuntil(b"}}")
    assert answer.startswith(b"HTTP/1.1 400")


async def test_forgets_a_client_that_leaves_in_the_middle_of_its_body(running: RunningGateway) -> None:
    async with running.connection() as (_, writer):
        writer.write(b'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"model":')
        await until(lambda: running.gateway.counts.active == 1)
    await running.idle()
    await until(lambda: len(running.clients.keeper) == 0)
    assert running.vendors["sim-fast"].requests() == []


async def test_says_continue_to_who_waits_for_it(running: RunningGateway) -> None:
    body = b'{"model":"auto","messages":[{"role":"user","content":"Hello"}]}'
    async with running.connection() as (reader, writer):
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n")
        writer.write(b"content-length: %d\r\n\r\n" % len(body))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        writer.write(body)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")


# -- the end -----------------------------------------------------------------------------------------------------------


async def test_waits_for_the_last_bytes_and_no_longer() -> None:
    door = Door()
    prompt, _, _ = door.connect()
    _, _, slow = door.connect()
    closing = asyncio.create_task(door.keeper.emptied(0.01))
    await asyncio.sleep(0)
    prompt.connection_lost(None)
    await closing
    assert (slow.aborted, len(door.keeper)) == (True, 1)


async def test_waits_not_at_all_once_everybody_has_gone() -> None:
    door = Door()
    one, _, wire = door.connect()
    closing = asyncio.create_task(door.keeper.emptied(1_000.0))
    await asyncio.sleep(0)
    one.connection_lost(None)
    await closing
    await door.keeper.emptied(1_000.0)
    assert not wire.aborted


async def test_cuts_a_request_that_is_under_way_and_leaves_others_to_aiohttp() -> None:
    door = Door()
    _, busy, cut = door.connect()
    _, _, idle = door.connect()
    door.keeper.began(busy)
    door.keeper.end()
    assert (cut.aborted, idle.aborted) == (True, False)
