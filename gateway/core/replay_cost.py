"""Costs of many requests at once: what `pricing` says of one, on arrays.

The operations come in the same order as there, so that a request's cost is the same to the last bits; tests hold the
two against each other. numpy is here and not in what serves requests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.core.pricing import DAY_S, PER_MILLION, Price, Rates, Window

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

WHOLE = 0.02  # tokens are whole: an estimate that leads this near to a number of them was made with this very price


@dataclass(frozen=True, slots=True)
class Usages:
    """Counts as in `core.usage`, one element a request."""

    input: Floats
    cached_input: Floats
    cache_write: Floats
    output: Floats
    reasoning: Floats
    requests: Floats


def costs_usd(price: Price, usages: Usages, at_s: Floats) -> Floats:
    """`pricing.cost_usd` of each."""
    usd = np.zeros(len(at_s))
    for rates, rows in _by_rates(price, usages.input, at_s):
        usd[rows] = _cost(rates, _some(usages, rows))
    return usd


def _some(usages: Usages, rows: Bools) -> Usages:
    return Usages(
        usages.input[rows], usages.cached_input[rows], usages.cache_write[rows],
        usages.output[rows], usages.reasoning[rows], usages.requests[rows],
    )  # fmt: skip


def _cost(rates: Rates, usages: Usages) -> Floats:
    whole = np.maximum(usages.input, 0)
    cached = np.minimum(np.maximum(usages.cached_input, 0), whole)
    written = np.minimum(np.maximum(usages.cache_write, 0), whole - cached)
    total = (
        (whole - cached - written) * rates.input
        + cached * _or(rates.cached_input, rates.input)
        + written * _or(rates.cache_write, rates.input)
    )
    output = np.maximum(usages.output, 0)
    reasoning = np.maximum(np.minimum(usages.reasoning, usages.output), 0)
    total = total + reasoning * _or(rates.reasoning, rates.output) + (output - reasoning) * rates.output
    usd: Floats = total * PER_MILLION + np.maximum(usages.requests, 0) * rates.per_request
    return usd


def estimates_usd(price: Price, tokens: Floats, cached: Floats, output: Floats, at_s: Floats) -> Floats:
    """`pricing.estimate_usd` of each."""
    usd = np.zeros(len(at_s))
    for rates, rows in _by_rates(price, tokens, at_s):
        sized, warm = tokens[rows], np.minimum(cached[rows], tokens[rows])
        counted = (sized - warm) * rates.input + warm * _or(rates.cached_input, rates.input)
        usd[rows] = (counted + output[rows] * rates.output) * PER_MILLION + rates.per_request
    return usd


def expected_output(price: Price, tokens: Floats, estimate_usd: Floats, at_s: Floats) -> Floats:
    """The output tokens that an estimate reckoned with; NaN where it was not made with this price, or with a discount
    for a warm cache."""
    found = np.full(len(at_s), np.nan)
    for rates, rows in _by_rates(price, tokens, at_s):
        if rates.output > 0:
            counted = (estimate_usd[rows] - rates.per_request) / PER_MILLION
            output = (counted - tokens[rows] * rates.input) / rates.output
            whole = np.round(output)
            found[rows] = np.where((np.abs(output - whole) < WHOLE) & (whole >= 0), whole, np.nan)
    return found


def warm_tokens(price: Price, tokens: Floats, output: Floats, estimate_usd: Floats, at_s: Floats) -> Floats:
    """The input tokens that an estimate took to be in the prompt cache."""
    found = np.zeros(len(at_s))
    for rates, rows in _by_rates(price, tokens, at_s):
        discount = rates.input - _or(rates.cached_input, rates.input)
        if discount > 0:
            full = tokens[rows] * rates.input + output[rows] * rates.output
            warm = np.round((full - (estimate_usd[rows] - rates.per_request) / PER_MILLION) / discount)
            found[rows] = np.where((warm > 0) & (warm <= tokens[rows]), warm, 0.0)
    return found


@dataclass(frozen=True, slots=True)
class Regimes:
    """Where prices change: lengths of prompts, and spans of time. Within one regime every endpoint has one rate."""

    lengths: Ints
    windows: tuple[Window, ...]
    days: Floats  # instants at which something else changes, ascending

    @classmethod
    def of(cls, prices: Mapping[str, Price | None], days: Sequence[float] = ()) -> "Regimes":
        overrides = [one for price in prices.values() if price is not None for one in price.overrides]
        lengths = sorted({one.min_prompt_tokens for one in overrides})
        windows = dict.fromkeys(one.window for one in overrides if one.window is not None)
        return cls(np.array(lengths, dtype=np.int64), tuple(windows), np.array(sorted(set(days))))

    def codes(self, tokens: Floats, at_s: Floats) -> Ints:
        """A number for the regime of each request."""
        found = np.searchsorted(self.lengths, tokens, side="right") * (len(self.days) + 1)
        found = found + np.searchsorted(self.days, at_s, side="right")
        patterns = np.zeros((len(at_s), len(self.windows)), dtype=np.uint8)
        for place, window in enumerate(self.windows):
            patterns[:, place] = holds(window, at_s)
        if self.windows:
            packed = np.unique(np.packbits(patterns, axis=1), axis=0, return_inverse=True)[1].ravel()
            found = found * (len(at_s) + 1) + packed
        return found.astype(np.int64)


def holds(window: Window, at_s: Floats) -> Bools:
    """`Window.holds` of each instant."""
    day = np.floor(at_s / DAY_S)
    second = at_s - day * DAY_S
    within = np.zeros(len(at_s), dtype=np.bool_)
    for start, end in window.spans_s:
        within |= (start <= second) & (second < end)
    within &= np.isin((day + 3) % 7, sorted(window.weekdays))  # day 0 of Unix time was a Thursday
    if window.from_s is not None:
        within &= at_s >= window.from_s
    if window.until_s is not None:
        within &= at_s < window.until_s
    return within


def _by_rates(price: Price, tokens: Floats, at_s: Floats) -> list[tuple[Rates, Bools]]:
    """The rates of the price, each with the requests that it applies to."""
    which = np.zeros(len(at_s), dtype=np.int64)
    for place, override in enumerate(price.overrides, 1):
        applies = tokens >= override.min_prompt_tokens
        if override.window is not None:
            applies &= holds(override.window, at_s)
        which[applies] = place
    every = (price.base, *(override.rates for override in price.overrides))
    return [(rates, which == place) for place, rates in enumerate(every)]


def _or(rate: float | None, otherwise: float) -> float:
    return otherwise if rate is None else rate
