"""Undoing the compression of a body, a bounded piece at a time.

The client asks for `identity`; some servers and proxies compress all the same. Output is pulled, never pushed: 64 KiB
on the wire can hold 64 MiB, so whoever reads decides how much of it comes to exist. No I/O.
"""

import zlib
from collections.abc import Mapping

from gateway.core.failure import AttemptError, Failure, FailureKind

PIECE = 256 * 1024  # bytes given out at once
FREE_OUTPUT = 1024 * 1024  # bytes before the ratio is looked at
MAX_RATIO = 200  # JSON and text of models stay below 50; deflate's own end is 1,032
MAX_OUTPUT = 256 * 1024 * 1024  # bytes of one body

_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # zlib's codes for the gzip and the zlib container


class Decoder:
    """One body. `feed` what came, take `more` until it is empty, and `finish` at the end."""

    def __init__(self, coding: str) -> None:
        """Raises: AttemptError (MALFORMED) where the coding is not one of ours."""
        if coding not in _WINDOW_BITS:
            raise _malformed("the answer is compressed in a way that was not asked for and is not understood")
        self._bits = _WINDOW_BITS[coding]
        self._inflate = zlib.decompressobj(self._bits)
        self._input = b""
        self._fed = 0
        self._given = 0

    def feed(self, data: bytes) -> None:
        """Take what came over the wire; only after `more` was empty."""
        self._input += data
        self._fed += len(data)

    def more(self) -> bytes:
        """Up to 256 KiB of the body, empty where more input is needed. Raises: AttemptError (MALFORMED)."""
        out = b""
        while not out:
            if self._inflate.eof:
                if not self._input:
                    return b""
                self._inflate = zlib.decompressobj(self._bits)  # RFC 1952 §2.2: a gzip file is a row of members
            try:
                out = self._inflate.decompress(self._input, PIECE)
            except zlib.error:
                raise _malformed("the answer's compressed body is damaged") from None
            self._input = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if not out and not self._input:
                return b""
        self._given += len(out)
        if self._given > MAX_OUTPUT or self._given > max(FREE_OUTPUT, MAX_RATIO * self._fed):
            raise _malformed("the answer's compressed body unpacks to more than is allowed")
        return out

    def finish(self) -> None:
        """Raises: AttemptError (TRUNCATED) where the compressed body has not come to its own end."""
        if self._fed and not self._inflate.eof:
            raise AttemptError(Failure(FailureKind.TRUNCATED, "the answer's compressed body ends in its middle"))


def decoder_for(headers: Mapping[str, str]) -> Decoder | None:
    """The decoder that a response's headers ask for; None for plain bodies. Raises: AttemptError (MALFORMED)."""
    coding = headers.get("content-encoding")
    if coding is None or coding.strip().lower() in {"", "identity"}:
        return None
    return Decoder(coding.strip().lower())


def _malformed(message: str) -> AttemptError:
    return AttemptError(Failure(FailureKind.MALFORMED, message))
