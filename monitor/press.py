"""The press: takes over what is published, and writes shards and prices when they have changed.

Before a shard is written it is read: where another replica has begun a newer epoch meanwhile, because it took this one
for dead, readers would pass over what is written under the old one.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace

from gateway.core.breaker import State
from gateway.core.health import GONE_PERIODS, EndpointSnapshot, ShardSnapshot, SnapshotError, decode_shard, encode_shard
from gateway.core.price_json import PriceFileError, decode_prices, encode_prices
from gateway.core.prices import PriceBook
from monitor.issue import Issue, following, taken_over
from monitor.ledger import Ledger
from monitor.ports import Clock, Publisher, PublishError
from monitor.sharding import shard_key, shard_of

PRICES_KEY = "prices.json"
AGAIN_S = 5.0  # after which what could not be written is tried again

log = logging.getLogger(__name__)


class Press:
    """Mutable; one per process, used from one task at a time."""

    def __init__(self, publisher: Publisher, clock: Clock, name: str, period_s: float) -> None:
        """`name`: of this publisher, for people; `period_s`: what readers may expect."""
        self._publisher = publisher
        self._clock = clock
        self._name = name
        self._period_s = period_s
        # Endpoint times are published in Unix time by one offset: an offset taken each time would change them all each
        # time.
        self._offset_s = clock.epoch_s() - clock.now_s()
        self._issues: dict[int, Issue] = {}
        self._considered: dict[int, int] = {}  # shard -> period in which all of it was last compared
        self._owed: set[int] = set()  # shards that could not be read when they were to be taken over
        self._unwritten: set[int] = set()
        self._again_s = 0.0
        self._priced = True  # the last writing of prices went well
        self._priced_period = 0  # in which they were looked after
        self.taken_over = 0
        self.written = 0
        self.failures = 0
        self.transitions: Counter[tuple[str, State, State]] = Counter()  # endpoint, from, to; as published
        self._failing = False
        self.written_epoch_s: float | None = None  # the last success

    async def take_over(self, shards: Collection[int], ledger: Ledger) -> None:
        """Follow on what is published of these shards, and learn which breakers stand open.

        What cannot be read now is not written either, and taken over as soon as it can.
        """
        for shard in shards:
            try:
                seen = await self._seen(shard)
            except PublishError as error:
                self._missed(shard_key(shard), error)
                self._issues.pop(shard, None)
                self._owed.add(shard)
                continue
            self._owed.discard(shard)
            self._issues[shard] = taken_over(seen, self._unix_ms())
            self._considered.pop(shard, None)
            self.taken_over += 1
            if seen is not None and self._clock.epoch_s() - seen.published_at_s < GONE_PERIODS * seen.period_s:
                for id_, entry in seen.endpoints.items():
                    ledger.restore(id_, entry, self._clock.now_s(), self._offset_s)

    def release(self, shards: Collection[int]) -> None:
        """Publish these no more."""
        for shard in shards:
            self._issues.pop(shard, None)
            self._considered.pop(shard, None)
            self._owed.discard(shard)
            self._unwritten.discard(shard)

    async def _seen(self, shard: int) -> ShardSnapshot | None:
        """What stands there. Raises `PublishError`."""
        raw = await self._publisher.read(shard_key(shard))
        if raw is None:
            return None
        try:
            return decode_shard(raw)
        except SnapshotError as error:
            log.warning("%s is replaced: %s", shard_key(shard), error)
            return None

    async def prices(self) -> PriceBook | None:
        """The prices published last, where they can be read."""
        try:
            raw = await self._publisher.read(PRICES_KEY)
        except PublishError as error:
            log.warning("%s could not be read back: %s", PRICES_KEY, error)
            return None
        if raw is None:
            return None
        try:
            return decode_prices(raw)
        except PriceFileError as error:
            log.warning("%s is replaced: %s", PRICES_KEY, error)
            return None

    def entries(self) -> dict[str, EndpointSnapshot]:
        """Every endpoint as published last."""
        return {id_: entry for issue in self._issues.values() for id_, entry in issue.entries.items()}

    def drafts(self, ledger: Ledger) -> dict[str, EndpointSnapshot]:
        """Every endpoint as it would be published now."""
        now_s = self._clock.now_s()
        return {id_: ledger.entry(id_, now_s, self._offset_s) for id_ in ledger.states(now_s)}

    async def print_shards(self, ledger: Ledger, period: int) -> None:
        """Write the shards of which an issue is due; cheap where none is."""
        now_s = self._clock.now_s()
        if (self._owed or self._unwritten) and now_s >= self._again_s:
            self._again_s = now_s + AGAIN_S
            for shard in self._unwritten:
                self._considered.pop(shard, None)
            self._unwritten.clear()
            await self.take_over(sorted(self._owed), ledger)
        states: dict[int, dict[str, State]] = {shard: {} for shard in self._issues}
        for id_, state in ledger.states(now_s).items():
            if (shard := shard_of(id_)) in states:  # else it was given away, and is merely probed
                states[shard][id_] = state
        for shard, current in states.items():
            last = self._issues[shard]
            known = {id_: entry.breaker for id_, entry in last.entries.items()}
            if self._considered.get(shard) == period and (known == current or shard in self._unwritten):
                continue
            self._considered[shard] = period
            await asyncio.sleep(0)  # a large shard takes milliseconds, and probes are being timed meanwhile
            entries = {id_: ledger.entry(id_, now_s, self._offset_s) for id_ in current}
            issue = following(last, entries, period)
            if issue is not None:
                await self._print(shard, issue)

    async def _print(self, shard: int, issue: Issue) -> None:
        try:
            seen = await self._seen(shard)
        except PublishError as error:
            self._missed(shard_key(shard), error)
            self._unwritten.add(shard)
            return
        if seen is not None and seen.epoch >= issue.epoch and seen.publisher != self._name:
            issue = replace(issue, epoch=taken_over(seen, self._unix_ms()).epoch)
            self.taken_over += 1
        if await self._write(shard_key(shard), self._encoded(shard, issue)):
            self.transitions.update(_changes(self._issues[shard], issue))
            self._issues[shard] = issue
        else:
            self._unwritten.add(shard)

    def _unix_ms(self) -> int:
        return int(self._clock.epoch_s() * 1_000)

    def _encoded(self, shard: int, issue: Issue) -> bytes:
        return encode_shard(
            ShardSnapshot(
                shard=shard,
                epoch=issue.epoch,
                seq=issue.seq,
                publisher=self._name,
                published_at_s=self._clock.epoch_s(),
                period_s=self._period_s,
                endpoints=issue.entries,
            )
        )

    async def print_prices(self, book: PriceBook) -> None:
        self._priced = await self._write(PRICES_KEY, json.dumps(encode_prices(book), separators=(",", ":")).encode())

    async def keep_prices(self, book: PriceBook, period: int) -> None:
        """Once a period: write them again where they could not be written, or somebody has deleted them."""
        if period == self._priced_period:
            return
        self._priced_period = period
        if not self._priced or await self._gone(PRICES_KEY):
            await self.print_prices(book)

    async def standing(self, key: str) -> bytes | None:
        """What is published under this key, by whomever. Raises `PublishError`."""
        return await self._publisher.read(key)

    async def print_text(self, key: str, data: bytes) -> bool:
        """Whether it was published. What was not is the caller's to try again."""
        return await self._write(key, data)

    async def _gone(self, key: str) -> bool:
        try:
            return await self._publisher.read(key) is None
        except PublishError:
            return False

    async def _write(self, key: str, data: bytes) -> bool:
        """Whether it was published; what was not is tried again soon."""
        try:
            await self._publisher.publish(key, data)
        except PublishError as error:
            self._missed(key, error)
            return False
        self._failing = False
        self.written += 1
        self.written_epoch_s = self._clock.epoch_s()
        return True

    def _missed(self, key: str, error: PublishError) -> None:
        if not self._failing:
            log.warning("%s could not be published; it is tried again soon: %s", key, error)
        self._failing = True
        self.failures += 1


def _changes(before: Issue, after: Issue) -> Iterator[tuple[str, State, State]]:
    for id_, entry in after.entries.items():
        known = before.entries.get(id_)
        earlier = State.CLOSED if known is None else known.breaker
        if entry.breaker is not earlier:
            yield id_, earlier, entry.breaker
