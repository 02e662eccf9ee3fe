"""Azure OpenAI, put together: chat completions and responses, at a resource's own host and with its own keys."""

from urllib.parse import quote

from msgspec.structs import replace

from gateway.core.ask import Ask
from gateway.core.catalog import Endpoint
from gateway.formats.openai.format import OpenAIFormat
from gateway.formats.responses.format import ResponsesFormat
from gateway.formats.wire import Outgoing

VERSIONED = "api-version="
"""Begins the quirk that names the API version."""


class AzureFormat(OpenAIFormat):
    api = "azure-openai"

    def build(self, ask: Ask, endpoint: Endpoint, max_output: int | None) -> Outgoing:
        return placed(super().build(ask, endpoint, max_output), endpoint)

    def auth_headers(self, key: str) -> tuple[tuple[str, str], ...]:
        return _keyed(key)

    def probe(self, endpoint: Endpoint) -> Outgoing:
        return placed(super().probe(endpoint), endpoint)


class AzureResponsesFormat(ResponsesFormat):
    """No deployment has a path of its own here: the model's name says it (openai-python, `lib/azure.py`)."""

    api = "azure-responses"

    def build(self, ask: Ask, endpoint: Endpoint, max_output: int | None) -> Outgoing:
        return _versioned(super().build(ask, endpoint, max_output), endpoint)

    def auth_headers(self, key: str) -> tuple[tuple[str, str], ...]:
        return _keyed(key)

    def probe(self, endpoint: Endpoint) -> Outgoing:
        return _versioned(super().probe(endpoint), endpoint)


def placed(outgoing: Outgoing, endpoint: Endpoint) -> Outgoing:
    """At the deployment's own path, where the API has a version."""
    if _version(endpoint) is None:
        return outgoing
    path = f"/deployments/{quote(endpoint.upstream_id, safe='')}{outgoing.path}"
    return _versioned(replace(outgoing, path=path), endpoint)


def _versioned(outgoing: Outgoing, endpoint: Endpoint) -> Outgoing:
    version = _version(endpoint)
    return outgoing if version is None else replace(outgoing, path=f"{outgoing.path}?{version}")


def _version(endpoint: Endpoint) -> str | None:
    return next((quirk for quirk in endpoint.quirks if quirk.startswith(VERSIONED)), None)


def _keyed(key: str) -> tuple[tuple[str, str], ...]:
    """A key of the resource; tokens of Entra ID go into `Authorization`."""
    return (("api-key", key),)
