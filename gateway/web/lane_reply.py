"""The bytes of an answer, and the walk's sink that writes them.

Owns status line, framing, `date` and `server`. Header values come from configuration and upstreams: what could end a
line early is taken out. Refuses to know how connections live; that is the lane's.
"""

import asyncio
from collections.abc import Sequence
from email.utils import formatdate
from functools import cache
from http import HTTPStatus
from typing import Protocol

from gateway.flow.ports import ClientGone

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
CLOSE = b"connection: close\r\n"
JOIN_LIMIT_BYTES = 64 * 1024  # larger bodies are not copied behind their head

_BREAKS = str.maketrans("\r\n\0", "   ")

Headers = Sequence[tuple[str, str]]


class Stamp:
    """The lines of every head that change once a second, or never. One per server."""

    __slots__ = ("_lines", "_second")

    def __init__(self) -> None:
        self._second = -1
        self._lines = b""

    def lines(self, epoch_s: float) -> bytes:
        second = int(epoch_s)
        if second != self._second:
            self._second = second
            self._lines = b"date: %b\r\nserver: pointsman\r\n" % formatdate(second, usegmt=True).encode("ascii")
        return self._lines


def head_bytes(status: int, headers: Headers, more: bytes) -> bytes:
    """A whole head. `more`: further lines, complete."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    if not (lines.count("\n") == lines.count("\r") == len(headers)) or "\0" in lines:
        lines = "".join([f"{name.translate(_BREAKS)}: {value.translate(_BREAKS)}\r\n" for name, value in headers])
    return b"%b%b%b\r\n" % (_status_line(status), lines.encode("utf-8", "replace"), more)


@cache
def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""  # an upstream may make up its own
    return f"HTTP/1.1 {status} {phrase}\r\n".encode("ascii")


class Wire(Protocol):
    """The connection, as the sink sees it."""

    transport: asyncio.Transport
    paused: bool  # the client is slower than the upstream
    gone: bool

    def send(self, data: bytes) -> None:
        """Write a whole answer, together with all others of this turn of the loop."""

    def cut(self) -> None:
        """Drop the connection."""

    def closes(self) -> bool:
        """Whether the connection ends with this answer, whose head is about to say so: it then does."""

    def common(self) -> bytes:
        """Lines of every head."""

    async def writable(self) -> None:
        """Wait until the client has read on; raises `ClientGone`."""


class LaneSink:
    """The reply of one request."""

    __slots__ = ("_wire", "begun")

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.begun = False  # a byte of the answer has been written

    def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer in one piece."""
        head = self._head(status, headers, b"content-length: %d\r\n" % len(body))
        if len(body) <= JOIN_LIMIT_BYTES:
            self._wire.send(head + body)
        else:
            self._wire.transport.writelines((head, body))

    async def head(self, status: int, headers: Headers) -> None:
        """Begin a stream."""
        self._wire.transport.write(self._head(status, headers, b"transfer-encoding: chunked\r\n"))

    async def chunk(self, data: bytes) -> None:
        """Write a piece; waits while the client is slower than the upstream."""
        wire = self._wire
        if wire.gone:
            raise ClientGone
        if data:  # an empty chunk would be the last
            wire.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        if wire.paused:
            await wire.writable()

    async def end(self) -> None:
        self._wire.transport.write(LAST_CHUNK)

    def abort(self) -> None:
        """Cut the connection, so that the client sees that something is missing."""
        self._wire.cut()

    def _head(self, status: int, headers: Headers, framing: bytes) -> bytes:
        wire = self._wire
        if wire.gone:
            raise ClientGone
        self.begun = True
        more = framing + wire.common()
        return head_bytes(status, headers, more + CLOSE if wire.closes() else more)
