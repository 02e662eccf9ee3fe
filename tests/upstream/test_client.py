"""One exchange after another against scripted servers: what comes back, and which connection carries it."""

import asyncio
import socket
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.failure import AttemptError, Failure, FailureKind
from gateway.upstream.answer import Timings
from gateway.upstream.call import Call, Origin
from gateway.upstream.connection import DOUBT_S
from gateway.upstream.pool import CLOSING, OriginStats
from gateway.upstream.resend import Socket
from gateway.upstream.response import Head
from tests.upstream.loopback import (
    LIMITS,
    OK,
    Clock,
    client,
    closing_after,
    failure_of,
    post,
    read_request,
    replying,
    serving,
    until,
)  # fmt: skip

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
KEPT = OriginStats(idle=1, busy=0, connecting=0, waiting=0, opened=1, reused=0)


async def test_sends_the_request_and_brings_head_and_body() -> None:
    requests = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await read_request(reader))
        writer.write(b"HTTP/1.1 200 OK\r\nX-Request-Id: r1\r\nContent-Length: 2\r\n\r\nhi")

    async with serving(handle) as origin, client() as upstream:
        answer = await upstream.open(post(origin, b'{"a":1}'), LIMITS)
        assert answer.head == Head(200, {"x-request-id": "r1", "content-length": "2"})
        assert await answer.read(10) == b"hi"
    assert requests == [
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%d\r\naccept-encoding: identity\r\n"
        b"authorization: Bearer k\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n"
        b'{"a":1}' % origin.port
    ]


async def test_one_connection_carries_many_requests() -> None:
    async with serving(replying(OK)) as origin, client() as upstream:
        for _ in range(5):
            assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"hi"
        assert upstream.stats() == {origin: replace(KEPT, reused=4)}


async def test_gives_what_came_with_the_head_without_another_turn_of_the_loop() -> None:
    async with serving(replying(OK)) as origin, client() as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        with pytest.raises(StopIteration) as returned:
            answer.chunk().send(None)
        assert returned.value.value == b"hi"


async def test_streams_a_body_as_it_comes_and_ends_it_for_good() -> None:
    go_on = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(CHUNKED + b"3\r\none\r\n")
        await go_on.wait()
        writer.write(b"3\r\ntwo\r\n3\r\nend\r\n0\r\n\r\n")
        await reader.read()

    async with serving(handle) as origin, client() as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        first = await answer.chunk()
        go_on.set()
        assert (first, await answer.chunk(), await answer.chunk(), await answer.chunk()) == (
            b"one",
            b"twoend",
            b"",
            b"",
        )
        assert upstream.stats() == {origin: KEPT}


async def test_reads_a_body_that_only_the_end_of_the_connection_delimits() -> None:
    async with serving(closing_after(b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo")) as origin, client() as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        assert await answer.read(10) == b"hello"
        assert upstream.stats()[origin].idle == 0


async def test_skips_interim_answers() -> None:
    async with serving(replying(b"HTTP/1.1 100 Continue\r\n\r\n", OK)) as origin, client() as upstream:
        assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"hi"


@pytest.mark.parametrize("status", [302, 404, 429, 500])
async def test_takes_any_status_for_an_answer_and_follows_no_redirect(status: int) -> None:
    reply = b"HTTP/1.1 %d X\r\nlocation: /other\r\ncontent-length: 2\r\n\r\nno" % status
    async with serving(replying(reply)) as origin, client() as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        assert (answer.head.status, await answer.read(10)) == (status, b"no")
        assert upstream.stats() == {origin: KEPT}


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi", id="the server says so"),
        pytest.param(OK + OK, id="a second answer in one read"),
        pytest.param(b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi", id="HTTP/1.0"),
        pytest.param(b"HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 2\r\n\r\nhi", id="kept too short"),
    ],
)
async def test_does_not_use_the_connection_again(reply: bytes) -> None:
    async with serving(replying(reply)) as origin, client() as upstream:
        for _ in range(2):
            assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"hi"
        assert upstream.stats()[origin] == OriginStats(0, 0, 0, 0, opened=2, reused=0)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nhi",
        b"HTTP/1.1 200 OK\ncontent-length: 2\n\nhi",
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 70_000 + b"\r\ncontent-length: 2\r\n\r\nhi",
        b"<html>",
    ],
    ids=["two framings", "two lengths", "bare line feeds", "70 KB header", "HTML"],
)
async def test_drops_a_connection_that_speaks_bad_http(reply: bytes) -> None:
    async with serving(replying(reply)) as origin, client() as upstream:
        failure = await failure_of(upstream.open(post(origin), LIMITS))
        assert failure.kind is FailureKind.MALFORMED
        assert upstream.stats()[origin] == OriginStats(0, 0, 0, 0, opened=1, reused=0)


async def test_gives_what_came_before_a_cut_and_then_says_so() -> None:
    async with serving(closing_after(CHUNKED + b"3\r\none\r\n3\r\nt")) as origin, client() as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        body = await answer.chunk()
        while len(body) < 4:
            body += await answer.chunk()
        assert body == b"onet"
        truncated = Failure(
            FailureKind.TRUNCATED, "the upstream closed the connection in the middle of its answer", status=200
        )
        assert [await failure_of(answer.chunk()) for _ in range(2)] == [truncated, truncated]


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\nx: "])
async def test_a_close_before_the_head_disconnects(before: bytes) -> None:
    async with serving(closing_after(before)) as origin, client() as upstream:
        assert await failure_of(upstream.open(post(origin), LIMITS)) == Failure(
            FailureKind.DISCONNECTED, "the upstream closed the connection before it answered"
        )


async def test_survives_a_peer_that_closes_only_its_own_side() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        writer.write_eof()
        await reader.read()

    async with serving(handle) as origin, client() as upstream:
        for _ in range(2):
            assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"hi"
        await until(lambda: upstream.stats()[origin] == OriginStats(0, 0, 0, 0, opened=2, reused=0))


# -- bodies out -------------------------------------------------------------------------------------------------------


async def test_uploads_32_mib_to_a_server_that_reads_slowly() -> None:
    size = 32 * 1024 * 1024

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"content-length: %d\r\n" % size in head
        left = size
        while left:
            left -= len(await reader.read(50_000))
            await asyncio.sleep(0)
        writer.write(OK)
        await reader.read()

    async with serving(handle) as origin, client() as upstream:
        answer = await upstream.open(post(origin, bytes(size)), LIMITS)
        assert await answer.read(10) == b"hi"
        assert upstream.stats() == {origin: KEPT}


async def test_takes_an_answer_that_comes_before_the_request_was_all_there() -> None:
    refused = b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno"

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(refused)
        await asyncio.Event().wait()

    async with serving(handle) as origin, client() as upstream:
        answer = await upstream.open(post(origin, bytes(32 * 1024 * 1024)), LIMITS)
        assert (answer.head.status, await answer.read(10)) == (413, b"no")
        assert upstream.stats()[origin].idle == 0


async def test_refuses_a_call_that_is_none_without_connecting() -> None:
    async with client() as upstream:
        call = Call(Origin("http", "127.0.0.1", 1), "POST", "/", (("x", "a\r\nb"),), b"")
        assert (await failure_of(upstream.open(call, LIMITS))).kind is FailureKind.INTERNAL
        assert upstream.stats() == {}


# -- stale connections ------------------------------------------------------------------------------------------------


async def test_replaces_an_idle_connection_that_the_server_closed() -> None:
    async with serving(closing_after(OK)) as origin, client() as upstream:
        for _ in range(3):
            assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"hi"
            await until(lambda: upstream.stats()[origin].idle == 0)
        assert upstream.stats()[origin].opened == 3


async def test_sees_that_the_server_closed_even_before_the_loop_does() -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        origin = Origin("http", "127.0.0.1", server.getsockname()[1])
        async with client() as upstream:
            for _ in range(2):
                opening = asyncio.ensure_future(upstream.open(post(origin), LIMITS))
                connection, _ = await loop.sock_accept(server)
                assert (await loop.sock_recv(connection, 1000)).endswith(b"{}")
                await loop.sock_sendall(connection, OK)
                assert await (await opening).read(10) == b"hi"
                connection.close()  # and at once, without a turn of the loop, the next request
            assert upstream.stats()[origin] == OriginStats(1, 0, 0, 0, opened=2, reused=0)


class DeadOnReuse:
    """Answers the first request of each connection, and takes the second, begins to answer it or not, and closes."""

    def __init__(self, begins: bytes = b"") -> None:
        self.begins = begins
        self.requests = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        self.requests += 1
        writer.write(OK)
        await read_request(reader)
        self.requests += 1
        writer.write(self.begins)
        writer.close()


def never_more(_sock: Socket) -> int:
    """As if the peer had acknowledged nothing of the last request."""
    return 500


async def second_kind(server: DeadOnReuse, idle_s: float, **options: Any) -> FailureKind | None:
    """How a request ends that comes `idle_s` after the first on the same connection."""
    clock = Clock()
    async with serving(server) as origin, client(clock=clock, **options) as upstream:
        assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"hi"
        clock.now_s += idle_s
        try:
            assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"hi"
        except AttemptError as error:
            return error.failure.kind
    return None


async def test_never_sends_again_what_the_server_took() -> None:
    server = DeadOnReuse()
    assert await second_kind(server, DOUBT_S) is FailureKind.DISCONNECTED
    assert server.requests == 2


async def test_sends_again_what_provably_never_arrived() -> None:
    server = DeadOnReuse()
    assert await second_kind(server, DOUBT_S, acked=never_more) is None
    assert server.requests == 3


async def test_has_no_proof_on_a_connection_that_was_hardly_idle() -> None:
    server = DeadOnReuse()
    assert await second_kind(server, DOUBT_S / 2, acked=never_more) is FailureKind.DISCONNECTED
    assert server.requests == 2


async def test_does_not_send_again_after_the_first_byte_of_an_answer() -> None:
    server = DeadOnReuse(begins=b"H")
    assert await second_kind(server, DOUBT_S, acked=never_more) is FailureKind.DISCONNECTED
    assert server.requests == 2


async def test_takes_the_other_idle_connections_for_as_stale_as_the_one_that_was() -> None:
    server, clock = DeadOnReuse(), Clock()
    async with serving(server) as origin, client(clock=clock, acked=never_more) as upstream:
        await asyncio.gather(*(upstream.open(post(origin), LIMITS) for _ in range(3)))
        assert upstream.stats()[origin].idle == 3
        clock.now_s += DOUBT_S
        assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"hi"
        assert upstream.stats()[origin] == OriginStats(1, 0, 0, 0, opened=4, reused=1)


async def test_sends_again_only_once() -> None:
    requests, clock = [], Clock()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await read_request(reader))
        if len(requests) == 1:
            writer.write(OK)
            requests.append(await read_request(reader))
        writer.close()

    async with serving(handle) as origin, client(clock=clock, acked=never_more) as upstream:
        assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"hi"
        clock.now_s += DOUBT_S
        assert (await failure_of(upstream.open(post(origin), LIMITS))).kind is FailureKind.DISCONNECTED
    assert len(requests) == 3


# -- the end of the client --------------------------------------------------------------------------------------------


async def test_closing_ends_what_runs_and_refuses_what_comes() -> None:
    async with serving(replying(CHUNKED + b"1\r\na\r\n")) as origin, client() as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        assert await answer.chunk() == b"a"
        opening = asyncio.ensure_future(upstream.open(post(origin), LIMITS))
        await asyncio.sleep(0)
        await upstream.close()
        assert await failure_of(answer.chunk()) == CLOSING
        assert await failure_of(opening) == CLOSING
        assert await failure_of(upstream.open(post(origin), LIMITS)) == CLOSING
        assert upstream.stats()[origin].busy == 0
        await upstream.close()  # as it may be, twice


async def test_closing_a_client_that_did_nothing_is_fine() -> None:
    async with client() as upstream:
        assert upstream.stats() == {}


async def test_says_when_what_happened() -> None:
    clock = Clock()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        clock.now_s += 0.5
        writer.write(OK)
        await reader.read()

    async with serving(handle) as origin, client(clock=clock) as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        assert answer.timings == Timings(connected_s=1_000.0, sent_s=1_000.0, head_s=1_000.5)
