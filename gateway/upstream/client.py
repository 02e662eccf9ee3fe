"""The client: all origins, and the one timer that watches every limit.

A request on an idle connection costs no task and no timer: it writes, waits for one future, and reads what the
connection's callbacks have put down. A single sweep, which runs only while there is something to watch, looks at all
limits ten times a second, so a limit is kept to a tenth of a second.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from time import monotonic

from gateway.core.failure import AttemptError
from gateway.upstream.answer import Answer, Exchange
from gateway.upstream.call import Call, Limits, Origin
from gateway.upstream.dial import Dialer, NameCache, Resolver, system_resolver
from gateway.upstream.pool import CLOSING, OriginStats, Pool, Rules
from gateway.upstream.resend import Socket, acked_bytes
from gateway.upstream.wire import Requests

__all__ = ["Answer", "Call", "Limits", "Origin", "OriginStats", "Rules", "Upstream"]

SWEEP_S = 0.1
NAME_TTL_S = 10.0  # names are asked for again for connections made later than this


class Upstream:
    """Sends calls. Belongs to the event loop in which it is first used."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = monotonic,
        resolver: Resolver = system_resolver,
        ssl_context: ssl.SSLContext | None = None,
        rules: Rules | None = None,
        acked: Callable[[Socket], int | None] = acked_bytes,
    ) -> None:
        """
        Args:
            clock: what `Limits.total_at` is an instant of; the default counts as asyncio's and uvloop's `time()` do.
            ssl_context: None for the system's certificates, read when the first TLS connection is made.
            rules: None for the defaults of `Rules`.
            acked: how many bytes the peer of a socket has acknowledged, where the kernel says so.
        """
        self._clock = clock
        self._acked = acked
        self._rules = rules or Rules()
        self._dialer = Dialer(NameCache(resolver, clock, NAME_TTL_S), clock, ssl_context)
        self._requests = Requests()
        self._pools: dict[Origin, Pool] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def open(self, call: Call, limits: Limits) -> Answer:
        """Send a call and wait for the head of its answer.

        Cancelling drops the connection at once. Raises: AttemptError; what came of the body by then is lost.
        """
        request = self._requests.render(call)
        pool = self._pools.get(call.origin) or self._add_pool(call.origin)
        if self._timer is None:
            self._arm()
        exchange = await self._exchange(pool, request, limits)
        if exchange.resendable:
            pool.drop_idle()  # closed by the same hand, as like as not
            exchange = await self._exchange(pool, request, limits)
        if exchange.head is None:
            assert exchange.failure is not None
            raise AttemptError(exchange.failure)
        return Answer(exchange.head, exchange)

    def sweep(self) -> None:
        """Apply all limits; the timer's work, for whoever moves the clock by hand."""
        now_s = self._clock()
        for pool in self._pools.values():
            pool.sweep(now_s)

    def stats(self) -> Mapping[Origin, OriginStats]:
        return {origin: pool.stats() for origin, pool in self._pools.items()}

    async def close(self) -> None:
        """End everything that runs (as INTERNAL) and return when all sockets are closed."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._dialer.close()
        for pool in self._pools.values():
            await pool.close()

    async def _exchange(self, pool: Pool, request: tuple[bytes, ...], limits: Limits) -> Exchange:
        connection = pool.take() or await pool.wait(limits)
        exchange = connection.send(request, limits, self._clock())
        while exchange.head is None and not exchange.over:
            await exchange.news()
        return exchange

    def _add_pool(self, origin: Origin) -> Pool:
        pool = Pool(origin, self._dialer, self._rules, self._clock, self._acked)
        self._pools[origin] = pool
        return pool

    def _arm(self) -> None:
        if self._closed:
            raise AttemptError(CLOSING)
        self._timer = asyncio.get_running_loop().call_later(SWEEP_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now_s = self._clock()
        left = [pool.sweep(now_s) for pool in self._pools.values()]
        if any(left):
            self._arm()
