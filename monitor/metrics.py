"""Prometheus metrics of the monitor, read from its parts when they are scraped.

Labels are configured names and words of this program alone. Ages are given as instants, as Prometheus advises: a
scrape that fails cannot make them look young.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from gateway.core.breaker import State
from gateway.edge.families import Family, Gauge, count, counter, gauge, level
from gateway.edge.loop_lag import LoopLag
from monitor.evaluation.keeper import Keeper
from monitor.evaluation.metrics import families
from monitor.evaluation.work_metrics import Work, work_families
from monitor.loop import Monitor
from monitor.ports import Clock
from monitor.sharding import SHARDS


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

    def lease_age_s(self) -> float | None: ...


STATE_VALUES = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}
QUANTILES = {"0.5": "p50", "0.95": "p95", "0.99": "p99"}


class MonitorCollector(Collector):
    """Yields one monitor's metrics."""

    def __init__(
        self, monitor: Monitor, clock: Clock, version: str, lag: LoopLag, cluster: Cluster | None = None
    ) -> None:
        self._monitor = monitor
        self._clock = clock
        self._version = version
        self._lag = lag
        self._cluster = cluster
        self.keeper: Keeper | None = None  # of certificates, where there is one
        self.work: Work | None = None  # for evaluation
        self.reloads = 0
        self.reload_failures = 0

    def collect(self) -> Iterator[Metric]:
        yield from self._endpoints()
        yield from self._durations()
        yield from self._probes()
        yield from self._coverage()
        yield from self._published()
        yield from self._prices()
        yield from _sharing(self._cluster)
        yield from families(self.keeper)
        yield from work_families(self.work)
        yield gauge(
            "pointsman_build_info",
            "Always 1; the label is the version that runs. Worry where replicas differ for longer than a rollout.",
            ("version",),
            {(self._version,): 1},
        )
        yield count("pointsman_config_reloads", "Accepted versions of the configuration.", self.reloads)
        yield count(
            "pointsman_config_reload_failures",
            "Refused versions of the configuration. Worry at each: the one before stays in force, and the log says "
            "what is wrong.",
            self.reload_failures,
        )
        yield self._lag.family()

    def _endpoints(self) -> Iterator[Family]:
        states = self._monitor.ledger.states(self._clock.now_s())
        yield gauge(
            "pointsman_breaker_state",
            "0 closed, 1 half-open (it is being tried), 2 open (left alone); of the endpoints of this replica's shards "
            "alone. Worry at 2: the endpoint does not answer.",
            ("endpoint",),
            {(id_,): STATE_VALUES[state] for id_, state in states.items()},
        )
        yield counter(
            "pointsman_breaker_transitions",
            "Changes of an endpoint's state as published; what goes back and forth within a second is one.",
            ("endpoint", "from", "to"),
            [((id_, old.value, new.value), n) for (id_, old, new), n in self._monitor.press.transitions.items()],
        )

    def _durations(self) -> Iterator[Family]:
        ratio = Gauge(
            "pointsman_endpoint_ok_ratio",
            "Share of probes and live requests of the last 5 minutes that went well, 0 to 1; absent where there were "
            "none. Worry below 0.95.",
            ("endpoint",),
        )
        ttfb = Gauge(
            "pointsman_endpoint_ttfb_seconds",
            "Time to the first byte of good answers of the last 5 minutes, probes and live, seconds; to two digits.",
            ("endpoint", "quantile"),
        )
        total = Gauge(
            "pointsman_endpoint_total_seconds",
            "Whole duration of good answers of the last 5 minutes, probes and live, seconds; to two digits. Probes "
            "ask for a few tokens: where there is no traffic it is far below what users wait.",
            ("endpoint", "quantile"),
        )
        for id_, entry in self._monitor.entries().items():
            if entry.ok_ratio is not None:
                ratio.add_metric((id_,), entry.ok_ratio)
            for family, found_ms in ((ttfb, entry.ttfb_ms), (total, entry.total_ms)):
                for quantile, rank in QUANTILES.items() if found_ms is not None else ():
                    family.add_metric((id_, quantile), getattr(found_ms, rank) / 1_000)
        yield from (ratio, ttfb, total)

    def _probes(self) -> Iterator[Family]:
        rounds = self._monitor.rounds
        yield counter(
            "pointsman_probes",
            "Probes by what they found. Worry about refused (our key, our balance, or no such model) and misconfigured "
            "(the probe itself is wrong); failed opens the breaker.",
            ("provider", "means", "finding"),
            [((id_, means.value, finding.value), n) for (id_, means, finding), n in rounds.probes.items()],
        )
        yield counter(
            "pointsman_probes_skipped",
            "Completions that were due and not sent: proven by live traffic, paused after the endpoint refused the "
            "probe itself, unpriced, or beyond the budget. Worry about budget: raise it or probe less often.",
            ("provider", "reason"),
            [((id_, verdict.value), n) for (id_, verdict), n in rounds.skipped.items()],
        )
        yield counter(
            "pointsman_probe_cost_usd",
            "What probes have cost since the start, USD.",
            ("provider",),
            [((id_,), usd) for id_, usd in rounds.spent_usd.items()],
        )
        purses = rounds.budgets()
        yield gauge(
            "pointsman_probe_budget_usd",
            "What the provider's probes may cost each UTC day, USD; of this replica.",
            ("provider",),
            {(id_,): purse.per_day_usd for id_, purse in purses.items()},
        )
        yield gauge(
            "pointsman_probe_budget_left_usd",
            "What is left of that until midnight UTC, USD. Worry near 0: endpoints without traffic go unprobed.",
            ("provider",),
            {(id_,): purse.per_day_usd - purse.spent_usd for id_, purse in purses.items()},
        )
        yield level(
            "pointsman_probe_lag_seconds",
            "How late the latest probes began, seconds. Worry above 5: the monitor does not keep up.",
            rounds.lag_s,
        )

    def _coverage(self) -> Iterator[Family]:
        watchlist = self._monitor.watchlist
        yield level(
            "pointsman_monitor_shards",
            f"Shards that this replica watches. Over all replicas they add up to {SHARDS}, and to more while one "
            "changes hands. Worry below.",
            len(watchlist.shards),
        )
        yield level(
            "pointsman_monitor_endpoints", "Endpoints that this replica watches: those of its shards.",
            len(watchlist.owners()),
        )  # fmt: skip
        yield level(
            "pointsman_unprobed_endpoints",
            "Endpoints of this replica's shards of which neither a probe (of them or of their provider) nor live "
            "traffic told anything within two probe periods; those that are not to be probed, or lack their key, do "
            "not count. Worry above 0: their breakers say nothing.",
            len(self._monitor.rounds.unprobed()),
        )
        yield level(
            "pointsman_gateways_heard",
            "Gateways whose outcomes are known. Worry where it is below the number that run: live traffic through the "
            "others proves nothing to the monitor.",
            len(self._monitor.heard.reports),
        )

    def _published(self) -> Iterator[Family]:
        press = self._monitor.press
        yield count(
            "pointsman_monitor_takeovers",
            "Shards taken over, at the start and from other replicas. Worry where it keeps rising: replicas come and "
            "go.",
            press.taken_over,
        )
        yield count("pointsman_snapshots_published", "Shards and price books written.", press.written)
        yield count(
            "pointsman_snapshot_publish_failures",
            "Writes that failed; they are tried again every 5 s. Worry where it keeps rising.",
            press.failures,
        )
        yield level(
            "pointsman_snapshot_published_timestamp_seconds",
            "Last write, Unix time; absent before the first. Worry where it is 180 s ago.",
            press.written_epoch_s,
        )

    def _prices(self) -> Iterator[Family]:
        shelves = self._monitor.market.shelves
        yield gauge(
            "pointsman_price_source_up",
            "1: the last reading of a live price source went well. Worry at 0 for a day; the last good prices stay.",
            ("source",),
            {(shelf.source.value,): float(shelf.ok) for shelf in shelves},
        )
        yield gauge(
            "pointsman_price_source_timestamp_seconds",
            "Last good reading of a live price source, Unix time. Worry where it is a day ago.",
            ("source",),
            {(shelf.source.value,): shelf.fetched_s for shelf in shelves if shelf.fetched_s is not None},
        )
        book = self._monitor.book
        yield level(
            "pointsman_prices_held_back",
            "Live rates not believed, since they are more than three times the catalog's or less than a third.",
            len(book.held_back),
        )
        yield gauge(
            "pointsman_price_held_back",
            "1: a live price of the endpoint is not believed; it is charged by the catalog's. Worry at each: see the "
            "monitor's page, and give the price in the configuration.",
            ("endpoint",),
            {(doubt.endpoint,): 1 for doubt in book.held_back},
        )
        yield level(
            "pointsman_prices_unknown",
            "Endpoints without a price: what they cost is missing from all sums. Give them one in the configuration.",
            sum(price is None for price in book.prices.values()),
        )


def _sharing(cluster: Cluster | None) -> Iterator[Family]:
    """What there is in a cluster alone; outside its families have no samples."""
    publisher, teller = (None, None) if cluster is None else (cluster.publisher, cluster.teller)
    yield level(
        "pointsman_monitor_replicas",
        "Replicas seen alive, this one included; 0 before they are known: where that lasts, this one watches all "
        "endpoints by itself; absent outside a cluster. Worry where replicas differ for minutes.",
        None if cluster is None else cluster.replicas(),
    )
    yield level(
        "pointsman_lease_age_seconds",
        "How long ago this replica renewed its Lease, seconds; absent until it did. Worry above 15: the others have "
        "taken its shards, and it publishes nothing.",
        None if cluster is None else cluster.lease_age_s(),
    )
    yield level(
        "pointsman_snapshot_bytes",
        "Size of the ConfigMap's data, bytes. Worry above 900,000: the limit is 1 MiB, and detail is shed.",
        None if publisher is None else publisher.size_bytes,
    )
    yield counter(
        "pointsman_snapshot_shed",
        "Shards written without detail, since the ConfigMap would have been too large.",
        (),
        [] if publisher is None else [((), publisher.shed)],
    )
    yield counter(
        "pointsman_kube_publish_failures",
        "Requests for the ConfigMap that failed. Worry about 403 (the role is missing) and where it keeps rising.",
        ("status",),
        [] if publisher is None else [((status,), n) for status, n in publisher.failures.items()],
    )
    yield counter(
        "pointsman_kube_events", "Kubernetes events written.", (), [] if teller is None else [((), teller.told)]
    )
    yield counter(
        "pointsman_kube_events_dropped",
        "Kubernetes events not written, since there were too many or the API refused them.",
        (),
        [] if teller is None else [((), teller.dropped)],
    )


def registry(collector: MonitorCollector) -> CollectorRegistry:
    found = CollectorRegistry()
    found.register(collector)
    ProcessCollector(registry=found)
    GCCollector(registry=found)
    return found
