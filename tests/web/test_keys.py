"""Client keys: who may come in, and what is never said about a key."""

import hashlib
from collections.abc import AsyncIterator, Mapping

import pytest

from tests.support.running_gateway import RunningGateway, gateway_with

KEY = "pk-good-789"
AUTH = {"keys": [{"id": "team-a", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}]}
OPEN = {"/"}  # says that something is here, and no more


@pytest.fixture
async def running() -> AsyncIterator[RunningGateway]:
    async with gateway_with("sim-fast", auth=AUTH) as gateway:
        yield gateway


def routes(running: RunningGateway) -> list[tuple[str, str]]:
    """Every route that the client port has."""
    found = []
    for route in running.clients.runner.app.router.routes():
        assert route.resource is not None
        path = route.resource.canonical.replace("{id}", "auto")
        if path not in OPEN:
            found.append((route.method, path))
    return found


async def test_knows_its_routes(running: RunningGateway) -> None:
    posts = sorted(path for method, path in routes(running) if method == "POST")
    assert posts == [
        "/v1/audio/speech", "/v1/audio/transcriptions", "/v1/audio/translations", "/v1/chat/completions",
        "/v1/completions", "/v1/embeddings", "/v1/explain", "/v1/feedback", "/v1/images/generations", "/v1/messages",
        "/v1/messages/count_tokens", "/v1/moderations", "/v1/rerank", "/v1/responses", "/v1/responses/auto",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": KEY},
        {"authorization": f"Basic {KEY}"},
        {"x-api-key": "wrong"},
        {"authorization": "Bearer "},
        {"x-api-key": KEY + " x"},
        {"authorization": "Bearer wrong", "x-api-key": KEY},
    ],
)
async def test_lets_nobody_in_without_a_key_on_any_route(running: RunningGateway, headers: Mapping[str, str]) -> None:
    seen = {}
    for method, path in routes(running):
        async with running.http.request(method, running.url + path, data=b"{}", headers=headers) as response:
            seen[method, path] = response.status
    assert seen == dict.fromkeys(seen, 401)
    assert len(seen) >= 9
    assert running.rows.kept == []  # a flood of wrong keys must not become a flood of records
    assert running.gateway.metrics.unauthorized.values == {(): float(len(seen))}


@pytest.mark.parametrize(
    "headers", [{"authorization": f"Bearer {KEY}"}, {"authorization": f"bearer  {KEY}"}, {"x-api-key": KEY}]
)
async def test_lets_in_with_either_header_on_every_route(running: RunningGateway, headers: Mapping[str, str]) -> None:
    for method, path in routes(running):
        async with running.http.request(method, running.url + path, data=b"{}", headers=headers) as response:
            wanted = (404,) if path == "/v1/responses/auto" else (200, 400)  # nothing is stored
            assert response.status in wanted, (method, path, await response.text())


async def test_names_the_key_in_the_row_and_never_its_value(running: RunningGateway) -> None:
    async with running.chat(headers={"x-api-key": KEY}) as response:
        assert response.status == 200
    row = await running.row()
    assert row["key_id"] == "team-a"
    assert KEY not in str(row)


@pytest.mark.case("M2")
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/models"])
async def test_never_echoes_a_wrong_key(running: RunningGateway, path: str) -> None:
    method = "GET" if path == "/v1/models" else "POST"
    for headers in ({"authorization": "Bearer abc-canary-456"}, {"x-api-key": "abc-canary-456"}):
        async with running.http.request(method, running.url + path, data=b"{}", headers=headers) as response:
            answer = f"{dict(response.headers)} {await response.text()}"
        assert response.status == 401
        assert "abc-canary" not in answer
        assert "canary-456" not in answer


async def test_says_on_the_messages_surface_what_anthropics_clients_expect(running: RunningGateway) -> None:
    async with running.post("/v1/messages", {}) as response:
        answer = await response.json()
    assert (response.status, answer["type"], answer["error"]["type"]) == (401, "error", "authentication_error")


async def test_refuses_before_it_reads_the_body(running: RunningGateway) -> None:
    async with running.connection() as (reader, writer):
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 33554432\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 401")
