"""Which replica owns which shards.

Rendezvous hashing (Thaler and Ravishankar, 1998) with a cap: each shard ranks the replicas by a hash of both names and
asks them in that order; a replica holds the shards that rank it highest, up to ⌈shards / replicas⌉, and turns the
others down (deferred acceptance, Gale and Shapley, 1962, whose result does not depend on the order of asking). Every
replica that knows the same names comes to the same answer, and a replica that comes or goes moves little else.
"""

from collections.abc import Collection
from hashlib import blake2b
from heapq import heappush, heappushpop
from math import ceil


def assignment(shards: int, replicas: Collection[str]) -> tuple[str, ...]:
    """The owner of each shard, by its number. `replicas` is not empty."""
    cap = ceil(shards / len(set(replicas)))
    ranked = [_ranked(shard, replicas) for shard in range(shards)]
    held: dict[str, list[tuple[int, int]]] = {name: [] for name in replicas}  # heaps of (score, shard)
    asked = [0] * shards
    asking = list(range(shards))
    while asking:
        shard = asking.pop()
        score, name = ranked[shard][asked[shard]]
        asked[shard] += 1
        heap = held[name]
        if len(heap) < cap:
            heappush(heap, (score, shard))
        else:
            _, turned_down = heappushpop(heap, (score, shard))
            asking.append(turned_down)
    owners = {shard: name for name, heap in held.items() for _, shard in heap}
    return tuple(owners[shard] for shard in range(shards))


def owned(shards: int, replicas: Collection[str], me: str) -> frozenset[int]:
    """The shards that fall to `me`, one of the replicas."""
    return frozenset(shard for shard, owner in enumerate(assignment(shards, replicas)) if owner == me)


def _ranked(shard: int, replicas: Collection[str]) -> list[tuple[int, str]]:
    """Replicas with their scores, the best first."""
    return sorted(((_score(shard, name), name) for name in set(replicas)), reverse=True)


def _score(shard: int, replica: str) -> int:
    return int.from_bytes(blake2b(f"{shard}/{replica}".encode(), digest_size=8).digest())
