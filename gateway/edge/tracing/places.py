"""What an endpoint is called in spans: its vendor's conventional name, its model there, and the address."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.core.catalog import Catalog, Endpoint, Provider
from gateway.edge.tracing.conventions import PROVIDERS_BY_CLOUD, PROVIDERS_BY_HOST
from gateway.upstream.call import DEFAULT_PORTS


@dataclass(frozen=True, slots=True)
class Place:
    vendor: str  # gen_ai.provider.name
    model: str  # what the vendor calls it
    address: str | None = None
    port: int | None = None


class Places:
    """Looks endpoints up in the catalog in force. For one thread."""

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self._catalog = catalog
        self._known = Catalog()
        self._places: dict[str, Place] = {}

    def of(self, endpoint_id: str) -> Place:
        """Of an endpoint that is configured no more, what its id says."""
        catalog = self._catalog()
        if catalog is not self._known:
            self._known, self._places = catalog, {}
        place = self._places.get(endpoint_id)
        if place is None:
            endpoint = catalog.endpoints.get(endpoint_id)
            provider = None if endpoint is None else catalog.providers.get(endpoint.provider)
            place = _place(endpoint, provider) if endpoint and provider else _unknown(endpoint_id)
            self._places[endpoint_id] = place
        return place


def _unknown(endpoint_id: str) -> Place:
    provider, _, model = endpoint_id.partition("/")
    return Place(provider, model)


def _place(endpoint: Endpoint, provider: Provider) -> Place:
    parts = urlsplit(provider.base_url)
    host = parts.hostname or ""
    cloud = next((name for word, name in PROVIDERS_BY_CLOUD.items() if endpoint.api.startswith(word)), None)
    vendor = cloud or PROVIDERS_BY_HOST.get(host) or provider.id
    return Place(vendor, endpoint.upstream_id, host, parts.port or DEFAULT_PORTS.get(parts.scheme))
