"""How endings are judged, against a gateway that plays a script."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from loadtest.client import Client, loopback_url
from loadtest.flight import Flight
from loadtest.scenarios import Job, Surface

Send = Callable[[bytes, Job], Awaitable[Flight]]

TALK = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
ERROR = b'data: {"error":{"message":"gone"}}\n\n'
USAGE = b'data: {"choices":[],"usage":{"cost":0.5}}\n\n'
DONE = b"data: [DONE]\n\n"
STREAM = Job(0.0, "chat", "Hi", streamed=True)
WHOLE = Job(0.0, "chat", "Hi")
MESSAGES = Job(0.0, "chat", "Hi", streamed=True, surface=Surface.MESSAGES)
BLOCK = b'event: content_block_delta\ndata: {"type":"content_block_delta"}\n\n'
STOP = b'event: message_delta\ndata: {"type":"message_delta","usage":{"cost":0.5}}\n\ndata: {"type":"message_stop"}\n\n'
ERROR_EVENT = b'event: error\ndata: {"type":"error","error":{"message":"gone"}}\n\n'


@pytest.fixture
async def send(http: aiohttp.ClientSession) -> AsyncIterator[Send]:
    script: dict[str, Any] = {"body": b"", "status": 200}

    async def play(_: web.Request) -> web.Response:
        headers = {"x-pointsman-endpoint": "v/m", "x-pointsman-attempts": "2"}
        return web.Response(status=script["status"], body=script["body"], headers=headers)

    app = web.Application()
    app.router.add_post("/v1/{rest:.*}", play)
    async with TestServer(app) as server:
        ticks = iter(range(100))
        client = Client(http, str(server.make_url("")).rstrip("/"), lambda: float(next(ticks)), model="auto", key="k")

        async def one(body: bytes, job: Job) -> Flight:
            script["body"], script["status"] = body, 503 if body == b"no" else 200
            flight = Flight(job, 0.0)
            await client.send(flight)
            return flight

        yield one


@pytest.mark.parametrize(
    ("job", "body", "outcome"),
    [
        (WHOLE, b'{"usage":{"cost":0.5}}', "ok"),
        (WHOLE, b"<html>", "garbled"),
        (WHOLE, b"no", "http_503"),
        (STREAM, TALK + USAGE + DONE, "ok"),
        (STREAM, TALK + ERROR, "in_stream_error"),
        (STREAM, TALK + ERROR + DONE, "in_stream_error"),
        (STREAM, TALK + ERROR + TALK, "garbled"),
        (STREAM, TALK + ERROR + ERROR, "garbled"),
        (STREAM, TALK, "cut"),
        (MESSAGES, BLOCK + STOP, "ok"),
        (MESSAGES, BLOCK + ERROR_EVENT, "in_stream_error"),
        (MESSAGES, BLOCK, "cut"),
    ],
)
async def test_judges_every_ending(send: Send, job: Job, body: bytes, outcome: str) -> None:
    assert (await send(body, job)).outcome == outcome


async def test_notes_endpoint_attempts_cost_and_times(send: Send) -> None:
    flight = await send(TALK + USAGE + DONE, STREAM)
    assert (flight.provider, flight.attempts, flight.cost_usd) == ("v", 2, 0.5)
    assert (flight.content_events, flight.first_token_s, flight.total_s) == (1, 0.0, 1.0)


async def test_calls_an_absent_gateway_a_connection_error(http: aiohttp.ClientSession) -> None:
    flight = Flight(WHOLE, 0.0)
    await Client(http, "http://127.0.0.1:1", lambda: 1.0, model="auto", key=None).send(flight)
    assert flight.outcome == "connection"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "http://localhost", "http://[::1]:80"])
def test_accepts_this_machine(url: str) -> None:
    assert loopback_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url", ["http://example.com", "https://10.0.0.1", "http://0.0.0.0", "ftp://127.0.0.1", "127.0.0.1"]
)
def test_refuses_every_other_machine(url: str) -> None:
    with pytest.raises(ValueError, match=r"not this machine|not an http URL"):
        loopback_url(url)
