"""AWS's binary event stream, incrementally: `application/vnd.amazon.eventstream`.

A frame is: total length, length of the headers, CRC-32 of these eight bytes, headers, payload, CRC-32 of all before it
(AWS, "Amazon event stream encoding"; big endian). Both checksums are verified. Frames become the events that the rest
of the relays read: the event's type as its name, its payload as its data; an exception becomes an `error` event in the
shape that `upstream_errors` reads. Looks like `SseDecoder` from outside.
"""

import binascii
import struct
from zlib import crc32

from gateway.core.failure import Failure, FailureKind
from gateway.formats import codec
from gateway.formats.bedrock.errors import error_event
from gateway.formats.sse import SseEvent

MAX_FRAME_BYTES = 16 * 1024 * 1024  # AWS: the payload of a message is at most 16 MiB
_PRELUDE = struct.Struct(">III")
_LENGTH = struct.Struct(">H")
_CRC = struct.Struct(">I")
_LEAST = _PRELUDE.size + _CRC.size
_FIXED_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}  # of header values by their type
_SIZED = (6, 7)  # bytes and text, with their length before them


class FrameDecoder:
    """Bytes in any portions to events. `fault` says what is wrong with the stream; then it stays silent."""

    __slots__ = ("_held", "fault")

    def __init__(self) -> None:
        self.fault: Failure | None = None
        self._held = b""

    def feed(self, data: bytes) -> list[SseEvent]:
        events: list[SseEvent] = []
        if self.fault is not None:
            return events
        held = self._held + data if self._held else data
        at = 0
        try:
            while (size := _frame_size(held, at)) is not None and len(held) - at >= size:
                event = _event(held[at : at + size])
                if event is not None:
                    events.append(event)
                at += size
        except ValueError as error:
            self.fault = Failure(FailureKind.MALFORMED, f"The binary event stream is broken: {error}.")
            at = len(held)
        self._held = held[at:]
        return events

    def end(self) -> list[SseEvent]:
        """The stream closed: a frame that is not whole is none."""
        return []


def _frame_size(data: bytes, at: int) -> int | None:
    """Of the frame that begins at `at`; None while too little of it is here. Raises `ValueError`."""
    if len(data) - at < _PRELUDE.size:
        return None
    total, headers, checksum = _PRELUDE.unpack_from(data, at)
    if crc32(data[at : at + 8]) != checksum:
        raise ValueError("the checksum of a frame's head is wrong")
    if total > MAX_FRAME_BYTES or total < headers + _LEAST:
        raise ValueError("a frame's length is impossible")
    return int(total)


def _event(frame: bytes) -> SseEvent | None:
    """None for a frame that says nothing to us. Raises `ValueError`."""
    (checksum,) = _CRC.unpack_from(frame, len(frame) - _CRC.size)
    if crc32(frame[: -_CRC.size]) != checksum:
        raise ValueError("the checksum of a frame is wrong")
    _, length, _ = _PRELUDE.unpack_from(frame)
    try:
        headers = _headers(frame[_PRELUDE.size : _PRELUDE.size + length])
    except (struct.error, KeyError):
        raise ValueError("the headers of a frame cannot be read") from None
    payload = frame[_PRELUDE.size + length : -_CRC.size]
    match headers.get(b":message-type"):
        case b"event":
            name = headers.get(b":event-type", b"")
            return _chunk(payload) if name == b"chunk" else SseEvent(name, payload)
        case b"exception":
            return error_event(headers.get(b":exception-type", b"").decode("utf-8", "replace"), payload)
        case b"error":
            said = {"message": headers.get(b":error-message", b"").decode("utf-8", "replace")}
            return error_event(headers.get(b":error-code", b"").decode("utf-8", "replace"), codec.dumps(said))
        case _:
            return None


def _headers(data: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        name = data[at + 1 : at + 1 + data[at]]
        at += 1 + data[at]
        kind = data[at] if at < len(data) else -1
        at += 1
        if kind in _SIZED:
            (size,) = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size
        else:
            size = _FIXED_SIZES[kind]
        if at + size > len(data):
            raise ValueError("a header of a frame is longer than the frame says")
        found[name] = data[at : at + size]
        at += size
    return found


def _chunk(payload: bytes) -> SseEvent:
    """What a model streams itself, in an envelope: InvokeModel's events."""
    try:
        body = codec.loads(payload)
        return SseEvent(b"", binascii.a2b_base64(body["bytes"]))
    except (KeyError, TypeError, ValueError):
        raise ValueError("a chunk has no bytes") from None
