"""What the press does where another replica writes too, and where nothing can be read or written for a while."""

from dataclasses import dataclass, replace

import pytest

from gateway.core.breaker import State
from gateway.core.health import EndpointSnapshot, ShardSnapshot, decode_shard, encode_shard
from monitor.ledger import Ledger
from monitor.ports import Clock, PublishError
from monitor.press import AGAIN_S, Press
from monitor.sharding import shard_key, shard_of
from tests.support.builders import EPOCH_S
from tests.support.monitoring import PlayedPublisher, a_watchlist

pytestmark = pytest.mark.virtual_time

ID = "a/x"
SHARD = shard_of(ID)
KEY = shard_key(SHARD)
OPEN = EndpointSnapshot(State.OPEN, EPOCH_S + 480, consecutive_failures=5)
THEIRS = ShardSnapshot(SHARD, 10**15, 4, "monitor-2", EPOCH_S + 490, 30.0, {ID: OPEN})


@dataclass
class Rig:
    """A press that has one shard, and a clock that stands."""

    now_s: float = 500.0

    def __post_init__(self) -> None:
        watchlist = a_watchlist(ID)
        clock = Clock(lambda: self.now_s, lambda: EPOCH_S + self.now_s)
        self.ledger = Ledger(watchlist.owners(), watchlist.rules, self.now_s)
        self.publisher = PlayedPublisher()
        self.press = Press(self.publisher, clock, "monitor-1", 30.0)

    def published(self) -> ShardSnapshot:
        return decode_shard(self.publisher.kept[KEY])


async def test_begins_a_newer_epoch_where_another_replica_has_begun_one_meanwhile() -> None:
    rig = Rig()
    await rig.press.take_over([SHARD], rig.ledger)
    await rig.press.print_shards(rig.ledger, 0)
    rig.publisher.kept[KEY] = encode_shard(THEIRS)

    await rig.press.print_shards(rig.ledger, 2)

    assert (rig.published().publisher, rig.published().epoch) == ("monitor-1", THEIRS.epoch + 1)
    assert rig.press.taken_over == 2


async def test_writes_over_what_another_replica_left_in_an_older_epoch() -> None:
    rig = Rig()
    await rig.press.take_over([SHARD], rig.ledger)
    await rig.press.print_shards(rig.ledger, 0)
    epoch = rig.published().epoch
    rig.publisher.kept[KEY] = encode_shard(replace(THEIRS, epoch=epoch - 1))

    await rig.press.print_shards(rig.ledger, 2)

    assert (rig.published().publisher, rig.published().epoch) == ("monitor-1", epoch)


async def test_writes_no_shard_that_it_could_not_take_over_until_it_can() -> None:
    rig = Rig()
    rig.publisher.kept[KEY] = encode_shard(THEIRS)
    rig.publisher.broken = True
    await rig.press.take_over([SHARD], rig.ledger)
    await rig.press.print_shards(rig.ledger, 0)
    rig.publisher.broken = False

    await rig.press.print_shards(rig.ledger, 0)
    assert rig.published() == THEIRS

    rig.now_s += AGAIN_S
    await rig.press.print_shards(rig.ledger, 0)
    after = rig.published()
    assert (after.epoch, after.endpoints[ID].consecutive_failures) == (THEIRS.epoch + 1, 5)


async def test_tries_again_soon_what_could_not_be_written(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    await rig.press.take_over([SHARD], rig.ledger)
    rig.publisher.broken = True
    for _ in range(3):
        await rig.press.print_shards(rig.ledger, 0)
        rig.now_s += AGAIN_S / 2
    rig.publisher.broken = False

    await rig.press.print_shards(rig.ledger, 0)
    rig.now_s += AGAIN_S
    await rig.press.print_shards(rig.ledger, 0)

    assert rig.published().publisher == "monitor-1"
    assert len(caplog.records) == 1


async def test_forgets_what_it_could_not_take_over_once_it_is_given_away() -> None:
    rig = Rig()
    rig.publisher.broken = True
    await rig.press.take_over([SHARD], rig.ledger)
    rig.press.release([SHARD])
    rig.publisher.broken = False

    rig.now_s += AGAIN_S
    await rig.press.print_shards(rig.ledger, 0)

    assert rig.publisher.kept == {}


async def test_tells_why_prices_cannot_be_read_back(caplog: pytest.LogCaptureFixture) -> None:
    class Silent(PlayedPublisher):
        async def read(self, key: str) -> bytes | None:
            raise PublishError("nobody answers")

    rig = Rig()
    press = Press(Silent(), Clock(lambda: 0.0, lambda: EPOCH_S), "monitor-1", 30.0)

    assert rig.press.entries() == {}
    assert await press.prices() is None
    assert [record.message for record in caplog.records] == ["prices.json could not be read back: nobody answers"]
    await press.keep_prices(a_watchlist(ID).book, 1)
    assert press.written == 0, "what cannot be read is not taken for deleted"
