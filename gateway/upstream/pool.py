"""The connections of one origin: which is used next, how many there are, and who waits for one.

A connection comes from the idle ones, the most recently used first; else the caller waits in a row, and whichever is
there first, a connection that becomes free or a new one, goes to the head of the row. There are as many connections
being made as there are callers waiting, within the limit.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from gateway.core.failure import AttemptError, Failure, FailureKind
from gateway.upstream.call import Limits, Origin
from gateway.upstream.connection import Connection
from gateway.upstream.dial import Dialer
from gateway.upstream.resend import Socket
from gateway.upstream.turn import Turn

CLOSING = Failure(FailureKind.INTERNAL, "the upstream client is closing")


@dataclass(frozen=True, slots=True)
class Rules:
    """How many connections one origin has, and how long they live."""

    max_connections: int = 4096
    idle_s: float = 30.0  # below the 60 to 75 s after which common servers close
    max_age_s: float = 300.0  # so that a changed name is followed


@dataclass(frozen=True, slots=True)
class OriginStats:
    idle: int
    busy: int
    connecting: int
    waiting: int
    opened: int  # connections so far
    reused: int  # exchanges so far on a connection that had carried one before


@dataclass(slots=True, eq=False)
class _Waiter:
    future: asyncio.Future[Connection]
    give_up_at: float
    failure: Failure

    def fail(self, error: BaseException) -> None:
        if not self.future.done():  # cancelled, and about to leave the row
            self.future.set_exception(error)


class Pool:
    def __init__(
        self, origin: Origin, dialer: Dialer, rules: Rules, clock: Callable[[], float],
        acked: Callable[[Socket], int | None],
    ) -> None:  # fmt: skip
        self.clock = clock
        self.acked = acked
        self.turn = Turn()
        self._origin = origin
        self._dialer = dialer
        self._rules = rules
        self._idle: dict[Connection, None] = {}  # as a set in order, the most recently used last
        self._busy: set[Connection] = set()
        self._open: set[Connection] = set()  # those above and those still closing
        self._dials: dict[asyncio.Task[Connection], float] = {}  # and when each is given up
        self._waiters: deque[_Waiter] = deque()
        self._closed: asyncio.Future[None] | None = None
        self._opened = 0
        self._reused = 0

    # -- for the client ---------------------------------------------------------------------------------------------

    def take(self) -> Connection | None:
        """An idle connection, if there is one that lives."""
        if not self._idle:
            return None
        now_s = self.clock()
        while self._idle:
            connection, _ = self._idle.popitem()
            if connection.alive(now_s):
                self._busy.add(connection)
                self._reused += 1
                return connection
            connection.close()
        return None

    async def wait(self, limits: Limits) -> Connection:
        """A connection as soon as there is one. Raises: AttemptError."""
        while True:
            connection = await self._wait(limits)
            if connection.alive(self.clock()):
                self._reused += connection.served > 0
                return connection
            self._drop(connection)
            if not connection.served:
                message = "the upstream closed the connection as soon as it was there"
                raise AttemptError(Failure(FailureKind.DISCONNECTED, message))

    def drop_idle(self) -> None:
        """Close all idle connections."""
        for connection in list(self._idle):
            connection.close()

    def sweep(self, now_s: float) -> bool:
        """Apply all limits; returns whether anything is left that has one."""
        for waiter in [waiter for waiter in self._waiters if now_s >= waiter.give_up_at]:
            self._waiters.remove(waiter)
            waiter.fail(AttemptError(self._explained(waiter.failure)))
        for dial in [dial for dial, give_up_at in self._dials.items() if now_s >= give_up_at]:
            dial.cancel()
        for connection in list(self._busy):
            connection.check(now_s)
        for connection in [connection for connection in self._idle if now_s >= connection.idle_until]:
            connection.close()
        return bool(self._waiters or self._dials or self._busy or self._idle)

    def stats(self) -> OriginStats:
        return OriginStats(
            idle=len(self._idle), busy=len(self._busy), connecting=len(self._dials), waiting=len(self._waiters),
            opened=self._opened, reused=self._reused,
        )  # fmt: skip

    async def close(self) -> None:
        """End everything; returns when all sockets are closed."""
        if self._closed is None:
            self._closed = asyncio.get_running_loop().create_future()
        for waiter in self._waiters:
            waiter.fail(AttemptError(CLOSING))
        self._waiters.clear()
        for dial in list(self._dials):
            dial.cancel()
        for connection in list(self._open):
            connection.fail(CLOSING)
        self._note_end()
        await self._closed

    # -- for connections --------------------------------------------------------------------------------------------

    def released(self, connection: Connection) -> None:
        now_s = self.clock()
        rules = self._rules
        idle_s = rules.idle_s if connection.keep_s is None else min(rules.idle_s, connection.keep_s)
        if idle_s <= 0 or now_s - connection.made_at >= rules.max_age_s:
            connection.close()
            return
        connection.idle_since = now_s
        connection.idle_until = now_s + idle_s
        self._offer(connection)

    def unusable(self, connection: Connection) -> None:
        self._idle.pop(connection, None)
        self._busy.discard(connection)
        self._dial_for_waiters()

    def gone(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._note_end()

    # ---------------------------------------------------------------------------------------------------------------

    async def _wait(self, limits: Limits) -> Connection:
        if self._closed is not None:
            raise AttemptError(CLOSING)
        loop = asyncio.get_running_loop()
        waiter = _waiter(loop.create_future(), limits, self.clock())
        self._waiters.append(waiter)
        self._dial_for_waiters()
        try:
            return await waiter.future
        except asyncio.CancelledError:
            self._left(waiter)
            raise

    def _left(self, waiter: _Waiter) -> None:
        """A waiter was cancelled; where it had just been given a connection, that goes to the next."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
            self._cancel_surplus()
        elif not waiter.future.cancelled() and waiter.future.exception() is None:
            connection = waiter.future.result()
            if connection.usable:
                self._offer(connection)
            else:
                self._drop(connection)

    def _offer(self, connection: Connection) -> None:
        """Give a free connection to the head of the row, else keep it."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.future.done():
                self._busy.add(connection)
                waiter.future.set_result(connection)
                return
        self._busy.discard(connection)
        self._idle[connection] = None

    def _drop(self, connection: Connection) -> None:
        """Close a connection that may have died before it came to be counted."""
        connection.close()
        self.unusable(connection)

    def _dial_for_waiters(self) -> None:
        while len(self._waiters) > len(self._dials):
            if len(self._idle) + len(self._busy) + len(self._dials) >= self._rules.max_connections:
                return
            give_up_at = self._waiters[len(self._dials)].give_up_at
            connecting = self._dialer.connect(self._origin, lambda: Connection(self), give_up_at)
            dial = asyncio.get_running_loop().create_task(connecting)
            self._dials[dial] = give_up_at
            dial.add_done_callback(self._dialed)

    def _dialed(self, dial: "asyncio.Task[Connection]") -> None:
        del self._dials[dial]
        if dial.cancelled():
            pass  # out of time or no longer wanted; waiters have limits of their own
        elif (error := dial.exception()) is not None:
            if len(self._waiters) > len(self._dials):
                self._waiters.popleft().fail(error)
        else:
            connection = dial.result()
            self._opened += 1
            if not connection.gone:  # counted from here: of a cancelled dial, uvloop closes the socket without a word
                self._open.add(connection)
            connection.idle_until = self.clock() + self._rules.idle_s
            if self._closed is not None:
                connection.close_now()
            elif connection.usable or self._waiters:
                self._offer(connection)
        self._dial_for_waiters()
        self._note_end()

    def _cancel_surplus(self) -> None:
        """Stop making connections that nobody waits for, the newest first."""
        surplus = len(self._dials) - len(self._waiters)
        for dial in list(self._dials)[::-1][: max(0, surplus)]:
            dial.cancel()

    def _explained(self, failure: Failure) -> Failure:
        if failure.kind is FailureKind.CONNECT_TIMEOUT and not self._dials:
            limit = self._rules.max_connections
            return Failure(failure.kind, f"no free connection to {self._origin}: all {limit} are busy")
        return failure

    def _note_end(self) -> None:
        closed = self._closed
        if closed is not None and not closed.done() and not self._open and not self._dials:
            closed.set_result(None)


def _waiter(future: "asyncio.Future[Connection]", limits: Limits, now_s: float) -> _Waiter:
    connect_at = now_s + limits.connect_s
    if limits.total_at is not None and limits.total_at < connect_at:
        message = "the request's time ran out before there was a connection"
        return _Waiter(future, limits.total_at, Failure(FailureKind.TOTAL_TIMEOUT, message))
    message = f"there was no connection within {limits.connect_s:g} s"
    return _Waiter(future, connect_at, Failure(FailureKind.CONNECT_TIMEOUT, message))
