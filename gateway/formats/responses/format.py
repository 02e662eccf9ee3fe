"""The responses wire format, put together."""

from gateway.core.ask import Ask
from gateway.core.catalog import Endpoint
from gateway.formats.json_api import JsonApi
from gateway.formats.relay import translate, translated_reply
from gateway.formats.responses import request
from gateway.formats.responses.passthrough import ResponsesRelay, whole
from gateway.formats.responses.reply import read_reply
from gateway.formats.responses.stream import ResponsesDecoder
from gateway.formats.surfaces.all import surface_of
from gateway.formats.wire import Inexpressible, Outgoing, RelayContext, Rendered, StreamRelay


class ResponsesFormat(JsonApi):
    api = "responses"

    def inexpressible(self, ask: Ask, endpoint: Endpoint) -> Inexpressible:
        return request.inexpressible(ask, endpoint)

    def build(self, ask: Ask, endpoint: Endpoint, max_output: int | None) -> Outgoing:
        return request.build(ask, endpoint, max_output)

    def stream_relay(self, ask: Ask, endpoint: Endpoint, context: RelayContext) -> StreamRelay:
        if request.speaks(ask):
            return ResponsesRelay(context)
        return translate(ask, surface_of(ask.surface), context, ResponsesDecoder(context.reply_id))

    def reply(self, ask: Ask, endpoint: Endpoint, body: bytes, context: RelayContext) -> Rendered:
        if request.speaks(ask):
            return whole(body, context)
        answer, usage = read_reply(body, context.reply_id)
        return translated_reply(ask, surface_of(ask.surface), context, answer, usage)

    def probe(self, endpoint: Endpoint) -> Outgoing:
        return request.probe(endpoint)
