"""The Converse wire format, put together; texts become vectors by InvokeModel."""

from collections.abc import Mapping

from gateway.core.ask import Ask
from gateway.core.catalog import Endpoint, Operation
from gateway.core.failure import Failure
from gateway.formats.bedrock import embeddings, errors, request
from gateway.formats.bedrock.frames import FrameDecoder
from gateway.formats.bedrock.reply import read_reply
from gateway.formats.bedrock.stream import ConverseDecoder
from gateway.formats.relay import translate, translated_reply
from gateway.formats.surfaces.all import surface_of
from gateway.formats.wire import Inexpressible, Outgoing, RelayContext, Rendered, StreamRelay


class BedrockFormat:
    api = "bedrock"
    requires_max_tokens = False
    models_path: str | None = None  # the list of models is at another host, and tells nothing of the right to ask one

    def inexpressible(self, ask: Ask, endpoint: Endpoint) -> Inexpressible:
        if ask.chat is None:
            return embeddings.inexpressible(ask, endpoint)
        return request.inexpressible(ask, ask.chat, endpoint)

    def build(self, ask: Ask, endpoint: Endpoint, max_output: int | None) -> Outgoing:
        if ask.chat is None:
            return embeddings.build(ask, endpoint)
        return request.build(ask, ask.chat, endpoint, max_output)

    def stream_relay(self, ask: Ask, endpoint: Endpoint, context: RelayContext) -> StreamRelay:
        relay = translate(ask, surface_of(ask.surface), context, ConverseDecoder())
        relay.framing = FrameDecoder()
        return relay

    def reply(self, ask: Ask, endpoint: Endpoint, body: bytes, context: RelayContext) -> Rendered:
        if ask.chat is None:
            return embeddings.reply(ask, body, context)
        answer, usage = read_reply(body, context.reply_id)
        return translated_reply(ask, surface_of(ask.surface), context, answer, usage)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> Failure:
        return errors.of_answer(status, headers, body, now_s)

    def horizon_s(self, headers: Mapping[str, str], now_s: float) -> float | None:
        """Bedrock does not tell its limits."""
        return None

    def auth_headers(self, key: str) -> tuple[tuple[str, str], ...]:
        """A Bedrock API key; AWS's own keys sign the request instead."""
        return (("authorization", f"Bearer {key}"),)

    def probe(self, endpoint: Endpoint) -> Outgoing:
        embeds = endpoint.operation is Operation.EMBEDDINGS
        return embeddings.probe(endpoint) if embeds else request.probe(endpoint)
