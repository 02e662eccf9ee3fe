from datetime import UTC, datetime

import pytest

from gateway.core.pricing import (
    NOTHING,
    UNBOUNDED_TOKENS,
    Override,
    Price,
    Rates,
    Window,
    cost_usd,
    estimate_usd,
    output_cap,
    rates_at,
    upper_bound_usd,
)
from gateway.core.usage import Usage

SONNET = Price(Rates(input=3.0, output=15.0, cached_input=0.30, cache_write=3.75, cache_write_1h=6.0))
WORKDAYS = frozenset(range(5))
PEAK = Window(spans_s=((1 * 3600, 4 * 3600), (6 * 3600, 10 * 3600)), weekdays=WORKDAYS)
FLASH = Price(Rates(input=0.22, output=0.66), (Override(Rates(input=0.44, output=1.32), window=PEAK),))


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


NOON = at("2026-11-25T12:00:00")


def test_charges_a_cache_write_once() -> None:  # case I1
    usage = Usage(input=3 + 12_304, cache_write=12_304, output=550)
    assert cost_usd(SONNET, usage, NOON) == pytest.approx(0.054399)


def test_charges_a_cache_read_once() -> None:  # case I2
    price = Price(Rates(input=1.25, output=10.0, cached_input=0.625))
    usage = Usage(input=262_960, cached_input=257_955, output=1_744)
    assert cost_usd(price, usage, NOON) == pytest.approx(0.184918, abs=5e-7)


def test_charges_configured_prices_once() -> None:  # case I4
    price = Price(Rates(input=7.0, output=11.0, cached_input=2.0), source="config")
    assert cost_usd(price, Usage(input=1_000, cached_input=900), NOON) == pytest.approx((100 * 7 + 900 * 2) / 1e6)


@pytest.mark.parametrize(
    ("start", "rates"),
    [
        ("2026-11-23T03:59:59", Rates(0.44, 1.32)),  # Monday, the last second of the morning peak
        ("2026-11-23T04:00:00", Rates(0.22, 0.66)),
        ("2026-11-23T06:00:00", Rates(0.44, 1.32)),
        ("2026-11-23T10:00:00", Rates(0.22, 0.66)),
        ("2026-11-28T02:00:00", Rates(0.22, 0.66)),  # Saturday
    ],
)
def test_prices_by_the_hour_at_which_the_request_started(start: str, rates: Rates) -> None:  # case I7
    assert rates_at(FLASH, 1_000, at(start)) == rates


def test_keeps_the_price_that_held_before_a_window_began_and_after_it_ended() -> None:
    window = Window(from_s=at("2026-08-16T16:00:00"), until_s=at("2026-09-01T00:00:00"))
    price = Price(Rates(1.0, 1.0), (Override(Rates(2.0, 2.0), window=window),))
    starts = ["2026-08-16T15:59:59", "2026-08-16T16:00:00", "2026-08-31T23:59:59", "2026-09-01T00:00:00"]
    assert [rates_at(price, 0, at(start)).input for start in starts] == [1.0, 2.0, 2.0, 1.0]


def test_charges_the_whole_request_at_the_step_its_prompt_reaches() -> None:
    price = Price(
        Rates(1.25, 10.0, cached_input=0.125),
        (Override(Rates(2.5, 15.0, cached_input=0.25), min_prompt_tokens=200_001),),
    )
    below, above = Usage(input=200_000, output=1_000), Usage(input=200_001, cached_input=200_001, output=1_000)
    assert cost_usd(price, below, NOON) == pytest.approx(0.2 * 1.25 + 0.01)
    assert cost_usd(price, above, NOON) == pytest.approx(0.200001 * 0.25 + 0.015)


def test_lets_the_last_override_that_applies_win() -> None:
    price = Price(Rates(1.0, 1.0), (Override(Rates(2.0, 2.0)), Override(Rates(3.0, 3.0), min_prompt_tokens=10)))
    assert (rates_at(price, 9, NOON).input, rates_at(price, 10, NOON).input) == (2.0, 3.0)


def test_charges_unknown_cache_rates_as_input_and_unknown_hours_as_cache_writes() -> None:
    usage = Usage(input=1_000, cached_input=400, cache_write=600, cache_write_1h=600)
    assert cost_usd(Price(Rates(2.0, 8.0)), usage, NOON) == pytest.approx(0.002)
    assert cost_usd(Price(Rates(2.0, 8.0, cache_write=2.5)), usage, NOON) == pytest.approx((400 * 2 + 600 * 2.5) / 1e6)


def test_charges_the_hour_long_part_of_a_cache_write_apart() -> None:
    usage = Usage(input=1_000, cache_write=1_000, cache_write_1h=400)
    assert cost_usd(SONNET, usage, NOON) == pytest.approx((600 * 3.75 + 400 * 6.0) / 1e6)


def test_charges_reasoning_apart_only_where_it_has_a_rate() -> None:
    usage = Usage(output=1_000, reasoning=700)
    assert cost_usd(Price(Rates(1.0, 2.0)), usage, NOON) == pytest.approx(0.002)
    assert cost_usd(Price(Rates(1.0, 2.0, reasoning=4.0)), usage, NOON) == pytest.approx((300 * 2 + 700 * 4) / 1e6)


def test_charges_the_fee_of_every_request() -> None:
    price = Price(Rates(1.0, 1.0, per_request=0.005))
    assert cost_usd(price, Usage(input=1_000, requests=2), NOON) == pytest.approx(0.011)
    assert estimate_usd(price, 1_000, 0, 0, NOON) == pytest.approx(0.006)


def test_cuts_counts_to_what_can_be_true() -> None:
    wild = Usage(input=100, cached_input=150, cache_write=80, output=10, reasoning=50)
    assert cost_usd(SONNET, wild, NOON) == cost_usd(SONNET, Usage(input=100, cached_input=100, output=10), NOON)


def test_estimates_what_the_same_usage_costs() -> None:
    usage = Usage(input=5_000, cached_input=4_000, output=300)
    assert estimate_usd(SONNET, 5_000, 4_000, 300, NOON) == pytest.approx(cost_usd(SONNET, usage, NOON))


def test_bounds_the_input_by_its_dearest_way_of_being_counted() -> None:
    assert upper_bound_usd(SONNET, 1_000, 100, NOON, 0) == pytest.approx((1_000 * 6.0 + 100 * 15.0) / 1e6)


def test_bounds_by_the_price_that_may_hold_when_an_attempt_starts() -> None:
    before_the_peak = at("2026-11-23T05:55:00")
    at_night = at("2026-11-23T20:00:00")
    assert upper_bound_usd(FLASH, 1_000_000, 0, before_the_peak, 600) == pytest.approx(0.44)
    assert upper_bound_usd(FLASH, 1_000_000, 0, at_night, 600) == pytest.approx(0.22)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-11-23T00:00:00", "2026-11-23T00:59:59", False),
        ("2026-11-23T00:00:00", "2026-11-23T01:00:00", True),
        ("2026-11-23T03:59:59", "2026-11-23T03:59:59", True),
        ("2026-11-23T04:00:00", "2026-11-23T05:59:00", False),
        ("2026-11-27T10:00:00", "2026-11-30T00:59:00", False),  # Friday after the peak to Monday before it
        ("2026-11-27T10:00:00", "2026-11-30T01:00:00", True),
        ("2026-11-28T00:00:00", "2027-01-30T00:00:00", True),
    ],
)
def test_knows_whether_a_window_opens_within_a_time(start: str, end: str, expected: bool) -> None:
    assert PEAK.touches(at(start), at(end)) is expected


def test_a_window_touches_nothing_outside_its_days() -> None:
    window = Window(((0, 3600),), from_s=at("2026-11-25T00:30:00"), until_s=at("2026-11-26T00:00:00"))
    assert not window.touches(at("2026-11-24T00:00:00"), at("2026-11-25T00:29:59"))
    assert window.touches(at("2026-11-24T00:00:00"), at("2026-11-25T00:30:00"))
    assert not window.touches(at("2026-11-26T00:00:00"), at("2026-11-27T00:00:00"))
    assert not window.touches(at("2026-11-25T01:00:00"), at("2026-11-26T00:10:00"))


def test_buys_as_much_output_as_the_budget_surely_pays_for() -> None:
    assert output_cap(Price(Rates(1.0, 10.0)), 1_000, 0.002, NOON) == 100


def test_buys_nothing_if_the_input_alone_is_too_dear() -> None:
    assert output_cap(Price(Rates(1.0, 10.0)), 1_000, 0.0009, NOON) == NOTHING
    assert output_cap(Price(Rates(1.0, 10.0, per_request=0.5)), 0, 0.4, NOON) == NOTHING


def test_buys_no_more_than_any_model_writes_where_output_is_free() -> None:
    assert output_cap(Price(Rates(0.02, 0.0)), 1_000, 1.0, NOON) == UNBOUNDED_TOKENS


def test_a_price_of_zero_costs_nothing() -> None:
    free = Price(Rates(0.0, 0.0), source="config")
    assert (cost_usd(free, Usage(input=9, output=9), NOON), upper_bound_usd(free, 9, 9, NOON)) == (0.0, 0.0)


def test_gives_a_token_back_where_the_division_was_rounded_up() -> None:
    price = Price(Rates(1.0, 36.0))
    assert (output_cap(price, 0, 0.7605, NOON), upper_bound_usd(price, 0, 21_125, NOON) > 0.7605) == (21_124, True)
