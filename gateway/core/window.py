"""What happened lately: exact counts for error rates, and percentiles of durations.

Both are rings of time slices that the caller's clock moves forward; no slice is ever older than the span. They are
mutable, as is the breaker's guard, since an answer must cost less than a microsecond to count and a frozen window
would be copied for each. The same calls with the same times always give the same result.

Knows nothing of endpoints, breakers or what a failure is.
"""

from collections import Counter
from dataclasses import dataclass
from math import ceil, log


@dataclass(frozen=True, slots=True)
class Counts:
    ok: int
    failed: int

    @property
    def total(self) -> int:
        return self.ok + self.failed

    @property
    def ok_ratio(self) -> float | None:
        """Share of successes, or None where nothing happened."""
        return self.ok / self.total if self.total else None

    @property
    def error_rate(self) -> float:
        """Share of failures; 0 where nothing happened."""
        return self.failed / self.total if self.total else 0.0


NOTHING = Counts(0, 0)


class Ring:
    """Exact counts of the last `slices` × `slice_s` seconds; the running slice is one of them: up to a slice short.

    A time before the newest one seen counts as the newest: clocks of different tasks may be a moment apart.
    """

    __slots__ = ("_failed", "_failed_sum", "_ok", "_ok_sum", "_per_s", "_slot", "_tick")

    def __init__(self, slices: int, slice_s: float = 1.0) -> None:
        self._ok = [0] * slices
        self._failed = [0] * slices
        self._per_s = 1.0 / slice_s
        self._tick = 0
        self.clear()

    def clear(self) -> None:
        """Forget everything but the time."""
        for slot in range(len(self._ok)):
            self._ok[slot] = self._failed[slot] = 0
        self._slot = self._tick % len(self._ok)
        self._ok_sum = self._failed_sum = 0

    def succeeded(self, now_s: float, count: int = 1) -> None:
        tick = int(now_s * self._per_s)
        if tick > self._tick:
            self._advance(tick)
        self._ok[self._slot] += count
        self._ok_sum += count

    def failed(self, now_s: float, count: int = 1) -> None:
        tick = int(now_s * self._per_s)
        if tick > self._tick:
            self._advance(tick)
        self._failed[self._slot] += count
        self._failed_sum += count

    def counts(self, now_s: float) -> Counts:
        tick = int(now_s * self._per_s)
        if tick > self._tick:
            self._advance(tick)
        return Counts(self._ok_sum, self._failed_sum)

    def _advance(self, tick: int) -> None:
        size = len(self._ok)
        for step in range(1, min(tick - self._tick, size) + 1):
            slot = (self._tick + step) % size
            self._ok_sum -= self._ok[slot]
            self._failed_sum -= self._failed[slot]
            self._ok[slot] = self._failed[slot] = 0
        self._tick = tick
        self._slot = tick % size


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Milliseconds that 50, 90, 95 and 99 of 100 samples did not exceed."""

    p50: float
    p90: float
    p95: float
    p99: float


# Logarithmic buckets as in DDSketch (Masson, Rim, Lee: VLDB 2019): with γ = (1 + α) / (1 − α) the value given for a
# bucket, 2γ^i / (γ + 1), is within α of every sample in it. Buckets merge and forget exactly, a reservoir does not.
RELATIVE_ERROR = 0.01
_GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA = log(_GAMMA)
SHORTEST_MS = 0.1  # faster than any answer over a socket; all below count as this
LONGEST_MS = 3_600_000.0  # an hour, `limits.total` in the example route; all above count as this
_RANKS = (0.50, 0.90, 0.95, 0.99)


def _bucket(value_ms: float) -> int:
    return ceil(log(min(max(value_ms, SHORTEST_MS), LONGEST_MS) / SHORTEST_MS) / _LOG_GAMMA)


def _value_ms(bucket: int) -> float:
    return float(SHORTEST_MS * 2 * _GAMMA**bucket / (_GAMMA + 1))


class Percentiles:
    """Percentiles of the durations of the last `span_s` seconds, within 1 % of the sample at that (nearest) rank.

    Memory is bounded by 871 counters in each of `slices` slices, whatever the traffic; the span is up to a slice short.
    """

    __slots__ = ("_slice_s", "_slices", "_tick")

    def __init__(self, span_s: float, slices: int = 10) -> None:
        self._slices: list[Counter[int]] = [Counter() for _ in range(slices)]
        self._slice_s = span_s / slices
        self._tick = 0

    def add(self, now_s: float, value_ms: float) -> None:
        self._advance(now_s)
        self._slices[self._tick % len(self._slices)][_bucket(value_ms)] += 1

    def quantiles(self, now_s: float) -> Quantiles | None:
        """The percentiles, or None where there is no sample in the span."""
        self._advance(now_s)
        merged: dict[int, int] = {}
        for counts in self._slices:
            for bucket, count in counts.items():  # `Counter.update` would take three times as long
                merged[bucket] = merged.get(bucket, 0) + count
        return _quantiles(sorted(merged.items()), sum(merged.values())) if merged else None

    def _advance(self, now_s: float) -> None:
        tick = int(now_s / self._slice_s)
        size = len(self._slices)
        for step in range(1, min(tick - self._tick, size) + 1):
            self._slices[(self._tick + step) % size].clear()
        self._tick = max(tick, self._tick)


def _quantiles(ascending: list[tuple[int, int]], total: int) -> Quantiles:
    found: list[float] = []
    below = 0
    for bucket, count in ascending:
        below += count
        while len(found) < len(_RANKS) and below >= ceil(_RANKS[len(found)] * total):
            found.append(_value_ms(bucket))
    return Quantiles(*found)
