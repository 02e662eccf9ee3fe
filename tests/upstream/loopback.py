"""Scripted servers on loopback, a clock moved by hand, and a client that uses both."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from gateway.core.failure import AttemptError, Failure
from gateway.upstream.call import Call, Limits, Origin
from gateway.upstream.client import Upstream

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

LIMITS = Limits(connect_s=5.0, head_s=20.0, idle_s=30.0, total_at=None)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@asynccontextmanager
async def serving(handle: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Origin]:
    """A server that runs `handle` for each connection; at the end everything it opened is closed."""
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await handle(reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls, limit=2**20)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Origin("https" if tls else "http", "localhost" if tls else "127.0.0.1", port)
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        for writer in writers:
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(5):  # aborted transports close in the loop's next turns
            await asyncio.sleep(0)


@asynccontextmanager
async def client(**options: Any) -> AsyncIterator[Upstream]:
    upstream = Upstream(**options)
    try:
        yield upstream
    finally:
        await upstream.close()


def replying(*pieces: bytes) -> Handler:
    """A handler that answers each request with `pieces`, each flushed by itself, and keeps the connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)

    return handle


def closing_after(*pieces: bytes) -> Handler:
    """A handler that answers one request with `pieces` and closes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.close()

    return handle


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One request with a Content-Length or none."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return head + await reader.readexactly(int(value))
    return head


def post(origin: Origin, body: bytes = b"{}", path: str = "/v1/chat/completions") -> Call:
    return Call(origin, "POST", path, (("authorization", "Bearer k"), ("content-type", "application/json")), body)


async def failure_of(attempt: Awaitable[object]) -> Failure:
    """The failure that an attempt ends with."""
    try:
        result = await attempt
    except AttemptError as error:
        return error.failure
    raise AssertionError(f"no failure but {result!r}")


async def until(condition: Callable[[], bool]) -> None:
    """Turn the loop until something that the kernel brings has come to pass."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to pass")
