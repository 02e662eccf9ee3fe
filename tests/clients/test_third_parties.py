"""A third party's server as upstream: what it says arrives in every wire format."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clients.support.matrix import keep
from tests.clients.support.third_parties import aimock, row
from tests.support.running_gateway import RunningGateway, events_of, running_gateway

HELLO = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 100}
SAID = "Hello! How can I help you today?"  # by a fixture that aimock comes with
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"location": {"type": "string"}}},
    },
}
FORMATS = {
    "openai": "/v1", "responses": "/v1", "anthropic": "/v1", "gemini": "/v1beta", "bedrock": "", "cohere": "",
    "azure-openai": "/openai/v1",
}  # fmt: skip


@pytest.fixture
async def mocked(node_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A gateway with one provider a wire format, all of them aimock."""
    monkeypatch.setenv("MOCK_KEY", "any")
    async with aimock(node_folder, tmp_path) as url:
        providers = {}
        for api, path in FORMATS.items():
            providers[api] = {**row(api, url + path, "mocked-model"), "key": {"env": "MOCK_KEY"}}
        providers["bedrock"]["region"] = "us-east-1"
        async with running_gateway(yaml.safe_dump({"providers": providers})) as running:
            yield running


@pytest.mark.parametrize("api", FORMATS)
async def test_aimock_says_the_same_in_every_wire_format(api: str, mocked: RunningGateway) -> None:
    body = {"model": f"{api}/mocked-model", **HELLO}
    async with mocked.post("/v1/chat/completions", body) as response:
        whole = await response.json()
    assert whole.get("error") is None
    async with mocked.post("/v1/chat/completions", {**body, "stream": True}) as response:
        events = [json.loads(event) for event in events_of(await response.text()) if event != "[DONE]"]
    streamed = "".join(one["choices"][0]["delta"].get("content") or "" for one in events if one.get("choices"))
    async with mocked.post("/v1/chat/completions", {**body, "tools": [WEATHER], **asking("weather")}) as response:
        called = (await response.json())["choices"][0]
    call = called["message"]["tool_calls"][0]["function"]
    found = {
        "whole": whole["choices"][0]["message"]["content"], "streamed": streamed,
        "call": (call["name"], json.loads(call["arguments"])), "ended": called["finish_reason"],
    }  # fmt: skip
    right = {
        "whole": SAID, "streamed": SAID,
        "call": ("get_weather", {"location": "San Francisco", "unit": "fahrenheit"}), "ended": "tool_calls",
    }  # fmt: skip
    proof = f"aimock as upstream, format {api}: whole, streamed, a call"
    keep(f"other-aimock-{api}", {"proof": proof, "result": "pass" if found == right else "FAILED"})
    assert found == right


def asking(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}
