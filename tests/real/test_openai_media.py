"""The real `openai` SDK on the surfaces that pass: images, speech both ways, moderation; reranking it lacks."""

import base64
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
import yaml

from tests.support.media_vendor import MediaVendor, media_vendor
from tests.support.running_gateway import RunningGateway, running_gateway

MODELS: list[dict[str, Any]] = [
    {"id": "embed", "operation": "embeddings", "dimensions": 4, "price": {"input": 0.1, "output": 0}},
    {"id": "paint", "operation": "image", "price": {"input": 5.0, "output": 40.0}},
    {"id": "sketch", "operation": "image", "price": {"input": 0, "output": 0, "per_request": 0.02}},
    {"id": "talk", "operation": "speech", "price": {"input": 0, "output": 0, "per_request": 0.000015}},
    {"id": "hear", "operation": "transcription", "caps": ["translation"],
     "price": {"input": 0, "output": 0, "per_request": 0.0001}},
    {"id": "deaf", "operation": "transcription", "price": {"input": 0, "output": 0, "per_request": 0.0001}},
    {"id": "judge", "operation": "moderation", "price": {"input": 0, "output": 0}},
    {"id": "rank", "operation": "rerank", "price": {"input": 0, "output": 0, "per_request": 0.002}},
]  # fmt: skip
DOWN = (502, "text/html", b"<html><body>502 Bad Gateway nginx</body></html>")
FIRST = {"order": ["v0"]}
SOUND = bytes(range(256)) * 600  # no text in any encoding, and longer than a piece


def as_json(value: Any) -> tuple[int, str, bytes]:
    return 200, "application/json", json.dumps(value).encode()


def config(*vendors: MediaVendor, **sections: Any) -> str:
    providers = {
        f"v{place}": {"api": "openai", "base_url": vendor.url, "key": {"none": True}, "models": MODELS}
        for place, vendor in enumerate(vendors)
    }
    return yaml.safe_dump({"providers": providers, **sections}, sort_keys=False)


@asynccontextmanager
async def serving(*vendors: MediaVendor, **sections: Any) -> AsyncIterator[tuple[RunningGateway, openai.AsyncOpenAI]]:
    async with (
        running_gateway(config(*vendors, **sections)) as running,
        openai.AsyncOpenAI(base_url=running.url + "/v1", api_key="any", max_retries=0) as sdk,
    ):
        yield running, sdk


async def test_images_fail_over_and_cost_what_the_answer_says() -> None:
    usage = {"input_tokens": 50, "output_tokens": 4_160, "total_tokens": 4_210}
    made = as_json({"created": 1, "data": [{"b64_json": "aGk="}], "usage": usage})
    async with media_vendor(DOWN) as first, media_vendor(made) as second, serving(first, second) as (running, sdk):
        found = await sdk.images.generate(model="paint", prompt="a lamp", extra_body={"provider": FIRST})
        row = await running.row()
    assert found.data is not None
    assert found.data[0].b64_json == "aGk="
    assert found.usage is not None
    cost_usd = 50 * 5e-6 + 4_160 * 40e-6
    assert found.usage.model_extra == {"cost": pytest.approx(cost_usd)}
    assert [came.fields["model"] for came in (*first.came, *second.came)] == ["paint", "paint"]
    assert [(one["endpoint"], one["outcome"]) for one in row["attempts"]] == [
        ("v0/paint", "server_error"), ("v1/paint", "ok"),
    ]  # fmt: skip
    assert (row["surface"], row["task"], row["cost_usd"]) == ("images", "image", pytest.approx(cost_usd))


async def test_images_by_the_piece_cost_as_many_pieces() -> None:
    made = as_json({"created": 1, "data": [{"url": "http://x.test/1"}, {"url": "http://x.test/2"}]})
    async with media_vendor(made) as vendor, serving(vendor) as (running, sdk):
        await sdk.images.generate(model="sketch", prompt="two lamps", n=2)
        row = await running.row()
    assert row["cost_usd"] == pytest.approx(0.04)


async def test_an_upload_is_sent_again_byte_for_byte() -> None:
    heard = as_json({"text": "hello", "usage": {"type": "duration", "seconds": 9}})
    async with media_vendor(DOWN) as first, media_vendor(heard) as second, serving(first, second) as (running, sdk):
        found = await sdk.audio.transcriptions.create(
            model="hear", file=("a.wav", SOUND, "audio/wav"), language="en",
            timestamp_granularities=["word", "segment"],
            extra_body={"session_id": "s1", "provider": json.dumps(FIRST)},
        )  # fmt: skip
        row = await running.row()
    assert found.text == "hello"
    assert first.came[0].fields == second.came[0].fields
    assert second.came[0].fields["file"] == ("a.wav", SOUND)
    assert (second.came[0].fields["model"], second.came[0].fields["language"]) == ("hear", "en")
    assert not {"session_id", "provider"} & set(second.came[0].fields)
    assert second.came[0].authorization is None
    assert row["cost_usd"] == pytest.approx(9 * 0.0001)
    assert (row["surface"], row["task"], row["endpoint"]) == ("transcriptions", "transcription", "v1/hear")


async def test_a_transcript_as_text_is_passed_and_its_cost_unknown() -> None:
    text = (200, "text/plain; charset=utf-8", b"hello\n")
    async with media_vendor(text) as vendor, serving(vendor) as (running, sdk):
        found = await sdk.audio.transcriptions.create(model="hear", file=("a.mp3", SOUND), response_format="text")
        row = await running.row()
    assert found == "hello\n"
    assert (row["cost_usd"], row["outcome"]) == (None, "ok")


async def test_a_transcript_streams_its_events() -> None:
    usage = {"type": "tokens", "input_tokens": 3, "output_tokens": 2}
    events = [
        {"type": "transcript.text.delta", "delta": "hel"},
        {"type": "transcript.text.done", "text": "hello", "usage": usage},
    ]
    said = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    async with media_vendor((200, "text/event-stream", said)) as vendor, serving(vendor) as (running, sdk):
        stream = await sdk.audio.transcriptions.create(model="hear", file=("a.mp3", SOUND), stream=True)
        types = [event.type async for event in stream]
        row = await running.row()
    assert types == ["transcript.text.delta", "transcript.text.done"]
    assert (row["stream"], row["outcome"], row["usage"]["output"]) == (True, "ok", 2)
    assert vendor.came[0].fields["stream"] == "true"


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # OpenAI's SDK of its own method
async def test_a_translation_needs_a_model_that_translates() -> None:
    async with media_vendor(as_json({"text": "hello", "duration": 4.5})) as vendor, serving(vendor) as (running, sdk):
        found = await sdk.audio.translations.create(model="hear", file=("a.mp3", SOUND))
        with pytest.raises(openai.UnprocessableEntityError, match="translation"):
            await sdk.audio.translations.create(model="deaf", file=("a.mp3", SOUND))
        row = await running.row()
    assert found.text == "hello"
    assert row["cost_usd"] == pytest.approx(4.5 * 0.0001)
    assert [came.path for came in vendor.came] == ["/v1/audio/translations"]


async def test_speech_fails_over_streams_its_bytes_and_costs_by_the_character() -> None:
    spoken = (200, "audio/mpeg", SOUND)
    async with media_vendor(DOWN) as first, media_vendor(spoken) as second, serving(first, second) as (running, sdk):
        async with sdk.audio.speech.with_streaming_response.create(
            model="talk", voice="alloy", input="Good day", extra_body={"provider": FIRST}
        ) as said:
            kind = said.headers["content-type"]
            sound = b"".join([piece async for piece in said.iter_bytes()])
        row = await running.row()
    assert (sound, kind) == (SOUND, "audio/mpeg")
    assert "x-secret" not in said.headers
    assert row["cost_usd"] == pytest.approx(8 * 0.000015)
    assert [one["outcome"] for one in row["attempts"]] == ["server_error", "ok"]


async def test_speech_that_breaks_off_never_looks_complete() -> None:
    async with media_vendor((200, "audio/mpeg", SOUND)) as vendor, serving(vendor) as (running, sdk):
        vendor.cut_after = 40_000
        with pytest.raises(openai.APIConnectionError):
            await sdk.audio.speech.create(model="talk", voice="alloy", input="Good day")
        row = await running.row()
    assert row["outcome"] == "partial"


async def test_moderation_passes_and_is_free() -> None:
    result = {"flagged": False, "categories": {}, "category_scores": {}}
    judged = as_json({"id": "m", "model": "judge-1", "results": [result]})
    async with media_vendor(judged) as vendor, serving(vendor) as (running, sdk):
        found = await sdk.moderations.create(model="judge", input=["fine"])
        row = await running.row()
    assert (found.results[0].flagged, found.model) == (False, "judge")
    assert (row["cost_usd"], row["task"]) == (0.0, "moderation")


async def test_reranking_passes_and_costs_by_the_search_unit() -> None:
    meta = {"billed_units": {"search_units": 2}}
    ranked = as_json({"id": "r", "results": [{"index": 1, "relevance_score": 0.9}], "meta": meta})
    async with media_vendor(DOWN) as first, media_vendor(ranked) as second, serving(first, second) as (running, _):
        body = {"model": "rank", "query": "lamps", "documents": ["chair", "lamp"], "top_n": 1}
        async with running.post("/v1/rerank", {**body, "provider": FIRST}) as response:
            found, cost = await response.json(), response.headers["x-pointsman-cost"]
        row = await running.row()
    assert found["results"] == [{"index": 1, "relevance_score": 0.9}]
    assert second.came[0].fields == body
    assert (float(cost), row["cost_usd"]) == (pytest.approx(0.004), pytest.approx(0.004))


async def test_embeddings_come_in_batches_as_base64_from_the_same_model_elsewhere() -> None:
    vectors = [base64.b64encode(struct.pack("<2f", *pair)).decode() for pair in ((0.5, 0.25), (1.0, -1.0))]
    data = [{"object": "embedding", "index": place, "embedding": one} for place, one in enumerate(vectors)]
    usage = {"prompt_tokens": 4, "total_tokens": 4}
    made = as_json({"object": "list", "data": data, "model": "embed", "usage": usage})
    async with media_vendor(DOWN) as first, media_vendor(made) as second, serving(first, second) as (running, sdk):
        found = await sdk.embeddings.create(
            model="embed", input=["one", "two"], dimensions=2, extra_body={"provider": FIRST}
        )
        row = await running.row()
    assert [one.embedding for one in found.data] == [[0.5, 0.25], [1.0, -1.0]]
    assert second.came[0].fields == {
        "model": "embed", "input": ["one", "two"], "dimensions": 2, "encoding_format": "base64",
    }  # fmt: skip
    assert (row["endpoint"], row["task"], row["cost_usd"]) == ("v1/embed", "embeddings", pytest.approx(4e-7))
    assert [one["outcome"] for one in row["attempts"]] == ["server_error", "ok"]
