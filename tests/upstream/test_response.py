"""Byte scripts read as answers, wherever the network cuts them."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.failure import FailureKind
from gateway.upstream.response import HEAD_LIMIT, HEADERS_LIMIT, Head, ResponseReader, keep_alive_s


@dataclass(frozen=True)
class Read:
    """What a reader made of a script."""

    status: int | None
    body: bytes
    complete: bool
    failure: FailureKind | None
    reusable: bool


def read_by(reader: ResponseReader, pieces: list[bytes], eof: bool = False) -> Read:
    for piece in pieces:
        if reader.failure is None:
            reader.feed(piece)
    if eof:
        reader.end()
    return Read(
        None if reader.head is None else reader.head.status,
        b"".join(reader.pieces),
        reader.complete,
        None if reader.failure is None else reader.failure.kind,
        reader.complete and reader.reusable,
    )


def read(*pieces: bytes) -> Read:
    return read_by(ResponseReader(), list(pieces))


def read_to_eof(*pieces: bytes) -> Read:
    return read_by(ResponseReader(), list(pieces), eof=True)


def whole(body: bytes, status: int = 200, reusable: bool = True) -> Read:
    return Read(status, body, True, None, reusable)


def failed(kind: FailureKind, body: bytes = b"", status: int | None = None) -> Read:
    return Read(status, body, False, kind, False)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENTS = CHUNKED + b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nX-Trailer: t\r\n\r\n"

GOOD = {
    "length": (OK, whole(b"hello")),
    "chunks, an extension and a trailer": (EVENTS, whole(b"hello")),
    "empty": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", whole(b"")),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", whole(b"", 204)),
    "304 with the length of what it does not send": (
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", whole(b"", 304)
    ),
    "no reason": (b"HTTP/1.1 429\r\nContent-Length: 2\r\n\r\nno", whole(b"no", 429)),
    "redirect": (b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n", whole(b"", 302)),
    "interim heads first": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK, whole(b"hello")
    ),
    "connection: close": (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", whole(b"hi", reusable=False)
    ),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", whole(b"hi", reusable=False)),
    "HTTP/1.0 kept alive": (
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", whole(b"hi")
    ),
    "offer of another protocol": (
        b"HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi", whole(b"hi")
    ),
    "empty lines before": (b"\r\n\r\n" + OK, whole(b"hello")),
}  # fmt: skip

BAD = {
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "the same length twice": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "list of lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
    "signed length": b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
    "endless length": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nhello",
    "space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
    "folded header": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 5\r\n\r\nhello",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "bare line feed in the head": b"HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\nhello",
    "bare carriage return": b"HTTP/1.1 200 OK\r\nX: a\rContent-Length: 5\r\n\r\nhello",
    "NUL": b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 5\r\n\r\nhello",
    "no name": b"HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 5\r\n\r\nhello",
    "other transfer coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
    "two transfer codings": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and not": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\nhello",
    "switched protocols": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\nhello",
    "switched protocols without a word": b"HTTP/1.1 101 Switching Protocols\r\n\r\nhello",
    "status 099": b"HTTP/1.1 099 No\r\nContent-Length: 5\r\n\r\nhello",
    "status 999": b"HTTP/1.1 999 No\r\nContent-Length: 5\r\n\r\nhello",
    "not HTTP": b"<html>502 Bad Gateway</html>",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "HTTP/2": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
    "257 headers": b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 257 + b"Content-Length: 5\r\n\r\nhello",
    "70 KB header": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\nContent-Length: 5\r\n\r\nhello",
}

BROKEN_LATER = {
    "bare line feed after a chunk's size": (CHUNKED + b"5\nhello\r\n0\r\n\r\n", b""),
    "chunk longer than it says": (CHUNKED + b"3\r\nhello\r\n0\r\n\r\n", b"hel"),
    "chunk size that is none": (CHUNKED + b"5\r\nhello\r\nxyz\r\n", b"hello"),
    "endless chunk size": (CHUNKED + b"fffffffffffffffffff\r\nhello", b""),
    "length in a trailer": (CHUNKED + b"5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n", b"hello"),
    "300 trailers": (CHUNKED + b"5\r\nhello\r\n0\r\n" + b"X: a\r\n" * 300 + b"\r\n", b"hello"),
}


def in_two(script: bytes) -> list[list[bytes]]:
    """Cut at every place of the first few hundred."""
    return [[script[:at], script[at:]] for at in range(1, min(len(script), 300))]


@pytest.mark.parametrize(("script", "expected"), GOOD.values(), ids=GOOD.keys())
def test_reads_good_answers_at_every_split(script: bytes, expected: Read) -> None:
    assert read(script) == expected
    assert read(*[bytes([byte]) for byte in script]) == expected
    assert {read(*pieces) for pieces in in_two(script)} == {expected}


@pytest.mark.parametrize("script", BAD.values(), ids=BAD.keys())
def test_refuses_bad_heads_at_every_split(script: bytes) -> None:
    expected = failed(FailureKind.MALFORMED)
    assert read(script) == expected
    assert {read(*pieces) for pieces in in_two(script)} == {expected}


@pytest.mark.parametrize(("script", "body"), BROKEN_LATER.values(), ids=BROKEN_LATER.keys())
def test_keeps_what_came_before_the_fault(script: bytes, body: bytes) -> None:
    expected = failed(FailureKind.MALFORMED, body, 200)
    assert read(script) == expected
    assert {read(*pieces) for pieces in in_two(script)} == {expected}


@given(
    st.sampled_from(
        [script for script, _ in GOOD.values()] + list(BAD.values()) + [s for s, _ in BROKEN_LATER.values()]
    ),
    st.lists(st.integers(0, 80_000), max_size=12),
)
def test_chunk_boundaries_do_not_matter(script: bytes, cuts: list[int]) -> None:
    edges = sorted({0, *(cut % len(script) for cut in cuts), len(script)})
    pieces = [script[begin:end] for begin, end in pairwise(edges)]
    assert read(*pieces) == read(script)


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=8), st.lists(st.integers(0, 600), max_size=12))
def test_gives_back_any_body_sent_in_any_chunks(chunks: list[bytes], cuts: list[int]) -> None:
    script = CHUNKED + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    edges = sorted({0, *(cut % len(script) for cut in cuts), len(script)})
    pieces = [script[begin:end] for begin, end in pairwise(edges)]
    assert read(*pieces) == whole(b"".join(chunks))


# -- the end of the connection ----------------------------------------------------------------------------------------


def test_reads_to_the_end_where_only_the_end_delimits() -> None:
    script = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"
    assert read(script) == Read(200, b"data: 1\n\n", False, None, False)
    assert read_to_eof(script) == whole(b"data: 1\n\n", reusable=False)


def test_a_broken_connection_does_not_end_a_body_that_only_the_end_delimits() -> None:
    reader = ResponseReader()
    reader.feed(b"HTTP/1.1 200 OK\r\n\r\nhel")
    reader.cut("the connection broke")
    assert read_by(reader, []) == failed(FailureKind.TRUNCATED, b"hel", 200)


@pytest.mark.parametrize("script", [OK[:-1], EVENTS[:-1], CHUNKED + b"5\r\nhello\r\n"])
def test_an_early_end_truncates(script: bytes) -> None:
    seen = read_to_eof(script)
    assert seen == failed(FailureKind.TRUNCATED, seen.body, 200)


@pytest.mark.parametrize(
    "script", [b"", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nA: b\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"]
)
def test_an_end_before_the_head_disconnects(script: bytes) -> None:
    assert read_to_eof(script) == failed(FailureKind.DISCONNECTED)


@pytest.mark.parametrize("script", [OK, EVENTS])
def test_an_end_after_the_answer_changes_nothing(script: bytes) -> None:
    assert read_to_eof(script) == whole(b"hello")


def test_the_first_fault_stands() -> None:
    assert read_to_eof(b"nonsense") == failed(FailureKind.MALFORMED)


# -- one connection, many answers -------------------------------------------------------------------------------------


def test_reads_one_answer_after_another() -> None:
    reader = ResponseReader()
    seen = []
    for script in (OK, EVENTS, b"HTTP/1.1 204 No Content\r\n\r\n", OK):
        reader.start()
        seen.append(read_by(reader, [script]))
    assert seen == [whole(b"hello"), whole(b"hello"), whole(b"", 204), whole(b"hello")]


@pytest.mark.parametrize("surplus", [OK, b"HTTP/1.1 ", b"junk"])
def test_a_second_answer_in_one_read_spoils_the_connection_and_not_the_first(surplus: bytes) -> None:
    assert read(OK + surplus) == whole(b"hello", reusable=False)
    assert read(OK[:40], OK[40:] + surplus) == whole(b"hello", reusable=False)


def test_a_body_where_there_must_be_none_spoils_the_connection() -> None:
    assert read(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello") == whole(b"", 204, reusable=False)


# -- limits -----------------------------------------------------------------------------------------------------------


def test_takes_a_head_up_to_the_limit() -> None:
    frame = b"HTTP/1.1 200 OK\r\nX: \r\nContent-Length: 5\r\n\r\n"
    fits = frame.replace(b"X: ", b"X: " + b"a" * (HEAD_LIMIT - len(frame)))
    assert read(fits + b"hello") == whole(b"hello")
    assert read(fits.replace(b"X: ", b"X: a") + b"hello") == failed(FailureKind.MALFORMED)


def test_takes_headers_up_to_the_limit() -> None:
    fields = b"X: a\r\n" * (HEADERS_LIMIT - 1)
    assert read(b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: 5\r\n\r\nhello") == whole(b"hello")


@pytest.mark.parametrize(
    "endless",
    [b"HTTP/1.1 200 OK" + b"K" * 9000, b"HTTP/1.1 200 OK\r\nX: " + b"a" * 9000, b"HTTP/1.1 100 Continue\r\n\r\n" * 300],
    ids=["reason", "header", "interim heads"],
)
def test_stops_an_endless_head(endless: bytes) -> None:
    reader = ResponseReader()
    reader.feed(endless)
    fed = len(endless)
    while reader.failure is None:
        reader.feed(endless[17:] if endless[:12] == b"HTTP/1.1 200" else endless)
        fed += len(endless)
    assert reader.failure.kind is FailureKind.MALFORMED
    assert fed < HEAD_LIMIT + 2 * len(endless)


@pytest.mark.parametrize("start", [b"5;x=", b"0\r\nX: "], ids=["chunk extension", "trailer"])
def test_stops_framing_without_content(start: bytes) -> None:
    reader = ResponseReader()
    reader.feed(CHUNKED + start)
    for _ in range(8):
        reader.feed(b"a" * 9000)
    assert read_by(reader, []) == failed(FailureKind.MALFORMED, status=200)


def test_content_renews_the_room_for_framing() -> None:
    event = [b"1;" + b"x" * 40_000, b"\r\n.\r\n"]
    assert read(CHUNKED, *event * 4, b"0\r\n\r\n") == whole(b"....")


# -- heads ------------------------------------------------------------------------------------------------------------


def test_gives_names_in_lower_case_and_of_repeated_headers_the_last_but_for_framing() -> None:
    reader = ResponseReader()
    reader.feed(
        b"HTTP/1.1 200 OK\r\nRetry-After: 1\r\nRETRY-AFTER: 2 \t\r\nContent-Encoding: gzip\r\ncontent-encoding: br\r\n"
        b"X-Latin: \xfc\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n"
    )
    assert reader.head == Head(
        200,
        {"retry-after": "2", "content-encoding": "gzip, br", "x-latin": "ü", "x-empty": "", "content-length": "0"},
    )


def test_leaves_interim_headers_and_trailers_out_of_the_head() -> None:
    reader = ResponseReader()
    reader.feed(b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" + EVENTS)
    assert reader.head == Head(200, {"transfer-encoding": "chunked"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("timeout=5", 4.0), ("timeout=5, max=100", 4.0), ("max=100, Timeout=60", 59.0), ("timeout=0", -1.0), ("", None),
        ("timeout=", None), ("timeout=-5", None), ("timeout=1.5", None), ("timeout=²", None), ("max=3", None),
        ("timeout=99999999999999999999", 999998.0),
    ],
)  # fmt: skip
def test_reads_how_long_the_server_keeps_the_connection(value: str, expected: float | None) -> None:
    assert keep_alive_s({"keep-alive": value}) == expected


def test_knows_nothing_of_keeping_where_the_server_says_nothing() -> None:
    assert keep_alive_s({}) is None
