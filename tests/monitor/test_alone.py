"""A replica that starts while the Kubernetes API is away probes everything, and fights with nobody afterwards."""

from collections import defaultdict

import pytest

from gateway.core.breaker import State
from gateway.core.failure import FailureKind
from gateway.core.health import decode_shard
from gateway.edge.kube.ports import KubeError
from monitor.loop import LINGER_S, PERIOD_S
from monitor.press import PRICES_KEY
from monitor.roster import AGREED_S, DURATION_S, SETTLE_S
from monitor.sharding import SHARDS, shard_key, shard_of
from tests.monitor.test_sharing import HEARD_S, Fleet, endpoints, settle
from tests.support.monitoring import failing
from tests.support.turns import longest_gap_s, longest_overlap_s

pytestmark = pytest.mark.virtual_time

AWAY = KubeError(None, "no answer")
IDS = [f"p{n % 40}/m{n}" for n in range(64)]
BACK_S = 2.4 + 6.0 + SETTLE_S + AGREED_S + 2.0  # a try, a second look, quiet, agreement, and that is acted on


def fleet_without_the_api(*names: str) -> Fleet:
    fleet = Fleet(endpoints(64))
    for name in names:
        fleet.start(name)
        fleet.cut_off(name, AWAY)
    return fleet


def publishers(fleet: Fleet) -> dict[str, set[tuple[str, int]]]:
    """By shard: who has published it, and under which epochs."""
    found: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for key, shard in fleet.readers.heard:
        found[key].add((shard.publisher, shard.epoch))
    return found


async def test_probes_everything_after_a_short_wait_and_publishes_nothing() -> None:
    fleet = fleet_without_the_api("m-0")
    ill = IDS[0]
    fleet.sent["m-0"].results[ill] = failing(FailureKind.SERVER_ERROR, 500)
    await settle(fleet, DURATION_S)
    assert fleet.probes() == {}
    await settle(fleet, 2 * PERIOD_S)
    monitor = fleet.replicas["m-0"].monitor
    assert set(fleet.probes()) == set(IDS)
    assert {id_ for id_, entry in monitor.entries().items() if entry.breaker is not State.CLOSED} == {ill}
    assert len(monitor.entries()) == 64
    assert (monitor.publishing, monitor.leads, monitor.ready, monitor.press.failures) == (False, False, True, 0)
    assert fleet.published == {}


async def test_publishes_what_it_found_once_the_api_is_back_after_those_before_it() -> None:
    fleet = Fleet(endpoints(64))
    fleet.start("before")
    await settle(fleet, 60)
    await fleet.kill("before")
    left = {key: decode_shard(data).epoch for key, data in fleet.published.items() if key != PRICES_KEY}
    fleet.start("m-0")
    fleet.cut_off("m-0", AWAY)
    ill = IDS[0]
    fleet.sent["m-0"].results[ill] = failing(FailureKind.SERVER_ERROR, 500)
    await settle(fleet, 400)
    assert {decode_shard(fleet.published[key]).publisher for key in left} == {"before"}
    fleet.cut_off("m-0", None)
    await settle(fleet, BACK_S)
    after = {key: decode_shard(fleet.published[key]) for key in left}
    assert {shard.publisher for shard in after.values()} == {"m-0"}
    assert all(after[key].epoch > epoch for key, epoch in left.items()), "else readers would pass over it"
    assert after[shard_key(shard_of(ill))].endpoints[ill].breaker is not State.CLOSED
    await settle(fleet, 2 * PERIOD_S)
    assert longest_gap_s(fleet.probes()[IDS[1]], 60 + DURATION_S + PERIOD_S, 530) <= PERIOD_S


async def test_several_share_again_at_once_and_none_writes_over_another() -> None:
    names = ["m-0", "m-1", "m-2"]
    fleet = fleet_without_the_api(*names)
    await settle(fleet, 120)
    for name in names:
        assert len(fleet.replicas[name].monitor.watchlist.shards) == SHARDS
        fleet.cut_off(name, None)
    await settle(fleet, 120)
    owned = [replica.monitor.watchlist.shards for replica in fleet.replicas.values()]
    assert sorted(shard for shards in owned for shard in shards) == list(range(SHARDS))
    assert {len(by) for by in publishers(fleet).values()} == {1}
    assert fleet.readers.oldest_s() <= HEARD_S
    late = 120 + BACK_S + LINGER_S
    for probes in fleet.probes().values():
        assert len({name for at_s, name in probes if at_s > late}) == 1
        assert longest_overlap_s([one for one in probes if one[0] >= 120], PERIOD_S) <= 2 * PERIOD_S


async def test_one_that_comes_during_the_outage_joins_those_that_have_shared_before_it() -> None:
    fleet = Fleet(endpoints(64))
    for name in ("m-0", "m-1"):
        fleet.start(name)
    await settle(fleet, 100)
    for name in ("m-0", "m-1"):
        fleet.cut_off(name, AWAY)
    fleet.start("m-2")
    fleet.cut_off("m-2", AWAY)
    await settle(fleet, 100)
    assert [len(replica.monitor.watchlist.shards) for replica in fleet.replicas.values()] == [16, 16, SHARDS]
    for name in fleet.replicas:
        fleet.cut_off(name, None)
    await settle(fleet, 150)
    owned = [replica.monitor.watchlist.shards for replica in fleet.replicas.values()]
    assert sorted(shard for shards in owned for shard in shards) == list(range(SHARDS))
    assert {shard.publisher for shard, _ in fleet.readers.believed.values()} == {"m-0", "m-1", "m-2"}
    assert fleet.readers.oldest_s() <= HEARD_S
    assert max(longest_gap_s(one, 60, 350) for one in fleet.probes().values()) <= 2 * PERIOD_S


async def test_an_api_that_is_merely_late_leaves_nobody_alone() -> None:
    fleet = fleet_without_the_api("m-0", "m-1")
    await settle(fleet, DURATION_S - 5)
    for name in ("m-0", "m-1"):
        fleet.cut_off(name, None)
    await settle(fleet, 100)
    assert len(fleet.probes()) == 64
    assert {len({name for _, name in probes}) for probes in fleet.probes().values()} == {1}
