"""Probes on the real client against a loopback server."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from gateway.core.catalog import Operation, ProbeRules, Timeouts
from gateway.core.failure import FailureKind
from gateway.core.usage import Usage
from gateway.upstream.client import Upstream
from monitor.ports import Clock
from monitor.probe import Means, ProbeResult
from monitor.prober import LineProber
from tests.support.builders import a_provider, an_endpoint
from tests.support.loopback import Handler, serving

CLOCK = Clock(time.monotonic, time.time)
CHAT = {
    "id": "1",
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "OK"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 1, "total_tokens": 13},
}


class Keys:
    def get(self, provider: str, origin: str) -> str | None:
        return "sk-canary"

    def missing(self) -> frozenset[str]:
        return frozenset({"keyless"})


def answering(
    body: Any, status: int = 200, seen: list[web.Request] | None = None, headers: dict[str, str] | None = None
) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        await request.read()
        if seen is not None:
            seen.append(request)
        return web.json_response(body, status=status, headers=headers)

    return handler


@asynccontextmanager
async def probing(base_url: str, timeout_s: float = 5.0) -> AsyncIterator[LineProber]:
    upstream = Upstream()
    prober = LineProber(upstream, CLOCK)
    provider = a_provider("a", base_url=base_url, probe=ProbeRules(timeout_s=timeout_s), timeouts=Timeouts(1.0))
    prober.reconfigure({"a": provider}, Keys())
    try:
        yield prober
    finally:
        await upstream.close()


async def check(base_url: str, means: Means, timeout_s: float = 5.0) -> ProbeResult:
    async with probing(base_url, timeout_s) as prober:
        return await prober.check(a_provider("a", base_url=base_url, probe=ProbeRules(timeout_s=timeout_s)), means)


async def complete(base_url: str, operation: Operation = Operation.CHAT, timeout_s: float = 5.0) -> ProbeResult:
    async with probing(base_url, timeout_s) as prober:
        return await prober.complete(an_endpoint("a/m", operation=operation))


def kind(result: ProbeResult) -> FailureKind | None:
    return None if result.failure is None else result.failure.kind


async def test_asks_for_the_list_of_models_with_the_providers_key() -> None:
    seen: list[web.Request] = []
    async with serving({"/v1/models": answering({"data": []}, seen=seen)}) as url:
        result = await check(f"{url}/v1", Means.MODELS)

    assert kind(result) is None
    assert [(request.method, request.headers["authorization"]) for request in seen] == [("GET", "Bearer sk-canary")]


@pytest.mark.parametrize(
    ("status", "expected"), [(401, FailureKind.CREDENTIAL), (404, FailureKind.NOT_FOUND), (503, FailureKind.OVERLOADED)]
)
async def test_tells_why_there_is_no_list_of_models(status: int, expected: FailureKind) -> None:
    async with serving({"/v1/models": answering({"error": {"message": "no"}}, status)}) as url:
        result = await check(f"{url}/v1", Means.MODELS)

    assert kind(result) is expected
    assert result.failure is not None
    assert result.failure.status == status


async def test_connects_without_asking_anything() -> None:
    async with serving({}) as url:
        assert kind(await check(url, Means.TCP)) is None


async def test_tells_that_nobody_listens() -> None:
    assert kind(await check("http://127.0.0.1:9/v1", Means.TCP)) is FailureKind.UNREACHABLE
    assert kind(await check("http://127.0.0.1:9/v1", Means.MODELS)) is FailureKind.UNREACHABLE


async def test_tells_that_the_other_side_speaks_no_tls() -> None:
    async with serving({}) as url:
        assert kind(await check(url.replace("http://", "https://"), Means.TCP)) is FailureKind.UNREACHABLE


async def test_tells_that_a_connection_was_never_accepted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel takes the connection, nobody answers
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        result = await check(url, Means.TCP, timeout_s=0.05)

    assert kind(result) is FailureKind.CONNECT_TIMEOUT


async def test_completes_by_a_capped_request_and_tells_the_usage() -> None:
    bodies: list[Any] = []

    async def chat(request: web.Request) -> web.Response:
        bodies.append(json.loads(await request.read()))
        return web.json_response(CHAT)

    async with serving({"/v1/chat/completions": chat}) as url:
        result = await complete(f"{url}/v1")

    assert (kind(result), result.usage) == (None, Usage(input=12, output=1))
    assert result.ttfb_ms is not None
    assert 0 < result.ttfb_ms <= result.total_ms
    assert bodies[0]["max_tokens"] <= 16


async def test_reads_embeddings_and_legacy_completions() -> None:
    embeddings = {
        "object": "list",
        "model": "m",
        "data": [{"index": 0, "embedding": [0.1]}],
        "usage": {"prompt_tokens": 2},
    }
    completion = {"id": "1", "choices": [{"index": 0, "text": "OK", "finish_reason": "stop"}], "usage": CHAT["usage"]}
    routes = {"/v1/embeddings": answering(embeddings), "/v1/completions": answering(completion)}
    async with serving(routes) as url:
        results = [await complete(f"{url}/v1", op) for op in (Operation.EMBEDDINGS, Operation.COMPLETIONS)]

    assert [kind(result) for result in results] == [None, None]


async def test_takes_an_error_in_a_200_for_a_failure() -> None:
    async with serving({"/v1/chat/completions": answering({"error": {"message": "overloaded", "code": 503}})}) as url:
        assert kind(await complete(f"{url}/v1")) is not None


async def test_passes_on_how_long_a_provider_wants_to_be_left_alone() -> None:
    limited = answering({"error": {"message": "slow down"}}, 429, headers={"retry-after": "7"})
    async with serving({"/v1/chat/completions": limited}) as url:
        result = await complete(f"{url}/v1")

    assert result.failure is not None
    assert (result.failure.kind, result.failure.retry_after_s) == (FailureKind.RATE_LIMITED, 7.0)


async def test_blames_the_provider_for_an_answer_that_never_ends() -> None:
    async def dripping(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)

    async with serving({"/v1/chat/completions": dripping}) as url:
        assert kind(await complete(f"{url}/v1", timeout_s=0.1)) is FailureKind.ANSWER_TIMEOUT


async def test_names_the_providers_without_a_key() -> None:
    assert LineProber(Upstream(), CLOCK).missing() == frozenset()
    async with probing("http://127.0.0.1:9") as prober:
        assert prober.missing() == {"keyless"}
