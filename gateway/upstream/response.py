"""From bytes to one HTTP/1.1 answer after another, without any I/O.

Owns framing and its limits. The parser is llhttp in its strict mode (httptools): it refuses bare line feeds, folded
headers, two lengths, a length beside chunks. What it lets pass and a client must not is refused here: other transfer
codings, switched protocols, endless heads and trailers, a second answer that nobody asked for.
"""

from collections.abc import Mapping

import httptools

from gateway.core.failure import Failure, FailureKind
from gateway.core.value import Value

HEAD_LIMIT = 64 * 1024  # bytes of a head with all interim ones before it; twice what nginx and Node allow
HEADERS_LIMIT = 256  # of the head and the trailers together

# Headers in which a value that is overlooked would change how the answer is read; of others the last one counts.
_JOINED = frozenset({"connection", "content-encoding", "keep-alive", "transfer-encoding"})
_BODILESS = frozenset({204, 304})


class Head(Value):
    status: int
    headers: Mapping[str, str]  # names in lower case


class _RefusedError(Exception):
    """Raised inside the parser's callbacks to stop it."""


class ResponseReader:
    """The answers of one connection, one at a time: `start`, then `feed` until `complete` or `failure`."""

    __slots__ = ("_fields", "_parser", "_room", "_until_close", "complete", "failure", "head", "pieces", "reusable")

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.start()

    def start(self) -> None:
        """Expect a new answer."""
        self.head: Head | None = None
        self.pieces: list[bytes] = []  # of the body, in order; whoever reads empties it
        self.complete = False
        self.failure: Failure | None = None
        self.reusable = False  # once complete: the connection may carry another exchange
        self._fields: list[tuple[bytes, bytes]] = []
        self._room = HEAD_LIMIT  # bytes that may yet come without content
        self._until_close = False

    def feed(self, data: bytes) -> None:
        """Read what arrived. A fault becomes `failure`; what came before it stays readable."""
        if self.head is None:
            early, data = data[: self._room], data[self._room :]
            self._parse(early)
            self._room -= len(early)
            if not self._has_head():  # asked anew: parsing has brought it, or not
                if self._room <= 0 and self.failure is None:
                    self._malformed(f"the head of the answer is longer than {HEAD_LIMIT} bytes")
                return
            self._room = HEAD_LIMIT
        if data and self.failure is None:
            self._feed_body(data)

    def _has_head(self) -> bool:
        return self.head is not None

    def end(self) -> None:
        """The upstream has closed its side, in order."""
        if self.head is not None and self._until_close and self.failure is None:
            self.complete = True
        else:
            self.cut("the upstream closed the connection")

    def cut(self, what: str) -> None:
        """The connection is gone; `what` begins the message."""
        if self.complete or self.failure is not None:
            return
        if self.head is None:
            self.failure = Failure(FailureKind.DISCONNECTED, f"{what} before it answered")
        else:
            message = f"{what} in the middle of its answer"
            self.failure = Failure(FailureKind.TRUNCATED, message, status=self.head.status)

    # -- httptools' callbacks ---------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.complete:
            raise _RefusedError("a second answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name, value))
        if len(self._fields) > HEADERS_LIMIT:
            raise _RefusedError(f"the answer has more than {HEADERS_LIMIT} headers")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            self._fields.clear()  # interim: the answer is still to come
            return
        if not 200 <= status < 600:
            raise _RefusedError(f"the answer has the status {status}")
        headers = _headers(self._fields)
        coding = headers.get("transfer-encoding")
        if coding is not None and coding.lower() != "chunked":
            raise _RefusedError("the answer has a transfer coding other than chunked")
        # Read here: llhttp forgets its flags at the end of the message.
        self.reusable = self._parser.should_keep_alive()
        self._until_close = coding is None and "content-length" not in headers and status not in _BODILESS
        self.head = Head(status, headers)

    def on_body(self, body: bytes) -> None:
        self.pieces.append(body)

    def on_message_complete(self) -> None:
        if self.head is not None:
            self.complete = True

    # ---------------------------------------------------------------------------------------------------------------

    def _feed_body(self, data: bytes) -> None:
        pieces = len(self.pieces)
        self._parse(data)
        if len(self.pieces) > pieces:
            self._room = HEAD_LIMIT
            return
        self._room -= len(data)  # chunk extensions and trailers can be endless too
        if self._room < 0 and not self.complete and self.failure is None:
            self._malformed(f"the answer has {HEAD_LIMIT} bytes of framing without content")

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if self.complete:
                self.reusable = False  # more than was asked for: the next answer would be taken for another's
                return
            refused = error.__context__
            reason = str(refused if isinstance(refused, _RefusedError) else error)
            self._malformed(f"the answer is not HTTP/1.1 as it should be: {reason}")

    def _malformed(self, message: str) -> None:
        status = None if self.head is None else self.head.status
        self.failure = Failure(FailureKind.MALFORMED, message, status=status)


def keep_alive_s(headers: Mapping[str, str]) -> float | None:
    """How long the server says it keeps the idle connection, less a second for the way; None: it does not say."""
    said = headers.get("keep-alive")
    if said is None:
        return None
    for item in said.split(","):
        name, _, value = item.strip().partition("=")
        if name.lower() == "timeout" and value.isascii() and value.isdigit():
            return float(value[:6]) - 1.0
    return None


def _headers(fields: list[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in fields:
        name = raw_name.lower().decode("latin-1")
        value = raw_value.rstrip(b" \t").decode("latin-1")
        if name in headers and name in _JOINED:
            value = f"{headers[name]}, {value}"
        headers[name] = value
    return headers
