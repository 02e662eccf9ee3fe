"""The shard's JSON."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.breaker import State
from gateway.core.health import EndpointSnapshot, ShardSnapshot, SnapshotError, decode_shard, encode_shard
from gateway.core.window import Quantiles

# The example of CONTRACT §6.
EXAMPLE: dict[str, Any] = {
    "version": 1,
    "shard": 0,
    "epoch": 1764000000000,
    "seq": 4411,
    "publisher": "monitor-6f9c-x2x",
    "published_at": "2026-11-24T12:00:00Z",
    "period_s": 30,
    "endpoints": {
        "openai/gpt-4o": {
            "breaker": "closed",
            "since": "2026-11-24T11:00:00Z",
            "ok_ratio": 0.998,
            "consecutive_failures": 0,
            "ttfb_ms": {"p50": 310, "p90": 480, "p95": 560, "p99": 900},
            "total_ms": {"p50": 700, "p90": 1100, "p95": 1300, "p99": 2100},
            "ttfb_1h_ms": {},
            "total_1h_ms": {},
            "probes": 118,
            "last_error": None,
            "rate_limited_until": None,
        }
    },
}
NOON_S = 1_795_521_600.0
VALUE = ShardSnapshot(
    shard=0,
    epoch=1764000000000,
    seq=4411,
    publisher="monitor-6f9c-x2x",
    published_at_s=NOON_S,
    period_s=30,
    endpoints={
        "openai/gpt-4o": EndpointSnapshot(
            State.CLOSED,
            since_s=NOON_S - 3_600,
            ok_ratio=0.998,
            ttfb_ms=Quantiles(310, 480, 560, 900),
            total_ms=Quantiles(700, 1100, 1300, 2100),
            probes=118,
        )
    },
)


def changed(**fields: Any) -> bytes:
    return json.dumps({**EXAMPLE, **fields}).encode()


def changed_endpoint(**fields: Any) -> bytes:
    return changed(endpoints={"a/x": {**EXAMPLE["endpoints"]["openai/gpt-4o"], **fields}})


def test_reads_the_contracts_example() -> None:
    assert decode_shard(json.dumps(EXAMPLE).encode()) == VALUE


def test_writes_the_contracts_example() -> None:
    written = json.loads(encode_shard(VALUE))

    assert written == {
        **EXAMPLE,
        "published_at": "2026-11-24T12:00:00.000Z",
        "endpoints": {"openai/gpt-4o": {**EXAMPLE["endpoints"]["openai/gpt-4o"], "since": "2026-11-24T11:00:00.000Z"}},
    }


def test_ignores_fields_of_a_later_release() -> None:
    raw = changed(mood="good", endpoints={"openai/gpt-4o": {**EXAMPLE["endpoints"]["openai/gpt-4o"], "colour": [1]}})

    assert decode_shard(raw) == VALUE


def test_reads_an_entry_of_an_earlier_release() -> None:
    least = {"breaker": "open", "since": "1970-01-01T00:00:05+00:00", "consecutive_failures": 5, "probes": 0}

    assert decode_shard(changed(endpoints={"a/x": least})).endpoints == {
        "a/x": EndpointSnapshot(State.OPEN, since_s=5.0, consecutive_failures=5)
    }


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "Expecting value"),
        (b"\xff\xfe\xff", "codec can't decode"),
        (b"[]", "shard is not an object"),
        (b"[" * 100_000, "nested too deep"),
        (changed(version=2), "version 2 is not 1"),
        (changed(version=True), "shard: version is not a whole number"),
        (changed(version=None), "shard: version is not a whole number"),
        (changed(epoch="new"), "shard: epoch is not a whole number from 0"),
        (changed(seq=-1), "shard: seq is not a whole number from 0"),
        (changed(epoch=10**400), "shard: epoch is not a whole number from 0 to 2"),
        (changed(publisher=7), "shard: publisher is not text"),
        (changed(published_at="yesterday"), "shard: published_at is not an ISO 8601 time"),
        (changed(published_at="2026-11-24T12:00:00"), "shard: published_at is not an ISO 8601 time with an offset"),
        (changed(period_s=0), "period_s is not between 0 and 3600"),
        (changed(period_s=3601), "period_s is not between 0 and 3600"),
        (changed(period_s=float("nan")), "shard: period_s is not a finite number from 0"),
        (changed(period_s="30"), "shard: period_s is not a finite number from 0"),
        (changed(endpoints=[]), "shard: endpoints is not an object"),
        (changed(endpoints={"a/x": None}), "a/x is not an object"),
        (changed_endpoint(breaker="ajar"), "'ajar' is not a valid State"),
        (changed_endpoint(ok_ratio=-0.1), "a/x: ok_ratio is not a finite number from 0"),
        (changed_endpoint(ttfb_ms={"p50": 1}), "ttfb_ms: p90 is not a finite number from 0"),
        (changed_endpoint(ttfb_ms=[1, 2, 3, 4]), "ttfb_ms is not an object"),
        (changed_endpoint(last_error=404), "a/x: last_error is not text"),
        (changed_endpoint(rate_limited_until=12), "a/x: rate_limited_until is not text"),
    ],
)
def test_refuses_as_a_whole_what_it_does_not_understand(raw: bytes, message: str) -> None:
    with pytest.raises(SnapshotError, match=message):
        decode_shard(raw)


COUNTS = st.integers(0, 2**53)
INSTANTS = st.integers(0, 4_000_000_000_000).map(lambda ms: ms / 1000)
QUANTILES = st.none() | st.builds(Quantiles, *[st.floats(0, 1e7)] * 4)
ENTRIES = st.builds(
    EndpointSnapshot,
    breaker=st.sampled_from(State),
    since_s=INSTANTS,
    ok_ratio=st.none() | st.floats(0, 1),
    consecutive_failures=COUNTS,
    ttfb_ms=QUANTILES,
    total_ms=QUANTILES,
    ttfb_1h_ms=QUANTILES,
    total_1h_ms=QUANTILES,
    probes=COUNTS,
    last_error=st.none() | st.text(),
    rate_limited_until_s=st.none() | INSTANTS,
)
SHARDS = st.builds(
    ShardSnapshot,
    shard=st.integers(0, 31),
    epoch=COUNTS,
    seq=COUNTS,
    publisher=st.text(),
    published_at_s=INSTANTS,
    period_s=st.floats(0.1, 3_600),
    endpoints=st.dictionaries(st.text(min_size=1), ENTRIES, max_size=4),
)


@given(SHARDS)
def test_reads_what_it_writes(shard: ShardSnapshot) -> None:
    assert decode_shard(encode_shard(shard)) == shard


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_refuses_garbage_by_its_own_error_alone(raw: bytes) -> None:
    with pytest.raises(SnapshotError):
        decode_shard(raw)
