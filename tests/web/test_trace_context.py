"""Trace contexts through a whole gateway, by either door: in by headers, out where the provider's entry says so."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import yaml

from gateway.core.trace import Sampling, Trace, context_headers
from tests.support.running_gateway import RunningGateway, config_of, running_gateway, vendors_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SENT = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=b", "baggage": "user=1"}
CHAT = {"model": "auto", "max_tokens": 20, "messages": [{"role": "user", "content": "Hello"}]}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": CHAT,
    "/v1/messages": CHAT,
    "/v1/responses": {"model": "auto", "input": "Hello"},
    "/v1/completions": {"model": "auto", "prompt": "Hello"},
}
DOORS: list[dict[str, str]] = [{}, {"content-encoding": "identity"}]  # the lane takes nothing coded


@asynccontextmanager
async def one_provider(**row: Any) -> AsyncIterator[RunningGateway]:
    """A gateway with one provider, which has `row` in its configuration."""
    async with vendors_of(["sim-fast"]) as vendors:
        config = yaml.safe_load(config_of(vendors))
        config["providers"]["sim-fast"] |= row
        async with running_gateway(yaml.safe_dump(config)) as running:
            running.vendors = {"sim-fast": vendors[0]}
            yield running


async def told(running: RunningGateway, path: str, door: dict[str, str]) -> tuple[dict[str, str], Trace | None]:
    """What the provider was told of the trace, and what the record knows of it."""
    kept: list[Trace | None] = []
    running.gateway.walk.record = lambda run, _: kept.append(run.request.trace)  # type: ignore[method-assign]
    async with running.http.post(
        running.url + path, data=json.dumps(BODIES[path]), headers={**SENT, **door}
    ) as response:
        assert response.status == 200, await response.text()
    await running.idle()
    got = {name.lower(): value for name, value in running.vendors["sim-fast"].requests()[-1]["headers"]}
    return {name: got[name] for name in SENT if name in got}, kept[-1]


@pytest.mark.parametrize("door", DOORS, ids=["lane", "aiohttp"])
@pytest.mark.parametrize("path", BODIES)
@pytest.mark.interpreted
async def test_a_provider_that_wants_to_know_is_told(path: str, door: dict[str, str]) -> None:
    async with one_provider(trace_context=True) as running:
        passed = {"traceparent": SENT["traceparent"], "tracestate": "a=b"}
        assert await told(running, path, door) == (passed, None)
        running.gateway.walk.sampling = Sampling.of("0af7651916cd43dd", 0.0)
        got, trace = await told(running, path, door)
        assert trace == Trace(TRACE, trace.span_id if trace else "", SPAN, 1, "a=b", True)
        assert got == dict(context_headers(trace, 1))


@pytest.mark.parametrize("door", DOORS, ids=["lane", "aiohttp"])
@pytest.mark.parametrize("path", BODIES)
@pytest.mark.interpreted
async def test_no_other_provider_is_told_anything(path: str, door: dict[str, str]) -> None:
    async with one_provider() as running:
        assert await told(running, path, door) == ({}, None)
        running.gateway.walk.sampling = Sampling.of("0af7651916cd43dd", 0.0)
        got, trace = await told(running, path, door)
        assert (got, trace and trace.trace_id) == ({}, TRACE)
