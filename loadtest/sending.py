"""Puts answers on the wire at a vendor's pace, and breaks them off where a fault says so.

Owns waiting, writing and breaking; knows neither wire formats nor bills. What was delivered is counted in a
`Meter`, which stays right when the client leaves in the middle.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from aiohttp import web

from loadtest.faults import Break, BreakKind, Fault
from loadtest.vendors import Vendor
from loadtest.wire import Frame, FrameKind

Sleep = Callable[[float], Awaitable[object]]

_KEEPALIVE_S = 0.1  # often enough that a test or a demo sees several
_FOREVER_S = 3_600.0  # longer than any client waits
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER of zero seconds: close() sends RST


@dataclass(frozen=True, slots=True)
class Pace:
    """Waits of one answer, in seconds; all zero at unlimited speed."""

    first_byte_s: float = 0.0  # before the head
    first_token_s: float = 0.0  # from the head to the first content
    token_s: float = 0.0


def pace_of(vendor: Vendor, fault: Fault, speed: float | None) -> Pace:
    """The vendor's pace, `speed` times as fast (`None`: no waiting), with the waits that the fault adds unscaled."""
    delay_s = (fault.delay_first_byte_ms or 0.0) / 1000
    ttft_s = 0.0 if speed is None else vendor.ttft_ms / 1000 / speed
    token_s = 0.0 if speed is None else 1 / vendor.tokens_per_s / speed
    if fault.tokens_per_s is not None:
        token_s = 1 / fault.tokens_per_s
    return Pace(first_byte_s=delay_s + ttft_s / 2, first_token_s=ttft_s / 2, token_s=token_s)


@dataclass(slots=True)
class Meter:
    """What the client was sent of one answer."""

    events: int = 0  # content events
    tokens: int = 0


class Sender:
    """Sends one response to one request."""

    def __init__(self, request: web.Request, pace: Pace, sleep: Sleep, *, segments_of_one_byte: bool = False) -> None:
        self._request = request
        self._pace = pace
        self._sleep = sleep
        self._step = 1 if segments_of_one_byte else None

    async def whole(self, body: bytes, tokens: int, broken: Break | None, meter: Meter) -> web.StreamResponse:
        """A whole JSON reply of `tokens` output tokens; a break happens in the middle of its bytes."""
        await self._wait(self._pace.first_byte_s + self._pace.first_token_s + self._pace.token_s * tokens)
        response = web.StreamResponse(headers={"content-type": "application/json"})
        response.content_length = len(body)
        await response.prepare(self._request)
        if broken is not None:
            await self._write(response, body[: len(body) // 2])
            return await self._break(response, broken, b"", ())
        meter.tokens = tokens
        meter.events = 1
        await self._write(response, body)
        return response

    async def stream(
        self, frames: Iterable[Frame], broken: Break | None, meter: Meter, error: bytes, keepalives: tuple[bytes, ...]
    ) -> web.StreamResponse:
        """A stream of events; `error` and `keepalives` are what the wire format sends when it breaks that way."""
        await self._wait(self._pace.first_byte_s)
        response = web.StreamResponse(
            headers={"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        )
        await response.prepare(self._request)
        for frame in frames:
            if broken is not None and frame.kind is not FrameKind.META and meter.events >= broken.after_events:
                return await self._break(response, broken, error, keepalives)
            if frame.kind is FrameKind.CONTENT:
                waits = self._pace.token_s * frame.tokens if meter.events else self._pace.first_token_s
                await self._wait(waits)
            await self._write(response, frame.data)
            if frame.kind is FrameKind.CONTENT:
                meter.events += 1
                meter.tokens += frame.tokens
        return response

    async def _break(
        self, response: web.StreamResponse, broken: Break, error: bytes, keepalives: tuple[bytes, ...]
    ) -> web.StreamResponse:
        match broken.kind:
            case BreakKind.STALL:
                await self._sleep(_FOREVER_S)
            case BreakKind.DROP:
                reset(self._request)
            case BreakKind.TRUNCATE:
                close_if_short(self._request, response)
            case BreakKind.ERROR:
                await self._write(response, error)
            case BreakKind.KEEPALIVE:
                while True:
                    for line in keepalives:
                        await self._write(response, line)
                        await self._sleep(_KEEPALIVE_S)
        return response

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            await self._sleep(seconds)

    async def _write(self, response: web.StreamResponse, data: bytes) -> None:
        if self._step is None:
            await response.write(data)
            return
        for at in range(0, len(data), self._step):
            await response.write(data[at : at + self._step])
            await asyncio.sleep(0)


def reset(request: web.Request) -> None:
    """Ends the connection with a TCP reset."""
    transport = request.transport
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


def close_if_short(request: web.Request, response: web.StreamResponse) -> None:
    """Ends a reply whose content-length promised more; a chunked stream just ends, one event too early."""
    if response.content_length is not None and request.transport is not None:
        request.transport.close()
