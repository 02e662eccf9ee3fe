"""Compressed bodies: whole, in pieces, broken, and grown beyond measure."""

import gzip
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.failure import AttemptError, FailureKind
from gateway.upstream.decode import MAX_RATIO, PIECE, Decoder, decoder_for

TEXT = bytes(range(256)) * 8


def decoded(coding: str, *pieces: bytes) -> bytes:
    decoder = Decoder(coding)
    out = b""
    for piece in pieces:
        decoder.feed(piece)
        while data := decoder.more():
            assert len(data) <= PIECE
            out += data
    decoder.finish()
    return out


def failed(coding: str, *pieces: bytes) -> FailureKind:
    with pytest.raises(AttemptError) as caught:
        decoded(coding, *pieces)
    return caught.value.failure.kind


@given(st.binary(max_size=2000), st.sampled_from(["gzip", "x-gzip", "deflate"]), st.lists(st.integers(0, 300)))
def test_piece_boundaries_do_not_matter(body: bytes, coding: str, cuts: list[int]) -> None:
    packed = zlib.compress(body) if coding == "deflate" else gzip.compress(body)
    edges = sorted({0, *(min(cut, len(packed)) for cut in cuts), len(packed)})
    pieces = [packed[begin:end] for begin, end in pairwise(edges)]
    assert decoded(coding, *pieces) == body


def test_gives_each_flushed_event_at_once() -> None:
    deflate = zlib.compressobj(wbits=31)
    decoder = Decoder("gzip")
    seen = []
    for event in (b"data: 1\n\n", b"data: 2\n\n"):
        decoder.feed(deflate.compress(event) + deflate.flush(zlib.Z_SYNC_FLUSH))
        seen.append(decoder.more() + decoder.more())
    assert seen == [b"data: 1\n\n", b"data: 2\n\n"]


def test_reads_a_row_of_gzip_members() -> None:
    assert decoded("gzip", gzip.compress(b"one ") + gzip.compress(b"two")) == b"one two"


def test_unpacks_no_more_than_is_taken() -> None:
    decoder = Decoder("gzip")
    decoder.feed(gzip.compress(bytes(900_000)))
    assert len(decoder.more()) == PIECE


def test_stops_a_bomb_at_the_allowed_ratio() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    decoder = Decoder("gzip")
    decoder.feed(bomb)
    unpacked: list[int] = []
    with pytest.raises(AttemptError) as caught:
        unpacked.extend(len(piece) for piece in iter(decoder.more, b""))
    assert caught.value.failure.kind is FailureKind.MALFORMED
    assert sum(unpacked) <= MAX_RATIO * len(bomb)


def test_stops_at_the_greatest_size_of_a_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.upstream.decode.MAX_OUTPUT", len(TEXT) - 1)
    assert failed("gzip", gzip.compress(TEXT)) is FailureKind.MALFORMED


def test_takes_damage_for_malformed() -> None:
    packed = bytearray(gzip.compress(TEXT))
    packed[12] ^= 0xFF
    assert failed("gzip", bytes(packed)) is FailureKind.MALFORMED
    assert failed("gzip", b"plain text") is FailureKind.MALFORMED
    assert failed("gzip", gzip.compress(TEXT) + b"junk") is FailureKind.MALFORMED


def test_takes_a_missing_end_for_truncated() -> None:
    assert failed("gzip", gzip.compress(TEXT)[:-1]) is FailureKind.TRUNCATED


def test_takes_no_bytes_at_all_for_an_empty_body() -> None:
    assert decoded("gzip") == b""


@pytest.mark.parametrize("headers", [{}, {"content-encoding": "identity"}, {"content-encoding": " "}])
def test_leaves_plain_bodies_alone(headers: dict[str, str]) -> None:
    assert decoder_for(headers) is None


def test_knows_codings_in_any_case() -> None:
    assert decoder_for({"content-encoding": " GZip "}) is not None


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "deflate, gzip"])
def test_refuses_codings_it_did_not_ask_for(coding: str) -> None:
    with pytest.raises(AttemptError) as caught:
        decoder_for({"content-encoding": coding})
    assert caught.value.failure.kind is FailureKind.MALFORMED
