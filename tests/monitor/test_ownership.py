"""Who owns which shards, whatever replicas there are."""

from collections import Counter
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from monitor.ownership import assignment, owned
from monitor.sharding import SHARDS

NAMES = st.sets(st.text("abcdef0123456789-", min_size=1, max_size=12), min_size=1, max_size=40)


@given(NAMES)
def test_every_shard_has_one_owner_and_nobody_more_than_the_cap(names: set[str]) -> None:
    owners = assignment(SHARDS, names)
    assert len(owners) == SHARDS
    assert set(owners) <= names
    assert max(Counter(owners).values()) <= ceil(SHARDS / len(names))
    assert sorted(shard for name in names for shard in owned(SHARDS, names, name)) == list(range(SHARDS))


@given(NAMES)
def test_the_order_in_which_replicas_are_known_does_not_matter(names: set[str]) -> None:
    assert assignment(SHARDS, sorted(names)) == assignment(SHARDS, [*sorted(names, reverse=True), *names])


@given(NAMES.filter(lambda names: len(names) > 1))
def test_a_replica_that_leaves_moves_little_beside_its_own(names: set[str]) -> None:
    gone = min(names)
    before, after = assignment(SHARDS, names), assignment(SHARDS, names - {gone})
    its_own = sum(owner == gone for owner in before)
    moved = sum(old != new for old, new in zip(before, after, strict=True))
    # Its shards move, and each may push another out where the cap is met; the rest stays.
    assert its_own <= moved <= its_own + SHARDS // 2


def test_moves_on_average_little_more_than_a_replicas_share() -> None:
    moves, shares = 0, 0
    for size in range(2, 21):
        names = {f"monitor-{n}" for n in range(size)}
        before, after = assignment(SHARDS, names), assignment(SHARDS, names - {"monitor-0"})
        moves += sum(old != new for old, new in zip(before, after, strict=True))
        shares += sum(owner == "monitor-0" for owner in before)
    assert shares <= moves <= 2.5 * shares


def test_stays_the_same_in_every_release() -> None:
    assert assignment(8, ["a", "b", "c"]) == tuple("acbbcaba")
