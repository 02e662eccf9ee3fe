"""Server-sent events, incrementally (WHATWG HTML, "Interpreting an event stream").

Knows nothing of what the data means. Works on bytes, so UTF-8 may be split anywhere; an event is whole or not there.
Comments, `id:` and `retry:` are dropped.
"""

from gateway.core.failure import Failure, FailureKind
from gateway.core.value import Value

MAX_EVENT_BYTES = 4 * 1024 * 1024  # the largest real event seen is a base64 image of about 2 MB
BOM = b"\xef\xbb\xbf"
_TOO_LONG = Failure(FailureKind.MALFORMED, "An event of the stream is longer than the limit.")


class SseEvent(Value):
    name: bytes  # b"" where the stream gave none
    data: bytes


class SseDecoder:
    """Bytes in any portions to events. `too_long` is set when an event exceeds the limit; then it stays silent."""

    __slots__ = ("_after_cr", "_data", "_fresh", "_limit", "_name", "_pieces", "_size", "too_long")

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self.too_long = False
        self._limit = limit
        self._pieces: list[bytes] = []  # of a line without its end
        self._size = 0  # bytes held: pieces and data lines
        self._data: list[bytes] = []
        self._name = b""
        self._fresh = True  # no line seen yet: a byte order mark may come
        self._after_cr = False  # the last byte was CR and ended a line; a LF now belongs to it

    @property
    def fault(self) -> Failure | None:
        return _TOO_LONG if self.too_long else None

    def feed(self, data: bytes) -> list[SseEvent]:
        if self._fresh or self._size or self._name or self._after_cr or data[-2:] != b"\n\n" or b"\r" in data:
            return self._lines(data)
        events: list[SseEvent] = []  # the usual case: whole events, LF only
        for block in data[:-2].split(b"\n\n"):
            if block[:6] == b"data: " and block.find(b"\n", 6) < 0:
                events.append(SseEvent(b"", block[6:]))
                continue
            cut = block.find(b"\n", 7)
            if block[:7] == b"event: " and block[cut : cut + 7] == b"\ndata: " and block.find(b"\n", cut + 7) < 0:
                events.append(SseEvent(block[7:cut], block[cut + 7 :]))
            else:
                for line in block.split(b"\n"):
                    self._line(line, events)
                self._dispatch(events)
        return events

    def end(self) -> list[SseEvent]:
        """The stream closed: an event that lacks only its blank line is taken, since some servers forget it."""
        events: list[SseEvent] = []
        line = b"".join(self._pieces)
        if line:
            self._line(line, events)
        self._dispatch(events)
        return [] if self.too_long else events

    def _lines(self, data: bytes) -> list[SseEvent]:
        events: list[SseEvent] = []
        if self.too_long or not data:
            return events
        if self._after_cr and data[:1] == b"\n":
            data = data[1:]
        self._after_cr = data[-1:] == b"\r"
        if b"\n" in data or b"\r" in data:
            lines = (b"".join(self._pieces) + data).splitlines()
            self._size -= sum(map(len, self._pieces))
            self._pieces = [] if data[-1:] in (b"\n", b"\r") else [lines.pop()]
            self._size += sum(map(len, self._pieces))
            for line in lines:
                self._line(line, events)
        elif data:
            self._pieces.append(data)
            self._size += len(data)
        if self._size > self._limit:
            self.too_long = True
        return events

    def _line(self, line: bytes, events: list[SseEvent]) -> None:
        if self._fresh:
            self._fresh = False
            line = line.removeprefix(BOM)
        if not line:
            self._dispatch(events)
            return
        field, _, value = line.partition(b":")
        if field == b"data":
            value = value[1:] if value[:1] == b" " else value
            self._data.append(value)
            self._size += len(value) + 1
            if self._size > self._limit:
                self.too_long = True
        elif field == b"event":
            self._name = value[1:] if value[:1] == b" " else value

    def _dispatch(self, events: list[SseEvent]) -> None:
        if self._data and not self.too_long:
            events.append(SseEvent(self._name, b"\n".join(self._data)))
        self._size -= sum(map(len, self._data)) + len(self._data)
        self._data = []
        self._name = b""


def encode(data: bytes, name: bytes = b"") -> bytes:
    """One event; `data` is a single line, as JSON from orjson is."""
    if name:
        return b"event: " + name + b"\ndata: " + data + b"\n\n"
    return b"data: " + data + b"\n\n"
