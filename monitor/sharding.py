"""Which shard of the snapshot an endpoint belongs to.

A shard is the unit of publication and of ownership; its number must not depend on the process, the release or the
order of the configuration. Which replica owns which shard is decided elsewhere.
"""

from hashlib import blake2b

SHARDS = 32  # CONTRACT §6


def shard_of(endpoint_id: str, shards: int = SHARDS) -> int:
    """The shard's number, from 0."""
    return int.from_bytes(blake2b(endpoint_id.encode(), digest_size=8).digest()) % shards


def shard_key(shard: int) -> str:
    """The name under which a shard is published: a ConfigMap's key, or a file."""
    return f"shard-{shard:02}.json"
