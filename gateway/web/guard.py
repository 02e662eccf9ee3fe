"""Limits on connections that aiohttp does not have: how long a request's head may take, and how many connections there
may be.

`Guarded` is a wrapper around aiohttp's protocol that watches bytes go by (public API only). A connection is *waiting*
from its opening, or from the first byte after an answer, until a handler has begun; one sweep a second closes those
that wait too long. Idle keep-alive connections are aiohttp's own business (`keepalive_timeout`), bodies that of `body`.
The connections of `lane` are counted and swept here as well, and look after their limits themselves.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

HEAD_S = 10.0  # for a whole request head, from its first byte (Apache's RequestReadTimeout: 20; nginx's: 60)
KEEPALIVE_S = 75.0  # idle client connections (nginx's default; aiohttp's own would be an hour)
CONNECTIONS_MAX = 20_000  # open client connections; a stream is one of them
SWEEP_S = 1.0


class Watched(Protocol):
    """A connection, as the sweep and the drain see it."""

    transport: asyncio.Transport

    def check(self, now_s: float) -> bool:
        """Act on the limits that have run out; whether the client was too slow."""

    def break_off(self) -> None:
        """The process ends: cancel the request under way, and begin no other."""

    def end(self) -> None:
        """End now, unless the last answer is being sent."""


class Doorkeeper:
    """Makes guarded connections and sweeps all. One per listening server."""

    def __init__(self, factory: Callable[[], asyncio.Protocol], clock: Callable[[], float]) -> None:
        self._factory = factory
        self._clock = clock
        self._open: set[Watched] = set()
        self._by_inner: dict[int, Guarded] = {}
        self._emptied: asyncio.Future[None] | None = None
        self.turned_away = 0
        self.timed_out = 0

    def __call__(self) -> "Guarded":
        return Guarded(self._factory(), self)

    def __len__(self) -> int:
        return len(self._open)

    def began(self, inner: object) -> None:
        """A handler has begun: the head is complete."""
        guarded = self._by_inner.get(id(inner))
        if guarded is not None:
            guarded.waiting_since_s = None
            guarded.task = asyncio.current_task()

    def ended(self, inner: object) -> None:
        """The handler is done; the next byte begins a new head."""
        guarded = self._by_inner.get(id(inner))
        if guarded is not None:
            guarded.task = None

    def opened(self, connection: Watched, transport: asyncio.Transport) -> bool:
        """Register a connection, or turn it away when there are too many."""
        if len(self._open) >= CONNECTIONS_MAX:
            self.turned_away += 1
            transport.abort()
            return False
        self._open.add(connection)
        return True

    def closed(self, connection: Watched) -> None:
        self._open.discard(connection)
        if not self._open and self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)

    def wraps(self, guarded: "Guarded", inner: object) -> None:
        """`began` and `ended` of `inner` are about `guarded`."""
        self._by_inner[id(inner)] = guarded

    def unwraps(self, inner: object) -> None:
        self._by_inner.pop(id(inner), None)

    def now_s(self) -> float:
        return self._clock()

    def break_off(self) -> None:
        """The process ends: cancel every request."""
        for connection in list(self._open):
            connection.break_off()

    def end(self) -> None:
        """Cut what is unfinished."""
        for connection in list(self._open):
            connection.end()

    async def emptied(self, within_s: float) -> None:
        """Wait until the last answers have been sent, and drop the connections that take longer."""
        if self._open:
            self._emptied = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._emptied], timeout=within_s)
        for connection in list(self._open):
            connection.transport.abort()

    def sweep(self) -> None:
        """Close the connections whose head takes too long, and whatever else has run out of time."""
        now_s = self._clock()
        for connection in list(self._open):
            if connection.check(now_s):
                self.timed_out += 1

    async def watch(self) -> None:
        """Sweep once a second, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            self.sweep()


def head_is_late(since_s: float | None, now_s: float) -> bool:
    """Whether a head that began at `since_s` takes too long."""
    return since_s is not None and now_s - since_s > HEAD_S


class Guarded(asyncio.Protocol):
    """One connection: passes everything on, and notes when a head begins."""

    __slots__ = ("_keeper", "_refused", "inner", "task", "transport", "waiting_since_s")

    transport: asyncio.Transport

    def __init__(self, inner: asyncio.Protocol, keeper: Doorkeeper) -> None:
        self.inner = inner
        self.waiting_since_s: float | None = None
        self.task: asyncio.Task[object] | None = None  # the handler that is under way
        self._keeper = keeper
        self._refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # by its methods: uvloop's inherits from nothing
        self.waiting_since_s = self._keeper.now_s()
        if self._keeper.opened(self, self.transport):
            self._keeper.wraps(self, self.inner)
            self.inner.connection_made(transport)
        else:
            self._refused = True

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self.waiting_since_s is None and self.task is None:
            self.waiting_since_s = self._keeper.now_s()
        self.inner.data_received(data)

    def eof_received(self) -> bool | None:
        return None if self._refused else self.inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._keeper.closed(self)
        self._keeper.unwraps(self.inner)
        if not self._refused:
            self.inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()

    def check(self, now_s: float) -> bool:
        late = head_is_late(self.waiting_since_s, now_s)
        if late:
            self.transport.abort()
        return late

    def break_off(self) -> None:
        if self.task is not None:
            self.task.cancel()

    def end(self) -> None:
        if self.task is not None:
            self.transport.abort()
