"""Limits on connections that aiohttp does not have: how long a request's head may take, and how many connections there
may be.

A wrapper around aiohttp's protocol that watches bytes go by (public API only). A connection is *waiting* from its
opening, or from the first byte after an answer, until a handler has begun; one sweep a second closes those that wait
too long. Idle keep-alive connections are aiohttp's own business (`keepalive_timeout`), bodies that of `body`.
"""

import asyncio
from collections.abc import Callable

HEAD_S = 10.0  # for a whole request head, from its first byte (Apache's RequestReadTimeout: 20; nginx's: 60)
CONNECTIONS_MAX = 20_000  # open client connections; a stream is one of them
SWEEP_S = 1.0


class Doorkeeper:
    """Makes guarded connections and sweeps them. One per listening server."""

    def __init__(self, factory: Callable[[], asyncio.Protocol], clock: Callable[[], float]) -> None:
        self._factory = factory
        self._clock = clock
        self._open: set[Guarded] = set()
        self._by_inner: dict[int, Guarded] = {}
        self.turned_away = 0
        self.timed_out = 0

    def __call__(self) -> asyncio.Protocol:
        return Guarded(self._factory(), self)

    def __len__(self) -> int:
        return len(self._open)

    def began(self, inner: object) -> None:
        """A handler has begun: the head is complete."""
        guarded = self._by_inner.get(id(inner))
        if guarded is not None:
            guarded.waiting_since_s = None
            guarded.answering = True

    def ended(self, inner: object) -> None:
        """The handler is done; the next byte begins a new head."""
        guarded = self._by_inner.get(id(inner))
        if guarded is not None:
            guarded.answering = False

    def opened(self, guarded: "Guarded", transport: asyncio.BaseTransport) -> bool:
        """Register a connection, or turn it away when there are too many."""
        if len(self._open) >= CONNECTIONS_MAX:
            self.turned_away += 1
            if isinstance(transport, asyncio.Transport):
                transport.abort()
            return False
        guarded.waiting_since_s = self._clock()
        self._open.add(guarded)
        self._by_inner[id(guarded.inner)] = guarded
        return True

    def closed(self, guarded: "Guarded") -> None:
        self._open.discard(guarded)
        self._by_inner.pop(id(guarded.inner), None)

    def now_s(self) -> float:
        return self._clock()

    def sweep(self) -> None:
        """Close the connections whose head takes too long."""
        oldest = self._clock() - HEAD_S
        for guarded in list(self._open):
            since = guarded.waiting_since_s
            if since is not None and since < oldest:
                self.timed_out += 1
                guarded.abort()

    async def watch(self) -> None:
        """Sweep once a second, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            self.sweep()


class Guarded(asyncio.Protocol):
    """One connection: passes everything on, and notes when a head begins."""

    __slots__ = ("_keeper", "_refused", "_transport", "answering", "inner", "waiting_since_s")

    def __init__(self, inner: asyncio.Protocol, keeper: Doorkeeper) -> None:
        self.inner = inner
        self.waiting_since_s: float | None = None
        self.answering = False
        self._keeper = keeper
        self._transport: asyncio.BaseTransport | None = None
        self._refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        if self._keeper.opened(self, transport):
            self.inner.connection_made(transport)
        else:
            self._refused = True

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self.waiting_since_s is None and not self.answering:
            self.waiting_since_s = self._keeper.now_s()
        self.inner.data_received(data)

    def eof_received(self) -> bool | None:
        return None if self._refused else self.inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._keeper.closed(self)
        if not self._refused:
            self.inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()

    def abort(self) -> None:
        if isinstance(self._transport, asyncio.Transport):
            self._transport.abort()
