"""The upstream and our own load generator, over real sockets in one loop."""

import asyncio
from collections.abc import AsyncIterator, Callable

import aiohttp
import orjson
import pytest

from loadtest.bench.canned import Pace
from loadtest.bench.own_load import Caller, Tally, call, request_bytes, rotated
from loadtest.bench.upstream import Canned, Connection, Counts

REQUEST = request_bytes("http://127.0.0.1:1/v1/chat/completions", "pk-1", b'{"model":"auto"}')
STREAMED = request_bytes("http://127.0.0.1:1/v1/chat/completions", "pk-1", b'{"model":"auto","stream":true}')
WAIT_S = 10.0  # until something must have come to pass; only failing tests wait so long


@pytest.fixture
def canned() -> Canned:
    return Canned(Pace(10, 4, 0.0))


class Watched(Connection):
    """Leaves nothing open when its test is over."""

    def __init__(
        self, canned: Canned, loop: asyncio.AbstractEventLoop, transports: list[asyncio.BaseTransport]
    ) -> None:
        super().__init__(canned, loop)
        self._transports = transports

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._transports.append(transport)


@pytest.fixture
async def port(canned: Canned) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    transports: list[asyncio.BaseTransport] = []
    server = await loop.create_server(lambda: Watched(canned, loop, transports), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    for transport in transports:
        transport.close()
    await asyncio.sleep(0)


def url_of(port: int) -> str:
    return f"http://127.0.0.1:{port}/v1/chat/completions"


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not true():  # noqa: ASYNC110  # what is waited for knows nothing of this test
            await asyncio.sleep(0)


async def test_answers_one_request_after_the_other(canned: Canned, port: int, http: aiohttp.ClientSession) -> None:
    for _ in range(2):
        async with http.post(url_of(port), data=b'{"model":"auto"}') as answer:
            assert (await answer.json())["object"] == "chat.completion"
    assert canned.counts == Counts(finished=2)


async def test_takes_spans_as_a_collector_does(canned: Canned, port: int, http: aiohttp.ClientSession) -> None:
    async with http.post(f"http://127.0.0.1:{port}/v1/traces", data=b"spans") as answer:
        assert (answer.status, await answer.read()) == (200, b"")
    assert canned.counts == Counts()


class Written(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.data += data


async def test_waits_for_the_whole_request(canned: Canned) -> None:
    connection, transport = Connection(canned, asyncio.get_running_loop()), Written()
    connection.connection_made(transport)
    for place in range(len(REQUEST)):
        assert transport.data == b""
        connection.data_received(REQUEST[place : place + 1])
    assert transport.data == canned.reply


async def test_streams_at_the_pace_it_was_told(canned: Canned, port: int, http: aiohttp.ClientSession) -> None:
    async with http.put(f"http://127.0.0.1:{port}/_pace", data=orjson.dumps(Pace(7, 1, 0.0))) as answer:
        assert await answer.json() == {"finished": 0, "events": 0, "open": 0, "aborted": 0}
    async with http.post(url_of(port), data=b'{"stream":true}') as answer:
        text = await answer.text()
    assert (text.count("data: "), text.endswith("data: [DONE]\n\n")) == (7, True)
    assert canned.counts == Counts(finished=1, events=7)


async def test_counts_a_stream_whose_client_left(canned: Canned, port: int) -> None:
    canned.set_pace(Pace(10, 1, 60_000.0))
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(STREAMED)
    await until(lambda: canned.counts.open == 1)
    writer.close()
    await until(lambda: canned.counts.open == 0)
    assert canned.counts == Counts(finished=0, events=0, open=0, aborted=1)


def test_spreads_the_beginnings_of_streams_over_a_gap() -> None:
    canned = Canned(Pace(10, 1, 1000.0))
    tenths = {int(canned.next_offset_s() * 10) for _ in range(20)}
    assert tenths == set(range(10))


async def test_sends_the_next_request_when_the_reply_has_ended(canned: Canned, port: int) -> None:
    stopped = asyncio.Event()
    load = asyncio.create_task(call(url_of(port), [REQUEST, STREAMED], 3, stopped))
    await until(lambda: canned.counts.finished >= 30)
    stopped.set()
    tally = await load
    assert (tally.not_2xx, tally.errors, tally.requests > 20) == (0, 0, True)


async def test_counts_refusals_and_lost_connections() -> None:
    tally = Tally()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            await reader.readexactly(len(REQUEST))
            writer.write(b"HTTP/1.1 503 Busy\r\ncontent-length: 2\r\n\r\nno")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    where = server.sockets[0].getsockname()
    await asyncio.get_running_loop().create_connection(lambda: Caller(tally, [REQUEST]), *where)
    await until(lambda: tally.errors == 1)
    assert tally == Tally(requests=3, not_2xx=3, errors=1)
    server.close()
    await server.wait_closed()


async def test_counts_connections_that_cannot_be_made() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    stopped = asyncio.Event()
    stopped.set()
    assert await call(url_of(port), [REQUEST], 2, stopped) == Tally(requests=0, not_2xx=0, errors=2)


def test_begins_elsewhere_on_each_connection() -> None:
    assert [rotated([b"a", b"b", b"c"], place) for place in (0, 1, 5)] == [
        [b"a", b"b", b"c"],
        [b"b", b"c", b"a"],
        [b"c", b"a", b"b"],
    ]
