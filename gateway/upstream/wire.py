"""From a `Call` to the bytes of an HTTP/1.1 request.

Owns the framing headers: nobody else may set Host, Content-Length, Connection and their like, so a request cannot be
split in two by what a header or a path holds. Everything before the length is the same for every request of an
endpoint, and is built once.
"""

import re

from gateway.core.failure import AttemptError, Failure, FailureKind
from gateway.upstream.call import Call

Prefix = tuple[str, str, str, tuple[tuple[str, str], ...]]

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})  # answers to HEAD and CONNECT are framed otherwise
OURS = frozenset(
    {
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect",
        "accept-encoding", "proxy-authorization", "proxy-connection",
    }
)  # fmt: skip
CREDENTIALS = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key"})
CACHED_PREFIXES = 512  # far more than endpoints in use; headers that differ per request must not fill the memory
JOINED_BODY = 64 * 1024  # bytes up to which one copy is cheaper than a second write

_PATH = re.compile(r"/[!-~]*")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2 token
_VALUE = re.compile(r"[\t -~\x80-\xff]*")  # RFC 9110 §5.5; no CR, LF, NUL or other control character


class Requests:
    """Renders calls; keeps what they have in common."""

    def __init__(self) -> None:
        self._prefixes: dict[Prefix, bytes] = {}

    def render(self, call: Call) -> tuple[bytes, ...]:
        """The request as one or two pieces to write.

        Raises: AttemptError (CREDENTIAL where a key cannot be a header, else INTERNAL); nothing was sent then.
        """
        origin = call.origin
        key = (call.method, origin.authority, call.path, call.headers)
        prefix = self._prefixes.get(key)
        if prefix is None:
            prefix = _prefix(call)
            if len(self._prefixes) >= CACHED_PREFIXES:
                self._prefixes.clear()
            self._prefixes[key] = prefix
        if call.tracing:
            prefix += _lines(call.tracing)
        body = call.body
        if not body and call.method in {"GET", "DELETE"}:
            return (prefix + b"\r\n",)
        if len(body) <= JOINED_BODY:
            return (b"%bcontent-length: %d\r\n\r\n%b" % (prefix, len(body), body),)
        return (b"%bcontent-length: %d\r\n\r\n" % (prefix, len(body)), body)


def _prefix(call: Call) -> bytes:
    if call.method not in METHODS:
        raise _refused(f"the method {call.method!r} is not sent upstream")
    if not _PATH.fullmatch(call.path):
        raise _refused("the path is not one slash and printable ASCII")
    first = f"{call.method} {call.path} HTTP/1.1\r\nhost: {call.origin.authority}\r\naccept-encoding: identity\r\n"
    return first.encode("latin-1") + _lines(call.headers)


def _lines(headers: tuple[tuple[str, str], ...]) -> bytes:
    for name, value in headers:
        _check(name, value)
    return "".join([f"{name}: {value}\r\n" for name, value in headers]).encode("latin-1")


def _check(name: str, value: str) -> None:
    if not _NAME.fullmatch(name):
        raise _refused("a header's name is not a token")
    lower = name.lower()
    if lower in OURS:
        raise _refused(f"the header {lower!r} is the client's own")
    if not _VALUE.fullmatch(value):
        kind = FailureKind.CREDENTIAL if lower in CREDENTIALS else FailureKind.INTERNAL
        raise AttemptError(Failure(kind, f"the header {lower!r} holds a line break or another character it must not"))


def _refused(message: str) -> AttemptError:
    return AttemptError(Failure(FailureKind.INTERNAL, message))
