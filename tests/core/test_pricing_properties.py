"""What must hold of any price and any usage."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.pricing import (
    DAY_S,
    NOTHING,
    UNBOUNDED_TOKENS,
    Override,
    Price,
    Rates,
    Window,
    cost_usd,
    output_cap,
    rates_at,
    upper_bound_usd,
)
from gateway.core.usage import Usage

ROUNDING = 1 + 1e-12
tokens = st.integers(0, 2_000_000)
instants = st.floats(1_700_000_000, 1_900_000_000)
horizons = st.floats(0, 30 * DAY_S)
rate = st.floats(0, 200, allow_subnormal=False)
maybe = st.none() | rate
rates = st.builds(Rates, rate, rate, maybe, maybe, maybe, maybe, st.floats(0, 0.1, allow_subnormal=False))
spans = st.tuples(st.integers(0, DAY_S - 1), st.integers(1, DAY_S)).filter(lambda span: span[0] < span[1])
windows = st.builds(
    Window,
    st.lists(spans, min_size=1, max_size=3).map(tuple),
    st.frozensets(st.integers(0, 6)),
    st.none() | instants,
    st.none() | instants,
)
overrides = st.builds(Override, rates, tokens, st.none() | windows)
prices = st.builds(Price, rates, st.lists(overrides, max_size=3).map(tuple))


@st.composite
def usages(draw: st.DrawFn, most_input: int = 2_000_000, most_output: int = 2_000_000) -> Usage:
    """Usage as the wire formats normalise it."""
    whole, output = draw(st.integers(0, most_input)), draw(st.integers(0, most_output))
    cached = draw(st.integers(0, whole))
    written = draw(st.integers(0, whole - cached))
    return Usage(whole, cached, written, output, draw(st.integers(0, output)), draw(st.integers(0, written)))


@given(prices, usages(), instants, horizons, st.floats(0, 1), tokens, tokens)
def test_no_usage_within_the_limits_costs_more_than_the_bound(
    price: Price, usage: Usage, at_s: float, horizon_s: float, share: float, more_input: int, more_output: int
) -> None:
    bound = upper_bound_usd(price, usage.input + more_input, usage.output + more_output, at_s, horizon_s)
    assert cost_usd(price, usage, at_s + share * horizon_s) <= bound * ROUNDING


@given(prices, tokens, st.floats(0, 100), instants, horizons)
def test_the_cap_is_the_most_that_fits_the_budget(
    price: Price, most_input: int, budget_usd: float, at_s: float, horizon_s: float
) -> None:
    cap = output_cap(price, most_input, budget_usd, at_s, horizon_s)
    if cap == NOTHING:
        assert upper_bound_usd(price, most_input, 0, at_s, horizon_s) > budget_usd
        return
    assert upper_bound_usd(price, most_input, cap, at_s, horizon_s) <= budget_usd
    if cap < UNBOUNDED_TOKENS:
        assert upper_bound_usd(price, most_input, cap + 1, at_s, horizon_s) > budget_usd / ROUNDING


@given(prices, st.builds(Usage, *[st.integers(-9, 9)] * 6), instants)
def test_no_usage_whatever_costs_less_than_nothing(price: Price, usage: Usage, at_s: float) -> None:
    assert cost_usd(price, usage, at_s) >= 0.0


@given(rates, usages(), usages(), instants)
def test_two_answers_cost_what_their_sum_costs(rates: Rates, one: Usage, other: Usage, at_s: float) -> None:
    both = Usage(
        one.input + other.input,
        one.cached_input + other.cached_input,
        one.cache_write + other.cache_write,
        one.output + other.output,
        one.reasoning + other.reasoning,
        one.cache_write_1h + other.cache_write_1h,
        requests=2,
    )
    price = Price(rates)
    apart = cost_usd(price, one, at_s) + cost_usd(price, other, at_s)
    assert abs(cost_usd(price, both, at_s) - apart) <= 1e-12 * max(1.0, apart)


@given(rates, usages(1_000_000, 1_000_000), tokens, instants)
def test_more_output_never_costs_less(rates: Rates, usage: Usage, more: int, at_s: float) -> None:
    longer = Usage(
        usage.input, usage.cached_input, usage.cache_write, usage.output + more, usage.reasoning, usage.cache_write_1h
    )
    assert cost_usd(Price(rates), longer, at_s) >= cost_usd(Price(rates), usage, at_s)


@given(windows, instants, horizons, st.floats(0, 1))
def test_a_window_that_holds_within_a_time_touches_it(window: Window, at_s: float, span_s: float, share: float) -> None:
    if window.holds(at_s + share * span_s):
        assert window.touches(at_s, at_s + span_s)


@given(prices, tokens, instants)
def test_the_rates_are_the_base_or_an_override_that_applies(price: Price, prompt: int, at_s: float) -> None:
    found = rates_at(price, prompt, at_s)
    applying = [
        override.rates
        for override in price.overrides
        if override.min_prompt_tokens <= prompt and (override.window is None or override.window.holds(at_s))
    ]
    assert found == (applying[-1] if applying else price.base)
