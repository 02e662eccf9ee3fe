"""A real llama.cpp server behind the gateway: every surface, whole and streamed, and how it fails."""

import base64
import json
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
import yaml

from loadtest.faults import Fault
from tests.support.llama import CONTEXT, Llama, llama, needs_llama
from tests.support.running_gateway import (
    RunningGateway,
    config_of,
    events_of,
    running_gateway,
    vendors_of,
)

pytestmark = needs_llama
HELLO: list[Any] = [{"role": "user", "content": "hello world"}]
LONG: list[Any] = [{"role": "user", "content": "hello " * 400}]  # more than the server's context
SURFACES = ("/v1/chat/completions", "/v1/completions", "/v1/messages")


def asked(path: str, **fields: Any) -> dict[str, Any]:
    body = {"model": "tiny", "max_tokens": 12, **fields}
    return body | ({"prompt": "hello world"} if path == "/v1/completions" else {"messages": HELLO})


@pytest.fixture
async def served(chat_server: Llama, embed_server: Llama) -> AsyncIterator[RunningGateway]:
    """A gateway with nothing but the two servers."""
    embedder = embed_server.provider(id="tiny-embed", operation="embeddings", dimensions=64, upstream_id="tiny")
    del embedder["models"][0]["tier"]
    providers = {"llama": chat_server.provider(), "llama-embed": embedder}
    async with running_gateway(yaml.safe_dump({"providers": providers})) as running:
        yield running


def priced(row: dict[str, Any]) -> float:
    """What the usage of a row costs at the test's price: 1 USD per million in, 2 USD out, cached or not."""
    return float(row["usage"]["input"] * 1.0 + row["usage"]["output"] * 2.0) / 1e6


async def test_answers_on_every_surface(served: RunningGateway) -> None:
    for number, path in enumerate(SURFACES, start=1):
        async with served.post(path, asked(path)) as response:
            answer = await response.json()
            assert response.status == 200, answer
        row = await served.row(number)
        text = answer["content"][0]["text"] if path == "/v1/messages" else (
            answer["choices"][0].get("text") or answer["choices"][0]["message"]["content"])  # fmt: skip
        assert text
        assert answer["model"] == "tiny"
        assert (row["usage"]["estimated"], row["usage"]["output"]) == (False, 12)
        assert row["cost_usd"] == pytest.approx(priced(row), rel=1e-9)
        assert answer["usage"]["cost"] == pytest.approx(row["cost_usd"], rel=1e-9)


async def test_streams_on_every_surface(served: RunningGateway) -> None:
    for number, path in enumerate(SURFACES, start=1):
        async with served.post(path, asked(path, stream=True)) as response:
            body = await response.text()
            assert response.status == 200, body
        row = await served.row(number)
        ended = "message_stop" in events_of(body)[-1] if path == "/v1/messages" else events_of(body)[-1] == "[DONE]"
        assert ended
        assert len(events_of(body)) > 6
        assert (row["outcome"], row["usage"]["estimated"], row["usage"]["output"]) == ("ok", False, 12)
        assert row["cost_usd"] == pytest.approx(priced(row), rel=1e-9)
        assert row["ttft_ms"] > 0


async def test_serves_the_openai_sdk(served: RunningGateway) -> None:
    async with openai.AsyncOpenAI(base_url=served.url + "/v1", api_key="any", max_retries=0) as client:
        reply = await client.chat.completions.create(model="auto", messages=HELLO, max_tokens=8, seed=1)
        stream = await client.chat.completions.create(
            model="tiny", messages=HELLO, max_tokens=8, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        legacy = await client.completions.create(model="tiny", prompt="hello", max_tokens=8)
        vectors = await client.embeddings.create(model="tiny-embed", input=["hello world", "b"])
    assert (reply.choices[0].finish_reason, reply.usage and reply.usage.completion_tokens) == ("length", 8)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 8
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
    assert legacy.choices[0].text
    assert [len(one.embedding) for one in vectors.data] == [64, 64]


async def test_serves_the_anthropic_sdk(served: RunningGateway) -> None:
    async with anthropic.AsyncAnthropic(base_url=served.url, api_key="any", max_retries=0) as client:
        reply = await client.messages.create(model="auto", messages=HELLO, max_tokens=8)
        async with client.messages.stream(model="tiny", messages=HELLO, max_tokens=8) as stream:
            final = await stream.get_final_message()
        counted = await client.messages.count_tokens(model="tiny", messages=HELLO)
    assert (reply.stop_reason, reply.usage.output_tokens) == ("max_tokens", 8)
    assert (final.stop_reason, final.usage.output_tokens, final.content[0].type) == ("max_tokens", 8, "text")
    assert counted.input_tokens > 0


async def test_embeds_alike_as_numbers_and_as_base64(served: RunningGateway) -> None:
    found = []
    for encoding in ("float", "base64"):
        body = {"model": "tiny-embed", "input": "hello world", "encoding_format": encoding}
        async with served.post("/v1/embeddings", body) as response:
            assert response.status == 200, await response.text()
            found.append((await response.json())["data"][0]["embedding"])
    assert struct.unpack("<64f", base64.b64decode(found[1])) == pytest.approx(found[0], abs=1e-6)
    row = await served.row(1)
    assert (row["surface"], row["usage"]["output"], row["cost_usd"]) == (
        "embeddings", 0, pytest.approx(row["usage"]["input"] / 1e6),
    )  # fmt: skip


@pytest.mark.case("L2")
@pytest.mark.case("H8")
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
async def test_passes_its_refusals_through(chat_server: Llama, path: str) -> None:
    providers = {"llama": chat_server.provider(context=200_000)}  # the gateway is told that there is room
    async with running_gateway(yaml.safe_dump({"providers": providers})) as running:
        async with running.post(path, {"model": "tiny", "max_tokens": 5, "messages": LONG}) as response:
            error = (await response.json())["error"]
        row = await running.row()
    theirs = "exceed_context_size_error"
    assert (response.status, error["type"]) == (400, "invalid_request_error" if path == "/v1/messages" else theirs)
    assert f"exceeds the available context size ({CONTEXT} tokens)" in error["message"]
    assert (row["outcome"], row["status"], row["attempts"][0]["outcome"]) == ("rejected", 400, "context_length")
    assert running.gateway.book.states(0.0)["llama/tiny"].value == "closed"


async def test_moves_on_to_a_larger_context(chat_server: Llama) -> None:
    async with vendors_of(["sim-fast"]) as vendors:
        providers = {"llama": chat_server.provider(context=16_000, price={"input": 0.001, "output": 0.001})}
        async with running_gateway(config_of(vendors, providers=providers)) as running:
            body = {"model": "auto", "max_tokens": 5, "messages": LONG}
            async with running.post("/v1/chat/completions", body) as response:
                assert response.status == 200, await response.text()
            row = await running.row()
    assert [(one["endpoint"], one["outcome"]) for one in row["attempts"]] == [
        ("llama/tiny", "context_length"), ("sim-fast/open-8b", "ok"),
    ]  # fmt: skip


async def test_does_not_ask_for_more_than_the_context_holds(served: RunningGateway) -> None:
    async with served.post("/v1/chat/completions", {"model": "tiny", "messages": LONG}) as response:
        error = (await response.json())["error"]
    assert (response.status, error["code"]) == (422, "no_eligible_endpoint")
    assert error["metadata"]["endpoints"] == {"llama/tiny": ["context"]}


async def test_passes_its_word_on_a_malformed_field_through(served: RunningGateway) -> None:
    body = {"model": "tiny", "messages": HELLO, "max_tokens": 5, "min_p": "hot"}
    async with served.post("/v1/chat/completions", body) as response:
        assert response.status == 400
        assert "min_p" in (await response.json())["error"]["message"]


async def test_waits_for_no_server_that_is_still_loading_its_model(chat_server: Llama) -> None:
    """The body that llama.cpp gives while it loads; a tiny model is loaded before anybody could ask."""
    loading = '{"error":{"message":"Loading model","type":"unavailable_error","code":503}}'
    async with vendors_of(["sim-cheap"]) as vendors:
        providers = {"llama": chat_server.provider()}
        async with running_gateway(config_of(vendors, providers=providers)) as running:
            await vendors[0].fault(Fault(status=503, body=loading), times=2)
            for number, stream in enumerate((False, True), start=1):
                async with running.chat("hello", max_tokens=5, stream=stream) as response:
                    assert (response.status, response.headers["x-pointsman-endpoint"]) == (200, "llama/tiny")
                    await response.read()
                first = (await running.row(number))["attempts"][0]
                assert (first["outcome"], first["error"]) == ("overloaded", "503: Loading model")


# -- killed ------------------------------------------------------------------------------------------------------------


async def test_says_once_that_the_server_was_killed_mid_stream(tiny_model: Path) -> None:
    with llama(tiny_model, context=2_048) as server:
        providers = {"llama": server.provider(context=2_048)}
        async with vendors_of(["sim-fast"]) as vendors:
            text = config_of(vendors, providers=providers)
            async with running_gateway(text) as running:
                body = {"model": "tiny", "models": ["open-8b"], "messages": HELLO, "max_tokens": 1_900, "stream": True}
                async with running.post("/v1/chat/completions", body) as response:
                    await response.content.readline()
                    server.kill()
                    rest = (await response.content.read()).decode()
                row = await running.row()
            assert vendors[0].requests() == []
    errors = [event for event in events_of(rest) if '"error"' in event]
    assert len(errors) == 1
    assert json.loads(errors[0])["error"]["metadata"]["endpoint"] == "llama/tiny"
    assert (row["outcome"], row["status"], row["attempts"][0]["outcome"]) == ("partial", 200, "partial")


async def test_hides_that_the_server_was_killed_before_it_answered(tiny_model: Path) -> None:
    with llama(tiny_model) as server:
        async with vendors_of(["sim-fast"]) as vendors:
            providers = {"llama": server.provider(price={"input": 0.001, "output": 0.001})}
            async with running_gateway(config_of(vendors, providers=providers)) as running:
                for number, stream in enumerate((False, True, False), start=1):
                    async with running.chat("hello", max_tokens=5, stream=stream) as response:
                        await response.read()
                        expected = "llama/tiny" if number == 1 else "sim-fast/open-8b"
                        assert response.headers["x-pointsman-endpoint"] == expected
                    server.kill()
                row = await running.row(2)
    assert [(one["endpoint"], one["outcome"]) for one in row["attempts"]] == [
        ("llama/tiny", "unreachable"), ("sim-fast/open-8b", "ok"),
    ]  # fmt: skip
