"""Which heads are hot, and what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.web.lane_head import (
    HEAD_LIMIT_BYTES,
    HEADERS_LIMIT,
    REMEMBERED_BYTES,
    HeadReader,
    HotHead,
    NotHot,
    read_head,
)

PATHS = (b"/v1/chat/completions", b"/v1/messages", b"/v1/messages/count_tokens")
LINE = b"POST /v1/messages HTTP/1.1\r\n"
PLAIN = b"Host: a\r\nContent-Length: 5\r\n"
HEAD = LINE + PLAIN + b"X-Api-Key: k\r\n\r\n"


def test_reads_a_plain_head() -> None:
    headers = {"host": "a", "content-length": "5", "x-api-key": "k"}
    assert read_head(HEAD + b"12345", PATHS) == HotHead(b"/v1/messages", headers, 5, len(HEAD), keep_alive=True)


@given(st.integers(0, len(HEAD) - 1), st.sampled_from(PATHS), st.sampled_from([b"", b"?", b"?beta=true"]))
def test_waits_for_the_rest_wherever_it_is_cut(cut: int, path: bytes, query: bytes) -> None:
    head = HEAD.replace(b"/v1/messages", path + query)
    assert read_head(head[:cut], PATHS) is NotHot.YET
    found = read_head(head, PATHS)
    assert isinstance(found, HotHead)
    assert (found.path, found.size) == (path, len(head))


def test_looks_no_further_than_the_head() -> None:
    body = b"GET / HTTP/1.0\n\0\r\n\r\n"
    assert read_head(HEAD + body, PATHS) == read_head(HEAD, PATHS)


@pytest.mark.parametrize(
    "line",
    [
        b"GET /v1/messages HTTP/1.1\r\n",
        b"post /v1/messages HTTP/1.1\r\n",
        b"POST /v1/models HTTP/1.1\r\n",
        b"POST /v1/messages/ HTTP/1.1\r\n",
        b"POST /v1/messages HTTP/1.0\r\n",
        b"POST /v1/messages HTTP/2.0\r\n",
        b"POST  /v1/messages HTTP/1.1\r\n",
        b"POST /v1/messages  HTTP/1.1\r\n",
        b"POST http://a/v1/messages HTTP/1.1\r\n",
        b"POST /v1/messages#x HTTP/1.1\r\n",
        b"POST /v1/%6dessages HTTP/1.1\r\n",
        b"POST /v1/messages?a b HTTP/1.1\r\n",
        b"POST /v1/messages?\x01 HTTP/1.1\r\n",
        b"POST /v1/messages HTTP/1.1\n",
        b"POST /v1/messages\r\n",
        b"\r\nPOST /v1/messages HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00\r\n",
    ],
)
def test_leaves_other_request_lines_alone(line: bytes) -> None:
    assert read_head(line + PLAIN + b"\r\n", PATHS) is NotHot.EVER


@pytest.mark.parametrize("line", [b"G", b"POST /v1/mo", b"POST /v1/messagesx", b"\r", b"POST /v1/messages\n", b"\0"])
def test_sees_early_that_a_request_line_will_not_be_hot(line: bytes) -> None:
    assert read_head(line, PATHS) is NotHot.EVER


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 5\r\n",  # no host
        b"Host: a\r\n",  # no length
        b"Host: a\r\nHost: a\r\nContent-Length: 5\r\n",
        PLAIN + b"Content-Length: 5\r\n",
        PLAIN + b"Content-Length: 6\r\n",
        PLAIN + b"Transfer-Encoding: chunked\r\n",
        PLAIN + b"Transfer-Encoding: identity\r\n",
        PLAIN + b"transfer-encoding : chunked\r\n",
        b"Host: a\r\nTransfer-Encoding: chunked\r\n",
        PLAIN + b"Expect: 100-continue\r\n",
        PLAIN + b"Upgrade: h2c\r\nConnection: upgrade\r\n",
        PLAIN + b"Content-Encoding: gzip\r\n",
        PLAIN + b"Connection: keep-alive\r\nConnection: close\r\n",
        b"Host: a\r\nContent-Length : 5\r\n",
        b"Host: a\r\nContent-Length: +5\r\n",
        b"Host: a\r\nContent-Length: -5\r\n",
        b"Host: a\r\nContent-Length: 0x5\r\n",
        b"Host: a\r\nContent-Length: 1_0\r\n",
        b"Host: a\r\nContent-Length: 5, 5\r\n",
        b"Host: a\r\nContent-Length: 5 5\r\n",
        b"Host: a\r\nContent-Length:\r\n",
        b"Host: a\r\nContent-Length: 99999999999999999999999\r\n",
        PLAIN + b"X: a\r\n b\r\n",  # folded
        b" X: a\r\n" + PLAIN,
        PLAIN + b"X: a\n",
        PLAIN + b"X: a\rb\r\n",
        PLAIN + b"X: a\0b\r\n",
        PLAIN + b"X: a\x01b\r\n",
        PLAIN + b"X\x80: a\r\n",
        PLAIN + b"X y: a\r\n",
        PLAIN + b": a\r\n",
        PLAIN + b"no colon\r\n",
    ],
)
def test_leaves_odd_fields_alone(fields: bytes) -> None:
    assert read_head(LINE + fields + b"\r\n", PATHS) is NotHot.EVER


def test_leaves_a_bare_line_feed_alone_though_the_head_goes_on() -> None:
    assert read_head(LINE + b"Host: a\nContent-Le", PATHS) is NotHot.EVER


def test_takes_so_many_headers_and_no_more() -> None:
    many = b"".join(b"X-%d: a\r\n" % number for number in range(HEADERS_LIMIT - 2))
    assert isinstance(read_head(LINE + PLAIN + many + b"\r\n", PATHS), HotHead)
    assert read_head(LINE + PLAIN + many + b"X: a\r\n\r\n", PATHS) is NotHot.EVER


def test_takes_a_head_so_long_and_no_longer() -> None:
    def head(size: int) -> bytes:
        return LINE + PLAIN + b"X: " + b"a" * (size - len(LINE + PLAIN) - 7) + b"\r\n\r\n"

    found = read_head(head(HEAD_LIMIT_BYTES), PATHS)
    assert isinstance(found, HotHead)
    assert found.size == HEAD_LIMIT_BYTES
    assert read_head(head(HEAD_LIMIT_BYTES + 1), PATHS) is NotHot.EVER
    assert read_head(head(HEAD_LIMIT_BYTES + 1)[: HEAD_LIMIT_BYTES - 1], PATHS) is NotHot.YET
    assert read_head(head(HEAD_LIMIT_BYTES + 1)[:HEAD_LIMIT_BYTES], PATHS) is NotHot.EVER


@pytest.mark.parametrize(
    ("value", "keep_alive"), [("close", False), ("Close", False), ("keep-alive", True), ("x, close", False)]
)
def test_reads_what_shall_become_of_the_connection(value: str, keep_alive: bool) -> None:
    found = read_head(LINE + PLAIN + f"Connection: {value}\r\n\r\n".encode(), PATHS)
    assert isinstance(found, HotHead)
    assert found.keep_alive is keep_alive


def test_reads_values_as_aiohttp_does() -> None:
    fields = b"X-Tags:  a=\xc3\xa9 \t\r\nX-Odd: \xff\r\nX-Twice: 1\r\nX-TWICE: 2\r\n"
    found = read_head(LINE + PLAIN + fields + b"\r\n", PATHS)
    assert isinstance(found, HotHead)
    assert (found.headers["x-tags"], found.headers["x-odd"], found.headers["x-twice"]) == ("a=é", "\udcff", "2")


@given(st.binary(max_size=200))
def test_raises_at_nothing(tail: bytes) -> None:
    for begin in (b"", b"POST ", LINE, LINE + PLAIN):
        assert read_head(begin + tail, PATHS) is not None
        read_head(begin + tail + b"\r\n\r\n", PATHS)


@given(
    st.sampled_from([b"content-length:", b"Content-Length: ", b"X: 5\r\nCONTENT-LENGTH:\t "]),
    st.lists(
        st.sampled_from([b"0", b"5", b"005", b"123456789012345", b"1" * 20, b"", b"+5", b"5 ", b"5\t6"]), max_size=4
    ),
    st.sampled_from([b"", b"X-Api-Key: k\r\n", b"Connection: close\r\n"]),
    st.lists(st.tuples(st.integers(0, 90), st.sampled_from([b"\r", b"\n", b":", b" ", b"7", b"x"])), max_size=4),
)
def test_recognises_a_repeated_head_exactly_as_it_would_read_it(
    name: bytes, lengths: list[bytes], more: bytes, spoilt: list[tuple[int, bytes]]
) -> None:
    def head(length: bytes) -> bytes:
        return LINE + b"Host: a\r\n" + name + length + b"\r\n" + more + b"\r\n12345"

    reader = HeadReader(PATHS)
    plain = head(b"77")
    for data in (plain, *map(head, lengths), *(plain[:at] + byte + plain[at + 1 :] for at, byte in spoilt), plain):
        for part in (data, data[:-20], data):
            assert reader.read(part) == read_head(part, PATHS)


TRACES = [b"00-" + digit * 32 + b"-" + digit * 16 + b"-01" for digit in (b"a", b"b")]


@given(
    st.permutations([b"Host: a\r\n", b"Content-Length: 5\r\n", b"Traceparent: T\r\n", b"X-Api-Key: k\r\n"]),
    st.lists(
        st.sampled_from(
            [*TRACES, *(b"c" * size for size in (0, 54, 55, 56)), b"c\r\nx: y" + b"c" * 48, b"C" * 55, b"c" * 55 + b" "]
        ),
        min_size=1,
        max_size=4,
    ),
    st.lists(st.sampled_from([b"5", b"77", b"123456", b"+5", b""]), min_size=4, max_size=4),
    st.lists(st.tuples(st.integers(0, 190), st.sampled_from([b"\r", b"\n", b":", b" ", b"7", b"x"])), max_size=4),
)
def test_recognises_a_head_elsewhere_in_a_trace_exactly_as_it_would_read_it(
    fields: list[bytes], traces: list[bytes], lengths: list[bytes], spoilt: list[tuple[int, bytes]]
) -> None:
    whole = LINE + b"".join(fields) + b"\r\n12345 traceparent: T"

    def head(trace: bytes, length: bytes = b"5") -> bytes:
        return whole.replace(b"Traceparent: T", b"Traceparent: " + trace).replace(b": 5", b": " + length)

    reader = HeadReader(PATHS)
    plain, other = map(head, TRACES)
    odd = [other[:at] + byte + other[at + 1 :] for at, byte in spoilt]
    for data in (plain, *map(head, traces, lengths), *odd, plain, other):
        for part in (data, data[:-30], data):
            assert reader.read(part) == read_head(part, PATHS)


@pytest.mark.parametrize("value", [b"T\r\ntraceparent: " + TRACES[0], b"T-and-more", b"T ", b" T"])
def test_reads_an_odd_traceparent_as_it_would_anew(value: bytes) -> None:
    reader = HeadReader(PATHS)
    for trace in (*TRACES, *TRACES):
        data = HEAD.replace(b"X-Api-Key: k", b"traceparent: " + value.replace(b"T", trace))
        assert reader.read(data) == read_head(data, PATHS)


def test_reads_a_head_anew_where_spaces_follow_the_length() -> None:
    reader = HeadReader(PATHS)
    for length in (b"5 ", b"57", b"5 7"):
        data = HEAD.replace(b": 5", b": " + length)
        assert reader.read(data) == read_head(data, PATHS)


def test_gives_each_request_headers_of_its_own() -> None:
    reader = HeadReader(PATHS)
    first, second = reader.read(HEAD), reader.read(HEAD)
    assert isinstance(first, HotHead)
    assert isinstance(second, HotHead)
    assert first.headers is not second.headers


def test_does_not_remember_a_long_head() -> None:
    long = HEAD.replace(b"X-Api-Key: k", b"X-Api-Key: " + b"k" * REMEMBERED_BYTES)
    reader = HeadReader(PATHS)
    assert [reader.read(data) for data in (HEAD, long, HEAD)] == [read_head(data, PATHS) for data in (HEAD, long, HEAD)]
