"""Recorded exchanges as the formats' tests read them: what was asked, by whom it was answered."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import Endpoint
from gateway.formats import registry
from gateway.formats.sse import SseDecoder
from gateway.formats.wire import StreamRelay
from tests.support.formats import context, endpoint, unpriced
from tests.support.vectors import Exchange, exchanges

ENDINGS = {
    "/chat/completions": (Surface.CHAT, "openai"),
    "/completions": (Surface.COMPLETIONS, "openai"),
    "/embeddings": (Surface.EMBEDDINGS, "openai"),
    "/v1/messages": (Surface.MESSAGES, "anthropic"),
    "/messages/count_tokens": (Surface.COUNT_TOKENS, "anthropic"),
    "/responses": (Surface.RESPONSES, "responses"),
}
OTHER_FORMATS = ("voyageai", "bedrock", "cohere")
ODD = {"test_openai/test_invalid_response#0"}  # httpbin's answer, which is no completion


def placed() -> Iterator[tuple[Exchange, Surface, Endpoint]]:
    for exchange in exchanges():
        kind = next((kind for end, kind in ENDINGS.items() if exchange.path.endswith(end)), None)
        if kind is not None and not any(word in exchange.host for word in OTHER_FORMATS):
            model = str(exchange.request.get("model"))
            at = endpoint(kind[1], caps=("tools", "json_schema", "completions", "reasoning"))
            yield exchange, kind[0], Endpoint(at.id, at.provider, model, model, model, at.api, caps=at.caps)


def parsed(exchange: Exchange, surface: Surface) -> Ask:
    return registry.surface(surface).parse(exchange.request, 1, {})


def accepted() -> Iterator[tuple[Exchange, Ask, Endpoint]]:
    for exchange, surface, at in placed():
        if exchange.status == 200 and exchange.name not in ODD:
            yield exchange, parsed(exchange, surface), at


def streams() -> list[tuple[Exchange, Ask, Endpoint]]:
    return [item for item in accepted() if item[0].streamed]


def wholes() -> list[tuple[Exchange, Ask, Endpoint]]:
    return [item for item in accepted() if not item[0].streamed]


def start(asked: Ask, at: Endpoint, price: Any = None) -> StreamRelay:
    return registry.wire_format(at.api).stream_relay(asked, at, context(price or unpriced))


def upstream_events(exchange: Exchange) -> list[Any]:
    decoder = SseDecoder()
    found = [event.data for event in (*decoder.feed(exchange.body), *decoder.end())]
    return ["[DONE]" if data == b"[DONE]" else json.loads(data) for data in found]


def gemini(*ways: str) -> list[Exchange]:
    ends = tuple(f":{way}" for way in ways)
    return [one for one in exchanges() if "googleapis.com" in one.host and one.path.endswith(ends)]


def gemini_endpoint(one: Exchange) -> Endpoint:
    model = one.path.rsplit("/", 1)[1].split(":")[0]
    caps = frozenset({"tools", "json_schema", "reasoning"})
    return Endpoint("g/m", "g", model, model, model, "gemini", caps=caps, max_output=64_000)


def bedrock(*ways: str) -> list[tuple[Exchange, str]]:
    """Exchanges of these operations, with their model."""
    found = [(one, one.path.split("/")) for one in exchanges() if "bedrock-runtime" in one.host]
    return [(one, unquote(steps[2])) for one, steps in found if steps[3] in ways]


def bedrock_endpoint(model: str, *quirks: str) -> Endpoint:
    caps = frozenset({"tools", "json_schema", "reasoning"})
    return Endpoint("b/m", "b", model, model, model, "bedrock", caps=caps, max_output=64_000, quirks=frozenset(quirks))
