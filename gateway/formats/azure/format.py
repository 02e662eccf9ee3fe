"""Azure OpenAI, put together."""

from urllib.parse import quote

from msgspec.structs import replace

from gateway.core.ask import Ask
from gateway.core.catalog import Endpoint
from gateway.formats.openai.format import OpenAIFormat
from gateway.formats.wire import Outgoing

VERSIONED = "api-version="
"""Begins the quirk that names the API version."""


class AzureFormat(OpenAIFormat):
    api = "azure-openai"

    def build(self, ask: Ask, endpoint: Endpoint, max_output: int | None) -> Outgoing:
        return placed(super().build(ask, endpoint, max_output), endpoint)

    def auth_headers(self, key: str) -> tuple[tuple[str, str], ...]:
        """A key of the resource; tokens of Entra ID go into `Authorization`."""
        return (("api-key", key),)

    def probe(self, endpoint: Endpoint) -> Outgoing:
        return placed(super().probe(endpoint), endpoint)


def placed(outgoing: Outgoing, endpoint: Endpoint) -> Outgoing:
    """At the deployment's own path, where the API has a version."""
    version = next((quirk for quirk in endpoint.quirks if quirk.startswith(VERSIONED)), None)
    if version is None:
        return outgoing
    return replace(outgoing, path=f"/deployments/{quote(endpoint.upstream_id, safe='')}{outgoing.path}?{version}")
