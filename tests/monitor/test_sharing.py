"""Replicas that share endpoints, in virtual time: no endpoint is left alone, and none is probed by two for long."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import pytest

from gateway.core.breaker import State
from gateway.core.catalog import ProbeRules
from gateway.core.failure import FailureKind
from gateway.core.health import Seen, ShardSnapshot, decode_shard, outdated
from gateway.edge.kube.ports import KubeError
from monitor.kube.membership import Member, Membership, Surroundings
from monitor.kube.station import hand_over, share
from monitor.loop import PERIOD_S, Monitor
from monitor.ports import Clock, Ports
from monitor.press import PRICES_KEY
from monitor.sharding import shard_key, shard_of
from monitor.watchlist import Watchlist
from tests.support.builders import EPOCH_S
from tests.support.kube_leases import LeaseApi, Leases
from tests.support.monitoring import PlayedFeed, PlayedGateways, PlayedProber, PlayedPublisher, a_watchlist, failing
from tests.support.turns import longest_gap_s, longest_overlap_s
from tests.support.virtual_time import START_S

pytestmark = pytest.mark.virtual_time

UNPROBED_S = 2 * PERIOD_S  # the promise (CONTRACT §6)
TWICE_S = 2 * PERIOD_S
HEARD_S = 2 * PERIOD_S + 5  # even what has not changed is published every second period


@dataclass
class Readers:
    """What gateways believe of each shard, and when they heard it."""

    believed: dict[str, tuple[ShardSnapshot, float]] = field(default_factory=dict)
    heard: list[tuple[str, ShardSnapshot]] = field(default_factory=list)  # all of it, believed or not

    def see(self, key: str, data: bytes) -> None:
        shard, now_s, seen = decode_shard(data), asyncio.get_running_loop().time(), None
        self.heard.append((key, shard))
        if key in self.believed:
            before, heard_s = self.believed[key]
            seen = Seen(before.epoch, before.seq, heard_s)
        if not outdated(seen, shard, now_s):
            self.believed[key] = (shard, now_s)

    def oldest_s(self) -> float:
        """How long ago the least recently heard shard was heard."""
        now_s = asyncio.get_running_loop().time()
        return max(now_s - heard_s for shard, heard_s in self.believed.values() if shard.endpoints)


@dataclass
class ReadPublisher(PlayedPublisher):
    readers: Readers = field(default_factory=Readers)

    async def publish(self, key: str, data: bytes) -> None:
        await super().publish(key, data)
        if key != PRICES_KEY:
            self.readers.see(key, data)


@dataclass
class Replica:
    api: LeaseApi
    prober: PlayedProber
    monitor: Monitor
    membership: Membership
    publisher: PlayedPublisher
    keeping: asyncio.Task[None]
    task: asyncio.Task[None]


@dataclass
class Fleet:
    """Real monitors and memberships; providers, Leases and the ConfigMap are played."""

    watchlist: Watchlist
    leases: Leases = field(default_factory=Leases)
    published: dict[str, bytes] = field(default_factory=dict)
    readers: Readers = field(default_factory=Readers)
    replicas: dict[str, Replica] = field(default_factory=dict)
    sent: dict[str, PlayedProber] = field(default_factory=dict)  # of replicas that are gone, too

    def start(self, name: str, skew_s: float = 0.0) -> None:
        now_s = asyncio.get_running_loop().time
        clock = Clock(now_s, lambda: EPOCH_S + skew_s + now_s() - START_S)
        api = LeaseApi(self.leases)
        around = Surroundings(now_s, clock.epoch_s, Random(name).random)
        membership = Membership(api, Member(name, None, "llm", "pointsman-health"), around)
        publisher = ReadPublisher(kept=self.published, readers=self.readers)
        prober = self.sent[name] = PlayedProber(takes_s=0.0)
        monitor = Monitor(
            Watchlist(self.watchlist.catalog, self.watchlist.rules, self.watchlist.book, ()),
            Ports(prober, PlayedGateways(), PlayedFeed(), publisher, clock),
            (),
            name,
        )
        keeping = asyncio.create_task(_keep(monitor, membership, name))
        task = asyncio.create_task(monitor.run())
        self.replicas[name] = Replica(api, prober, monitor, membership, publisher, keeping, task)

    async def kill(self, name: str) -> None:
        replica = self.replicas.pop(name)
        replica.api.fault = replica.api.fault or KubeError(None, "the dead say nothing")
        for task in (replica.keeping, replica.task):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def stop(self, name: str) -> None:
        """As SIGTERM does it."""
        replica = self.replicas[name]
        await hand_over(replica.membership, replica.monitor, replica.keeping)
        await self.kill(name)

    def cut_off(self, name: str, fault: KubeError | None) -> None:
        self.replicas[name].api.fault = fault
        self.replicas[name].publisher.broken = fault is not None

    def probes(self) -> Mapping[str, list[tuple[float, str]]]:
        """By endpoint: when, and by whom."""
        found: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for name, prober in self.sent.items():
            for at_s, id_ in prober.sent:
                if "/" in id_:
                    found[id_].append((at_s, name))
        return {id_: sorted(probes) for id_, probes in found.items()}


async def _keep(monitor: Monitor, membership: Membership, name: str) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(membership.run())
            group.create_task(share(membership, monitor, name))
    finally:
        await membership.leave()


def endpoints(count: int, every_s: float = PERIOD_S) -> Watchlist:
    rules = ProbeRules(by="completion", budget_usd_per_day=1e9, every_s=every_s)
    return a_watchlist(*(f"p{n % 40}/m{n}" for n in range(count)), probe=rules)


async def settle(fleet: Fleet, seconds: float) -> None:
    await asyncio.sleep(seconds)
    for name, replica in fleet.replicas.items():
        assert not any(task.done() for task in (replica.task, replica.keeping)), f"{name} works on"


@pytest.mark.parametrize("every_s", [10.0, PERIOD_S])
async def test_one_five_two_leaves_no_endpoint_alone_nor_to_two_for_long(every_s: float) -> None:
    fleet = Fleet(endpoints(64, every_s))
    fleet.start("m-0")
    await settle(fleet, 120)
    for n in range(1, 5):
        fleet.start(f"m-{n}")
    await settle(fleet, 120)
    await asyncio.gather(*(fleet.stop(f"m-{n}") for n in (1, 2, 3)))
    await settle(fleet, 120)
    assert sorted(len(replica.monitor.watchlist.shards) for replica in fleet.replicas.values()) == [16, 16]
    probes = fleet.probes()
    assert len(probes) == 64
    assert max(longest_gap_s(one, 60, 360) for one in probes.values()) <= 2 * every_s
    assert max(longest_overlap_s(one, every_s) for one in probes.values()) <= 2 * every_s


async def test_a_killed_replicas_endpoints_are_probed_again_within_two_periods_and_its_breakers_stay() -> None:
    fleet = Fleet(endpoints(64))
    for name in ("m-0", "m-1"):
        fleet.start(name)
    await settle(fleet, 100)
    lost = next(iter(fleet.replicas["m-1"].monitor.watchlist.owners()))
    for prober in fleet.sent.values():
        prober.results[lost] = prober.results[lost.split("/")[0]] = failing(FailureKind.SERVER_ERROR, 500)
    await settle(fleet, 60)
    state = decode_shard(fleet.published[shard_key(shard_of(lost))]).endpoints[lost]
    assert state.breaker is not State.CLOSED
    await fleet.kill("m-1")
    await settle(fleet, 30)
    taken = decode_shard(fleet.published[shard_key(shard_of(lost))])
    assert (taken.publisher, taken.endpoints[lost].breaker) == ("m-0", State.OPEN)
    await settle(fleet, 90)
    others = [one for id_, one in fleet.probes().items() if not id_.startswith(lost.split("/")[0] + "/")]
    assert max(longest_gap_s(one, 130, 280) for one in others) <= UNPROBED_S


async def test_one_that_was_cut_off_is_believed_again_when_it_is_back() -> None:
    fleet = Fleet(endpoints(64))
    for name in ("m-0", "m-1"):
        fleet.start(name)
    await settle(fleet, 100)
    mine = set(fleet.replicas["m-1"].monitor.watchlist.shards)
    fleet.cut_off("m-1", KubeError(None, "no answer"))
    await settle(fleet, 60)
    keys = {shard: shard_key(shard) for shard in mine if shard_key(shard) in fleet.published}
    between = {shard: decode_shard(fleet.published[key]) for shard, key in keys.items()}
    assert {shard.publisher for shard in between.values()} == {"m-0"}
    fleet.cut_off("m-1", None)
    await settle(fleet, 90)
    for shard, before in between.items():
        after = decode_shard(fleet.published[shard_key(shard)])
        assert after.publisher == "m-1"
        assert after.epoch > before.epoch, "else readers would pass over it"


async def test_one_that_was_taken_for_dead_by_mistake_is_believed_again() -> None:
    fleet = Fleet(endpoints(64))
    for name in ("m-0", "m-1"):
        fleet.start(name, skew_s=-3_600 if name == "m-1" else 0)
    await settle(fleet, 100)
    slow = fleet.replicas["m-1"]
    fleet.replicas["m-0"].api.instead["m-1"] = fleet.leases.items["m-1"]  # its renewals are not seen for a while
    await settle(fleet, 20)
    fleet.replicas["m-0"].api.instead.clear()
    assert slow.membership.fit
    await settle(fleet, 150)
    assert {shard.publisher for shard, _ in fleet.readers.believed.values()} == {"m-0", "m-1"}
    assert fleet.readers.oldest_s() <= HEARD_S


async def test_two_thousand_endpoints_and_twenty_replicas_that_come_go_and_are_cut_off() -> None:
    fleet = Fleet(endpoints(2_000))
    dice = Random(11)
    for n in range(20):
        fleet.start(f"m-{n}", skew_s=dice.uniform(-3_600, 3_600))
    await settle(fleet, 90)
    await fleet.kill("m-3")
    await fleet.kill("m-4")
    fleet.cut_off("m-5", KubeError(None, "no answer"))
    await settle(fleet, 90)
    for n in (20, 21, 22):
        fleet.start(f"m-{n}", skew_s=dice.uniform(-3_600, 3_600))
    fleet.cut_off("m-5", None)
    await settle(fleet, 60)
    await fleet.stop("m-6")
    await settle(fleet, 90)
    owned = [set(replica.monitor.watchlist.shards) for replica in fleet.replicas.values()]
    assert sorted(shard for shards in owned for shard in shards) == list(range(32))
    probes = fleet.probes()
    assert len(probes) == 2_000
    assert max(longest_gap_s(one, 50, 330) for one in probes.values()) <= UNPROBED_S
    assert fleet.readers.oldest_s() <= HEARD_S
    apart = [one for one in probes.values() if "m-5" not in {name for _, name in one}]  # which probes on, cut off
    assert len(apart) > 1_500
    assert max(longest_overlap_s(one, PERIOD_S) for one in apart) <= TWICE_S
