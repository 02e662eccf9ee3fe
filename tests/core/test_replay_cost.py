"""Costs of many requests at once are those of each."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.pricing import Override, Price, Rates, Window, cost_usd, estimate_usd
from gateway.core.replay_cost import (
    Regimes,
    Usages,
    costs_usd,
    estimates_usd,
    expected_output,
    holds,
    warm_tokens,
)
from gateway.core.usage import Usage
from tests.support.builders import EPOCH_S

rate = st.floats(0, 80, allow_nan=False)
maybe = st.none() | rate
rates = st.builds(
    Rates, input=rate, output=rate, cached_input=maybe, cache_write=maybe, reasoning=maybe,
    per_request=st.sampled_from((0.0, 0.01)),
)  # fmt: skip
windows = st.builds(
    Window,
    spans_s=st.sampled_from((((0, 86_400),), ((3_600, 14_400),), ((0, 1_000), (50_000, 60_000)))),
    weekdays=st.frozensets(st.integers(0, 6)),
    from_s=st.none() | st.just(EPOCH_S),
    until_s=st.none() | st.just(EPOCH_S + 200_000),
)
overrides = st.builds(
    Override, rates=rates, min_prompt_tokens=st.sampled_from((0, 200, 5_000)), window=st.none() | windows
)
prices = st.builds(Price, base=rates, overrides=st.lists(overrides, max_size=3).map(tuple))
count = st.integers(-5, 9_000)
usages = st.builds(Usage, input=count, cached_input=count, cache_write=count, output=count, reasoning=count)
instants = st.floats(EPOCH_S - 400_000, EPOCH_S + 400_000)


def arrays(many: list[Usage]) -> Usages:
    def of(name: str) -> Any:
        return np.array([getattr(one, name) for one in many], dtype=np.float64)

    return Usages(*map(of, ("input", "cached_input", "cache_write", "output", "reasoning", "requests")))


@given(prices, st.lists(st.tuples(usages, instants), min_size=1, max_size=8))
def test_costs_are_those_of_each(price: Price, rows: list[tuple[Usage, float]]) -> None:
    found = costs_usd(price, arrays([usage for usage, _ in rows]), np.array([at_s for _, at_s in rows]))
    assert list(found) == pytest.approx([cost_usd(price, usage, at_s) for usage, at_s in rows], abs=1e-12)


@given(prices, st.lists(st.tuples(count, count, count, instants), min_size=1, max_size=8))
def test_estimates_are_those_of_each(price: Price, rows: list[tuple[int, int, int, float]]) -> None:
    tokens, cached, output, at_s = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    found = estimates_usd(price, tokens, cached, output, at_s)
    assert list(found) == pytest.approx([estimate_usd(price, *row) for row in rows], abs=1e-12)


@given(windows, st.lists(instants, min_size=1, max_size=8))
def test_a_window_holds_for_many_as_for_each(window: Window, at_s: list[float]) -> None:
    assert list(holds(window, np.array(at_s))) == [window.holds(one) for one in at_s]


PRICE = Price(Rates(2.0, 8.0, cached_input=0.5), (Override(Rates(4.0, 12.0), 1_000),))
AT_S = np.full(3, EPOCH_S)
TOKENS = np.array([100.0, 900.0, 1_200.0])


def test_the_output_that_an_estimate_reckoned_with_is_found_again() -> None:
    output = np.array([16.0, 700.0, 250.0])
    estimates = estimates_usd(PRICE, TOKENS, np.zeros(3), output, AT_S)
    assert list(expected_output(PRICE, TOKENS, estimates, AT_S)) == [16.0, 700.0, 250.0]
    dearer = expected_output(PRICE, TOKENS, estimates * 1.01, AT_S)
    assert np.isnan(dearer).any()
    assert np.isnan(expected_output(Price(Rates(1.0, 0.0)), TOKENS, estimates, AT_S)).all()


def test_the_tokens_that_an_estimate_took_to_be_cached_are_found_again() -> None:
    output, cached = np.full(3, 200.0), np.array([0.0, 640.0, 1_100.0])
    estimates = estimates_usd(PRICE, TOKENS, cached, output, AT_S)
    assert list(warm_tokens(PRICE, TOKENS, output, estimates, AT_S)) == [0.0, 640.0, 0.0]  # the last has no discount


def test_requests_of_one_regime_have_one_rate_everywhere() -> None:
    night = Override(Rates(1.0, 1.0), window=Window(spans_s=((0, 3_600),)))
    regimes = Regimes.of({"a": PRICE, "b": Price(Rates(1.0, 1.0), (night,)), "c": None}, [EPOCH_S + 10])
    midnight = EPOCH_S // 86_400 * 86_400
    tokens = np.array([10.0, 20.0, 999.0, 1_000.0, 10.0, 10.0])
    at_s = np.array([EPOCH_S, EPOCH_S, EPOCH_S, EPOCH_S, midnight, EPOCH_S + 10])
    codes = list(regimes.codes(tokens, at_s))
    assert codes[0] == codes[1] == codes[2]
    assert len({codes[0], codes[3], codes[4], codes[5]}) == 4
    assert list(Regimes.of({"a": None}).codes(tokens, at_s)) == [0] * 6
