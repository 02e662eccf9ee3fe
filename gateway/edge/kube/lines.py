"""Lines of a watch out of the pieces they arrive in."""

from collections.abc import Iterator

MAX_LINE_BYTES = 8 * 1024 * 1024  # an object has at most 1.5 MiB (etcd's limit); escaped in JSON, a few times that


class LineError(ValueError):
    """What arrives cannot be a watch."""


class Lines:
    """Splits at line feeds, whatever the pieces are."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The lines that are whole now, without empty ones. Raises `LineError` where one has no end."""
        head, feed, tail = piece.rpartition(b"\n")
        if feed:
            whole = bytes(self._rest) + head if self._rest else head
            self._rest = bytearray(tail)
            yield from (line for line in whole.split(b"\n") if line.strip())
        else:
            self._rest += piece
        if len(self._rest) > MAX_LINE_BYTES:
            raise LineError(f"an event has more than {MAX_LINE_BYTES >> 20} MiB")

    def end(self) -> None:
        """Nothing follows. Raises `LineError` where it stopped within a line."""
        if self._rest.strip():
            raise LineError("the watch broke off within an event")
