"""A closed-loop load generator for machines without wrk: `python -m loadtest.bench.own_load`.

Each connection sends the next body as soon as the last reply has ended. Runs until SIGINT or SIGTERM, then prints one
line of JSON. A connection that is lost counts as an error and is not opened again.
"""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httptools
import orjson
import uvloop

from loadtest.fleet import stop_signal


@dataclass(slots=True)
class Tally:
    """`requests` whose reply has ended, those `not_2xx` among them, and connections that failed (`errors`)."""

    requests: int = 0
    not_2xx: int = 0
    errors: int = 0


class Caller(asyncio.Protocol):
    """One connection; the callbacks named `on_*` are the parser's."""

    def __init__(self, tally: Tally, requests: Sequence[bytes]) -> None:
        self._tally = tally
        self._requests = cycle(requests)
        self._parser: Any = None  # httptools publishes no types

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._tally.errors += 1

    def close(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.abort()
            return
        if self._ended:
            self._send()

    def on_message_complete(self) -> None:
        self._tally.requests += 1
        if not 200 <= self._parser.get_status_code() < 300:
            self._tally.not_2xx += 1
        self._ended = True

    def _send(self) -> None:
        self._ended = False
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(next(self._requests))


def request_bytes(url: str, key: str, body: bytes) -> bytes:
    """A whole POST."""
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {key}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def rotated(requests: Sequence[bytes], places: int) -> list[bytes]:
    """Beginning elsewhere, so that the connections do not all send the same one."""
    start = places % len(requests)
    return [*requests[start:], *requests[:start]]


async def call(url: str, requests: Sequence[bytes], connections: int, stopped: asyncio.Event) -> Tally:
    """Loads the server until `stopped`."""
    loop = asyncio.get_running_loop()
    tally = Tally()
    parts = urlsplit(url)
    callers = []
    for number in range(connections):
        caller = Caller(tally, rotated(requests, number))
        try:
            await loop.create_connection(partial(_given, caller), str(parts.hostname), int(parts.port or 80))
            callers.append(caller)
        except OSError:
            tally.errors += 1
    await stopped.wait()
    result = replace(tally)  # before the connections are lost that are closed here
    for caller in callers:
        caller.close()
    return result


def _given(caller: Caller) -> Caller:
    return caller


async def _main(arguments: argparse.Namespace) -> None:
    stopped = stop_signal()
    bodies = orjson.loads(arguments.bodies.read_bytes())
    requests = [request_bytes(arguments.url, arguments.key, orjson.dumps(body)) for body in bodies]
    tally = await call(arguments.url, requests, arguments.connections, stopped)
    print(orjson.dumps(asdict(tally)).decode(), flush=True)


def main() -> None:
    options = argparse.ArgumentParser(prog="loadtest.bench.own_load", description=__doc__)
    options.add_argument("--url", required=True)
    options.add_argument("--key", required=True)
    options.add_argument("--bodies", type=Path, required=True, help="a JSON list of request bodies")
    options.add_argument("--connections", type=int, required=True)
    uvloop.run(_main(options.parse_args()))


if __name__ == "__main__":
    main()
