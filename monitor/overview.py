"""What the monitor tells of itself as a whole: `/api/overview`, for its page, `pointsman top` and scripts.

Endpoints are told as they were published last; while nothing is published, as this replica sees them. Plain JSON; names
carry their units.
"""

from collections.abc import Iterator
from typing import Any

from gateway import VERSION
from gateway.core.catalog import Provider
from gateway.core.health import EndpointSnapshot
from gateway.core.prices import PriceBook
from gateway.edge.shown import iso, price_shown, quantiles
from monitor.loop import Monitor
from monitor.ports import Clock


def overview(monitor: Monitor, clock: Clock, started_s: float) -> dict[str, Any]:
    """The monitor now: JSON types alone. `started_s` is Unix time."""
    written_s = monitor.press.written_epoch_s
    return {
        "process": "monitor",
        "version": VERSION,
        "ready": "ready" if monitor.ready else "nothing was published yet",
        "now": iso(clock.epoch_s()),
        "started_at": iso(started_s),
        "published_at": None if written_s is None else iso(written_s),
        "publishing": monitor.publishing,  # false: in a cluster, as long as the API is away
        "publish_failures": monitor.press.failures,
        "shards": len(monitor.watchlist.shards),
        "gateways_heard": len(monitor.heard.reports),
        "endpoints": list(_endpoints(monitor)),
        "probes": list(_probes(monitor)),
        "prices": _prices(monitor.book),
    }


def _endpoints(monitor: Monitor) -> Iterator[dict[str, Any]]:
    known = monitor.watchlist.catalog.endpoints
    for id_, entry in sorted(monitor.entries().items()):
        model = known[id_].model if id_ in known else id_.partition("/")[2]
        yield {
            "endpoint": id_,
            "provider": id_.partition("/")[0],
            "model": model,
            **_entry(entry),
            "price": price_shown(monitor.book.get(id_)),
        }


def _entry(entry: EndpointSnapshot) -> dict[str, Any]:
    limited_s = entry.rate_limited_until_s
    return {
        "breaker": entry.breaker.value,
        "since": iso(entry.since_s),
        "ok_ratio": entry.ok_ratio,  # of the last 5 minutes, probes and live traffic together
        "consecutive_failures": entry.consecutive_failures,
        "first_byte_ms": quantiles(entry.ttfb_ms),
        "total_ms": quantiles(entry.total_ms),
        "first_byte_1h_ms": quantiles(entry.ttfb_1h_ms),
        "total_1h_ms": quantiles(entry.total_1h_ms),
        "probes": entry.probes,
        "rate_limited_until": None if limited_s is None else iso(limited_s),
        "last_error": entry.last_error,
    }


def _probes(monitor: Monitor) -> Iterator[dict[str, Any]]:
    """How each provider is probed, what it found since the start, and what today cost."""
    found: dict[str, dict[str, int]] = {}
    for (id_, _, finding), number in monitor.rounds.probes.items():
        counts = found.setdefault(id_, {})
        counts[finding.value] = counts.get(finding.value, 0) + number
    purses = monitor.rounds.budgets()
    for id_, provider in monitor.watchlist.catalog.providers.items():
        purse = purses.get(id_)
        yield {
            **_rules(provider),
            "findings": found.get(id_, {}),
            "spent_today_usd": None if purse is None else purse.spent_usd,
        }


def _rules(provider: Provider) -> dict[str, Any]:
    rules = provider.probe
    return {
        "provider": provider.id,
        "by": rules.by,
        "every_s": rules.every_s,
        "budget_usd_per_day": rules.budget_usd_per_day,
    }


def _prices(book: PriceBook) -> dict[str, Any]:
    return {
        "as_of": book.as_of or None,
        "unknown": sum(price is None for price in book.prices.values()),
        "sources": [
            {"name": source.name, "fetched_at": source.fetched_at or None, "ok": source.ok} for source in book.sources
        ],
        "held_back": [
            {
                "endpoint": doubt.endpoint,
                "field": doubt.field,
                "catalog": doubt.catalog,
                "live": doubt.live,
                "source": doubt.source,
            }
            for doubt in book.held_back
        ],
    }
