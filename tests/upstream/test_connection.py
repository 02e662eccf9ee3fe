"""The limits of an exchange, by a clock moved by hand, and how much of an answer may wait for its reader."""

import asyncio

import pytest
from msgspec.structs import replace

from gateway.core.failure import Failure, FailureKind
from gateway.upstream.call import Limits
from gateway.upstream.client import Upstream
from gateway.upstream.connection import HIGH_WATER
from gateway.upstream.pool import OriginStats
from tests.upstream.loopback import LIMITS, OK, Clock, client, failure_of, post, read_request, serving, until

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
ONE_READ = 256 * 1024  # the most that asyncio and uvloop read at once


class Stage:
    """A server that says what it is told to say, and knows when it was asked and left."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        await read_request(reader)
        self.asked.set()
        try:
            await reader.read()
        finally:
            self.left.set()

    def say(self, data: bytes) -> None:
        self.writers[-1].write(data)


def move(clock: Clock, upstream: Upstream, seconds: float) -> None:
    """Let time pass, as the sweep sees it: in steps."""
    for _ in range(round(seconds * 10)):
        clock.now_s += 0.1
        upstream.sweep()


async def test_ends_a_call_that_gets_no_head_in_time() -> None:
    clock, stage = Clock(), Stage()
    async with serving(stage) as origin, client(clock=clock) as upstream:
        opening = asyncio.ensure_future(upstream.open(post(origin), replace(LIMITS, head_s=20.0)))
        await stage.asked.wait()
        move(clock, upstream, 19.8)
        stage.say(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nx: ")  # bytes, but no head
        await asyncio.sleep(0)
        assert not opening.done()
        move(clock, upstream, 0.3)
        assert await failure_of(opening) == Failure(
            FailureKind.ANSWER_TIMEOUT, "the upstream did not begin to answer within 20 s"
        )
        await stage.left.wait()
        assert upstream.stats()[origin] == OriginStats(0, 0, 0, 0, opened=1, reused=0)


async def test_ends_an_answer_that_falls_silent_and_any_byte_renews_its_time() -> None:
    clock, stage = Clock(), Stage()
    async with serving(stage) as origin, client(clock=clock) as upstream:
        opening = asyncio.ensure_future(upstream.open(post(origin), replace(LIMITS, idle_s=30.0)))
        await stage.asked.wait()
        move(clock, upstream, 15)
        stage.say(CHUNKED)
        answer = await opening
        for event in (b"a", b"b", b"c"):
            move(clock, upstream, 29)
            stage.say(b"1\r\n%b\r\n" % event)
            assert await answer.chunk() == event
        move(clock, upstream, 30.2)
        assert await failure_of(answer.chunk()) == Failure(
            FailureKind.IDLE_TIMEOUT, "the answer fell silent for 30 s", status=200
        )
        await stage.left.wait()


async def test_gives_what_came_before_the_silence() -> None:
    clock, stage = Clock(), Stage()
    async with serving(stage) as origin, client(clock=clock) as upstream:
        opening = asyncio.ensure_future(upstream.open(post(origin), LIMITS))
        await stage.asked.wait()
        stage.say(CHUNKED + b"1\r\na\r\n")
        answer = await opening
        move(clock, upstream, LIMITS.idle_s + 0.2)
        assert await answer.chunk() == b"a"
        assert (await failure_of(answer.chunk())).kind is FailureKind.IDLE_TIMEOUT


@pytest.mark.parametrize("said", [b"", CHUNKED], ids=["before the head", "in the body"])
async def test_ends_everything_when_the_total_time_is_over(said: bytes) -> None:
    async def attempt() -> bytes:
        answer = await upstream.open(post(origin), Limits(5.0, 600.0, 600.0, total_at=clock.now_s + 60.0))
        return await answer.chunk()

    clock, stage = Clock(), Stage()
    async with serving(stage) as origin, client(clock=clock) as upstream:
        running = asyncio.ensure_future(attempt())
        await stage.asked.wait()
        stage.say(said)
        move(clock, upstream, 59.8)
        await asyncio.sleep(0)
        assert not running.done()
        move(clock, upstream, 0.3)
        assert (await failure_of(running)).kind is FailureKind.TOTAL_TIMEOUT
        await stage.left.wait()


async def test_the_timer_itself_applies_the_limits() -> None:
    stage = Stage()
    async with serving(stage) as origin, client() as upstream:
        failure = await failure_of(upstream.open(post(origin), replace(LIMITS, head_s=0.05)))
        assert failure.kind is FailureKind.ANSWER_TIMEOUT


# -- backpressure -----------------------------------------------------------------------------------------------------

SIZE = 64 * 1024 * 1024


class Flood:
    """A server that sends as fast as it is read, and counts what it could hand to its own socket."""

    def __init__(self) -> None:
        self.sent = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        piece = bytes(64 * 1024)
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % SIZE)
        while self.sent < SIZE:
            writer.write(piece)
            await writer.drain()
            self.sent += len(piece)
        await reader.read()


async def stalled(server: Flood) -> None:
    """Wait until the server gets nothing more out, for a thousand turns of the loop."""
    quiet = 0
    while quiet < 1_000:
        sent = server.sent
        await asyncio.sleep(0)
        quiet = quiet + 1 if server.sent == sent and sent else 0


async def test_buffers_little_for_a_reader_that_does_not_read_and_loses_nothing() -> None:
    server = Flood()
    async with serving(server) as origin, client() as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        await stalled(server)
        assert server.sent < SIZE // 2  # the rest of it sits in the kernel's buffers
        assert answer._exchange.buffered <= HIGH_WATER + ONE_READ
        received = 0
        while data := await answer.chunk():
            assert len(data) <= HIGH_WATER + ONE_READ
            received += len(data)
        assert received == SIZE
        assert upstream.stats()[origin].idle == 1


async def test_does_not_blame_the_upstream_for_a_slow_reader() -> None:
    clock, server = Clock(), Flood()
    async with serving(server) as origin, client(clock=clock) as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        await stalled(server)
        move(clock, upstream, 10 * LIMITS.idle_s)
        assert len(await answer.read(SIZE)) == SIZE


async def test_sees_a_close_also_where_reading_was_paused() -> None:
    server = Flood()
    async with serving(server) as origin, client() as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        await stalled(server)
        answer.abort()
        await until(lambda: upstream.stats()[origin] == OriginStats(0, 0, 0, 0, opened=1, reused=0))


# -- idle connections -------------------------------------------------------------------------------------------------


async def test_drops_an_idle_connection_on_bytes_that_nobody_asked_for() -> None:
    stage = Stage()
    async with serving(stage) as origin, client() as upstream:
        opening = asyncio.ensure_future(upstream.open(post(origin), LIMITS))
        await stage.asked.wait()
        stage.say(OK)
        assert await (await opening).read(10) == b"hi"
        stage.say(OK)
        await until(lambda: upstream.stats()[origin].idle == 0)
        await stage.left.wait()
