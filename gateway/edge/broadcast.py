"""Server-sent events for the few people who watch: one pump for all of them, which stands still while nobody listens.

Owns the listeners, their limits and the wire form (WHATWG HTML, "Server-sent events"). What is told is a `Programme`'s
business. A listener who reads too slowly is cut off rather than waited for; a browser then connects anew by itself.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

LISTENERS_MAX = 20  # a page each; whoever comes then is asked to come later
WAITING_MAX_BYTES = 4 * 1024 * 1024  # for one listener, beyond what its socket holds
PUMP_S = 0.5  # how old news is at most when it is told
REPEAT_S = 2.0  # between two tellings of what is told again and again
OPENING_S = 1.0  # how old it may be for one who has just come
SHARE = 50  # what takes long to make is told seldom: it may cost a fiftieth of the time at most
LATER_S = 10  # for whoever finds no room
HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    data: bytes  # JSON without a line break

    def frame(self) -> bytes:
        """As it goes over the wire."""
        return b"event: %b\ndata: %b\n\n" % (self.name.encode(), self.data)


class Programme(Protocol):
    """What is told. Asked only while somebody listens."""

    def begin(self) -> None:
        """Somebody listens again: what happened meanwhile is no news."""

    def opening(self) -> Iterable[Event]:
        """For a listener who has just come."""

    def news(self) -> Iterable[Event]:
        """What came since the last call, for all who listen."""


class Repeated:
    """One event, told again and again; a programme of its own, or a part of one."""

    def __init__(self, name: str, make: Callable[[], bytes], now_s: Callable[[], float]) -> None:
        self._name = name
        self._make = make
        self._now_s = now_s
        self._event = Event(name, b"{}")
        self._made_s = float("-inf")
        self._took_s = 0.0

    def begin(self) -> None:
        """Nothing happened meanwhile that the next one would not tell."""

    def opening(self) -> Iterable[Event]:
        """The event, made at most a second ago: many who come at once cost as much as one."""
        return [self._made(within_s=max(OPENING_S, self._pause_s() / 2))]

    def news(self) -> Iterable[Event]:
        """The event anew, where it is time."""
        if self._now_s() - self._made_s < self._pause_s():
            return []
        return [self._made(within_s=0.0)]

    def _pause_s(self) -> float:
        return max(REPEAT_S, SHARE * self._took_s)

    def _made(self, within_s: float) -> Event:
        began_s = self._now_s()
        if began_s - self._made_s >= within_s:
            self._event = Event(self._name, self._make())
            self._made_s = self._now_s()
            self._took_s = self._made_s - began_s
        return self._event


class Listener:
    """One who listens; frames wait here until its connection takes them."""

    def __init__(self, cut: Callable[[], None]) -> None:
        """`cut` breaks the connection off, whatever it is doing."""
        self._cut = cut
        self._frames: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._arrived = asyncio.Event()
        self.ended = False

    def give(self, frame: bytes) -> bool:
        """Take a frame; False where too many wait already."""
        if self._waiting_bytes + len(frame) > WAITING_MAX_BYTES:
            return False
        self._frames.append(frame)
        self._waiting_bytes += len(frame)
        self._arrived.set()
        return True

    async def next(self) -> bytes | None:
        """The next frame; None at the end."""
        while not self._frames and not self.ended:
            self._arrived.clear()
            await self._arrived.wait()
        if self.ended:
            return None
        frame = self._frames.popleft()
        self._waiting_bytes -= len(frame)
        return frame

    def end(self) -> None:
        """Tell no more."""
        self.ended = True
        self._arrived.set()

    def drop(self) -> None:
        """Break off: it is too slow."""
        self.end()
        self._cut()


class Broadcast:
    """Tells a programme to all listeners of one process. Used in one event loop."""

    def __init__(self, programme: Programme) -> None:
        self._programme = programme
        self._listeners: set[Listener] = set()
        self._pump: asyncio.Task[None] | None = None
        self._closed = False
        self.dropped = 0  # listeners who were too slow

    @property
    def listening(self) -> int:
        return len(self._listeners)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Handler: the programme, until the listener leaves."""
        if self._closed or len(self._listeners) >= LISTENERS_MAX:
            return web.Response(status=503, text="too many listen already\n", headers={"Retry-After": str(LATER_S)})
        listener = Listener(lambda: None if request.transport is None else request.transport.abort())
        self._join(listener)
        response = web.StreamResponse(headers=HEADERS)
        with contextlib.suppress(ConnectionError):  # it has left, or was cut off
            try:
                await response.prepare(request)
                while (frame := await listener.next()) is not None:
                    await response.write(frame)
            finally:
                self._leave(listener)
        return response

    async def close(self) -> None:
        """End all streams, so that a shutdown need not wait for people who watch."""
        self._closed = True
        for listener in list(self._listeners):
            listener.end()
        if self._pump is not None:
            self._pump.cancel()

    def _join(self, listener: Listener) -> None:
        for event in self._programme.opening():
            listener.give(event.frame())
        self._listeners.add(listener)
        if self._pump is None:
            self._programme.begin()
            self._pump = asyncio.create_task(self._run())
            self._pump.add_done_callback(self._stopped)

    def _leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        if not self._listeners and self._pump is not None:
            self._pump.cancel()
            self._pump = None

    async def _run(self) -> None:
        while True:
            for event in self._programme.news():
                self._tell(event.frame())
            await asyncio.sleep(PUMP_S)

    def _tell(self, frame: bytes) -> None:
        for listener in [one for one in self._listeners if not one.give(frame)]:
            self._leave(listener)
            self.dropped += 1
            listener.drop()

    def _stopped(self, pump: asyncio.Task[None]) -> None:
        if not pump.cancelled() and (error := pump.exception()) is not None:
            log.error("what the page shows live cannot be told", exc_info=error)
            self._pump = None
            for listener in list(self._listeners):
                listener.end()
