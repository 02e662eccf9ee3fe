"""The monitor's life: four rhythms that share one ledger.

    every second    take over or give away shards; send the probes that are due; publish breakers that have changed
    every period    read the gateways' outcomes; then everything may be published
    every hour      read live prices, and publish them

A change of a breaker is so published within a second or two, together with those that change beside it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from gateway.core.health import EndpointSnapshot
from gateway.core.prices import PriceBook
from monitor.ledger import Ledger
from monitor.market import Market
from monitor.outcomes import Heard, taken
from monitor.ports import Ports
from monitor.press import Press
from monitor.price_sources import Source
from monitor.prices import REFRESH_S
from monitor.rounds import Rounds
from monitor.watchlist import Watchlist

PERIOD_S = 30.0
TICK_S = 1.0  # also the time within which changes of breakers are gathered (CONTRACT §6: debounced 1 s)
PRICES_SHARD = 0  # whoever owns it publishes the prices
LINGER_S = 12.0
"""A shard given away is probed for so long still. Its new owner may hear of it 8 s later (a renewal, a listing, a look)
and probes it within 7 s (`schedule`), so no endpoint waits longer than its own period and 3 s; none is probed by two
for more than 20 s, which is two periods even of one that is probed every 10 s."""


class Monitor:
    """Everything the monitor knows and does, on ports."""

    def __init__(self, watchlist: Watchlist, ports: Ports, sources: Sequence[Source], name: str) -> None:
        clock = ports.clock
        self._ports = ports
        self.watchlist = watchlist
        self.ledger = Ledger(watchlist.owners(), watchlist.rules, clock.now_s())
        self.rounds = Rounds(watchlist, self.ledger, ports.prober, clock)
        self.press = Press(ports.publisher, clock, name, PERIOD_S)
        self.market = Market(ports.feed, clock, sources)
        self.book: PriceBook = watchlist.book  # as published last
        self.heard = Heard()
        self.period = 0  # how many have passed
        self.ready = False  # everything was published, or tried to be, once
        self.publishing = True  # False: others may have taken over what is published here
        self._wanted: frozenset[int] = frozenset(watchlist.shards)
        self._own: frozenset[int] = frozenset()  # as published
        self._lingering: dict[int, float] = {}  # shards given away, until when they are probed
        self._published = True  # as `publishing` was a moment ago
        self._priced_s = float("-inf")

    def reconfigure(self, watchlist: Watchlist) -> None:
        """Take over a new version of the configuration; what remains in it keeps its history."""
        self.watchlist = watchlist
        self.ledger.reconfigure(watchlist.owners(), watchlist.rules, self._ports.clock.now_s())
        self.rounds.reconfigure(watchlist)
        self._reprice()

    def own(self, shards: frozenset[int]) -> None:
        """These fall to this replica from now on; acted on within a second."""
        self._wanted = shards

    @property
    def leads(self) -> bool:
        """Whether what is there once for all replicas falls to this one: prices, certificates."""
        return PRICES_SHARD in self._own and self.publishing

    def entries(self) -> Mapping[str, EndpointSnapshot]:
        """Every endpoint as published last; while nothing is published, as this replica sees it now."""
        return self.press.entries() if self.publishing else self.press.drafts(self.ledger)

    async def run(self) -> None:
        """Take over, and work until cancelled."""
        await self._share()
        async with asyncio.TaskGroup() as group:
            group.create_task(_every(TICK_S, self._publish))
            group.create_task(_every(PERIOD_S, self._listen))
            group.create_task(_every(TICK_S, self._price))
            await _every(TICK_S, lambda: self._probe(group))

    async def _probe(self, group: asyncio.TaskGroup) -> None:
        self.rounds.begin(group)

    async def _publish(self) -> None:
        await self._share()
        if self.publishing:
            await self.press.print_shards(self.ledger, self.period)
            if PRICES_SHARD in self._own:
                await self.press.keep_prices(self.book, self.period)
        self.ready = True

    async def _share(self) -> None:
        """Bring what is probed and published in line with what falls to this replica."""
        now_s = self._ports.clock.now_s()
        gained, lost = self._wanted - self._own, self._own - self._wanted
        if self.publishing and not self._published:
            gained = self._wanted  # readers may have heard of another publisher meanwhile: begin a new epoch
        self._own, self._published = self._wanted, self.publishing
        self.press.release(lost)
        self._lingering |= dict.fromkeys(lost, now_s + LINGER_S)
        self._lingering = {
            shard: until_s
            for shard, until_s in self._lingering.items()
            if until_s > now_s and shard not in self._own
        }
        watched = self._own | self._lingering.keys()
        if watched != set(self.watchlist.shards):
            self.reconfigure(replace(self.watchlist, shards=watched))
        if gained and self.publishing:
            await self._take_over(gained)

    async def _take_over(self, gained: frozenset[int]) -> None:
        await self.press.take_over(gained, self.ledger)
        if PRICES_SHARD in gained:
            if (before := await self.press.prices()) is not None:
                self.market.restore(before)
            self._reprice()
            await self.press.print_prices(self.book)  # what is known already, before any source has answered
            self._priced_s = float("-inf")

    async def _listen(self) -> None:
        reports = await self._ports.gateways.outcomes()
        self.heard, news = taken(self.heard, reports)
        now_s = self._ports.clock.now_s()
        for id_, outcomes in news.items():
            self.ledger.lived(id_, outcomes, now_s)
        self.period += 1

    async def _price(self) -> None:
        now_s = self._ports.clock.now_s()
        if not self.leads or now_s - self._priced_s < REFRESH_S:
            return
        self._priced_s = now_s
        await self.market.refresh(self.watchlist)
        self._reprice()
        await self.press.print_prices(self.book)

    def _reprice(self) -> None:
        self.book = self.market.book(self.watchlist.book)
        self.rounds.prices = self.book.prices


async def _every(every_s: float, work: Callable[[], Awaitable[None]]) -> None:
    """Work at once and then every so often; work that takes longer delays only itself."""
    loop = asyncio.get_running_loop()
    at_s = loop.time()
    while True:
        await work()
        at_s = max(at_s + every_s, loop.time())
        await asyncio.sleep(at_s - loop.time())
