"""What of the headers goes from the client to the provider, and from the provider to the client."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from loadtest.faults import Fault, Match
from tests.support.running_gateway import RunningGateway, config_of, gateway_with, running_gateway, vendors_of

SENT = {
    "authorization": "Bearer gateway-key", "x-api-key": "gateway-key", "api-key": "gateway-key", "cookie": "sid=secret",
    "proxy-authorization": "Basic c2VjcmV0", "x-forwarded-for": "10.1.2.3", "forwarded": "for=10.1.2.3",
    "x-pointsman-tags": "team=a", "x-custom": "anything", "te": "trailers", "referer": "http://intranet/",
    "openai-organization": "org-of-the-client", "user-agent": "acme-app/7",
}  # fmt: skip
BODY = {"model": "auto", "max_tokens": 20, "messages": [{"role": "user", "content": "Hello"}]}
WHOLE = {
    "id": "x", "object": "chat.completion", "created": 1, "model": "open-8b",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}  # fmt: skip
FROM_PROVIDER = {
    "set-cookie": "__cf=1", "x-request-id": "req-1", "openai-processing-ms": "12", "openai-organization": "acme",
    "x-ratelimit-remaining-requests": "99", "server": "cloudflare", "x-internal-host": "10.0.0.7",
    "strict-transport-security": "max-age=1", "access-control-allow-origin": "*",
}  # fmt: skip


@asynccontextmanager
async def keyed(vendor: str, folder: Path) -> AsyncIterator[RunningGateway]:
    """A gateway that has a key for its one provider."""
    (folder / "key").write_text("provider-key\n")
    async with vendors_of([vendor]) as vendors:
        config = yaml.safe_load(config_of(vendors))
        config["providers"][vendor]["key"] = {"file": str(folder / "key")}
        async with running_gateway(yaml.safe_dump(config)) as running:
            running.vendors = {vendor: vendors[0]}
            yield running


def received(running: RunningGateway, vendor: str) -> dict[str, str]:
    return {name.lower(): value for name, value in running.vendors[vendor].requests()[-1]["headers"]}


@pytest.mark.case("M4")
@pytest.mark.parametrize(
    ("vendor", "path", "expected"),
    [
        ("sim-fast", "/v1/chat/completions", {"authorization": "Bearer provider-key"}),
        ("sim-fast", "/v1/messages", {"authorization": "Bearer provider-key"}),
        ("sim-claude", "/v1/messages", {"x-api-key": "provider-key", "anthropic-version": "2023-06-01"}),
        ("sim-claude", "/v1/chat/completions", {"x-api-key": "provider-key", "anthropic-version": "2023-06-01"}),
    ],
)
async def test_forwards_neither_credentials_nor_cookies(
    tmp_path: Path, vendor: str, path: str, expected: dict[str, str]
) -> None:
    async with keyed(vendor, tmp_path) as running:
        async with running.post(path, BODY, headers=SENT) as response:
            assert response.status == 200, await response.text()
        got = received(running, vendor)
    plain = {"host", "content-type", "content-length", "accept", "accept-encoding", "user-agent"}
    assert {name: value for name, value in got.items() if name not in plain} == expected
    assert not any(word in str(got) for word in ("gateway-key", "secret", "10.1.2.3", "acme", "org-of-the-client"))


@pytest.mark.case("M4")
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
async def test_sends_nothing_of_the_clients_to_a_provider_without_a_key(path: str) -> None:
    async with gateway_with("sim-fast") as running:
        async with running.post(path, BODY, headers=SENT) as response:
            assert response.status == 200, await response.text()
        got = received(running, "sim-fast")
    assert set(got) <= {"host", "content-type", "content-length", "accept", "accept-encoding", "user-agent"}


async def test_names_anthropics_version_to_a_provider_without_a_key() -> None:
    async with gateway_with("sim-claude") as running:
        async with running.post("/v1/messages", BODY) as response:
            assert response.status == 200
        assert received(running, "sim-claude").get("anthropic-version") == "2023-06-01"


async def test_passes_on_anthropics_own_headers_where_anthropic_is_asked(tmp_path: Path) -> None:
    headers = {"anthropic-version": "2023-06-01", "anthropic-beta": "interleaved-thinking-2025-05-14"}
    async with keyed("sim-claude", tmp_path) as running:
        async with running.post("/v1/messages", BODY, headers=headers) as response:
            assert response.status == 200
        got = received(running, "sim-claude")
    assert {name: got.get(name) for name in headers} == headers


@pytest.mark.parametrize("fields", [{}, {"stream": True}])
async def test_passes_few_of_the_providers_headers(fields: Mapping[str, bool]) -> None:
    async with gateway_with("sim-fast") as running:
        body, kind = json.dumps(WHOLE), "application/json"
        if fields:
            chunk = {**WHOLE, "object": "chat.completion.chunk",
                     "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}  # fmt: skip
            body, kind = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n", "text/event-stream"
        fault = Fault(body=body, content_type=kind, headers=FROM_PROVIDER)
        await running.vendors["sim-fast"].fault(fault)
        async with running.chat(**fields) as response:
            assert response.status == 200, await response.text()
            names = {name.lower() for name in response.headers}
    ours = {name for name in names if name.startswith("x-pointsman-")}
    framing = {"cache-control", "x-accel-buffering", "transfer-encoding", "content-length"}
    assert names - ours - framing == {"x-request-id", "openai-processing-ms", "content-type", "date", "server"}
    assert ours - {"x-pointsman-cost"} == {
        "x-pointsman-decision", "x-pointsman-endpoint", "x-pointsman-route", "x-pointsman-attempts",
    }  # fmt: skip


async def test_never_passes_a_providers_headers_on_an_error() -> None:
    async with gateway_with("sim-fast") as running:
        fault = Fault(status=400, message="no", headers=FROM_PROVIDER)
        await running.vendors["sim-fast"].fault(fault, Match())
        async with running.chat() as response:
            names = {name.lower() for name in response.headers}
    assert response.status == 400
    assert not names & {"set-cookie", "openai-organization", "x-internal-host", "access-control-allow-origin"}
