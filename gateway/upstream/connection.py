"""One socket to an upstream, carrying one exchange at a time.

              send                     whole answer, reusable
    idle ───────────────► busy ──────────────────────────────────► idle (back in its pool)
      │                     │
      │ EOF, bytes nobody   │ fault, limit, abort, `connection: close`
      ▼ asked for, age      ▼
     gone ◄───────────────────

Everything happens inside asyncio's callbacks: an answer costs no task, and one wake-up per wait of its reader. Limits
are looked at by the client's sweep (`check`), not by timers of their own.
"""

import asyncio
import select
from collections.abc import Callable
from typing import Protocol, cast

from msgspec.structs import replace

from gateway.core.failure import Failure, FailureKind
from gateway.upstream.answer import Exchange
from gateway.upstream.call import Limits
from gateway.upstream.resend import Socket, never_arrived
from gateway.upstream.response import ResponseReader, keep_alive_s
from gateway.upstream.turn import Turn

HIGH_WATER = 128 * 1024  # bytes waiting for a reader above which the socket is not read; one more read may add 256 KiB
DOUBT_S = 1.0  # idleness from which a close may cross the next request; asking the kernel costs a fifth of an exchange
LINGER_S = 1.0  # what a released answer has for its end, which as a rule is already under way


class Owner(Protocol):
    """The pool, as a connection sees it."""

    clock: Callable[[], float]
    acked: Callable[[Socket], int | None]
    turn: Turn

    def released(self, connection: "Connection") -> None:
        """The exchange is over and the connection may carry the next."""

    def unusable(self, connection: "Connection") -> None:
        """The connection will carry nothing more; it may still be closing."""

    def gone(self, connection: "Connection") -> None:
        """The connection is closed."""


class Connection(asyncio.Protocol):
    __slots__ = (
        "_acked", "_exchange", "_limits", "_owner", "_paused", "_quiet_since", "_reader", "_socket", "_stirred",
        "_transport", "_unread", "gone", "idle_since", "idle_until", "keep_s", "made_at", "served", "usable",
    )  # fmt: skip

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._reader = ResponseReader()
        self._exchange: Exchange | None = None
        self._unread = select.poll()
        self._acked: int | None = None  # by the peer, before the running exchange; None for a new connection
        self._stirred = False  # something came since the last sweep
        self._quiet_since = 0.0
        self._paused = False
        self.made_at = owner.clock()
        self.served = 0  # exchanges begun
        self.keep_s: float | None = None  # how long the server keeps it idle, where it says so
        self.idle_since = 0.0  # the owner's: since when it is idle, and until when it may be
        self.idle_until = 0.0
        self.usable = False  # may carry another exchange once idle
        self.gone = False  # closed

    # -- asyncio.Protocol -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # by its methods: uvloop's inherits from nothing
        self._socket: Socket = transport.get_extra_info("socket")
        self.usable = True
        self._unread.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            self.close_now()  # nobody asked: whatever it is, it must not become the answer to the next request
            return
        reader = self._reader
        reader.feed(data)
        self._stirred = True
        exchange.buffered += len(data)
        if exchange.head is None and reader.head is not None:
            exchange.head = reader.head
            exchange.timings = (*exchange.timings[:2], self._owner.clock())
        if reader.complete or reader.failure is not None:
            self._end(exchange)
        elif exchange.head is not None:
            if exchange.buffered > HIGH_WATER and not self._paused:
                self._paused = True
                self._transport.pause_reading()
            exchange.wake()

    def eof_received(self) -> None:
        """The transport closes itself afterwards."""
        self._reader.end()
        self._over("the upstream closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        self._over("the connection to the upstream broke" if exc else "the upstream closed the connection")
        self.gone = True
        self._owner.gone(self)

    # -- for pool and client ----------------------------------------------------------------------------------------

    def alive(self, now_s: float) -> bool:
        """Whether an idle connection can still be used, as far as can be known; sets the mark for `never_arrived`."""
        if not self.usable or self._transport.is_closing():
            return False
        # Asked of a connection in use a moment ago too: under load the loop comes to a goodbye only after the next
        # request, so a server that closes without announcing it would fail almost every time.
        if self._unread.poll(0):
            return False  # the peer's goodbye, or bytes that nobody asked for; the loop has not come to it yet
        doubtful = self.served and now_s - self.idle_since >= DOUBT_S
        self._acked = self._owner.acked(self._socket) if doubtful else None
        return True

    def send(self, request: tuple[bytes, ...], limits: Limits, connected_s: float) -> Exchange:
        """Begin an exchange; `alive` was asked just before."""
        reader = self._reader
        reader.start()
        self.served += 1
        self._stirred = False
        self._quiet_since = now_s = self._owner.clock()
        self._limits = limits
        exchange = Exchange(reader.pieces, self)
        exchange.timings = (connected_s, now_s, 0.0)
        self._exchange = exchange
        for piece in request:
            self._owner.turn.write(self._transport, piece)
        return exchange

    def check(self, now_s: float) -> None:
        """End the running exchange where one of its limits has run out."""
        exchange = self._exchange
        if exchange is None:
            return
        if exchange.head is not None and (self._stirred or self._paused):  # paused: the silence is ours
            self._stirred = False
            self._quiet_since = now_s
        failure = overdue(exchange, self._limits, now_s, now_s - self._quiet_since)
        if failure is not None:
            self.fail(failure)

    def fail(self, failure: Failure) -> None:
        """End the running exchange, if any, and the connection."""
        exchange = self._exchange
        self.close_now()
        if exchange is not None:
            exchange.finish(failure)

    def close(self) -> None:
        """Close an idle connection in order."""
        self._retire()
        self._transport.close()

    def close_now(self) -> None:
        """Drop the connection and the exchange on it; the peer sees it at once."""
        self._exchange = None
        self._retire()
        self._transport.abort()

    # -- for the exchange that runs (answer.Carrier) ----------------------------------------------------------------

    def stop(self) -> None:
        self.close_now()

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def linger(self) -> None:
        self._limits = replace(self._limits, total_at=self._owner.clock() + LINGER_S)
        self.resume()

    # ---------------------------------------------------------------------------------------------------------------

    def _end(self, exchange: Exchange) -> None:
        """The answer is whole or broken."""
        reader = self._reader
        self._exchange = None
        exchange.finish(reader.failure)
        if reader.failure is not None:
            self.close_now()
        elif self._transport.get_write_buffer_size():
            self.close_now()  # answered before the request was all there: the rest would be taken for the next one
        elif not reader.reusable:
            self.close()
        else:
            self.resume()
            assert reader.head is not None
            self.keep_s = keep_alive_s(reader.head.headers)
            self._owner.released(self)

    def _over(self, what: str) -> None:
        """The peer ended the connection."""
        self._retire()
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        reader = self._reader
        reader.cut(what)
        if exchange.head is None and not exchange.buffered and self._acked is not None:
            exchange.resendable = never_arrived(self._acked, self._owner.acked(self._socket))
        exchange.finish(reader.failure)

    def _retire(self) -> None:
        if self.usable:
            self.usable = False
            self._owner.unusable(self)


def overdue(exchange: Exchange, limits: Limits, now_s: float, quiet_s: float) -> Failure | None:
    """The limit that has run out, if any. `quiet_s`: since the last byte, before the head since the sending."""
    if limits.total_at is not None and now_s >= limits.total_at:
        return _failure(FailureKind.TOTAL_TIMEOUT, "the request's time ran out before the answer had ended", exchange)
    if exchange.head is None:
        if quiet_s >= limits.head_s:
            message = f"the upstream did not begin to answer within {limits.head_s:g} s"
            return _failure(FailureKind.ANSWER_TIMEOUT, message, exchange)
    elif quiet_s >= limits.idle_s:
        return _failure(FailureKind.IDLE_TIMEOUT, f"the answer fell silent for {limits.idle_s:g} s", exchange)
    return None


def _failure(kind: FailureKind, message: str, exchange: Exchange) -> Failure:
    return Failure(kind, message, status=None if exchange.head is None else exchange.head.status)
