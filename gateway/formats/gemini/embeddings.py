"""Texts to vectors by `batchEmbedContents`."""

from typing import Any

from gateway.core.ask import Ask
from gateway.core.catalog import Endpoint
from gateway.core.chat import Json
from gateway.formats import embeddings
from gateway.formats.anthropic.content import read_object
from gateway.formats.gemini.content import read_usage
from gateway.formats.relay import SHAPE_ERRORS, misshapen
from gateway.formats.upstream_errors import malformed
from gateway.formats.wire import RelayContext, Rendered

MOST_TEXTS = 100  # Gemini API reference, `batchEmbedContents`


def body(ask: Ask, endpoint: Endpoint) -> dict[str, Json]:
    asked = ask.embed
    assert asked is not None
    return {"requests": [_request(text, asked.dimensions, endpoint) for text in asked.inputs]}


def probe_body(endpoint: Endpoint) -> dict[str, Json]:
    return {"requests": [_request("ok", None, endpoint)]}


def _request(text: str, dimensions: int | None, endpoint: Endpoint) -> dict[str, Json]:
    request: dict[str, Json] = {"model": f"models/{endpoint.upstream_id}", "content": {"parts": [{"text": text}]}}
    if dimensions is not None:
        request["outputDimensionality"] = dimensions
    return request


def reply(ask: Ask, body: bytes, context: RelayContext) -> Rendered:
    """Raises `AttemptError`."""
    answer: dict[str, Any] = read_object(body, "embeddings")
    assert ask.embed is not None
    try:
        vectors = [item["values"] for item in answer["embeddings"]]
        if len(vectors) != len(ask.embed.inputs):
            raise malformed("There are not as many embeddings as texts.")
        usage = read_usage(answer.get("usageMetadata") or {}) or embeddings.estimated(ask)  # older models do not count
        return embeddings.render(ask, vectors, usage, context)
    except SHAPE_ERRORS as error:
        raise misshapen("The answer", error) from error
