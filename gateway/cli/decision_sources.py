"""Where decision records come from: a file of JSON lines that may be growing, standard input, a gateway's admin port.

Each source tells the newest first (`newest`), then what comes (`coming`, which ends only where the source does).
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import quote

import orjson

from gateway.cli.local_http import Unreachable, get, listen

LOOK_S = 0.2  # between looks at a file that has not grown
RETRY_S = 2.0  # until a gateway that went away is asked again
BLOCK_BYTES = 256 * 1024
LISTED = 500  # asked of a gateway at once; it keeps no more
SEEN = 2_000  # ids remembered, so that a decision that is both listed and told live is printed once

Row = Mapping[str, Any]


class NoRecords(Exception):
    """There is nothing to read; the message says why."""


class Source(Protocol):
    def newest(self) -> Iterator[Row]:
        """What there is already, the newest first."""

    def coming(self) -> Iterator[Row]:
        """What comes after that, as it comes."""

    def find(self, name: str) -> Row | None:
        """The decision of this id."""

    def close(self) -> None: ...


def row_of(line: bytes) -> Row | None:
    """A line as a record; None where it is something else, as log lines between them are."""
    if not line.startswith(b"{"):
        return None
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) and ("outcome" in row or row.get("type") == "feedback") else None


class RecordFile:
    """A file that grows, is truncated, or is moved away for a new one of the same name (logrotate)."""

    def __init__(self, path: Path, pause: Callable[[], None] = lambda: time.sleep(LOOK_S)) -> None:
        """Raises `NoRecords`."""
        self._path = path
        self._pause = pause
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise NoRecords(f"{path} cannot be read: {error.strerror}") from None
        self._end = self._file.seek(0, os.SEEK_END)

    def newest(self) -> Iterator[Row]:
        for line in lines_backwards(self._file, self._end):
            row = row_of(line)
            if row is not None:
                yield row

    def coming(self) -> Iterator[Row]:
        begun = b""
        self._file.seek(self._whole_end())
        while True:
            line = self._file.readline()
            if not line:
                self._pause()
                if self._replaced():
                    begun = b""
                continue
            begun += line
            if begun.endswith(b"\n"):
                row, begun = row_of(begun), b""
                if row is not None:
                    yield row

    def find(self, name: str) -> Row | None:
        wanted = name.encode()
        for line in lines_backwards(self._file, self._end):
            row = row_of(line) if wanted in line else None
            if row is not None and row.get("id") == name:
                return row
        return None

    def close(self) -> None:
        self._file.close()

    def _whole_end(self) -> int:
        """Where the last line that was whole when the file was opened ends."""
        last = next(lines_backwards(self._file, self._end), b"")
        return self._end if not last or last.endswith(b"\n") else self._end - len(last)

    def _replaced(self) -> bool:
        """Begin anew where the file was truncated or another has its name. The old one has been read to its end."""
        try:
            there = self._path.stat()
        except OSError:
            return False  # moved away, and the new one is not there yet
        own = os.fstat(self._file.fileno())
        if (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino):
            if own.st_size >= self._file.tell():
                return False
            self._file.seek(0)
            return True
        self._file.close()
        self._file = self._path.open("rb")
        return True


def lines_backwards(file: BinaryIO, end: int) -> Iterator[bytes]:
    """The lines before byte `end`, the last first, each with its line break; the very last may have none."""
    rest = b""
    while end > 0:
        start = max(0, end - BLOCK_BYTES)
        file.seek(start)
        lines = (file.read(end - start) + rest).splitlines(keepends=True)
        rest = lines.pop(0) if start else b""
        yield from reversed(lines)
        end = start


class Pipe:
    """Standard input: `kubectl logs -f … | pointsman decisions tail -`."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def newest(self) -> Iterator[Row]:
        return iter(())

    def coming(self) -> Iterator[Row]:
        for line in self._stream:
            row = row_of(line)
            if row is not None:
                yield row

    def find(self, name: str) -> Row | None:
        return next((row for row in self.coming() if row.get("id") == name), None)

    def close(self) -> None:
        """It was there before us."""


class AdminPort:
    """A gateway that runs. It keeps its last decisions, and tells at most some fifty a second live."""

    def __init__(self, url: str, lost: Callable[[str], None], pause: Callable[[], None]) -> None:
        """`lost` is told why the gateway went away; `pause` waits before it is asked again."""
        self._url = url.rstrip("/")
        self._lost = lost
        self._pause = pause
        self._seen: deque[object] = deque(maxlen=SEEN)

    def newest(self) -> Iterator[Row]:
        """Raises `Unreachable`, `NoRecords`."""
        rows = list(self._listed())
        self._seen.extend(row.get("id") for row in reversed(rows))
        return iter(rows)

    def coming(self) -> Iterator[Row]:
        """Goes on after the gateway was away; `newest` is called first."""
        while True:
            try:
                yield from self._session()
            except Unreachable as error:
                self._lost(str(error))
            self._pause()

    def find(self, name: str) -> Row | None:
        reply = get(f"{self._url}/api/decisions/{quote(name, safe='')}")
        row = reply.json() if reply.status == 200 else None
        return row if isinstance(row, dict) else None

    def close(self) -> None:
        """Each exchange has a connection of its own."""

    def _session(self) -> Iterator[Row]:
        """One connection: listening begins before the list is read, so that nothing falls between them."""
        for number, (event, data) in enumerate(listen(f"{self._url}/api/stream")):
            if number == 0:
                yield from self._new(reversed(list(self._listed())))
            if event == "decision":
                row = row_of(data)
                yield from self._new(() if row is None else (row,))

    def _new(self, rows: Any) -> Iterator[Row]:
        for row in rows:
            if row.get("id") not in self._seen:
                self._seen.append(row.get("id"))
                yield row

    def _listed(self) -> Iterator[Row]:
        """The newest first."""
        reply = get(f"{self._url}/api/decisions?limit={LISTED}")
        told = reply.json()
        rows = told.get("decisions") if isinstance(told, dict) else told
        if reply.status != 200 or not isinstance(rows, list):
            raise NoRecords(f"{self._url} lists no decisions (status {reply.status}); is this a gateway's admin port?")
        return (row for row in rows if isinstance(row, dict))
