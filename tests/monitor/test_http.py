import asyncio

import aiohttp
import pytest
from aiohttp import web

from gateway.core.outcomes import EndpointOutcomes, Outcomes, encode_outcomes
from monitor import http
from monitor.http import HttpGateways, HttpPriceFeed, OutcomesReader
from monitor.ports import FetchError
from monitor.price_sources import Source
from tests.support.loopback import Handler, serving

REPORT = Outcomes("g1", {"a/x": EndpointOutcomes(ok=3)})
NOBODY = "http://127.0.0.1:9"


def answering(body: bytes, status: int = 200) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status)

    return handler


async def test_hears_every_gateway_that_answers_with_a_report() -> None:
    routes = {"/one/outcomes": answering(encode_outcomes(REPORT)), "/two/outcomes": answering(b"<html>")}
    async with serving(routes) as url, aiohttp.ClientSession() as session:
        gateways = HttpGateways(OutcomesReader(session), (f"{url}/one/", f"{url}/two", f"{url}/three", NOBODY))

        assert await gateways.outcomes() == [REPORT]
        assert await gateways.outcomes() == [REPORT]


async def test_says_once_that_a_gateway_is_silent_and_again_after_it_was_heard(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers = [b"", b"", encode_outcomes(REPORT), b""]

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=answers.pop(0))

    caplog.set_level("INFO", logger="monitor")
    async with serving({"/outcomes": handler}) as url, aiohttp.ClientSession() as session:
        gateways = HttpGateways(OutcomesReader(session), (url,))
        for _ in range(4):
            await gateways.outcomes()

    assert len([record for record in caplog.records if "no outcomes" in record.message]) == 2


async def test_fetches_a_price_source() -> None:
    async with serving({"/models": answering(b"prices")}) as url, aiohttp.ClientSession() as session:
        assert await HttpPriceFeed(session, {Source.OPENROUTER: f"{url}/models"}).fetch(Source.OPENROUTER) == b"prices"


async def test_tells_why_a_price_source_cannot_be_read() -> None:
    async with serving({"/models": answering(b"no", 503)}) as url, aiohttp.ClientSession() as session:
        feed = HttpPriceFeed(session, {Source.OPENROUTER: f"{url}/models", Source.LITELLM: NOBODY})

        with pytest.raises(FetchError, match="503"):
            await feed.fetch(Source.OPENROUTER)
        with pytest.raises(FetchError, match="Cannot connect"):
            await feed.fetch(Source.LITELLM)


async def test_reads_no_endless_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PRICES_BYTES", 1 << 20)

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)
            await asyncio.sleep(0)

    async with serving({"/models": endless}) as url, aiohttp.ClientSession() as session:
        with pytest.raises(FetchError, match="longer than 1 MiB"):
            await HttpPriceFeed(session, {Source.OPENROUTER: f"{url}/models"}).fetch(Source.OPENROUTER)
