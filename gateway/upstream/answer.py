"""An answer as its reader sees it: a head, then pieces, then the end or a failure.

Whoever gets one reads it to its end, or calls `abort` or `release`; until then it occupies a connection. What has
arrived can always be read, also when the rest never came. There is one reader at a time.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, Protocol

from gateway.core.failure import AttemptError, Failure, FailureKind
from gateway.upstream.decode import Decoder, decoder_for
from gateway.upstream.response import Head

ABORTED = Failure(FailureKind.CANCELLED, "the answer was abandoned by its reader")


@dataclass(frozen=True, slots=True)
class Timings:
    """Instants on the client's clock."""

    connected_s: float  # a connection was there
    sent_s: float  # the request was handed to it
    head_s: float  # the head was read


class Carrier(Protocol):
    """The connection, as far as a running exchange may command it."""

    def stop(self) -> None:
        """Drop the connection."""

    def resume(self) -> None:
        """Read on, where reading was paused."""

    def linger(self) -> None:
        """Allow the rest of the answer a moment, and no more."""


class Exchange:
    """What connection and reader share about one request: the connection puts in, the reader takes out."""

    __slots__ = ("_carrier", "_waiter", "buffered", "failure", "head", "over", "pieces", "resendable", "timings")

    def __init__(self, pieces: list[bytes], carrier: Carrier) -> None:
        self._carrier = carrier
        self.pieces = pieces
        self.head: Head | None = None
        self.buffered = 0  # bytes read and not taken; the framing counts too
        self.over = False  # nothing more will come
        self.failure: Failure | None = None  # why it is over, where that was not the end of the answer
        self.resendable = False  # the request provably never arrived
        self.timings = (0.0, 0.0, 0.0)
        self._waiter: asyncio.Future[None] | None = None

    def finish(self, failure: Failure | None) -> None:
        """Nothing more will come."""
        self.over = True
        self.failure = failure
        self.wake()

    def abort(self) -> None:
        """Drop the connection, and what it brought."""
        if not self.over:
            self._carrier.stop()
            self.finish(ABORTED)
        self.pieces.clear()

    def release(self) -> None:
        """Forget what came; what is yet to come only decides whether the connection can be used again."""
        self.pieces.clear()
        self.buffered = 0
        if not self.over:
            self._carrier.linger()

    def wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def news(self) -> None:
        """Wait until something came. Whoever is cancelled here no longer wants the answer."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            self.abort()
            raise
        finally:
            self._waiter = None

    async def received(self) -> bytes:
        """What has come of the body; b"" at its end. Raises: AttemptError."""
        pieces = self.pieces
        while not pieces:
            if self.over:
                if self.failure is not None:
                    raise AttemptError(self.failure)
                return b""
            await self.news()
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self.buffered = 0
        if not self.over:
            self._carrier.resume()
        return data


class Answer:
    """An answer whose head has arrived."""

    __slots__ = ("_decoder", "_exchange", "head")

    def __init__(self, head: Head, exchange: Exchange) -> None:
        self.head = head
        self._exchange = exchange
        # Built when the body is read, so that the status stays readable whatever the body is.
        self._decoder: Decoder | None = None

    @property
    def timings(self) -> Timings:
        return Timings(*self._exchange.timings)

    def chunk(self) -> Coroutine[Any, Any, bytes]:
        """What has come of the body since the last call, at least one byte; b"" at the end.

        Raises: AttemptError (TRUNCATED, IDLE_TIMEOUT, TOTAL_TIMEOUT, MALFORMED; CANCELLED after `abort`).
        """
        return self._decoded() if "content-encoding" in self.head.headers else self._exchange.received()

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises: AttemptError as `chunk`, and MALFORMED where it is longer than `limit` bytes."""
        parts: list[bytes] = []
        size = 0
        while part := await self.chunk():
            size += len(part)
            if size > limit:
                self.abort()
                message = f"the answer is longer than {limit} bytes"
                raise AttemptError(Failure(FailureKind.MALFORMED, message, status=self.head.status))
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def abort(self) -> None:
        """Drop the answer at once; the upstream sees its connection closed. Without effect after the end."""
        self._exchange.abort()

    def release(self) -> None:
        """The reader has all it needs and reads no more, as after a stream's last event.

        Unlike `abort` it leaves the upstream a moment to end its bytes, so that the connection can be used again.
        """
        self._exchange.release()

    async def _decoded(self) -> bytes:
        try:
            if self._decoder is None:
                self._decoder = decoder_for(self.head.headers)
            decoder = self._decoder
            if decoder is None:
                return await self._exchange.received()
            while not (data := decoder.more()):
                received = await self._exchange.received()
                if not received:
                    decoder.finish()
                    return b""
                decoder.feed(received)
            return data
        except AttemptError as error:
            self.abort()
            raise AttemptError(replace(error.failure, status=self.head.status)) from None
