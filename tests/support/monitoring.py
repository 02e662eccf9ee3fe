"""A monitor in virtual time: providers, gateways, price sources and the publisher are played by values."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from gateway.core.breaker import BreakerRules
from gateway.core.catalog import Catalog, Endpoint, ProbeRules, Provider
from gateway.core.failure import Failure, FailureKind
from gateway.core.health import EndpointSnapshot, ShardSnapshot, decode_shard
from gateway.core.outcomes import Outcomes
from gateway.core.prices import PriceBook, price_book
from gateway.core.pricing import Price
from gateway.core.usage import Usage
from monitor.loop import Monitor
from monitor.ports import Clock, FetchError, Ports, PublishError
from monitor.price_sources import Source
from monitor.probe import Means, ProbeResult
from monitor.sharding import SHARDS
from monitor.watchlist import Watchlist
from tests.support.builders import EPOCH_S, a_catalog, a_price, a_provider
from tests.support.virtual_time import START_S

WELL = ProbeResult(None, 700.0, 310.0, Usage(input=12, output=5))


def failing(kind: FailureKind, status: int | None = None) -> ProbeResult:
    return ProbeResult(Failure(kind, "so it goes", status), 5.0)


def a_clock() -> Clock:
    """The loop's clock, and Unix time beside it."""
    now_s = asyncio.get_running_loop().time
    return Clock(now_s, lambda: EPOCH_S + now_s() - START_S)


@dataclass
class PlayedProber:
    """Answers well, save what `results` says by provider or endpoint id."""

    results: dict[str, ProbeResult] = field(default_factory=dict)
    keyless: frozenset[str] = frozenset()
    takes_s: float = 0.3
    sent: list[tuple[float, str]] = field(default_factory=list)  # (second since the start, id)
    means: Counter[Means] = field(default_factory=Counter)

    async def check(self, provider: Provider, means: Means) -> ProbeResult:
        return await self._played(provider.id, means)

    async def complete(self, endpoint: Endpoint) -> ProbeResult:
        return await self._played(endpoint.id, Means.COMPLETION)

    def missing(self) -> frozenset[str]:
        return self.keyless

    async def _played(self, id_: str, means: Means) -> ProbeResult:
        self.sent.append((asyncio.get_running_loop().time() - START_S, id_))
        self.means[means] += 1
        await asyncio.sleep(self.takes_s)
        return self.results.get(id_, WELL)

    def times(self, id_: str) -> list[float]:
        return [at_s for at_s, sent in self.sent if sent == id_]


@dataclass
class PlayedGateways:
    reports: Sequence[Outcomes] = ()

    async def outcomes(self) -> Sequence[Outcomes]:
        return self.reports


@dataclass
class PlayedFeed:
    answers: dict[Source, bytes] = field(default_factory=dict)
    asked: list[tuple[float, Source]] = field(default_factory=list)

    async def fetch(self, source: Source) -> bytes:
        self.asked.append((asyncio.get_running_loop().time() - START_S, source))
        if source not in self.answers:
            raise FetchError("nobody answers")
        return self.answers[source]


@dataclass
class PlayedPublisher:
    kept: dict[str, bytes] = field(default_factory=dict)
    written: list[tuple[float, str]] = field(default_factory=list)
    broken: bool = False

    async def read(self, key: str) -> bytes | None:
        if self.broken:
            raise PublishError("the disk is gone")
        return self.kept.get(key)

    async def publish(self, key: str, data: bytes) -> None:
        if self.broken:
            raise PublishError("the disk is full")
        self.written.append((asyncio.get_running_loop().time() - START_S, key))
        self.kept[key] = data

    def shards(self) -> list[ShardSnapshot]:
        return [decode_shard(data) for key, data in sorted(self.kept.items()) if key.startswith("shard")]

    def entries(self) -> dict[str, EndpointSnapshot]:
        return {id_: entry for shard in self.shards() for id_, entry in shard.endpoints.items()}

    def states(self) -> dict[str, str]:
        return {id_: entry.breaker.value for id_, entry in self.entries().items()}


@dataclass
class Stage:
    """All players, and how long the play has lasted."""

    watchlist: Watchlist
    prober: PlayedProber = field(default_factory=PlayedProber)
    gateways: PlayedGateways = field(default_factory=PlayedGateways)
    feed: PlayedFeed = field(default_factory=PlayedFeed)
    publisher: PlayedPublisher = field(default_factory=PlayedPublisher)
    sources: Sequence[Source] = ()
    monitor: Monitor | None = None

    async def play(self, *scenes: tuple[float, Callable[[], None]], until_s: float) -> "Stage":
        """Run the monitor; each scene happens at its second."""
        clock = a_clock()
        ports = Ports(self.prober, self.gateways, self.feed, self.publisher, clock)
        self.monitor = Monitor(self.watchlist, ports, self.sources, "monitor-1")
        task = asyncio.create_task(self.monitor.run())
        for at_s, scene in scenes:
            await asyncio.sleep(START_S + at_s - clock.now_s())
            scene()
        await asyncio.sleep(START_S + until_s - clock.now_s())
        assert not task.done(), "the monitor works until it is told to stop"
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return self


def a_watchlist(
    *endpoints: str,
    probe: ProbeRules | None = None,
    prices: Mapping[str, Price | None] | None = None,
    rules: BreakerRules | None = None,
) -> Watchlist:
    """Every endpoint costs 1 USD per million input tokens; all shards are ours."""
    catalog: Catalog = a_catalog(
        *endpoints,
        providers=[a_provider(id_, probe=probe or ProbeRules()) for id_ in {id_.split("/")[0] for id_ in endpoints}],
    )
    book: PriceBook = price_book(dict.fromkeys(endpoints, a_price()) if prices is None else prices, {}, "2026-11-24")
    return Watchlist(catalog, rules or BreakerRules(), book, range(SHARDS))
