from collections import Counter

from monitor.sharding import SHARDS, shard_key, shard_of


def test_puts_an_endpoint_into_the_same_shard_for_ever() -> None:
    assert {id_: shard_of(id_) for id_ in ("openai/gpt-4o", "anthropic/claude-sonnet-4", "é/ü")} == {
        "openai/gpt-4o": 30,
        "anthropic/claude-sonnet-4": 1,
        "é/ü": 4,
    }


def test_spreads_endpoints_over_all_shards() -> None:
    sizes = Counter(shard_of(f"provider/model-{number}") for number in range(3_200))

    assert set(sizes) == set(range(SHARDS))
    assert max(sizes.values()) < 150


def test_names_shards_by_two_digits() -> None:
    assert (shard_key(0), shard_key(31)) == ("shard-00.json", "shard-31.json")
