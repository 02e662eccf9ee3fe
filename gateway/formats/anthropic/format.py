"""The Anthropic wire format, put together."""

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import Endpoint
from gateway.formats.anthropic import request
from gateway.formats.anthropic.passthrough import AnthropicRelay, whole, whole_count
from gateway.formats.anthropic.reply import read_reply
from gateway.formats.anthropic.stream import AnthropicDecoder
from gateway.formats.json_api import JsonApi
from gateway.formats.relay import translate, translated_reply
from gateway.formats.surfaces.all import surface_of
from gateway.formats.wire import Inexpressible, Outgoing, RelayContext, Rendered, StreamRelay


class AnthropicFormat(JsonApi):
    api = "anthropic"
    requires_max_tokens = True

    def inexpressible(self, ask: Ask, endpoint: Endpoint) -> Inexpressible:
        return request.inexpressible(ask, endpoint)

    def build(self, ask: Ask, endpoint: Endpoint, max_output: int | None) -> Outgoing:
        return request.build(ask, endpoint, max_output)

    def stream_relay(self, ask: Ask, endpoint: Endpoint, context: RelayContext) -> StreamRelay:
        if request.speaks(ask):
            return AnthropicRelay(context)
        return translate(ask, surface_of(ask.surface), context, AnthropicDecoder())

    def reply(self, ask: Ask, endpoint: Endpoint, body: bytes, context: RelayContext) -> Rendered:
        if ask.surface is Surface.COUNT_TOKENS:
            return whole_count(body)
        if request.speaks(ask):
            return whole(body, context)
        answer, usage = read_reply(body, context.reply_id)
        return translated_reply(ask, surface_of(ask.surface), context, answer, usage)

    def auth_headers(self, key: str) -> tuple[tuple[str, str], ...]:
        """The version is here too, since every request needs it; an `Outgoing` that has its own wins."""
        return (("x-api-key", key), ("anthropic-version", request.VERSION))

    def probe(self, endpoint: Endpoint) -> Outgoing:
        return request.probe(endpoint)
