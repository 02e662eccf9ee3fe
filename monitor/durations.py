"""How long an endpoint's good answers took: until their first byte and in total, over 5 minutes and over an hour."""

from dataclasses import dataclass
from math import floor, log10

from gateway.core.window import Percentiles, Quantiles

SHORT_S = 300.0
LONG_S = 3_600.0
SLICES = 30  # of either span, which is so up to 10 s and 2 min short


@dataclass(frozen=True, slots=True)
class DurationQuantiles:
    """Milliseconds, to two digits; None where nothing was measured."""

    ttfb: Quantiles | None = None
    total: Quantiles | None = None
    ttfb_1h: Quantiles | None = None
    total_1h: Quantiles | None = None


class Durations:
    """Mutable; times only move forward."""

    __slots__ = ("_total", "_total_1h", "_ttfb", "_ttfb_1h")

    def __init__(self) -> None:
        self._ttfb, self._total = Percentiles(SHORT_S, SLICES), Percentiles(SHORT_S, SLICES)
        self._ttfb_1h, self._total_1h = Percentiles(LONG_S, SLICES), Percentiles(LONG_S, SLICES)

    def add(self, now_s: float, total_ms: float, ttfb_ms: float | None) -> None:
        """One good answer; `ttfb_ms` is None where it was not measured."""
        self._total.add(now_s, total_ms)
        self._total_1h.add(now_s, total_ms)
        if ttfb_ms is not None:
            self._ttfb.add(now_s, ttfb_ms)
            self._ttfb_1h.add(now_s, ttfb_ms)

    def quantiles(self, now_s: float) -> DurationQuantiles:
        return DurationQuantiles(
            ttfb=_rounded(self._ttfb.quantiles(now_s)),
            total=_rounded(self._total.quantiles(now_s)),
            ttfb_1h=_rounded(self._ttfb_1h.quantiles(now_s)),
            total_1h=_rounded(self._total_1h.quantiles(now_s)),
        )


def _rounded(quantiles: Quantiles | None) -> Quantiles | None:
    if quantiles is None:
        return None
    return Quantiles(*(_two_digits(ms) for ms in (quantiles.p50, quantiles.p90, quantiles.p95, quantiles.p99)))


def _two_digits(value_ms: float) -> float:
    """317.4 as 320: a change that small tells nobody anything, but would be published."""
    return round(value_ms, 1 - floor(log10(value_ms)))
