"""What the admin port tells of the gateway as a whole: `/api/overview`, for the page, `pointsman top` and scripts.

Plain JSON; names carry their units. Rules live elsewhere, this reads.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from gateway import VERSION
from gateway.core.breaker import State
from gateway.core.catalog import Endpoint
from gateway.core.decision import tier_name
from gateway.core.health import EndpointSnapshot
from gateway.edge.shown import iso, price_shown, quantiles
from gateway.flow.answer import Walk
from gateway.web.counts import Counts
from gateway.web.today import Today
from gateway.web.variants import Variants


class Shown(Protocol):
    """What is read of a gateway."""

    walk: Walk
    counts: Counts
    today: Today
    variants: Variants
    started_s: float  # Unix time

    def unready(self) -> str | None: ...

    def totals(self) -> Mapping[str, float]: ...


def overview(gateway: Shown) -> dict[str, Any]:
    """The gateway now: JSON types alone."""
    walk = gateway.walk
    now_s, epoch_s = walk.clock.now_s(), walk.clock.epoch_s()
    policy = walk.parts.planner.world.policy
    return {
        "process": "gateway",
        "version": VERSION,
        "ready": gateway.unready() or "ready",
        "now": iso(epoch_s),
        "started_at": iso(gateway.started_s),
        "generation": policy.generation,
        "inflight": gateway.counts.active,
        "retry_budget_left": walk.retry_budget_left(),
        "snapshot_age_s": _rounded(walk.book.snapshot_age_s(now_s), 1),
        "totals": dict(gateway.totals()),
        "today": gateway.today.told(epoch_s),
        "experiments": gateway.variants.told(),
        "endpoints": list(_endpoints(walk, now_s)),
    }


def _endpoints(walk: Walk, now_s: float) -> Iterator[dict[str, Any]]:
    walk.book.health(now_s)  # whose trouble has passed is noticed when this is asked
    world = walk.parts.planner.world
    keyless = walk.parts.planner.keyless()
    for endpoint in world.policy.catalog.endpoints.values():
        row = _endpoint(walk, endpoint, now_s)
        yield {**row, "key": endpoint.provider not in keyless, "price": price_shown(world.prices.get(endpoint.id))}


def _endpoint(walk: Walk, endpoint: Endpoint, now_s: float) -> dict[str, Any]:
    sight = walk.book.sight(endpoint.id, now_s)
    verdict, outcomes, published = sight.verdict, sight.outcomes, sight.published
    limited_s = verdict.rate_limited_until_s
    return {
        "endpoint": endpoint.id,
        "provider": endpoint.provider,
        "model": endpoint.model,
        "tier": tier_name(endpoint.tier, walk.parts.planner.world.policy.tiers),
        "operation": endpoint.operation.value,
        "breaker": verdict.state.value,
        "retry_in_s": round(sight.retry_at_s - now_s, 1) if verdict.state is State.OPEN else None,
        "rate_limited_for_s": None if limited_s is None else round(limited_s - now_s, 1),
        "ok": outcomes.ok,
        "failed": outcomes.failed,
        "rate_limited": outcomes.rate_limited,
        "last_error": outcomes.last_error or (None if published is None else published.last_error),
        "first_token_ms": quantiles(sight.ttft_ms),  # of this gateway's streams
        "probe": None if published is None else probed(published),  # None: nothing published, or too long ago
    }


def probed(published: EndpointSnapshot) -> dict[str, Any]:
    """What the monitor found."""
    return {
        "breaker": published.breaker.value,
        "ok_ratio": published.ok_ratio,
        "first_byte_ms": quantiles(published.ttfb_ms),
        "total_ms": quantiles(published.total_ms),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
