"""Requests whose end two parsers could see in different places: none of them brings a second request along."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from tests.support.running_gateway import RunningGateway, gateway_with, until

BODY = b'{"model":"auto","messages":[{"role":"user","content":"Hello"}]}'
HIDDEN = b'{"model":"auto","messages":[{"role":"user","content":"smuggled"}]}'
SECOND = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (len(HIDDEN), HIDDEN)
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
LENGTH = b"content-length: %d" % len(BODY)
LINE = b"POST /v1/chat/completions HTTP/1.1"


@pytest.fixture
async def running() -> AsyncIterator[RunningGateway]:
    async with gateway_with("sim-fast") as gateway:
        yield gateway


async def sent(running: RunningGateway, request: bytes, answers: int = 1) -> bytes:
    """All that comes back, until the server closes or has given its answers and is idle."""
    came = bytearray()

    async def read(reader: asyncio.StreamReader) -> None:
        while piece := await reader.read(65_536):
            came.extend(piece)

    async with running.connection() as (reader, writer):
        writer.write(request)
        reading = asyncio.create_task(read(reader))
        counts = running.gateway.counts
        await until(lambda: reading.done() or (came.count(b"HTTP/1.") >= answers and counts.active == 0), "an answer")
        for _ in range(100):  # turns of the loop for whatever might follow
            await asyncio.sleep(0)
        await until(lambda: counts.active == 0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    return bytes(came)


@pytest.mark.parametrize(
    "head",
    [
        LENGTH + b"\r\ntransfer-encoding: chunked",
        b"transfer-encoding: chunked\r\n" + LENGTH,
        LENGTH + b"\r\ncontent-length: 0",
        b"content-length: 0\r\n" + LENGTH,
        b"content-length: 0, %d" % len(BODY),
        b"content-length: +%d" % len(BODY),
        b"content-length: 0x%x" % len(BODY),
        b"content-length: -1",
        b"content-length:",
        b"content-length: \xb2",
        b"content-length: " + b"9" * 40,
        b"content-length : %d" % len(BODY),
        b" content-length: %d" % len(BODY),
        b"x-fold: a\r\n content-length: 0\r\n" + LENGTH,
        b"transfer-encoding: xchunked\r\n" + LENGTH,
        b"transfer-encoding: chunked, identity",
        b"transfer-encoding: identity, chunked\r\n" + LENGTH,
        b"transfer-encoding:\x0bchunked\r\n" + LENGTH,
        b"x: a\nb: c\r\n" + LENGTH,
        b"x: a\0b\r\n" + LENGTH,
        b"x: a\rcontent-length: 0\r\n" + LENGTH,
        b": empty\r\n" + LENGTH,
        b"no-colon\r\n" + LENGTH,
    ],
)
@pytest.mark.parametrize("body", [BODY + SECOND, CHUNKED + SECOND], ids=["length", "chunked"])
async def test_never_answers_a_request_hidden_in_another(running: RunningGateway, head: bytes, body: bytes) -> None:
    came = await sent(running, b"%s\r\nhost: x\r\n%s\r\n\r\n%s" % (LINE, head, body))
    assert came.split(None, 2)[1] == b"400", came
    assert came.count(b"HTTP/1.") == 1
    assert b"Traceback" not in came
    assert running.vendors["sim-fast"].requests() == []


@pytest.mark.parametrize(
    "request_", [
        b"GET http://evil.example/v1/models/auto HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /v1/chat/completions#x HTTP/1.1\r\nhost: x\r\n%s\r\n\r\n%s" % (LENGTH, BODY),
        b"POST //v1/chat/completions HTTP/1.1\r\nhost: x\r\n%s\r\n\r\n%s" % (LENGTH, BODY),
        b"POST /v1/../v1/chat/completions HTTP/1.1\r\nhost: x\r\n%s\r\n\r\n%s" % (LENGTH, BODY),
        b"CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n",
        b"POST /v1/chat/completions HTTP/9.9\r\nhost: x\r\n%s\r\n\r\n%s" % (LENGTH, BODY),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade\r\n%s\r\n\r\n%s"
        % (LENGTH, BODY),
        b"\r\n\r\nPOST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n%s\r\n\r\n%s" % (LENGTH, BODY),
    ],
)  # fmt: skip
async def test_answers_odd_targets_and_versions_without_falling_over(
    running: RunningGateway, request_: bytes
) -> None:
    came = await sent(running, request_)
    status = came.split(None, 2)[1:2]
    assert status in ([b"200"], [b"400"], [b"404"], [b"405"], []), came
    assert len(running.vendors["sim-fast"].requests()) <= 1
    async with running.chat() as response:
        assert response.status == 200


async def test_answers_requests_that_come_all_at_once_in_their_order(running: RunningGateway) -> None:
    texts = [b"Count to %d" % number for number in range(2, 8)]
    bodies = [b'{"model":"auto","messages":[{"role":"user","content":"%s"}]}' % text for text in texts]
    requests = [b"%s\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (LINE, len(body), body) for body in bodies]
    came = await sent(running, b"".join(requests), answers=6)
    assert came.count(b"HTTP/1.1 200") == 6
    places = [came.index(b'"' + b" ".join(b"%d" % n for n in range(1, last + 1)) + b"\\n") for last in range(2, 8)]
    assert places == sorted(places)


async def test_reads_a_request_that_comes_byte_by_byte(running: RunningGateway) -> None:
    request = b"%s\r\nhost: x\r\n%s\r\n\r\n%s" % (LINE, LENGTH, BODY)
    async with running.connection() as (reader, writer):
        for at in range(len(request)):
            writer.write(request[at : at + 1])
            await asyncio.sleep(0)
        assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
    await until(lambda: len(running.rows.kept) == 1)


async def test_says_in_json_that_it_is_no_http_and_repeats_nothing(running: RunningGateway) -> None:
    came = await sent(running, b"%s\r\nhost: x\r\nauthorization: Bearer sk-canary-7\x01\r\n\r\n" % LINE)
    head, _, body = came.partition(b"\r\n\r\n")
    assert json.loads(body)["error"] == {
        "message": "the request is not valid HTTP", "type": "invalid_request_error", "param": None,
        "code": "invalid_request",
    }  # fmt: skip
    assert b"Server: pointsman" in head
    assert b"application/json" in head
    assert b"canary" not in came
