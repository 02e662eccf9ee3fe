"""Wire formats for what passes as it is, as rows: under which path an API has which surface."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import orjson

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import Endpoint
from gateway.core.failure import Failure
from gateway.formats.passed import reply
from gateway.formats.passed.forms import content_type_of, write_form
from gateway.formats.passed.relay import BytesRelay, EventsRelay
from gateway.formats.wire import Inexpressible, Outgoing, RelayContext, Rendered, StreamRelay, WireFormat

PATHS: Mapping[str, Mapping[Surface, str]] = MappingProxyType(
    {
        "openai": {
            Surface.RERANK: "/rerank",  # Jina, Voyage, Together, vLLM and their like
            Surface.MODERATIONS: "/moderations",
            Surface.IMAGES: "/images/generations",
            Surface.SPEECH: "/audio/speech",
            Surface.TRANSCRIPTIONS: "/audio/transcriptions",
            Surface.TRANSLATIONS: "/audio/translations",
        },
        "azure-openai": {
            Surface.IMAGES: "/images/generations",
            Surface.SPEECH: "/audio/speech",
            Surface.TRANSCRIPTIONS: "/audio/transcriptions",
            Surface.TRANSLATIONS: "/audio/translations",
        },
        "cohere": {Surface.RERANK: "/v2/rerank"},
    }
)
VOYAGE = "rerank_top_k"
"""The quirk of Voyage: `top_n` is called `top_k`, and `results` are called `data`."""

Place = Callable[[Outgoing, Endpoint], Outgoing]


def as_it_is(outgoing: Outgoing, endpoint: Endpoint) -> Outgoing:
    return outgoing


class PassedFormat:
    """What `base` speaks beside conversations; errors, limits and keys are as they are there."""

    requires_max_tokens = False

    def __init__(self, base: WireFormat, place: Place = as_it_is) -> None:
        self._base = base
        self._place = place
        self._paths = PATHS.get(base.api, {})
        self.api = base.api
        self.models_path = base.models_path
        self.failure: Callable[[int, Mapping[str, str], bytes, float], Failure] = base.failure
        self.horizon_s: Callable[[Mapping[str, str], float], float | None] = base.horizon_s
        self.auth_headers: Callable[[str], tuple[tuple[str, str], ...]] = base.auth_headers
        self.probe: Callable[[Endpoint], Outgoing] = base.probe

    def inexpressible(self, ask: Ask, endpoint: Endpoint) -> Inexpressible:
        fields = {ask.surface.operation.value} if ask.surface not in self._paths else set()
        return Inexpressible(frozenset(fields))

    def build(self, ask: Ask, endpoint: Endpoint, max_output: int | None) -> Outgoing:
        assert ask.passed is not None
        form = ask.passed.form
        if form is not None:
            kind, body = content_type_of(form), write_form(form, endpoint.upstream_id)
        else:
            said = {**ask.body, "model": endpoint.upstream_id}
            if VOYAGE in endpoint.quirks and "top_n" in said:
                said["top_k"] = said.pop("top_n")
            kind, body = "application/json", orjson.dumps(said)
        accept = "text/event-stream" if ask.stream and not _is_binary(ask) else "*/*"
        headers = (("content-type", kind), ("accept", accept))
        return self._place(Outgoing(self._paths[ask.surface], headers, body), endpoint)

    def stream_relay(self, ask: Ask, endpoint: Endpoint, context: RelayContext) -> StreamRelay:
        return BytesRelay(ask, context) if _is_binary(ask) else EventsRelay(ask, context)

    def reply(self, ask: Ask, endpoint: Endpoint, body: bytes, context: RelayContext) -> Rendered:
        return reply.render(ask, body, context, VOYAGE in endpoint.quirks)


def _is_binary(ask: Ask) -> bool:
    return ask.surface is Surface.SPEECH and ask.body.get("stream_format") != "sse"
