"""Providers at clouds, with everything together: a signed or tokened request out, a binary stream back."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from aiohttp import web

from gateway.core.credential import AwsKeys
from gateway.upstream.call import Call, Origin
from tests.support import frames
from tests.support.aws import by_aws
from tests.support.loopback import serving
from tests.support.running_gateway import RunningGateway, events_of, running_gateway, until
from tests.support.token_server import token_server

KEYS = AwsKeys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", "session==")
NOVA = "us.amazon.nova-micro-v1:0"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
HELLO = [{"role": "user", "content": "Hello there"}]
CONVERSE = b"".join(
    frames.event(name, body)
    for name, body in (
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Grüße"}}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}}),
    )
)
MESSAGE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "Hi."}], "usage": {"input_tokens": 3, "output_tokens": 2},
}  # fmt: skip


@dataclass
class Cloud:
    """A server that keeps what it was asked, and answers by the end of the path."""

    answers: dict[str, tuple[int, str, bytes]]
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append((request.raw_path, headers, await request.read()))
        status, kind, body = next(answer for end, answer in self.answers.items() if request.path.endswith(end))
        return web.Response(status=status, headers={"content-type": kind}, body=body)


def as_json(body: Any) -> tuple[int, str, bytes]:
    return 200, "application/json", json.dumps(body).encode()


@asynccontextmanager
async def gateway_at(cloud: Cloud, row: dict[str, Any]) -> AsyncIterator[RunningGateway]:
    async with serving({"/{path:.*}": cloud.serve}) as url:
        config = {"providers": {"cloud": {**row, "base_url": url}}}
        async with running_gateway(yaml.safe_dump(config)) as running:
            await until(lambda: not running.gateway.walk.parts.lines["cloud"]._keys.missing(), "credentials")
            yield running


def is_signed(asked: tuple[str, dict[str, str], bytes], url: str) -> bool:
    """Whether AWS's own signer would have written the same."""
    path, headers, body = asked
    moment = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    names = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    added = ("host", "x-amz-date", "x-amz-security-token")
    own = tuple((name, headers[name]) for name in names if name not in added)
    call = Call(Origin("http", "127.0.0.1", urlsplit(url).port or 0), "POST", path, own, body)
    return by_aws(call, KEYS, "us-east-1", moment.timestamp())["authorization"] == headers["authorization"]


@pytest.fixture
def aws_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS.secret_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", KEYS.session_token or "")


def bedrock(**more: Any) -> dict[str, Any]:
    models = [
        {"id": "nova", "upstream_id": NOVA, "price": {"input": 1, "output": 2}},
        {"id": "claude", "upstream_id": CLAUDE, "api": "bedrock-anthropic", "price": {"input": 3, "output": 15}},
    ]
    return {"api": "bedrock", "region": "us-east-1", "models": models, "key": {"identity": "aws"}, **more}


@pytest.mark.usefixtures("aws_keys")
async def test_streams_converse_with_a_signature_that_aws_would_have_written() -> None:
    cloud = Cloud({"/converse-stream": (200, "application/vnd.amazon.eventstream", CONVERSE)})
    async with gateway_at(cloud, bedrock()) as running:
        async with running.chat(model="nova", stream=True, stream_options={"include_usage": True}) as response:
            events = [json.loads(event) for event in events_of(await response.text())[:-1]]
        (asked,) = cloud.asked
        row = await running.row()
        assert is_signed(asked, str(running.gateway.compiled.policy.catalog.providers["cloud"].base_url))
    assert asked[0] == "/model/us.amazon.nova-micro-v1%3A0/converse-stream"
    assert "".join(event["choices"][0]["delta"].get("content") or "" for event in events if event["choices"]) == "Grüße"
    assert (row["usage"]["input"], row["usage"]["output"], row["cost_usd"]) == (3, 2, pytest.approx(7e-6))


@pytest.mark.usefixtures("aws_keys")
async def test_asks_claude_at_bedrock_in_its_own_format_and_counts_there_too() -> None:
    cloud = Cloud({"/invoke": as_json(MESSAGE), "/count-tokens": as_json({"inputTokens": 11})})
    async with gateway_at(cloud, bedrock()) as running:
        body = {"model": "claude", "max_tokens": 50, "messages": HELLO}
        async with running.post("/v1/messages", body) as response:
            assert (await response.json())["content"] == MESSAGE["content"]
        async with running.post("/v1/messages/count_tokens", {"model": "claude", "messages": HELLO}) as response:
            assert await response.json() == {"input_tokens": 11}
        url = running.gateway.compiled.policy.catalog.providers["cloud"].base_url
        assert [is_signed(asked, url) for asked in cloud.asked] == [True, True]
    assert json.loads(cloud.asked[0][2]) == {
        "max_tokens": 50, "messages": HELLO, "anthropic_version": "bedrock-2023-05-31",
    }  # fmt: skip


async def test_an_exception_of_bedrocks_has_its_kind_in_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDROCK_KEY", "bedrock-api-key-x")
    slow = frames.exception("throttlingException", "Too many requests, please wait.")
    cloud = Cloud({"/converse-stream": (200, "application/vnd.amazon.eventstream", slow)})
    async with gateway_at(cloud, bedrock(key={"env": "BEDROCK_KEY"})) as running:
        async with running.chat(model="nova", stream=True) as response:
            assert response.status == 429
        row = await running.row()
    assert cloud.asked[0][1]["authorization"] == "Bearer bedrock-api-key-x"
    assert row["attempts"][0]["outcome"] == "rate_limited"


async def test_asks_azure_with_a_token_of_entra_id(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {
        "id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-4o-2024-11-20",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }  # fmt: skip
    cloud = Cloud({"/chat/completions": as_json(answer)})
    models = [{"id": "gpt-4o", "upstream_id": "my-gpt"}]
    row = {"api": "azure-openai", "api_version": "2024-10-21", "models": models, "key": {"env": "AZURE_KEY"}}
    with token_server() as entra:
        entra.answers["/t/oauth2/v2.0/token"] = (200, '{"access_token": "entra-token", "expires_in": 3600}')
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", entra.url)
        monkeypatch.setenv("AZURE_KEY", '{"tenant_id": "t", "client_id": "c", "client_secret": "s"}')
        async with gateway_at(cloud, row) as running:
            for _ in range(3):
                async with running.chat(model="gpt-4o") as response:
                    assert (await response.json())["choices"][0]["message"]["content"] == "Hi."
    path, headers, _ = cloud.asked[-1]
    assert path == "/deployments/my-gpt/chat/completions?api-version=2024-10-21"
    assert (headers["authorization"], "api-key" in headers) == ("Bearer entra-token", False)
    assert (len(entra.asked), len(cloud.asked)) == (1, 3)


async def test_a_provider_whose_token_is_refused_counts_as_one_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with token_server() as entra:
        entra.answers["/t/oauth2/v2.0/token"] = (401, '{"error_description": "AADSTS7000215: Invalid client secret."}')
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", entra.url)
        monkeypatch.setenv("AZURE_KEY", '{"tenant_id": "t", "client_id": "c", "client_secret": "s"}')
        row = {"api": "azure-openai", "base_url": "http://127.0.0.1:1", "models": [{"id": "m"}]}
        row["key"] = {"env": "AZURE_KEY"}
        async with running_gateway(yaml.safe_dump({"providers": {"azure": row}})) as running:
            await until(lambda: entra.asked, "a token asked for")
            async with running.chat(model="m") as response:
                body = await response.json()
    assert response.status == 422
    assert "no_key" in json.dumps(body)
