"""What is watched: one accepted version of the configuration, as the monitor needs it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gateway.core.breaker import BreakerRules
from gateway.core.catalog import Catalog
from gateway.core.prices import PriceBook
from monitor.sharding import shard_of


@dataclass(frozen=True, slots=True)
class Watchlist:
    catalog: Catalog
    rules: BreakerRules
    book: PriceBook  # catalog and configuration, before any live source
    shards: Collection[int]  # this process's

    def owners(self) -> Mapping[str, str]:
        """Endpoint id to provider id, of this process's endpoints."""
        return {
            endpoint.id: endpoint.provider
            for endpoint in self.catalog.endpoints.values()
            if shard_of(endpoint.id) in self.shards
        }
