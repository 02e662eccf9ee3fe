"""Is this the head of a hot request, and what does it say?

Hot is the plainest POST to a surface: HTTP/1.1, one `Content-Length`, one `Host`, no codings, no expectations, a head
within the limits. llhttp in its strict mode (httptools) judges the grammar: it refuses bare line feeds, folded lines,
two lengths, a length beside chunks, odd names and control characters. Whatever is not hot is for aiohttp to judge,
whether it is merely unusual or an attack; nothing is refused here. No I/O.
"""

import re
from collections.abc import Collection
from enum import Enum

import httptools

from gateway.core.value import Value

HEAD_LIMIT_BYTES = 64 * 1024  # twice what nginx and Node allow
HEADERS_LIMIT = 128  # aiohttp's own
REMEMBERED_BYTES = 2048  # of a connection's last head; browsers' cookies make longer ones, API clients do not
TRACE_BYTES = 55  # of a traceparent (W3C Trace Context, version 00)
DIGITS_LIMIT = 15  # of a remembered head's length, far below what llhttp refuses as an overflow

_UNUSUAL = frozenset({"content-encoding", "expect", "transfer-encoding", "upgrade"})
_ONCE = frozenset({"connection", "host"})  # of others the last one counts, as with aiohttp
_METHOD = b"POST "
_VERSION = b" HTTP/1.1"
_LENGTH = b"\r\ncontent-length:"
_TRACEPARENT = b"\r\ntraceparent: "
_TRACE = re.compile(rb"[0-9a-f-]{55}")


class HotHead(Value):
    """A head that the lane may answer."""

    path: bytes  # without the query
    headers: dict[str, str]  # names in lower case
    length: int  # bytes of the body
    size: int  # bytes of the head itself
    keep_alive: bool  # the client does not ask for the connection to be closed


class NotHot(Enum):
    """Why there is no hot head."""

    YET = "more bytes may make it one"
    EVER = "whatever follows"


class HeadReader:
    """The heads of one connection: those of all requests but the first are mostly recognised.

    A client repeats its head byte for byte, except for the digits of its length and, where it is part of a trace, for
    its place there. Where all other bytes are those of the last hot head, the grammar has been judged: only these
    values are read.
    """

    __slots__ = ("_after", "_before", "_last", "_paths", "_trace", "_trace_at")

    def __init__(self, paths: Collection[bytes]) -> None:
        self._paths = paths
        self._last: HotHead | None = None
        self._before = b""  # of the last head, up to the digits of its length
        self._after = b""  # what follows them
        self._trace = b""  # the value of its traceparent, if it has one such
        self._trace_at = 0  # where that stands: from the head's beginning if before the digits, else from its end

    def read(self, data: bytes) -> HotHead | NotHot:
        """As `read_head`."""
        last = self._last
        if last is not None:
            recognised = self._recognised(data, last)
            if recognised is None and self._trace:
                recognised = self._elsewhere_in_a_trace(data, last)
            if recognised is not None:
                return recognised
        found = read_head(data, self._paths)
        if isinstance(found, HotHead):
            self._remember(found, data[: found.size])
        return found

    def _recognised(self, data: bytes, last: HotHead) -> HotHead | None:
        """The last head again, with a length of its own."""
        if not data.startswith(self._before):
            return None
        begin = len(self._before)
        end = data.find(b"\r", begin, begin + DIGITS_LIMIT + 1)
        digits = data[begin:end]
        if end > begin and digits.isdigit() and data.startswith(self._after, end):
            headers = {**last.headers, "content-length": digits.decode("ascii")}
            return HotHead(last.path, headers, int(digits), end + len(self._after), last.keep_alive)
        return None

    def _elsewhere_in_a_trace(self, data: bytes, last: HotHead) -> HotHead | None:
        """The last head again, with a traceparent of its own, too."""
        size = data.find(b"\r\n\r\n", 0, REMEMBERED_BYTES + DIGITS_LIMIT) + 4
        at = self._trace_at if self._trace_at > 0 else size + self._trace_at
        value = data[max(at, 0) : at + TRACE_BYTES]
        if not _TRACE.fullmatch(value):
            return None
        found = self._recognised(data[:at] + self._trace + data[at + TRACE_BYTES : size], last)
        if found is not None:
            found.headers["traceparent"] = value.decode("ascii")
        return found

    def _remember(self, head: HotHead, raw: bytes) -> None:
        self._last, self._trace = None, b""
        if head.size > REMEMBERED_BYTES:
            return
        lower = raw.lower()
        end = raw.index(b"\r", lower.index(_LENGTH) + len(_LENGTH))
        begin = end - len(head.headers["content-length"])
        if not raw[begin:end].isdigit():  # spaces follow the digits
            return
        self._last, self._before, self._after = head, raw[:begin], raw[end:]
        at = lower.find(_TRACEPARENT) + len(_TRACEPARENT)
        value = raw[at : at + TRACE_BYTES]
        if lower.count(_TRACEPARENT) == 1 and _TRACE.fullmatch(value) and raw.startswith(b"\r", at + TRACE_BYTES):
            self._trace, self._trace_at = value, at if at < begin else at - len(raw)


def read_head(data: bytes, paths: Collection[bytes]) -> HotHead | NotHot:
    """The head at the beginning of `data`, for one of `paths`."""
    end = data.find(b"\r\n\r\n", 0, HEAD_LIMIT_BYTES)
    if end < 0:
        return NotHot.YET if len(data) < HEAD_LIMIT_BYTES and _may_become_hot(data, paths) else NotHot.EVER
    path = _path(data[: data.find(b"\r\n")])
    if path not in paths:
        return NotHot.EVER
    fields = _Fields()
    try:
        httptools.HttpRequestParser(fields).feed_data(data[: end + 4])
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return NotHot.EVER
    headers = fields.headers
    length = headers.get("content-length")
    if length is None or "host" not in headers or fields.unusual or not _UNUSUAL.isdisjoint(headers):
        return NotHot.EVER
    keep_alive = "close" not in headers.get("connection", "").lower()
    return HotHead(path, headers, int(length), end + 4, keep_alive)


class _Fields:
    """What llhttp finds."""

    __slots__ = ("_count", "headers", "unusual")

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.unusual = False
        self._count = 0

    def on_header(self, raw_name: bytes, value: bytes) -> None:
        name = raw_name.decode("ascii").lower()
        self._count += 1
        if self._count > HEADERS_LIMIT or (name in self.headers and name in _ONCE):
            self.unusual = True
        self.headers[name] = value.rstrip(b" \t").decode("utf-8", "surrogateescape")


def _path(line: bytes) -> bytes:
    """The path of a request line, empty where it is none of ours."""
    if not (line.startswith(_METHOD) and line.endswith(_VERSION)):
        return b""
    return line[len(_METHOD) : -len(_VERSION)].partition(b"?")[0]


def _may_become_hot(data: bytes, paths: Collection[bytes]) -> bool:
    """Whether an unfinished head is hot as far as it goes."""
    if data.count(b"\n") != data.count(b"\r\n"):
        return False  # llhttp would say so as well, but only at an end that need not come
    line, ended, _ = data.partition(b"\r\n")
    if ended:
        return _path(line) in paths
    target, queried, _ = line.partition(b"?")
    if queried:
        return target.startswith(_METHOD) and target[len(_METHOD) :] in paths
    return any((_METHOD + path + _VERSION + b"\r").startswith(line) for path in paths)
