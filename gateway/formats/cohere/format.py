"""The Cohere wire format, put together."""

from gateway.core.ask import Ask
from gateway.core.catalog import Endpoint, Operation
from gateway.formats.cohere import embeddings, request
from gateway.formats.cohere.reply import read_reply
from gateway.formats.cohere.stream import CohereDecoder
from gateway.formats.json_api import JsonApi
from gateway.formats.relay import translate, translated_reply
from gateway.formats.surfaces.all import surface_of
from gateway.formats.wire import Inexpressible, Outgoing, RelayContext, Rendered, StreamRelay


class CohereFormat(JsonApi):
    api = "cohere"
    models_path: str | None = "/v1/models"  # the second version has none; the base URL is the host's, without a version

    def inexpressible(self, ask: Ask, endpoint: Endpoint) -> Inexpressible:
        return embeddings.inexpressible(ask) if ask.chat is None else request.inexpressible(ask, ask.chat, endpoint)

    def build(self, ask: Ask, endpoint: Endpoint, max_output: int | None) -> Outgoing:
        return embeddings.build(ask, endpoint) if ask.chat is None else request.build(ask, endpoint, max_output)

    def stream_relay(self, ask: Ask, endpoint: Endpoint, context: RelayContext) -> StreamRelay:
        return translate(ask, surface_of(ask.surface), context, CohereDecoder(context.reply_id))

    def reply(self, ask: Ask, endpoint: Endpoint, body: bytes, context: RelayContext) -> Rendered:
        if ask.chat is None:
            return embeddings.reply(ask, body, context)
        answer, usage = read_reply(body, context.reply_id)
        return translated_reply(ask, surface_of(ask.surface), context, answer, usage)

    def probe(self, endpoint: Endpoint) -> Outgoing:
        embeds = endpoint.operation is Operation.EMBEDDINGS
        return embeddings.probe(endpoint) if embeds else request.probe(endpoint)
