"""What the gateway shows of its state when Prometheus asks, and not before."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from gateway.core.breaker import State
from gateway.core.catalog import Provider
from gateway.core.policy import Policy
from gateway.core.pricing import Price, rates_at
from gateway.edge.families import Family, Gauge, count, counter, gauge, level
from gateway.edge.kube.metrics import of_tally
from gateway.edge.kube.reflector import Tally
from gateway.edge.loop_lag import LoopLag
from gateway.edge.records import Counted
from gateway.upstream.call import Origin
from gateway.upstream.pool import OriginStats

STATE_VALUES = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """An endpoint of the configuration in force; prices are those of this moment for short prompts."""

    endpoint: str
    provider: str
    model: str
    tier: str  # "": none
    input_usd: float | None = None  # per million tokens; None: unknown
    output_usd: float | None = None


@dataclass(frozen=True, slots=True)
class ProviderUse:
    """How busy the way to a provider is."""

    provider: str
    in_flight: int
    max_in_flight: int
    idle: int = 0  # connections
    busy: int = 0
    waiting: int = 0  # requests without a connection yet
    opened: int = 0  # connections so far


class Doorkeeper(Protocol):
    """What the client port turned away."""

    @property
    def turned_away(self) -> int:
        """Connections beyond the limit."""

    @property
    def timed_out(self) -> int:
        """Connections whose clients took too long to ask."""


@dataclass(frozen=True, slots=True)
class Unopened:
    """The door before it is there."""

    turned_away: int = 0
    timed_out: int = 0


def endpoint_facts(policy: Policy, prices: Mapping[str, Price | None], epoch_s: float) -> Iterator[EndpointFacts]:
    for one in policy.catalog.endpoints.values():
        tier = "" if one.tier is None else policy.tiers[one.tier]
        price = prices.get(one.id)
        if price is None:
            yield EndpointFacts(one.id, one.provider, one.model, tier)
        else:
            rates = rates_at(price, 0, epoch_s)
            yield EndpointFacts(one.id, one.provider, one.model, tier, rates.input, rates.output)


def provider_uses(
    providers: Iterable[Provider], in_flight: Mapping[str, int], stats: Mapping[Origin, OriginStats]
) -> Iterator[ProviderUse]:
    """Connections belong to a host: they are shown with the first provider behind it."""
    left = dict(stats)
    for one in providers:
        use = left.pop(Origin.parse(one.base_url)[0], None)
        running = in_flight.get(one.id, 0)
        if use is None:
            yield ProviderUse(one.id, running, one.max_in_flight)
        else:
            yield ProviderUse(one.id, running, one.max_in_flight, use.idle, use.busy, use.waiting, use.opened)


@dataclass(frozen=True, slots=True)
class Gauges:
    """What is read only when someone asks."""

    states: Callable[[], Mapping[str, State]]
    transitions: Callable[[], Mapping[tuple[str, State, State], int]]
    limited_until_epoch_s: Callable[[], Mapping[str, float]]
    snapshot_age_s: Callable[[], float | None]
    retry_budget_left: Callable[[], int]
    records_dropped: Callable[[], int]
    generation: Callable[[], str]
    inflight: Callable[[], int]
    endpoints: Callable[[], Iterable[EndpointFacts]]
    providers: Callable[[], Iterable[ProviderUse]]
    door: Callable[[], Doorkeeper]
    sinks: Callable[[], Mapping[str, Counted]]
    kube: Callable[[], Tally | None]  # None: outside a cluster
    lag: LoopLag


def of_gauges(gauges: Gauges) -> Iterator[Family]:
    yield from _of_health(gauges)
    yield level(
        "pointsman_inflight_requests",
        "Requests being answered now by this gateway. Autoscaling goes by it.",
        gauges.inflight(),
    )
    yield level(
        "pointsman_retry_budget_left",
        "Extra tries that may be made now. Worry at 0: so many attempts fail that requests are no longer repeated "
        "at the same provider, lest retries become the load.",
        gauges.retry_budget_left(),
    )
    yield count(
        "pointsman_records_dropped",
        "Decision records that were given up, in the journal and all sinks together. Worry where it rises; "
        "pointsman_sink_dropped_total says where.",
        gauges.records_dropped(),
    )
    yield gauge(
        "pointsman_config_info",
        "Always 1; the label is the version of the configuration in force. Worry where replicas differ for minutes.",
        ("generation",),
        {(gauges.generation(),): 1},
    )
    yield from _of_catalog(list(gauges.endpoints()))
    yield from _of_providers(list(gauges.providers()))
    yield from _of_sinks(gauges.sinks())
    yield from of_tally(gauges.kube())
    yield gauges.lag.family()


def _of_health(gauges: Gauges) -> Iterator[Family]:
    yield gauge(
        "pointsman_breaker_state",
        "0 closed, 1 half-open (it is being tried), 2 open (left alone); the worse of what this gateway saw and what "
        "the monitor says. Worry where every endpoint of a route is at 2.",
        ("endpoint",),
        {(endpoint,): STATE_VALUES[state] for endpoint, state in gauges.states().items()},
    )
    yield counter(
        "pointsman_breaker_transitions",
        "Changes of this gateway's own breakers. An endpoint that goes back and forth is ill but not down.",
        ("endpoint", "from", "to"),
        [((name, before.value, after.value), n) for (name, before, after), n in gauges.transitions().items()],
    )
    yield gauge(
        "pointsman_rate_limited_until_timestamp_seconds",
        "Until when a provider wants to be left alone, Unix time; absent where it does not. Worry where it stays: the "
        "limits of the account are too low for this traffic.",
        ("endpoint",),
        {(endpoint,): until_s for endpoint, until_s in gauges.limited_until_epoch_s().items()},
    )
    yield level(
        "pointsman_snapshot_age_seconds",
        "Age of the oldest shard of the monitor's snapshot, seconds; absent until one was read. Worry above 180: the "
        "gateway then routes by what it sees itself.",
        gauges.snapshot_age_s(),
    )


def _of_catalog(endpoints: list[EndpointFacts]) -> Iterator[Family]:
    yield gauge(
        "pointsman_endpoint_info",
        "Always 1: the endpoints of the configuration in force, to join others with.",
        ("endpoint", "provider", "model", "tier"),
        {(one.endpoint, one.provider, one.model, one.tier): 1 for one in endpoints},
    )
    prices: Gauge = Gauge(
        "pointsman_price_usd_per_million_tokens",
        "The price by which requests are routed and charged now, for short prompts, USD per million tokens; absent "
        "where it is unknown. Worry about a jump.",
        ("endpoint", "type"),
    )
    for one in endpoints:
        for of, usd in (("input", one.input_usd), ("output", one.output_usd)):
            if usd is not None:
                prices.add_metric((one.endpoint, of), usd)
    yield prices


def _of_providers(providers: list[ProviderUse]) -> Iterator[Family]:
    yield gauge(
        "pointsman_provider_inflight_requests",
        "Attempts under way at a provider. At its limit requests go to the next candidate.",
        ("provider",),
        {(one.provider,): one.in_flight for one in providers},
    )
    yield gauge(
        "pointsman_provider_inflight_limit",
        "The provider's max_in_flight, of this gateway alone.",
        ("provider",),
        {(one.provider,): one.max_in_flight for one in providers},
    )
    connections: Gauge = Gauge(
        "pointsman_upstream_connections",
        "Connections to a provider; of providers behind the same host only the first is shown.",
        ("provider", "state"),
    )
    for one in providers:
        connections.add_metric((one.provider, "idle"), one.idle)
        connections.add_metric((one.provider, "busy"), one.busy)
    yield connections
    yield counter(
        "pointsman_upstream_connections_opened",
        "Connections made so far. Worry where it rises as fast as attempts: they are not reused.",
        ("provider",),
        [((one.provider,), one.opened) for one in providers],
    )
    yield gauge(
        "pointsman_upstream_waiting_requests",
        "Requests that wait for a connection. Worry where it stays above 0: the provider accepts none.",
        ("provider",),
        {(one.provider,): one.waiting for one in providers},
    )


def _of_sinks(sinks: Mapping[str, Counted]) -> Iterator[Family]:
    yield counter(
        "pointsman_sink_delivered",
        "Records that a sink has accepted; of traces: requests of which spans were made.",
        ("sink",),
        [((name,), sink.delivered) for name, sink in sinks.items()],
    )
    yield counter(
        "pointsman_sink_dropped",
        "Records that were given up. Worry where it rises: the sink is down, too slow, or refuses them. Requests are "
        "not affected.",
        ("sink",),
        [((name,), sink.dropped) for name, sink in sinks.items()],
    )
    yield counter(
        "pointsman_sink_retries",
        "Batches sent again, since the sink did not take them.",
        ("sink",),
        [((name,), sink.retries) for name, sink in sinks.items()],
    )
    yield gauge(
        "pointsman_sink_waiting",
        "Records that wait for a sink. Worry where it keeps rising: the oldest will be dropped.",
        ("sink",),
        {(name,): sink.waiting for name, sink in sinks.items()},
    )
