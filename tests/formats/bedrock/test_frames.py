"""The binary event stream: cut anywhere, damaged anywhere, and every kind of header."""

import json
import struct
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.failure import FailureKind
from gateway.formats.bedrock.frames import MAX_FRAME_BYTES, FrameDecoder
from gateway.formats.sse import SseEvent
from tests.support import frames

STREAM = frames.event("messageStart", {"role": "assistant"}) + frames.event("metadata", {"usage": {"inputTokens": 1}})
WANTED = [
    SseEvent(b"messageStart", b'{"role": "assistant"}'),
    SseEvent(b"metadata", b'{"usage": {"inputTokens": 1}}'),
]


def read(*portions: bytes) -> tuple[list[SseEvent], str | None]:
    decoder = FrameDecoder()
    found = [event for data in portions for event in decoder.feed(data)] + decoder.end()
    return found, decoder.fault and decoder.fault.message


def test_reads_the_same_at_every_cut() -> None:
    assert read(STREAM) == (WANTED, None)
    for cut in range(len(STREAM) + 1):
        assert read(STREAM[:cut], STREAM[cut:]) == (WANTED, None)
    assert read(*(STREAM[at : at + 1] for at in range(len(STREAM)))) == (WANTED, None)


def test_no_damaged_byte_gets_through() -> None:
    first = len(frames.event("messageStart", {"role": "assistant"}))
    for at in range(len(STREAM)):
        damaged = bytearray(STREAM)
        damaged[at] ^= 0x55
        found, fault = read(bytes(damaged))
        assert found == (WANTED[:1] if at >= first else [])
        assert fault is not None
        assert "checksum" in fault


def test_is_silent_after_a_fault() -> None:
    decoder = FrameDecoder()
    decoder.feed(b"<html>a page where frames should be</html>")
    assert decoder.fault is not None
    assert decoder.fault.kind is FailureKind.MALFORMED
    assert decoder.feed(STREAM) == []


@given(st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=50)), max_size=5), st.data())
def test_reads_whatever_was_written(written: list[tuple[str, bytes]], data: st.DataObject) -> None:
    whole = b"".join(
        frames.frame({":message-type": "event", ":event-type": name}, payload)
        for name, payload in written
        if name != "chunk"
    )
    cut = data.draw(st.integers(0, len(whole)))
    wanted = [SseEvent(name.encode(), payload) for name, payload in written if name != "chunk"]
    assert read(whole[:cut], whole[cut:]) == (wanted, None)


def test_takes_the_envelope_off_a_chunk() -> None:
    assert read(frames.chunk({"type": "ping"})) == ([SseEvent(b"", b'{"type": "ping"}')], None)


@pytest.mark.parametrize("body", [{}, [], {"bytes": 1}, {"bytes": "A"}])
def test_a_chunk_without_bytes_is_a_fault(body: object) -> None:
    assert read(frames.event("chunk", body)) == ([], "The binary event stream is broken: a chunk has no bytes.")


def test_an_exception_is_an_error_event() -> None:
    found, _ = read(frames.exception("throttlingException", "Too many requests"))
    assert [event.name for event in found] == [b"error"]
    assert json.loads(found[0].data) == {
        "type": "error",
        "error": {"message": "Too many requests", "type": "rate_limit_error", "code": "throttlingException"},
    }


def test_an_error_that_is_no_exception_is_one_too() -> None:
    headers = {":message-type": "error", ":error-code": "InternalFailure", ":error-message": "Oh."}
    found, _ = read(frames.frame(headers, b""))
    assert json.loads(found[0].data)["error"] == {"message": "Oh.", "type": "api_error", "code": "InternalFailure"}
    found, _ = read(frames.frame({":message-type": "exception"}, b"\xff"))
    assert json.loads(found[0].data)["error"] == {"message": "an exception inside the stream"}


def test_passes_over_frames_of_no_known_kind() -> None:
    assert read(frames.frame({":message-type": "initial-request"}, b"x")) == ([], None)
    assert read(frames.frame({}, b"")) == ([], None)


def header(name: str, kind: int, value: bytes) -> bytes:
    return bytes([len(name)]) + name.encode() + bytes([kind]) + value


TEXT = header(":message-type", 7, struct.pack(">H", 5) + b"event")


def test_steps_over_headers_of_every_type() -> None:
    others = [
        (0, b""), (1, b""), (2, b"\x01"), (3, b"\x00\x01"), (4, b"\x00" * 4), (5, b"\x00" * 8),
        (6, struct.pack(">H", 3) + b"abc"), (8, b"\x00" * 8), (9, b"\x00" * 16),
    ]  # fmt: skip
    packed = b"".join(header(f"h{kind}", kind, value) for kind, value in others) + TEXT
    assert read(frames.raw_frame(packed, b"{}")) == ([SseEvent(b"", b"{}")], None)


@pytest.mark.parametrize(
    "packed", [b"\x01", b"\x05abcde", header("a", 77, b""), header("a", 7, b"\x00"), header("a", 7, b"\x00\x09x")]
)
def test_headers_that_cannot_be_read_are_a_fault(packed: bytes) -> None:
    found, fault = read(frames.raw_frame(packed, b""))
    assert found == []
    assert fault is not None


@pytest.mark.parametrize(("total", "headers"), [(MAX_FRAME_BYTES + 1, 0), (15, 0), (40, 30)])
def test_impossible_lengths_are_a_fault(total: int, headers: int) -> None:
    prelude = struct.pack(">II", total, headers)
    found, fault = read(prelude + struct.pack(">I", crc32(prelude)))
    assert (found, fault) == ([], "The binary event stream is broken: a frame's length is impossible.")
