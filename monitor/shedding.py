"""What a shard says when there is no room for all of it: percentiles and error texts go, what routing needs stays.

A ConfigMap holds 1 MiB and is read by every gateway whole, so its size is watched long before (CONTRACT §6).
"""

from dataclasses import replace

from gateway.core.health import EndpointSnapshot, ShardSnapshot

ALERT_BYTES = 256 * 1024  # of the whole object: somebody should look
SHED_BYTES = 768 * 1024  # from here on shards are written lean


def lean(shard: ShardSnapshot) -> ShardSnapshot:
    """The shard without detail: breakers, since when, success ratios and rate-limit horizons remain."""
    return replace(shard, endpoints={id_: _lean(entry) for id_, entry in shard.endpoints.items()})


def _lean(entry: EndpointSnapshot) -> EndpointSnapshot:
    return replace(entry, ttfb_ms=None, total_ms=None, ttfb_1h_ms=None, total_1h_ms=None, last_error=None)
