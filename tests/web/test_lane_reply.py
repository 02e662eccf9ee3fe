"""The bytes of the fast lane's answers."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.flow.ports import ClientGone
from gateway.web.lane_reply import JOIN_LIMIT_BYTES, LaneSink, Stamp, head_bytes


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.writes.extend(bytes(data) for data in list_of_data)


class Wire:
    def __init__(self) -> None:
        self.sent = Transport()
        self.transport: asyncio.Transport = self.sent
        self.paused = False
        self.gone = False
        self.last = False
        self.waited = 0
        self.was_cut = False

    def send(self, data: bytes) -> None:
        self.sent.write(data)

    def cut(self) -> None:
        self.was_cut = True

    def closes(self) -> bool:
        return self.last

    def common(self) -> bytes:
        return b"server: pointsman\r\n"

    async def writable(self) -> None:
        self.waited += 1
        self.paused = False


def test_dates_a_head_once_a_second() -> None:
    stamp = Stamp()
    first = stamp.lines(784_111_777.2)
    assert first == b"date: Sun, 06 Nov 1994 08:49:37 GMT\r\nserver: pointsman\r\n"
    assert stamp.lines(784_111_777.9) is first
    assert stamp.lines(784_111_778.0) == first.replace(b":37", b":38")


def test_writes_a_head() -> None:
    head = head_bytes(200, [("content-type", "a/b"), ("x-route", "süd")], b"content-length: 0\r\n")
    assert head == "HTTP/1.1 200 OK\r\ncontent-type: a/b\r\nx-route: süd\r\ncontent-length: 0\r\n\r\n".encode()
    assert head_bytes(418, [], b"") == b"HTTP/1.1 418 I'm a Teapot\r\n\r\n"
    assert head_bytes(599, [], b"") == b"HTTP/1.1 599 \r\n\r\n"


@given(st.lists(st.text(alphabet="ab\r\n\0é\ud800", max_size=8), max_size=4))
def test_lets_no_value_end_its_line(values: list[str]) -> None:
    head = head_bytes(200, [("x", value) for value in values], b"")
    assert head.count(b"\r") == head.count(b"\n") == head.count(b"\r\n") == len(values) + 2
    assert b"\0" not in head
    assert [line[3:] for line in head.split(b"\r\n")[1:-2]] == [
        value.replace("\r", " ").replace("\n", " ").replace("\0", " ").encode("utf-8", "replace")
        for value in values
    ]


def test_answers_in_one_write() -> None:
    wire = Wire()
    LaneSink(wire).whole(200, [("a", "b")], b"{}")
    assert wire.sent.writes == [b"HTTP/1.1 200 OK\r\na: b\r\ncontent-length: 2\r\nserver: pointsman\r\n\r\n{}"]


def test_copies_no_large_body() -> None:
    wire, body = Wire(), b"x" * (JOIN_LIMIT_BYTES + 1)
    LaneSink(wire).whole(200, [], body)
    assert wire.sent.writes[1:] == [body]


def test_says_that_an_answer_is_the_last() -> None:
    wire = Wire()
    wire.last = True
    LaneSink(wire).whole(404, [], b"")
    assert wire.sent.writes == [
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nserver: pointsman\r\nconnection: close\r\n\r\n"
    ]


async def test_streams_in_chunks() -> None:
    wire = Wire()
    sink = LaneSink(wire)
    assert not sink.begun
    await sink.head(200, [])
    assert sink.begun
    for data in (b"", b"data: 1\n\n", b"x" * 26):
        await sink.chunk(data)
    await sink.end()
    assert wire.sent.writes == [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nserver: pointsman\r\n\r\n",
        b"9\r\ndata: 1\n\n\r\n", b"1a\r\n" + b"x" * 26 + b"\r\n", b"0\r\n\r\n",
    ]  # fmt: skip


async def test_waits_only_while_the_client_is_slower() -> None:
    wire = Wire()
    sink = LaneSink(wire)
    await sink.head(200, [])
    await sink.chunk(b"a")
    assert wire.waited == 0
    wire.paused = True
    await sink.chunk(b"b")
    await sink.chunk(b"c")
    assert (wire.waited, len(wire.sent.writes)) == (1, 4)


async def test_notices_that_the_client_is_gone() -> None:
    wire = Wire()
    sink = LaneSink(wire)
    wire.gone = True
    with pytest.raises(ClientGone):
        sink.whole(200, [], b"")
    with pytest.raises(ClientGone):
        await sink.head(200, [])
    with pytest.raises(ClientGone):
        await sink.chunk(b"a")
    assert wire.sent.writes == []


def test_cuts_the_connection() -> None:
    wire = Wire()
    LaneSink(wire).abort()
    assert wire.was_cut
