"""The Gemini wire format, put together."""

from collections.abc import Mapping

from gateway.core.ask import Ask
from gateway.core.catalog import Endpoint, Operation
from gateway.core.failure import Failure
from gateway.formats.embeddings import inexpressible_fields
from gateway.formats.gemini import embeddings, errors, request
from gateway.formats.gemini.reply import read_reply
from gateway.formats.gemini.stream import GeminiDecoder
from gateway.formats.gemini.thinking import least_thinking
from gateway.formats.relay import translate, translated_reply
from gateway.formats.surfaces.all import surface_of
from gateway.formats.wire import (
    PROBE_MAX_TOKENS,
    PROBE_PROMPT,
    Inexpressible,
    Outgoing,
    RelayContext,
    Rendered,
    StreamRelay,
)


class GeminiFormat:
    """`models` is the path of the models under the base URL: other hosts of the format have another."""

    api = "gemini"
    requires_max_tokens = False
    models_path: str | None = "/models"
    models = "/models"

    def inexpressible(self, ask: Ask, endpoint: Endpoint) -> Inexpressible:
        if ask.chat is None:
            lost = {"user"} & set(ask.body)
            return Inexpressible(frozenset(inexpressible_fields(ask, embeddings.MOST_TEXTS)), frozenset(lost))
        return request.inexpressible(ask, ask.chat, endpoint)

    def build(self, ask: Ask, endpoint: Endpoint, max_output: int | None) -> Outgoing:
        dropped = tuple(sorted(self.inexpressible(ask, endpoint).hints))
        if ask.chat is None:
            return self._embedding(endpoint, request.dumped(embeddings.body(ask, endpoint)), dropped)
        body = request.dumped(request.body(ask.chat, endpoint, max_output))
        if ask.stream:
            path = request.model_path(self.models, endpoint, "streamGenerateContent?alt=sse")
            return Outgoing(path, request.STREAM, body, dropped)
        return Outgoing(request.model_path(self.models, endpoint, "generateContent"), request.WHOLE, body, dropped)

    def stream_relay(self, ask: Ask, endpoint: Endpoint, context: RelayContext) -> StreamRelay:
        return translate(ask, surface_of(ask.surface), context, GeminiDecoder(context.reply_id))

    def reply(self, ask: Ask, endpoint: Endpoint, body: bytes, context: RelayContext) -> Rendered:
        if ask.chat is None:
            return embeddings.reply(ask, body, context)
        answer, usage = read_reply(body, context.reply_id)
        return translated_reply(ask, surface_of(ask.surface), context, answer, usage)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> Failure:
        return errors.of_answer(status, headers, body, now_s)

    def horizon_s(self, headers: Mapping[str, str], now_s: float) -> float | None:
        """Google does not tell its limits before they are reached."""
        return None

    def auth_headers(self, key: str) -> tuple[tuple[str, str], ...]:
        return (("x-goog-api-key", key),)

    def probe(self, endpoint: Endpoint) -> Outgoing:
        if endpoint.operation is Operation.EMBEDDINGS:
            return self._embedding(endpoint, request.dumped(embeddings.probe_body(endpoint)), ())
        asked = {
            "contents": [{"role": "user", "parts": [{"text": PROBE_PROMPT}]}],
            "generationConfig": {"maxOutputTokens": PROBE_MAX_TOKENS, **least_thinking(endpoint)},
        }
        path = request.model_path(self.models, endpoint, "generateContent")
        return Outgoing(path, request.WHOLE, request.dumped(asked))

    def _embedding(self, endpoint: Endpoint, body: bytes, dropped: tuple[str, ...]) -> Outgoing:
        return Outgoing(request.model_path(self.models, endpoint, "batchEmbedContents"), request.WHOLE, body, dropped)
