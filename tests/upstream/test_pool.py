"""Which connection a call gets, how long it waits for one, and how long connections are kept."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.core.failure import Failure, FailureKind
from gateway.upstream.answer import Answer
from gateway.upstream.call import Call, Origin
from gateway.upstream.client import Upstream
from gateway.upstream.connection import Connection
from gateway.upstream.dial import Address, Dialer, NameCache
from gateway.upstream.pool import CLOSING, OriginStats, Pool, Rules
from gateway.upstream.resend import acked_bytes
from tests.upstream.loopback import LIMITS, OK, Clock, client, failure_of, post, read_request, replying, serving, until

TWO = Rules(max_connections=2)


class Held:
    """A server that answers each request when it is told to, by the request's body."""

    def __init__(self) -> None:
        self.go: dict[bytes, asyncio.Event] = {}
        self.asked: list[bytes] = []
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            body = (await read_request(reader)).rpartition(b"\r\n\r\n")[2]
            self.asked.append(body)
            await self.go.setdefault(body, asyncio.Event()).wait()
            writer.write(OK)

    def answer(self, body: bytes) -> None:
        self.go.setdefault(body, asyncio.Event()).set()


def opening(upstream: Upstream, call: Call, **limits: Any) -> "asyncio.Task[Answer]":
    return asyncio.ensure_future(upstream.open(call, replace(LIMITS, **limits)))


async def never(_host: str, _port: int) -> Sequence[Address]:
    await asyncio.Event().wait()
    return ()


async def test_serves_waiting_calls_in_the_order_they_came_within_the_limit() -> None:
    server = Held()
    async with serving(server) as origin, client(rules=TWO) as upstream:
        calls = [opening(upstream, post(origin, b"%d" % n)) for n in range(5)]
        await until(lambda: len(server.asked) == 2)
        assert upstream.stats()[origin] == OriginStats(0, busy=2, connecting=0, waiting=3, opened=2, reused=0)
        for n in range(5):
            server.answer(b"%d" % n)
            assert await (await calls[n]).read(10) == b"hi"
        assert [int(body) for body in server.asked[2:]] == [2, 3, 4]
        assert upstream.stats()[origin] == OriginStats(2, 0, 0, 0, opened=2, reused=3)
        assert server.connections == 2


async def test_a_call_that_waits_too_long_for_a_connection_is_told_so() -> None:
    clock, server = Clock(), Held()
    async with serving(server) as origin, client(clock=clock, rules=Rules(max_connections=1)) as upstream:
        first = opening(upstream, post(origin, b"1"))
        await until(lambda: server.asked == [b"1"])
        second = opening(upstream, post(origin, b"2"), connect_s=2.0)
        third = opening(upstream, post(origin, b"3"), connect_s=4.0, total_at=clock.now_s + 1.0)
        await until(lambda: upstream.stats()[origin].waiting == 2)
        clock.now_s += 2.0
        upstream.sweep()
        assert await failure_of(second) == Failure(
            FailureKind.CONNECT_TIMEOUT, f"no free connection to {origin}: all 1 are busy"
        )
        assert await failure_of(third) == Failure(
            FailureKind.TOTAL_TIMEOUT, "the request's time ran out before there was a connection"
        )
        server.answer(b"1")
        assert await (await first).read(10) == b"hi"
        assert server.asked == [b"1"]


async def test_a_call_that_cannot_connect_in_time_is_told_so() -> None:
    clock, origin = Clock(), Origin("http", "a.test", 80)
    async with client(clock=clock, resolver=never) as upstream:
        call = opening(upstream, post(origin), connect_s=2.0)
        await until(lambda: origin in upstream.stats())
        assert upstream.stats()[origin].connecting == 1
        clock.now_s += 2.0
        upstream.sweep()
        assert await failure_of(call) == Failure(FailureKind.CONNECT_TIMEOUT, "there was no connection within 2 s")
        await until(lambda: upstream.stats()[origin] == OriginStats(0, 0, 0, 0, 0, 0))


async def test_a_cancelled_call_leaves_the_row_and_stops_its_connecting() -> None:
    origin = Origin("http", "a.test", 80)
    async with client(resolver=never) as upstream:
        calls = [opening(upstream, post(origin)) for _ in range(3)]
        await until(lambda: origin in upstream.stats() and upstream.stats()[origin].connecting == 3)
        calls[1].cancel()
        await until(lambda: upstream.stats()[origin] == OriginStats(0, 0, connecting=2, waiting=2, opened=0, reused=0))
        for call in calls:
            call.cancel()
        await until(lambda: upstream.stats()[origin] == OriginStats(0, 0, 0, 0, 0, 0))


async def test_a_connection_given_to_a_call_that_is_then_cancelled_goes_to_the_next() -> None:
    server = Held()
    async with serving(server) as origin, client(rules=Rules(max_connections=1)) as upstream:
        for n in (b"1", b"3"):
            server.answer(n)
        coming = asyncio.ensure_future(upstream.open(post(origin, b"1"), LIMITS))
        await until(lambda: origin in upstream.stats() and upstream.stats()[origin].connecting == 1)
        first = upstream.open(post(origin, b"1"), LIMITS)
        second, third = (opening(upstream, post(origin, n)) for n in (b"2", b"3"))
        await first  # served after `coming`; its connection is now the second call's, which has not run yet
        assert upstream.stats()[origin].waiting == 1
        second.cancel()
        assert await (await third).read(10) == b"hi"
        assert (await (await coming).read(10), second.cancelled()) == (b"hi", True)
        assert server.asked == [b"1", b"1", b"3"]
        assert upstream.stats()[origin].opened == 1


async def test_a_call_cancelled_while_the_row_moves_is_passed_over() -> None:
    server = Held()
    async with serving(server) as origin, client(rules=Rules(max_connections=1)) as upstream:
        first = opening(upstream, post(origin, b"1"))
        await until(lambda: server.asked == [b"1"])
        second, third = (opening(upstream, post(origin, n)) for n in (b"2", b"3"))
        await until(lambda: upstream.stats()[origin].waiting == 2)
        second.cancel()
        first.cancel()
        server.answer(b"3")
        assert await (await third).read(10) == b"hi"
        assert server.asked == [b"1", b"3"]


async def test_a_connection_that_dies_on_its_way_to_a_call_is_replaced() -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        origin = Origin("http", "127.0.0.1", listener.getsockname()[1])
        async with client(rules=Rules(max_connections=1)) as upstream:
            first = opening(upstream, post(origin))
            connection, _ = await loop.sock_accept(listener)
            await loop.sock_recv(connection, 1000)
            second = opening(upstream, post(origin))
            await until(lambda: upstream.stats()[origin].waiting == 1)
            connection.sendall(OK)
            connection.close()
            replacement, _ = await loop.sock_accept(listener)
            await loop.sock_recv(replacement, 1000)
            replacement.sendall(OK)
            assert [await (await call).read(10) for call in (first, second)] == [b"hi", b"hi"]
            replacement.close()
            assert upstream.stats()[origin].opened == 2


class Meddling(Dialer):
    """Makes real connections, and does something to each before it is handed over."""

    def __init__(self, meddle: Callable[[Connection], object]) -> None:
        super().__init__(NameCache(never, monotonic, 10.0), monotonic, None)
        self.meddle = meddle

    async def connect(self, origin: Origin, make: Callable[[], Connection], give_up_at: float) -> Connection:
        connection = await super().connect(origin, make, give_up_at)
        self.meddle(connection)
        return connection


@pytest.mark.interpreted
async def test_a_new_connection_that_comes_when_the_pool_has_closed_is_dropped() -> None:
    async with serving(replying(OK)) as origin:
        closing: list[asyncio.Future[None]] = []
        dialer = Meddling(lambda _: closing.append(asyncio.ensure_future(pool.close())))
        pool = Pool(origin, dialer, Rules(), monotonic, acked_bytes)
        assert await failure_of(pool.wait(LIMITS)) == CLOSING
        await closing[0]
        assert pool.stats() == OriginStats(0, 0, 0, 0, opened=1, reused=0)
        assert await failure_of(pool.wait(LIMITS)) == CLOSING


@pytest.mark.interpreted
async def test_a_new_connection_that_is_dead_and_that_nobody_waits_for_is_not_kept() -> None:
    async with serving(replying(OK)) as origin:

        def meddle(connection: Connection) -> None:
            waiting.cancel()
            connection.close()

        pool = Pool(origin, Meddling(meddle), Rules(), monotonic, acked_bytes)
        waiting = asyncio.ensure_future(pool.wait(LIMITS))
        await asyncio.wait([waiting])
        await until(lambda: pool.stats() == OriginStats(0, 0, 0, 0, opened=1, reused=0))
        await pool.close()


class CancelledOnce(Dialer):
    """Is cancelled once, at the moment when a connection stands and is not handed over yet."""

    def __init__(self) -> None:
        super().__init__(NameCache(never, monotonic, 10.0), monotonic, None)
        self.tries = 0

    async def connect(self, origin: Origin, make: Callable[[], Connection], give_up_at: float) -> Connection:
        task = asyncio.current_task()
        assert task is not None
        dialing = task  # a name whose type the class below can see
        self.tries += 1
        if self.tries > 1:
            return await super().connect(origin, make, give_up_at)

        class Cancelling(Connection):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                dialing.cancel()

        return await super().connect(origin, lambda: Cancelling(make()._owner), give_up_at)


@pytest.mark.interpreted
async def test_a_connection_whose_making_is_cancelled_at_the_last_moment_is_forgotten() -> None:
    async with serving(replying(OK)) as origin:
        dialer = CancelledOnce()
        pool = Pool(origin, dialer, Rules(), monotonic, acked_bytes)
        connection = await pool.wait(LIMITS)
        assert (dialer.tries, connection.served) == (2, 0)
        await pool.close()
        assert pool.stats() == OriginStats(0, 0, 0, 0, opened=1, reused=0)


@pytest.mark.interpreted
async def test_a_new_connection_that_dies_before_its_call_runs_is_not_kept() -> None:
    async with serving(replying(OK)) as origin:
        pool = Pool(origin, Meddling(Connection.close), Rules(), monotonic, acked_bytes)
        assert (await failure_of(pool.wait(LIMITS))).kind is FailureKind.DISCONNECTED
        assert pool.stats() == OriginStats(0, 0, 0, 0, opened=1, reused=0)
        await pool.close()


async def test_a_refused_connection_fails_the_calls_that_wait_for_it_and_no_others() -> None:
    async with serving(replying(OK)) as origin:
        pass  # nobody listens there any more
    async with client() as upstream:
        kinds = [(await failure_of(call)).kind for call in [opening(upstream, post(origin)) for _ in range(3)]]
        assert kinds == [FailureKind.UNREACHABLE] * 3
        assert upstream.stats()[origin] == OriginStats(0, 0, 0, 0, 0, 0)


async def test_each_call_beyond_the_limit_gets_its_own_try() -> None:
    async with serving(replying(OK)) as origin:
        pass
    async with client(rules=Rules(max_connections=1)) as upstream:
        kinds = [(await failure_of(call)).kind for call in [opening(upstream, post(origin)) for _ in range(3)]]
        assert kinds == [FailureKind.UNREACHABLE] * 3


async def test_a_dead_connection_makes_room_for_who_waits() -> None:
    server = Held()
    async with serving(server) as origin, client(rules=Rules(max_connections=1)) as upstream:
        first = opening(upstream, post(origin, b"1"))
        await until(lambda: server.asked == [b"1"])
        second = opening(upstream, post(origin, b"2"))
        await until(lambda: upstream.stats()[origin].waiting == 1)
        server.answer(b"2")
        first.cancel()
        assert await (await second).read(10) == b"hi"
        assert upstream.stats()[origin].opened == 2


async def test_a_server_that_closes_at_once_is_tried_once() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with serving(handle) as origin, client() as upstream:
        assert (await failure_of(upstream.open(post(origin), LIMITS))).kind is FailureKind.DISCONNECTED
        assert upstream.stats()[origin] == OriginStats(0, 0, 0, 0, opened=1, reused=0)


# -- how long connections are kept ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "kept_s"),
    [(b"", 30.0), (b"keep-alive: timeout=5\r\n", 4.0), (b"keep-alive: timeout=75\r\n", 30.0)],
)  # fmt: skip
async def test_keeps_an_idle_connection_as_long_as_both_sides_want(header: bytes, kept_s: float) -> None:
    clock = Clock()
    reply = b"HTTP/1.1 200 OK\r\n" + header + b"content-length: 2\r\n\r\nhi"
    async with serving(replying(reply)) as origin, client(clock=clock) as upstream:
        assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"hi"
        clock.now_s += kept_s - 0.1
        upstream.sweep()
        assert upstream.stats()[origin].idle == 1
        clock.now_s += 0.2
        upstream.sweep()
        assert upstream.stats()[origin].idle == 0


async def test_uses_no_connection_beyond_its_age() -> None:
    clock = Clock()
    async with serving(replying(OK)) as origin, client(clock=clock) as upstream:
        for _ in range(15):
            clock.now_s += 29.0
            assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"hi"
        assert upstream.stats()[origin] == OriginStats(1, 0, 0, 0, opened=2, reused=13)


async def test_uses_the_last_used_connection_first_so_that_others_can_go() -> None:
    clock, server = Clock(), Held()
    async with serving(server) as origin, client(clock=clock) as upstream:
        calls = [opening(upstream, post(origin, b"%d" % n)) for n in range(3)]
        await until(lambda: len(server.asked) == 3)
        for n in range(3):
            server.answer(b"%d" % n)
            await calls[n]
        for _ in range(3):
            clock.now_s += 20.0
            await upstream.open(post(origin, b"0"), LIMITS)
            upstream.sweep()
        assert upstream.stats()[origin].idle == 1


async def test_the_timer_rests_when_there_is_nothing_to_watch() -> None:
    clock = Clock()
    async with serving(replying(OK)) as origin, client(clock=clock) as upstream:
        await (await upstream.open(post(origin), LIMITS)).read(10)
        assert upstream._timer is not None
        clock.now_s += 31.0
        upstream._tick()
        assert upstream._timer is None
        assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"hi"
        assert upstream._timer is not None
