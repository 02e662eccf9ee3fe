"""Prometheus metrics of the monitor, read from its parts when they are scraped.

Labels are configured names and words of this program alone. Ages are given as instants, as Prometheus advises: a
scrape that fails cannot make them look young.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.core.breaker import State
from monitor.loop import Monitor
from monitor.ports import Clock


class PublisherTally(Protocol):
    """What a publisher to a ConfigMap counts."""

    @property
    def size_bytes(self) -> int: ...

    @property
    def shed(self) -> int: ...

    @property
    def failures(self) -> Mapping[str, int]: ...


class TellerTally(Protocol):
    """What a writer of events counts."""

    @property
    def told(self) -> int: ...

    @property
    def dropped(self) -> int: ...


class Cluster(Protocol):
    """What is counted in a cluster beside everything else."""

    @property
    def publisher(self) -> PublisherTally: ...

    @property
    def teller(self) -> TellerTally: ...

    def replicas(self) -> int: ...


Values = Mapping[tuple[str, ...], float]  # by label values

STATE_VALUES = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


class MonitorCollector(Collector):
    """Yields one monitor's metrics."""

    def __init__(self, monitor: Monitor, clock: Clock, version: str, cluster: Cluster | None = None) -> None:
        self._monitor = monitor
        self._clock = clock
        self._version = version
        self._cluster = cluster
        self.reloads = 0
        self.reload_failures = 0

    def collect(self) -> Iterator[Metric]:
        yield from self._endpoints()
        yield from self._probes()
        yield from self._published()
        yield from self._prices()
        if self._cluster is not None:
            yield from _sharing(self._cluster)
        yield _gauge("pointsman_build_info", "The version that runs.", ("version",), {(self._version,): 1})
        yield _counter("pointsman_config_reloads", "Accepted versions of the configuration.", (), {(): self.reloads})
        failures: Values = {(): self.reload_failures}
        yield _counter("pointsman_config_reload_failures", "Refused versions of the configuration.", (), failures)

    def _endpoints(self) -> Iterator[Metric]:
        now_s = self._clock.now_s()
        states = self._monitor.ledger.states(now_s)
        yield _gauge(
            "pointsman_breaker_state",
            "0 closed, 1 half-open, 2 open; as published.",
            ("endpoint",),
            {(id_,): STATE_VALUES[state] for id_, state in states.items()},
        )
        ratio = GaugeMetricFamily("pointsman_endpoint_ok_ratio", "Successes over 5 minutes.", labels=("endpoint",))
        ttfb = GaugeMetricFamily(
            "pointsman_endpoint_ttfb_seconds", "Time to first byte over 5 minutes.", labels=("endpoint", "quantile")
        )
        for id_, entry in self._monitor.press.entries().items():
            if entry.ok_ratio is not None:
                ratio.add_metric((id_,), entry.ok_ratio)
            if entry.ttfb_ms is not None:
                for quantile, value_ms in (("0.5", entry.ttfb_ms.p50), ("0.95", entry.ttfb_ms.p95)):
                    ttfb.add_metric((id_, quantile), value_ms / 1_000)
        yield ratio
        yield ttfb

    def _probes(self) -> Iterator[Metric]:
        rounds = self._monitor.rounds
        yield _counter(
            "pointsman_probes",
            "Probes by what they found.",
            ("provider", "means", "finding"),
            {(id_, means.value, finding.value): n for (id_, means, finding), n in rounds.probes.items()},
        )
        yield _counter(
            "pointsman_probes_skipped",
            "Completions not sent, by why.",
            ("provider", "reason"),
            {(id_, verdict.value): n for (id_, verdict), n in rounds.skipped.items()},
        )
        yield _counter(
            "pointsman_probe_cost_usd",
            "What probes cost, USD.",
            ("provider",),
            {(id_,): usd for id_, usd in rounds.spent_usd.items()},
        )
        watchlist = self._monitor.watchlist
        yield _gauge("pointsman_monitor_shards", "Shards that this replica owns.", (), {(): len(watchlist.shards)})
        yield _gauge(
            "pointsman_monitor_endpoints", "Endpoints that this replica watches.", (), {(): len(watchlist.owners())}
        )
        yield _gauge("pointsman_probe_lag_seconds", "How late the latest probes began.", (), {(): rounds.lag_s})

    def _published(self) -> Iterator[Metric]:
        press = self._monitor.press
        yield _counter("pointsman_monitor_takeovers", "Shards taken over.", (), {(): press.taken_over})
        yield _counter("pointsman_snapshots_published", "Shards and price books written.", (), {(): press.written})
        yield _counter("pointsman_snapshot_publish_failures", "Writes that failed.", (), {(): press.failures})
        if press.written_epoch_s is not None:
            yield _gauge(
                "pointsman_snapshot_published_timestamp_seconds", "Last write.", (), {(): press.written_epoch_s}
            )
        yield _gauge(
            "pointsman_gateways_heard", "Gateways whose outcomes are known.", (), {(): len(self._monitor.heard.reports)}
        )

    def _prices(self) -> Iterator[Metric]:
        shelves = self._monitor.market.shelves
        yield _gauge(
            "pointsman_price_source_up",
            "1 where the last reading of a live price source went well.",
            ("source",),
            {(shelf.source.value,): float(shelf.ok) for shelf in shelves},
        )
        yield _gauge(
            "pointsman_price_source_timestamp_seconds",
            "Last good reading of a live price source.",
            ("source",),
            {(shelf.source.value,): shelf.fetched_s for shelf in shelves if shelf.fetched_s is not None},
        )
        book = self._monitor.book
        unknown = sum(price is None for price in book.prices.values())
        yield _gauge("pointsman_prices_held_back", "Live prices not believed.", (), {(): len(book.held_back)})
        yield _gauge("pointsman_prices_unknown", "Endpoints without a price.", (), {(): unknown})


def _sharing(cluster: Cluster) -> Iterator[Metric]:
    publisher, teller = cluster.publisher, cluster.teller
    yield _gauge("pointsman_monitor_replicas", "Replicas seen alive, this one included.", (), {(): cluster.replicas()})
    yield _gauge("pointsman_snapshot_bytes", "Size of the ConfigMap's data.", (), {(): publisher.size_bytes})
    yield _counter("pointsman_snapshot_shed", "Shards written without detail.", (), {(): publisher.shed})
    yield _counter(
        "pointsman_kube_publish_failures",
        "Requests for the ConfigMap that failed, by HTTP status.",
        ("status",),
        {(status,): count for status, count in publisher.failures.items()},
    )
    yield _counter("pointsman_kube_events", "Events written.", (), {(): teller.told})
    yield _counter("pointsman_kube_events_dropped", "Events not written.", (), {(): teller.dropped})


def registry(collector: MonitorCollector) -> CollectorRegistry:
    found = CollectorRegistry()
    found.register(collector)
    return found


def _gauge(name: str, help_text: str, labels: tuple[str, ...], values: Values) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _counter(name: str, help_text: str, labels: tuple[str, ...], values: Values) -> Metric:
    family = CounterMetricFamily(name, help_text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family
