"""What is known of an endpoint's health: the monitor's snapshot, its JSON, and how it joins with what the gateway saw.

A snapshot is one shard's JSON (CONTRACT §6). It may come from another release of the program: fields unknown here are
ignored, and a foreign version or anything malformed is refused as a whole, so that the reader keeps its last good one.

Published times are Unix seconds; everything else is on the reader's own clock. `shifted` brings the former onto the
latter, and the age of a snapshot is counted by the reader (`observe`): no two clocks are compared to tell fresh from
stale.

Knows nothing of files, ConfigMaps or the plan.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from gateway.core.breaker import State
from gateway.core.fields import Fields
from gateway.core.guards import worse
from gateway.core.window import NOTHING, Counts, Quantiles

VERSION = 1
LONGEST_PERIOD_S = 3600.0  # a shard that claims a longer one would count in full for hours after its monitor died
FULL_PERIODS = 3  # so many publish periods a snapshot counts in full ...
GONE_PERIODS = 10  # ... and fades until it says nothing at this many (CONTRACT §5, Health)


class SnapshotError(ValueError):
    """A shard's bytes are not a snapshot this program understands; the message says where."""


@dataclass(frozen=True, slots=True)
class EndpointSnapshot:
    """One endpoint as the monitor sees it. Times are Unix seconds, or the reader's after `shifted`."""

    breaker: State = State.CLOSED
    since_s: float = 0.0  # of the breaker's state
    ok_ratio: float | None = None  # of the last 5 min; None: nothing happened
    consecutive_failures: int = 0
    ttfb_ms: Quantiles | None = None
    total_ms: Quantiles | None = None
    ttfb_1h_ms: Quantiles | None = None
    total_1h_ms: Quantiles | None = None
    probes: int = 0
    last_error: str | None = None
    rate_limited_until_s: float | None = None


@dataclass(frozen=True, slots=True)
class ShardSnapshot:
    """One shard as published. (`epoch`, `seq`) changes with every publication; nothing else tells fresh from dead."""

    shard: int
    epoch: int  # rises with every change of publisher
    seq: int
    publisher: str
    published_at_s: float  # Unix seconds, for people
    period_s: float
    endpoints: Mapping[str, EndpointSnapshot]


def encode_shard(shard: ShardSnapshot) -> bytes:
    """The shard's JSON, byte for byte the same for equal values; times to the millisecond."""
    body = {
        "version": VERSION,
        "shard": shard.shard,
        "epoch": shard.epoch,
        "seq": shard.seq,
        "publisher": shard.publisher,
        "published_at": _iso(shard.published_at_s),
        "period_s": shard.period_s,
        "endpoints": {id_: _endpoint_json(shard.endpoints[id_]) for id_ in sorted(shard.endpoints)},
    }
    return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


def decode_shard(raw: bytes) -> ShardSnapshot:
    """The shard in these bytes; `SnapshotError` where they are not one."""
    try:
        return _shard(Fields(json.loads(raw), "shard"))
    except RecursionError as deep:
        raise SnapshotError("nested too deep") from deep
    except ValueError as error:  # not JSON, or a field's
        raise SnapshotError(str(error)) from error


def _shard(fields: Fields) -> ShardSnapshot:
    if fields.count("version") != VERSION:
        raise SnapshotError(f"version {fields.get('version')} is not {VERSION}")
    period_s = fields.number("period_s")
    if not 0 < period_s <= LONGEST_PERIOD_S:
        raise SnapshotError(f"period_s is not between 0 and {LONGEST_PERIOD_S:.0f}")
    return ShardSnapshot(
        shard=fields.count("shard"),
        epoch=fields.count("epoch"),
        seq=fields.count("seq"),
        publisher=fields.text("publisher"),
        published_at_s=fields.instant("published_at"),
        period_s=period_s,
        endpoints={id_: _endpoint(value, id_) for id_, value in fields.mapping("endpoints").items()},
    )


def shifted(shard: ShardSnapshot, offset_s: float) -> ShardSnapshot:
    """The shard with its endpoints' times moved by `offset_s` (the reader's clock minus Unix time, both read now)."""
    return replace(shard, endpoints={id_: _entry_shifted(entry, offset_s) for id_, entry in shard.endpoints.items()})


def _entry_shifted(entry: EndpointSnapshot, offset_s: float) -> EndpointSnapshot:
    limited_s = entry.rate_limited_until_s
    return replace(
        entry,
        since_s=entry.since_s + offset_s,
        rate_limited_until_s=None if limited_s is None else limited_s + offset_s,
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """The publication a reader has last seen of a shard, and since when on its own clock."""

    epoch: int
    seq: int
    since_s: float


def observe(seen: Seen | None, epoch: int, seq: int, now_s: float) -> Seen:
    """What was seen, after reading (epoch, seq) now; its age is `now - since_s`."""
    if seen is not None and (seen.epoch, seen.seq) == (epoch, seq):
        return seen
    return Seen(epoch, seq, now_s)


def outdated(seen: Seen | None, shard: ShardSnapshot, now_s: float) -> bool:
    """Whether a newer publication is known: one reader has several ways to the same state, and some lag behind.

    Once the newer one says nothing any more, any will do: clocks set back must not make a reader deaf for ever.
    """
    if seen is None or (shard.epoch, shard.seq) >= (seen.epoch, seen.seq):
        return False
    return weight(now_s - seen.since_s, shard.period_s) > 0


def weight(age_s: float, period_s: float) -> float:
    """How much a snapshot of this age counts: 1 up to 3 publish periods, falling in a line to 0 at 10."""
    periods = age_s / period_s
    return min(1.0, max(0.0, (GONE_PERIODS - periods) / (GONE_PERIODS - FULL_PERIODS)))


@dataclass(frozen=True, slots=True)
class OwnHealth:
    """What the gateway itself saw of an endpoint. Times on its clock."""

    state: State = State.CLOSED  # `EndpointGuard.standing`
    counts: Counts = NOTHING  # within the breaker's window
    proven: bool = False  # `Guard.proven`: live successes alone show that it works
    rate_limited_until_s: float | None = None
    ttft_p95_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What routing may rely on. Of two endpoints that are open, the one of lower `badness` is tried first."""

    state: State = State.CLOSED
    badness: float = 0.0
    rate_limited_until_s: float | None = None  # in the future, or None
    ttft_p95_ms: float | None = None

    @property
    def open(self) -> bool:
        return self.state is State.OPEN

    @property
    def half_open(self) -> bool:
        return self.state is State.HALF_OPEN

    @property
    def rate_limited(self) -> bool:
        return self.rate_limited_until_s is not None


UNKNOWN = Verdict()  # of an endpoint nobody has heard of: nothing speaks against it


def join(own: OwnHealth, published: EndpointSnapshot | None, age_s: float, period_s: float, now_s: float) -> Verdict:
    """What both sides together say; all times on the reader's clock (`shifted`).

    The worse state wins while the snapshot is fresh, except where live successes prove the contrary; a fading one only
    adds to the badness, since a monitor that has died must not keep an endpoint from traffic. A rate-limit horizon is
    the provider's own word and holds until it passes, whoever heard it.
    """
    state, failing = own.state, own.counts.error_rate
    limited_s, ttft_p95_ms = own.rate_limited_until_s, own.ttft_p95_ms
    if published is not None:
        trust = weight(age_s, period_s)
        limited_s = max(limited_s or now_s, published.rate_limited_until_s or now_s)
        if not own.proven:
            state = worse(state, published.breaker) if trust == 1 else state
            failing = max(failing, trust * (1 - published.ok_ratio) if published.ok_ratio is not None else 0)
        if ttft_p95_ms is None and trust and published.ttfb_ms is not None:
            ttft_p95_ms = published.ttfb_ms.p95
    if limited_s is not None and limited_s <= now_s:
        limited_s = None
    return Verdict(state, _badness(state, failing, limited_s, now_s), limited_s, ttft_p95_ms)


_STATE_BADNESS = {State.CLOSED: 0.0, State.HALF_OPEN: 1.0, State.OPEN: 2.0}


def _badness(state: State, failing: float, limited_until_s: float | None, now_s: float) -> float:
    """Each class of trouble outweighs all milder ones: failures (up to 1), the state, then a provider that said no.

    The longer it said no for, the worse; half as bad as never at a minute.
    """
    badness = _STATE_BADNESS[state] + failing
    if limited_until_s is not None:
        wait_s = limited_until_s - now_s
        badness += 3.0 + wait_s / (wait_s + 60.0)
    return badness


def _endpoint_json(entry: EndpointSnapshot) -> dict[str, Any]:
    return {
        "breaker": entry.breaker.value,
        "since": _iso(entry.since_s),
        "ok_ratio": entry.ok_ratio,
        "consecutive_failures": entry.consecutive_failures,
        "ttfb_ms": _quantiles_json(entry.ttfb_ms),
        "total_ms": _quantiles_json(entry.total_ms),
        "ttfb_1h_ms": _quantiles_json(entry.ttfb_1h_ms),
        "total_1h_ms": _quantiles_json(entry.total_1h_ms),
        "probes": entry.probes,
        "last_error": entry.last_error,
        "rate_limited_until": None if entry.rate_limited_until_s is None else _iso(entry.rate_limited_until_s),
    }


def _quantiles_json(quantiles: Quantiles | None) -> dict[str, float]:
    if quantiles is None:
        return {}
    return {"p50": quantiles.p50, "p90": quantiles.p90, "p95": quantiles.p95, "p99": quantiles.p99}


def _iso(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _endpoint(value: Any, id_: str) -> EndpointSnapshot:
    fields = Fields(value, id_)
    return EndpointSnapshot(
        breaker=State(fields.text("breaker")),
        since_s=fields.instant("since"),
        ok_ratio=min(1.0, fields.number("ok_ratio")) if fields.has("ok_ratio") else None,
        consecutive_failures=fields.count("consecutive_failures"),
        ttfb_ms=_quantiles(fields, "ttfb_ms"),
        total_ms=_quantiles(fields, "total_ms"),
        ttfb_1h_ms=_quantiles(fields, "ttfb_1h_ms"),
        total_1h_ms=_quantiles(fields, "total_1h_ms"),
        probes=fields.count("probes"),
        last_error=fields.text("last_error") if fields.has("last_error") else None,
        rate_limited_until_s=fields.instant("rate_limited_until") if fields.has("rate_limited_until") else None,
    )


def _quantiles(fields: Fields, name: str) -> Quantiles | None:
    """None for `{}`, and for a field that an older publisher does not know."""
    if not fields.get(name):
        return None
    values = Fields(fields.get(name), name)
    return Quantiles(*(values.number(rank) for rank in ("p50", "p90", "p95", "p99")))
