"""Server-sent events for those who watch."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from gateway.edge import broadcast
from gateway.edge.broadcast import Broadcast, Event, Listener, Repeated
from tests.support.running_gateway import until


class Script:
    """A programme that tells what it is given, and counts how often it is asked."""

    def __init__(self) -> None:
        self.waiting: list[Event] = []
        self.asked = 0
        self.begun = 0

    def begin(self) -> None:
        self.begun += 1

    def opening(self) -> Iterable[Event]:
        return [Event("hello", b"{}")]

    def news(self) -> Iterable[Event]:
        self.asked += 1
        told, self.waiting = self.waiting, []
        return told


@asynccontextmanager
async def serving(stream: Broadcast) -> AsyncIterator[aiohttp.ClientSession]:
    app = web.Application()
    app.add_routes([web.get("/", stream.stream)])
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            yield session
    finally:
        await stream.close()
        await runner.cleanup()


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "PUMP_S", 0.0)


async def frame(response: aiohttp.ClientResponse) -> bytes:
    return await response.content.readuntil(b"\n\n")


async def test_tells_all_who_listen_the_same() -> None:
    script = Script()
    async with serving(Broadcast(script)) as http, http.get("/") as one, http.get("/") as other:
        assert (await frame(one), await frame(other)) == (b"event: hello\ndata: {}\n\n",) * 2
        script.waiting.append(Event("news", b'{"number":1}'))
        assert (await frame(one), await frame(other)) == (b'event: news\ndata: {"number":1}\n\n',) * 2


async def test_asks_nothing_while_nobody_listens() -> None:
    script = Script()
    stream = Broadcast(script)
    async with serving(stream) as http:
        async with http.get("/") as response:
            await frame(response)
            await until(lambda: script.asked > 2)
        await until(lambda: stream.listening == 0)
        asked = script.asked
        for _ in range(20):
            await asyncio.sleep(0)
        assert script.asked == asked
        async with http.get("/") as response:
            await frame(response)
            await until(lambda: script.asked > asked)
        assert script.begun == 2


async def test_cuts_off_who_reads_too_slowly_and_goes_on_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "WAITING_MAX_BYTES", 1_000_000)
    script = Script()
    stream = Broadcast(script)
    async with serving(stream) as http:
        slow = await http.get("/")
        await frame(slow)
        big = Event("news", b'"' + b"x" * 900_000 + b'"')

        def flooded() -> int:
            script.waiting.append(big)
            return stream.dropped

        await until(flooded, "the end of the slow one")
        async with http.get("/") as other:
            await frame(other)
            assert (stream.dropped, stream.listening) == (1, 1)
        with pytest.raises(aiohttp.ClientError):
            await slow.content.read()
        slow.close()


async def test_has_room_for_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "LISTENERS_MAX", 1)
    async with serving(Broadcast(Script())) as http, http.get("/") as one:
        await frame(one)
        async with http.get("/") as other:
            assert (other.status, other.headers["Retry-After"]) == (503, "10")


async def test_ends_all_when_it_closes() -> None:
    stream = Broadcast(Script())
    async with serving(stream) as http, http.get("/") as response:
        await frame(response)
        await stream.close()
        assert await response.content.read() == b""
        async with http.get("/") as late:
            assert late.status == 503


async def test_ends_all_and_says_so_where_the_programme_fails(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Script):
        def news(self) -> Iterable[Event]:
            raise ValueError("a bug")

    async with serving(Broadcast(Broken())) as http, http.get("/") as response:
        assert await response.content.read() == b"event: hello\ndata: {}\n\n"
    assert "cannot be told" in caplog.text


class Counting:
    """A clock that stands still, and a maker that takes as long as it is told to."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.takes_s = 0.0
        self.made = 0

    def make(self) -> bytes:
        self.made += 1
        self.now_s += self.takes_s
        return str(self.made).encode()


def repeated(counting: Counting) -> Repeated:
    return Repeated("overview", counting.make, lambda: counting.now_s)


def test_repeats_every_two_seconds() -> None:
    counting = Counting()
    programme = repeated(counting)
    told = []
    for now_s in (100.0, 101.9, 102.0, 103.0, 104.5):
        counting.now_s = now_s
        told += [event.data for event in programme.news()]
    assert told == [b"1", b"2", b"3"]


def test_opens_with_what_was_made_a_moment_ago() -> None:
    counting = Counting()
    programme = repeated(counting)
    opened = [event.data for _ in range(50) for event in programme.opening()]
    assert set(opened) == {b"1"}
    counting.now_s += 1.0
    assert [event.data for event in programme.opening()] == [b"2"]


def test_repeats_seldom_what_takes_long_to_make() -> None:
    counting = Counting()
    counting.takes_s = 0.2
    programme = repeated(counting)
    assert len(list(programme.news())) == 1
    counting.now_s += 9.9
    assert list(programme.news()) == []
    counting.now_s += 0.2
    assert len(list(programme.news())) == 1


async def test_a_listener_ends_with_what_it_has_not_told() -> None:
    listener = Listener(lambda: None)
    assert listener.give(b"one")
    listener.end()
    assert await listener.next() is None
