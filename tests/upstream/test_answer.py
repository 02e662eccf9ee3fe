"""Reading answers whole, compressed, in part, and not at all."""

import asyncio
import gzip

import pytest

from gateway.core.failure import Failure, FailureKind
from gateway.upstream.answer import ABORTED
from gateway.upstream.client import Upstream
from gateway.upstream.pool import OriginStats
from tests.upstream.loopback import LIMITS, OK, Clock, client, failure_of, post, read_request, replying, serving, until

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
PACKED = gzip.compress(b"hello " * 100, mtime=0)


def packed_reply(coding: bytes, body: bytes, status: int = 200) -> bytes:
    return b"HTTP/1.1 %d X\r\ncontent-encoding: %b\r\ncontent-length: %d\r\n\r\n%b" % (status, coding, len(body), body)


class Watched:
    """A server that begins to answer, and notes when its peer is gone."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.asked = asyncio.Event()
        self.left = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for piece in self.pieces:
            writer.write(piece)
        self.asked.set()
        try:
            assert await reader.read() == b""
        finally:
            self.left.set()


async def test_reads_a_body_up_to_the_limit() -> None:
    async with serving(replying(OK)) as origin, client() as upstream:
        assert await (await upstream.open(post(origin), LIMITS)).read(2) == b"hi"


async def test_drops_a_body_above_the_limit() -> None:
    server = Watched(CHUNKED, *[b"6\r\nabcdef\r\n"] * 4)
    async with serving(server) as origin, client() as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        assert await failure_of(answer.read(20)) == Failure(
            FailureKind.MALFORMED, "the answer is longer than 20 bytes", status=200
        )
        await server.left.wait()


async def test_joins_a_body_that_comes_in_pieces() -> None:
    pieces = [b"%x\r\n%b\r\n" % (n, b"x" * n) for n in range(1, 50)]
    async with serving(replying(CHUNKED, *pieces, b"0\r\n\r\n")) as origin, client() as upstream:
        assert await (await upstream.open(post(origin), LIMITS)).read(10_000) == b"x" * sum(range(1, 50))


async def test_unpacks_what_was_packed_without_being_asked() -> None:
    async with serving(replying(packed_reply(b"gzip", PACKED))) as origin, client() as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        assert await answer.read(1_000) == b"hello " * 100
        assert await answer.chunk() == b""


async def test_reads_identity_as_plain() -> None:
    async with serving(replying(packed_reply(b"identity", b"hi"))) as origin, client() as upstream:
        assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"hi"


async def test_counts_the_limit_in_unpacked_bytes() -> None:
    async with serving(replying(packed_reply(b"gzip", PACKED))) as origin, client() as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        assert (await failure_of(answer.read(599))).message == "the answer is longer than 599 bytes"


@pytest.mark.parametrize(
    ("coding", "body", "kind"),
    [
        (b"br", b"??", FailureKind.MALFORMED),
        (b"gzip", b"not gzip", FailureKind.MALFORMED),
        (b"gzip", PACKED[:-3], FailureKind.TRUNCATED),
    ],
)
async def test_a_body_that_cannot_be_unpacked_leaves_the_status(coding: bytes, body: bytes, kind: FailureKind) -> None:
    async with serving(replying(packed_reply(coding, body, 502))) as origin, client() as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        failure = await failure_of(answer.read(1_000))
        assert (answer.head.status, failure.kind, failure.status) == (502, kind, 502)


# -- leaving ----------------------------------------------------------------------------------------------------------


async def test_aborting_drops_the_connection_at_once_and_for_good() -> None:
    server = Watched(CHUNKED + b"1\r\na\r\n")
    async with serving(server) as origin, client() as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        answer.abort()
        answer.abort()
        assert upstream.stats()[origin] == OriginStats(0, 0, 0, 0, opened=1, reused=0)
        await server.left.wait()
        assert await failure_of(answer.chunk()) == ABORTED


async def test_aborting_wakes_the_reader() -> None:
    async with serving(Watched(CHUNKED)) as origin, client() as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        reading = asyncio.ensure_future(answer.chunk())
        await asyncio.sleep(0)
        answer.abort()
        assert await failure_of(reading) == ABORTED


async def test_aborting_after_the_end_harms_nobody_else() -> None:
    async with serving(replying(OK)) as origin, client() as upstream:
        first = await upstream.open(post(origin), LIMITS)
        second = await upstream.open(post(origin), LIMITS)  # on the same connection: the first had come whole
        first.abort()
        assert (await first.chunk(), await second.read(10)) == (b"", b"hi")
        assert upstream.stats()[origin].opened == 1


@pytest.mark.parametrize(
    "pieces", [(), (CHUNKED,), (CHUNKED, b"1\r\na\r\n")], ids=["no head", "no body", "in the body"]
)
async def test_cancelling_drops_the_connection_at_once(pieces: tuple[bytes, ...]) -> None:
    async def attempt(upstream: Upstream) -> None:
        answer = await upstream.open(post(origin), LIMITS)
        while await answer.chunk():
            pass

    server = Watched(*pieces)
    async with serving(server) as origin, client() as upstream:
        running = asyncio.ensure_future(attempt(upstream))
        await server.asked.wait()
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
        assert upstream.stats()[origin].busy == 0
        await server.left.wait()


# -- releasing --------------------------------------------------------------------------------------------------------


class LateEnd:
    """A server that sends the end of its answer when told."""

    def __init__(self) -> None:
        self.end = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(CHUNKED + b"1\r\na\r\n")
            await self.end.wait()
            writer.write(b"0\r\n\r\n")


async def test_a_released_answer_gives_its_connection_back_when_it_ends() -> None:
    server = LateEnd()
    async with serving(server) as origin, client() as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        answer.release()
        assert upstream.stats()[origin].busy == 1
        server.end.set()
        await until(lambda: upstream.stats()[origin] == OriginStats(1, 0, 0, 0, opened=1, reused=0))
        assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"a"
        assert upstream.stats()[origin].reused == 1


async def test_a_released_answer_that_does_not_end_is_dropped() -> None:
    clock = Clock()
    async with serving(LateEnd()) as origin, client(clock=clock) as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        answer.release()
        clock.now_s += 0.9
        upstream.sweep()
        assert upstream.stats()[origin].busy == 1
        clock.now_s += 0.2
        upstream.sweep()
        assert upstream.stats()[origin] == OriginStats(0, 0, 0, 0, opened=1, reused=0)


async def test_releasing_after_the_end_does_nothing() -> None:
    async with serving(replying(OK)) as origin, client() as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        answer.release()
        assert (await answer.chunk(), upstream.stats()[origin].idle) == (b"", 1)
