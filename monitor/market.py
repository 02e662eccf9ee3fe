"""The market: live prices, read hourly, the last good ones kept."""

import asyncio
import logging
from collections.abc import Sequence

from gateway.core.prices import PriceBook
from monitor.ports import Clock, FetchError, PriceFeed
from monitor.price_sources import PriceSourceError, Source, read, sold
from monitor.prices import Shelf, missed, published, refilled, restored
from monitor.watchlist import Watchlist

log = logging.getLogger(__name__)


class Market:
    """Mutable; one per process, used from one task."""

    def __init__(self, feed: PriceFeed, clock: Clock, sources: Sequence[Source]) -> None:
        """`sources`: those that have an address."""
        self._feed = feed
        self._clock = clock
        self._complained: set[Source] = set()
        self.shelves: tuple[Shelf, ...] = tuple(Shelf(source) for source in sources)

    def restore(self, book: PriceBook) -> None:
        """Begin with what an earlier process has published."""
        self.shelves = restored(book, [shelf.source for shelf in self.shelves])

    async def refresh(self, watchlist: Watchlist) -> None:
        """Ask every source once, all at the same time."""
        self.shelves = tuple(await asyncio.gather(*(self._asked(shelf, watchlist) for shelf in self.shelves)))

    def book(self, base: PriceBook) -> PriceBook:
        """The prices to publish now."""
        return published(base, self.shelves, self._clock.epoch_s())

    async def _asked(self, shelf: Shelf, watchlist: Watchlist) -> Shelf:
        try:
            raw = await self._feed.fetch(shelf.source)
            prices = await asyncio.to_thread(read, shelf.source, raw, sold(watchlist.catalog))  # megabytes of JSON
        except (FetchError, PriceSourceError) as error:
            if shelf.source not in self._complained:  # once: in a closed network it is so every hour
                self._complained.add(shelf.source)
                log.info("no live prices from %s, the last known ones stay: %s", shelf.source.value, error)
            return missed(shelf)
        self._complained.discard(shelf.source)
        return refilled(shelf, prices, self._clock.epoch_s())
