"""The fast lane on real sockets: the same answers as through aiohttp, in order, however the bytes arrive."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from gateway.flow import answer as answer_module
from gateway.web.desk import Desk
from tests.support.raw_client import CHAT_PATH, RawAnswer, chat_body, chunked_request, read_answer, request
from tests.support.running_gateway import RunningGateway, gateway_with, until

MODELS = b"GET /v1/models HTTP/1.1\r\nHost: gateway\r\n\r\n"
MESSAGES = json.dumps({"model": "auto", "max_tokens": 20, "messages": [{"role": "user", "content": "Hi"}]}).encode()

Asking = Callable[..., bytes]


@pytest.fixture
async def running() -> AsyncIterator[RunningGateway]:
    async with gateway_with("sim-fast") as gateway:
        yield gateway


async def ask(running: RunningGateway, *pieces: bytes, answers: int = 1) -> list[RawAnswer]:
    """Send the pieces on a fresh connection and read so many answers."""
    async with running.connection() as (reader, writer):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        return [await read_answer(reader) for _ in range(answers)]


def asked(running: RunningGateway) -> int:
    return len(running.vendors["sim-fast"].requests())


def without_chance(value: Any) -> Any:
    """An answer without ids and times."""
    if isinstance(value, dict):
        return {key: without_chance(inner) for key, inner in value.items() if key not in ("id", "created")}
    return [without_chance(inner) for inner in value] if isinstance(value, list) else value


# -- both doors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHAT_PATH, chat_body()),
        (CHAT_PATH + "?unknown=1", chat_body()),
        (CHAT_PATH, chat_body(model="nobody")),
        (CHAT_PATH, chat_body(provider={"nonsense": 1})),
        (CHAT_PATH, b"{"),
        (CHAT_PATH, b""),
        (CHAT_PATH, b"[]"),
        ("/v1/messages", MESSAGES),
        ("/v1/messages?beta=true", MESSAGES),
        ("/v1/messages", b"{"),
        ("/v1/messages/count_tokens", MESSAGES),
        ("/v1/completions", b'{"model":"auto","prompt":"Once"}'),
        ("/v1/embeddings", b'{"model":"embed","input":"Once"}'),
        ("/v1/embeddings", b'{"model":"nobody","input":"Once"}'),
    ],
)
async def test_answers_as_aiohttps_door_does(running: RunningGateway, path: str, body: bytes) -> None:
    [lane] = await ask(running, request(body, path=path))
    [other] = await ask(running, chunked_request(body, path=path))
    assert (lane.of_lane, other.of_lane) == (True, False)
    assert (lane.status, without_chance(lane.json)) == (other.status, without_chance(other.json))
    assert lane.headers.keys() - {"content-length"} == other.headers.keys() - {"content-length"}
    kept = [without_chance(row) for row in (await running.row(1), await running.row(2))]
    same = ("surface", "model", "outcome", "status", "error", "endpoint", "usage", "cost_usd", "stream")
    assert {key: kept[0][key] for key in same} == {key: kept[1][key] for key in same}


@pytest.mark.parametrize("path", [CHAT_PATH, "/v1/messages"])
async def test_streams_as_aiohttps_door_does(running: RunningGateway, path: str) -> None:
    body = json.dumps({**json.loads(MESSAGES), "stream": True}).encode()
    [lane] = await ask(running, request(body, path=path))
    [other] = await ask(running, chunked_request(body, path=path))
    assert (lane.of_lane, other.of_lane, lane.status) == (True, False, 200)
    assert lane.headers.keys() == other.headers.keys()
    assert lane.headers["cache-control"] == "no-cache, no-transform"
    assert lane.body.count(b"\n\n") == other.body.count(b"\n\n") > 5


@pytest.mark.parametrize("asking", [request, chunked_request])
@pytest.mark.interpreted
async def test_says_in_the_surfaces_words_that_the_gateway_itself_failed(
    running: RunningGateway, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(Desk, "read", fail)
    [answer] = await ask(running, asking(MESSAGES, path="/v1/messages"))
    assert (answer.status, answer.json["type"], answer.json["error"]["type"]) == (500, "error", "api_error")
    assert b"secret" not in answer.body
    await running.idle()


@pytest.mark.parametrize("asking", [request, chunked_request])
@pytest.mark.interpreted
async def test_cuts_the_connection_where_the_gateway_fails_in_the_middle_of_a_stream(
    running: RunningGateway, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(answer_module, "pump", fail)
    async with running.connection() as (reader, writer):
        writer.write(asking(chat_body(stream=True)))
        sent = await reader.read()
    assert sent.startswith(b"HTTP/1.1 200")
    assert sent.count(b"HTTP/1.1") == 1
    assert not sent.endswith(b"0\r\n\r\n")
    assert (await running.row())["status"] == 500


# -- how bytes arrive --------------------------------------------------------------------------------------------------


async def test_reads_one_byte_at_a_time(running: RunningGateway) -> None:
    sent = request(chat_body())
    [answer] = await ask(running, *(sent[at : at + 1] for at in range(len(sent))))
    assert (answer.status, answer.of_lane) == (200, True)


async def test_reads_a_request_cut_anywhere(running: RunningGateway) -> None:
    sent = request(chat_body())
    for cut in range(1, len(sent), 7):
        [answer] = await ask(running, sent[:cut], sent[cut:])
        assert (answer.status, answer.of_lane) == (200, True), cut


async def test_reads_a_large_body(running: RunningGateway) -> None:
    [answer] = await ask(running, request(chat_body(max_tokens=20, user="x" * 300_000)))
    assert (answer.status, answer.of_lane) == (200, True)


@pytest.mark.parametrize("first", [chat_body(), chat_body(stream=True)])
async def test_answers_pipelined_requests_in_order(running: RunningGateway, first: bytes) -> None:
    sent = [
        request(first), request(MESSAGES, path="/v1/messages"), request(b"{"), MODELS, request(chat_body()),
    ]  # fmt: skip
    for pieces in ([b"".join(sent)], [b"".join(sent)[at : at + 100] for at in range(0, 2_000, 100)]):
        found = await ask(running, *pieces, answers=5)
        assert [answer.status for answer in found] == [200, 200, 400, 200, 200]
        assert [answer.of_lane for answer in found] == [True, True, True, False, False]  # handed over for good
        assert b'"type":"message"' in found[1].body.replace(b" ", b"")
        assert found[3].json["object"] == "list"


async def test_holds_back_what_is_pipelined_beyond_measure(running: RunningGateway) -> None:
    sent = request(chat_body(user="x" * 40_000))
    found = await ask(running, sent * 20, answers=20)
    assert {answer.status for answer in found} == {200}
    assert all(answer.of_lane for answer in found)


async def test_keeps_the_connection(running: RunningGateway) -> None:
    async with running.connection() as (reader, writer):
        for _ in range(3):
            writer.write(request(chat_body()))
            answer = await read_answer(reader)
            assert (answer.status, "connection" in answer.headers) == (200, False)
        assert len(running.clients.keeper) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_closes_the_connection_when_asked_to(running: RunningGateway, stream: bool) -> None:
    async with running.connection() as (reader, writer):
        writer.write(request(chat_body(stream=stream), "Connection: close") + request(chat_body()))
        answer = await read_answer(reader)
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert await reader.read() == b""
    assert asked(running) == 1


async def test_hands_over_who_expects_to_be_asked_for_the_body(running: RunningGateway) -> None:
    body = chat_body()
    async with running.connection() as (reader, writer):
        writer.write(request(b"", "Expect: 100-continue", length=len(body)))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        writer.write(body)
        answer = await read_answer(reader)
    assert (answer.status, answer.of_lane) == (200, False)


# -- what must not be believed -----------------------------------------------------------------------------------------

BODY = chat_body()
GOOD = request(BODY)


@pytest.mark.parametrize(
    "sent",
    [
        request(b"0\r\n\r\n" + GOOD, "Transfer-Encoding: chunked", length=5 + len(GOOD)),
        request(BODY, "Content-Length: 5"),
        request(BODY, f"Content-Length: {len(BODY)}"),
        GOOD.replace(b"Content-Length:", b"Content-Length :"),
        GOOD.replace(b"Content-Length: ", b"Content-Length: +"),
        GOOD.replace(b"Content-Length: ", b"Content-Length: 0x"),
        request(BODY, "X: a", " Content-Length: 3"),
        GOOD.replace(b"\r\n", b"\n"),
        GOOD.replace(b"Host: gateway\r\n", b"Host: gateway\n"),
        GOOD.replace(b"Host: gateway\r\n", b""),
        request(BODY, "Host: other"),
        request(BODY, "X: a\0b"),
        request(BODY, "X: a\x01b"),
        request(BODY, "X y: a"),
        request(BODY, "X: " + "a" * 70_000),
        request(BODY, *(f"X-{number}: a" for number in range(300))),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)),
    ],
    ids=lambda sent: repr(sent[:90]),
)
async def test_refuses_what_is_malformed_and_closes(running: RunningGateway, sent: bytes) -> None:
    async with running.connection() as (reader, writer):
        writer.write(sent + GOOD)
        assert (await read_answer(reader)).status == 400
        assert await reader.read() == b""
    assert asked(running) == 0


async def test_takes_no_more_than_the_announced_body(running: RunningGateway) -> None:
    async with running.connection() as (reader, writer):
        writer.write(request(BODY + b"GARBAGE", length=len(BODY)) + GOOD)
        assert (await read_answer(reader)).status == 200
        assert (await reader.readline()).split()[1] == b"400"
    assert asked(running) == 1


async def test_turns_away_a_body_that_is_announced_too_large_and_lets_the_client_finish(
    running: RunningGateway,
) -> None:
    async with running.connection() as (reader, writer):
        writer.write(request(b"x" * 1_000_000, length=33 * 1024 * 1024))
        answer = await read_answer(reader)
        assert (answer.status, answer.of_lane, answer.headers["connection"]) == (413, True, "close")
        writer.write(b"x" * 1_000_000)  # no reset that could cost the client its answer
        await writer.drain()
        assert await reader.read() == b""
    assert (await running.row())["status"] == 413
    await until(lambda: len(running.clients.keeper) == 0)


async def test_turns_away_who_has_no_key_without_waiting_for_the_body() -> None:
    async with gateway_with("sim-fast", auth={"keys": [{"id": "a", "sha256": "0" * 64}]}) as running:
        for sent in (request(b"", length=1_000), request(chat_body())):
            [answer] = await ask(running, sent)
            assert (answer.status, answer.of_lane) == (401, True)
        await running.idle()
        assert running.rows.kept == []
