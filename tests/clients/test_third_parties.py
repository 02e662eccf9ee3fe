"""Third parties' servers as upstreams: what they say arrives in every wire format, and their verdict on our retries."""

import json
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest
import yaml

from tests.clients.support.matrix import keep
from tests.clients.support.third_parties import aimock, llmock, row
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
ELSEWHERE = {"openai": "/v1", "anthropic": "/anthropic/v1"}  # where llmock has these formats
LIMITED = {"type": "fail", "status": 429, "retry_after": 1, "times": 1}
TROUBLES: tuple[dict[str, Any], ...] = (
    {"type": "fail", "status": 500, "times": 1},
    {"type": "fail", "status": 400, "times": 1},
    {"type": "stream_fault", "kind": "disconnect", "after_chunks": 0},
    {"type": "stream_fault", "kind": "truncate", "after_chunks": 0},
    {"type": "stream_fault", "kind": "malformed", "after_chunks": 0},
)


# Its short stream is all sent before we can leave it, so that it sees no failed attempt; the records show it instead.
KNOWN = {"malformed_chunk_ignored"}


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


@pytest.mark.parametrize("api", ELSEWHERE)
async def test_llmock_finds_no_fault_with_our_retries(api: str, clients_python: Path, tmp_path: Path) -> None:
    """Two providers that are one server, which so sees the second attempt; one where it says when to come again."""
    async with llmock(clients_python.parent, tmp_path) as url, aiohttp.ClientSession() as http:
        mock = row(api, url + ELSEWHERE[api], "mocked-model")
        for number, trouble in enumerate((*TROUBLES, LIMITED)):
            async with http.post(url + "/_llmock/scenario", json={"behaviors": [trouble]}) as response:
                assert response.status == 201, await response.text()
            providers = {"first": mock} if trouble is LIMITED else {"first": mock, "second": mock}
            # A new gateway each time: nothing is held against the provider.
            async with running_gateway(yaml.safe_dump({"providers": providers})) as running:
                await asked_as_people_do(running.url, f"hello {number}", trouble)
                if trouble.get("kind") == "malformed":
                    outcomes = [one["outcome"] for one in (await running.row())["attempts"]]
                    assert outcomes == ["malformed", "ok"]
        async with http.get(url + "/_llmock/verdict") as response:
            verdict = await response.json()
    findings = [
        f"{one['severity']} {one['code']}: {one['title']}" for one in verdict["findings"]
        if one["code"] not in KNOWN
    ]  # fmt: skip
    keep(f"other-llmock-{api}", {
        "proof": f"llmock's verdict on retries, {len(TROUBLES) + 1} faults, upstream format {api}",
        "result": "; ".join(findings) or f"{verdict['errors']} errors, {verdict['warnings']} warnings",
    })  # fmt: skip
    assert findings == []


async def asked_as_people_do(url: str, text: str, trouble: dict[str, Any]) -> None:
    """One request by the `openai` SDK with the retries it has by default."""
    messages: Any = [{"role": "user", "content": text}]
    async with openai.AsyncOpenAI(base_url=url + "/v1", api_key="any") as sdk:
        if trouble["type"] == "stream_fault":
            stream = await sdk.chat.completions.create(model="mocked-model", messages=messages, stream=True)
            finishes = [one.choices[0].finish_reason async for one in stream if one.choices]
            assert finishes[-1] == "stop"
        elif trouble["status"] == 400:
            with pytest.raises(openai.BadRequestError):
                await sdk.chat.completions.create(model="mocked-model", messages=messages)
        else:
            reply = await sdk.chat.completions.create(model="mocked-model", messages=messages)
            assert reply.choices[0].message.content
