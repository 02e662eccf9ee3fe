"""The admin port's page and its API: what people and `pointsman top` read."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from loadtest.faults import Fault
from tests.support.running_gateway import RunningGateway, gateway_with

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
async def running() -> AsyncIterator[RunningGateway]:
    async with gateway_with("sim-cheap", "sim-fast") as gateway:
        yield gateway


async def ask(running: RunningGateway, **options: Any) -> None:
    async with running.chat(**options) as response:
        await response.read()


async def get(running: RunningGateway, path: str) -> tuple[int, Any]:
    async with running.http.get(running.admin_url + path) as response:
        assert response.content_type == "application/json"
        return response.status, json.loads(await response.read())


async def test_tells_of_the_gateway_as_a_whole(running: RunningGateway) -> None:
    await running.vendors["sim-cheap"].fault(Fault(status=500), times=1)
    await ask(running)
    await ask(running, stream=True)
    await running.row(2)
    status, told = await get(running, "/api/overview")
    assert status == 200
    assert (told["process"], told["ready"], told["inflight"]) == ("gateway", "ready", 0)
    cheap, fast = (
        next(row for row in told["endpoints"] if row["endpoint"] == f"{vendor}/open-8b")
        for vendor in ("sim-cheap", "sim-fast")
    )
    assert (cheap["ok"], cheap["failed"], cheap["breaker"], cheap["tier"]) == (1, 1, "closed", "small")
    assert (fast["ok"], fast["failed"], fast["last_error"], fast["probe"]) == (1, 0, None, None)
    assert cheap["price"] == {
        "input": 0.05, "cached_input": 0.025, "output": 0.08, "per_request": 0.0, "source": "config",
    }  # fmt: skip
    assert sorted(cheap["first_token_ms"]) == ["p50", "p90", "p95", "p99"]
    rows = running.rows.kept
    assert told["today"]["requests"] == 2
    assert told["today"]["cost_usd"] == pytest.approx(sum(row["cost_usd"] for row in rows))
    assert told["today"]["saved_usd"] == pytest.approx(sum(row["saved_usd"] for row in rows))


async def test_lists_the_last_decisions_newest_first(running: RunningGateway) -> None:
    for number in range(3):
        await ask(running, text=f"Hello {number}")
    await running.row(3)
    _, told = await get(running, "/api/decisions?limit=2")
    assert [row["id"] for row in told["decisions"]] == [row["id"] for row in reversed(running.rows.kept[1:])]
    assert told["decisions"][0].items() <= running.rows.kept[2].items()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("route=default", [1, 0]),
        ("route=other", []),
        ("outcome=rejected", [2]),
        ("endpoint=sim-fast/open-8b", [0]),
        ("outcome=ok&endpoint=sim-cheap/open-8b", [1, 0]),
    ],
)
async def test_filters(running: RunningGateway, query: str, found: list[int]) -> None:
    await running.vendors["sim-cheap"].fault(Fault(status=500), times=1)
    await ask(running)
    await ask(running)
    await ask(running, model="no-such-model")
    await running.row(3)
    _, told = await get(running, f"/api/decisions?{query}")
    assert [row["id"] for row in told["decisions"]] == [running.rows.kept[number]["id"] for number in found]


async def test_finds_a_decision_by_the_beginning_of_its_id(running: RunningGateway) -> None:
    await ask(running)
    wanted = await running.row()
    _, told = await get(running, f"/api/decisions?id={wanted['id'][:10]}")
    assert [row["id"] for row in told["decisions"]] == [wanted["id"]]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("limit=0", "limit must be a number from 1 to 500"),
        ("limit=many", "limit must be a number from 1 to 500"),
        ("outcome=fine", "outcome must be one of ok, partial, failed, rejected, cancelled"),
        ("rote=default", "'rote' is not a parameter here; valid: limit, route, outcome, endpoint, id"),
    ],
)
async def test_says_what_would_be_valid(running: RunningGateway, query: str, words: str) -> None:
    assert await get(running, f"/api/decisions?{query}") == (400, {"error": {"message": words}})


async def test_tells_the_whole_of_one_decision(running: RunningGateway) -> None:
    await ask(running)
    wanted = await running.row()
    assert await get(running, f"/api/decisions/{wanted['id']}") == (200, wanted)
    assert (await get(running, "/api/decisions/none"))[0] == 404


async def test_never_tells_a_text_that_a_route_records() -> None:
    routes = [{"name": "default", "record": "full"}]
    async with gateway_with("sim-cheap", routes=routes) as running:
        await ask(running, text="a secret of the client's")
        kept = await running.row()
        assert "a secret of the client's" in json.dumps(kept["texts"])
        _, told = await get(running, f"/api/decisions/{kept['id']}")
        assert "texts" not in told
        assert "secret" not in json.dumps([told, await get(running, "/api/decisions")])


async def test_explains_as_the_client_api_does_and_asks_for_no_key() -> None:
    body = {"model": "auto", "messages": [{"role": "user", "content": "Translate this into French: good night"}]}
    keys = [{"id": "a-client", "sha256": "0" * 64}]
    async with gateway_with("sim-cheap", "sim-fast", auth={"keys": keys}) as running:
        async with running.post("/v1/explain", body) as response:
            assert response.status == 401
        async with running.http.post(running.admin_url + "/api/explain", json=body) as response:
            assert response.status == 200
            told = await response.json()
        async with running.http.post(running.admin_url + "/api/explain", data=b"{") as response:
            refused = (response.status, (await response.json())["error"]["type"])
        assert (told["task"], told["plan"][0]) == ("translation", "sim-cheap/open-8b")
        assert refused == (400, "invalid_request_error")
        assert running.vendors["sim-cheap"].requests() == []
        assert running.rows.kept == []


async def test_tells_live_what_happens(running: RunningGateway) -> None:
    async with running.http.get(running.admin_url + "/api/stream") as response:
        assert response.content_type == "text/event-stream"
        name, overview = await next_event(response)
        assert (name, overview["process"]) == ("overview", "gateway")
        await ask(running, model="auto", headers={"x-pointsman-tags": f"who={HOSTILE}"})
        name, told = await next_event(response, "decision")
        assert told["id"] == (await running.row())["id"]


async def test_does_not_take_a_long_stream_for_a_late_head(
    running: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running.http.get(running.admin_url + "/api/stream") as response:
        await next_event(response)
        monkeypatch.setattr("gateway.web.guard.HEAD_S", -1.0)
        running.admin.keeper.sweep()
        monkeypatch.undo()
        await ask(running)
        await next_event(response, "decision")
    assert running.admin.keeper.timed_out == 0


async def test_ends_its_streams_when_it_closes() -> None:
    async with gateway_with("sim-cheap") as running:
        async with running.http.get(running.admin_url + "/api/stream") as response:
            await next_event(response)
            await running.admin.drain(20.0)
            while await response.content.read(65_536):
                pass
        assert running.gateway.counts.active == 0


async def next_event(response: Any, name: str = "") -> tuple[str, Any]:
    """The next event, or the next of this name."""
    while True:
        head, data, end = [(await response.content.readline()).decode() for _ in range(3)]
        assert (head[:7], data[:6], end) == ("event: ", "data: ", "\n")
        if name in ("", head[7:-1]):
            return head[7:-1], json.loads(data[6:])


async def test_serves_the_page_and_nothing_but_its_own_files(running: RunningGateway) -> None:
    async with running.http.get(running.admin_url + "/") as response:
        page = await response.text()
    assert response.content_type == "text/html"
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
    assert "unsafe" not in policy
    assert "<style" not in page
    assert " style=" not in page
    headers = {"If-None-Match": response.headers["ETag"]}
    async with running.http.get(running.admin_url + "/", headers=headers) as again:
        assert (again.status, await again.read()) == (304, b"")
    for name in ("index.html", "none.js", "..%2Fpage.py", "%2Fetc%2Fpasswd"):
        async with running.http.get(f"{running.admin_url}/static/{name}") as other:
            assert other.status == 404, name
