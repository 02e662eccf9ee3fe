"""Claude on Vertex AI in Anthropic's own format: rawPredict and streamRawPredict.

Sources: Google's "Use Anthropic's Claude models", Anthropic's SDK for Vertex.
"""

from urllib.parse import quote

import orjson

from gateway.core.catalog import Endpoint
from gateway.core.chat import Json
from gateway.formats.anthropic.hosted import HostedAnthropic
from gateway.formats.wire import Outgoing

VERSION = "vertex-2023-10-16"
_MODELS = "/publishers/anthropic/models"


class VertexClaudeFormat(HostedAnthropic):
    api = "vertex-anthropic"

    def auth_headers(self, key: str) -> tuple[tuple[str, str], ...]:
        """A Google API key; tokens of service accounts go into `Authorization`."""
        return (("x-goog-api-key", key),)

    def _asked(
        self, body: dict[str, Json], endpoint: Endpoint, betas: tuple[str, ...], dropped: tuple[str, ...]
    ) -> Outgoing:
        body.pop("model", None)
        way = "streamRawPredict" if body.get("stream") else "rawPredict"
        path = f"{_MODELS}/{quote(endpoint.upstream_id, safe='@')}:{way}"
        return _outgoing(path, body, betas, dropped)

    def _counted(
        self, body: dict[str, Json], endpoint: Endpoint, betas: tuple[str, ...], dropped: tuple[str, ...]
    ) -> Outgoing:
        return _outgoing(f"{_MODELS}/count-tokens:rawPredict", body, betas, dropped)


def _outgoing(path: str, body: dict[str, Json], betas: tuple[str, ...], dropped: tuple[str, ...]) -> Outgoing:
    accept = "text/event-stream" if body.get("stream") else "application/json"
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"), ("accept", accept))
    if betas:
        headers = (*headers, ("anthropic-beta", ",".join(betas)))
    return Outgoing(path, headers, orjson.dumps({**body, "anthropic_version": VERSION}), dropped)
