"""The upstream's process: `python -m loadtest.bench.upstream`. As light as Python allows, since it shares its core.

Prints one line of JSON (its port), then serves until SIGTERM or until its standard input ends. It trusts its clients:
POST bodies with Content-Length, one request at a time per connection. It is the collector of spans, too.
Control: `PUT /_pace` (a `Pace` as JSON) sets what the next streams are; `GET /_counts` tells what has been answered.
"""

import asyncio
from dataclasses import asdict, dataclass
from typing import cast

import msgspec
import orjson
import uvloop

from loadtest.bench.canned import Pace, Write, json_answer, stream, whole_reply
from loadtest.fleet import stop_signal, until_told_to_stop

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_TAKEN = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n"
_GOLDEN = 0.618034  # its multiples, modulo 1, spread evenly however many there are


@dataclass(slots=True)
class Counts:
    """`finished` replies, `events` written, streams `open` now, and streams whose client left (`aborted`)."""

    finished: int = 0
    events: int = 0
    open: int = 0
    aborted: int = 0


class Canned:
    """What every connection answers with, and what has been answered."""

    def __init__(self, pace: Pace) -> None:
        self.counts = Counts()
        self.reply = whole_reply()
        self.set_pace(pace)

    def set_pace(self, pace: Pace) -> None:
        self.writes: list[Write] = stream(pace)
        self.gap_s = pace.gap_ms / 1000
        self._streams = 0

    def next_offset_s(self) -> float:
        """When within a gap the next stream begins: streams in step would reach a server as one batch."""
        self._streams += 1
        return self._streams * _GOLDEN % 1.0 * self.gap_s


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, canned: Canned, loop: asyncio.AbstractEventLoop) -> None:
        self._canned = canned
        self._loop = loop
        self._buffer = b""
        self._next_write: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so

    def connection_lost(self, exc: Exception | None) -> None:
        if self._next_write is not None:
            self._next_write.cancel()
            self._canned.counts.open -= 1
            self._canned.counts.aborted += 1

    def data_received(self, data: bytes) -> None:
        self._buffer = data = self._buffer + data
        end = data.find(_END)
        if end < 0:
            return
        head = data[:end].lower()
        at = head.find(_LENGTH)
        body_at = end + len(_END)
        if at >= 0 and len(data) - body_at < int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0]):
            return
        self._buffer = b""
        if head.startswith(b"post /v1/traces"):
            self._transport.write(_TAKEN)
        elif head.startswith(b"post /v1/"):
            self._answer(data)
        else:
            self._transport.write(json_answer(self._control(head, data[body_at:])))

    def _answer(self, request: bytes) -> None:
        if b'"stream":true' not in request:
            self._transport.write(self._canned.reply)
            self._canned.counts.finished += 1
            return
        self._canned.counts.open += 1
        self._writes = self._canned.writes
        self._at = 0
        self._due_s = self._loop.time() + self._canned.next_offset_s()
        self._next_write = self._loop.call_at(self._due_s, self._write)

    def _write(self) -> None:
        write = self._writes[self._at]
        self._transport.write(write.data)
        counts = self._canned.counts
        counts.events += write.events
        self._at += 1
        if self._at < len(self._writes):
            self._due_s += self._canned.gap_s
            self._next_write = self._loop.call_at(self._due_s, self._write)
            return
        self._next_write = None
        counts.open -= 1
        counts.finished += 1

    def _control(self, head: bytes, body: bytes) -> dict[str, int]:
        if head.startswith(b"put /_pace"):
            self._canned.set_pace(msgspec.json.decode(body, type=Pace))
        return asdict(self._canned.counts)


async def _serve() -> None:
    stopped = stop_signal()
    loop = asyncio.get_running_loop()
    canned = Canned(Pace(200, 1, 5.0))
    server = await loop.create_server(lambda: Connection(canned, loop), "127.0.0.1", 0, backlog=4096)
    print(orjson.dumps({"port": server.sockets[0].getsockname()[1]}).decode(), flush=True)
    await until_told_to_stop(stopped)
    server.close()


if __name__ == "__main__":
    uvloop.run(_serve())
