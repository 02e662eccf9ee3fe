import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.budget import DAY_S, PURSE_SHARE, affords_routine, affords_trial, charged, filled, opened

NOON_S = 20_000 * DAY_S + DAY_S / 2


def test_begins_with_a_twentieth_of_the_days_budget() -> None:
    purse = opened(1.0, NOON_S)

    assert purse.held_usd == 0.05
    assert affords_routine(charged(purse, 0.02), 0.03)
    assert not affords_routine(charged(purse, 0.02), 0.031)
    assert affords_trial(purse, 1.0)


def test_pays_for_any_probe_out_of_a_full_purse_and_then_owes() -> None:
    purse = opened(1.0, NOON_S)

    assert affords_routine(purse, 0.2)
    assert not affords_routine(purse, 1.1)
    assert not affords_routine(filled(charged(purse, 0.2), NOON_S + 3_600), 0.001)


def test_earns_its_budget_evenly() -> None:
    empty = charged(opened(1.0, NOON_S), 0.05)
    assert not affords_routine(empty, 0.001)

    later = filled(empty, NOON_S + DAY_S / 100)

    assert later.held_usd == pytest.approx(0.01)
    assert affords_routine(later, 0.0099)


def test_never_holds_more_than_it_began_with() -> None:
    assert filled(opened(1.0, NOON_S), NOON_S + 10 * DAY_S).held_usd == PURSE_SHARE


def test_keeps_to_the_days_budget_even_for_trials() -> None:
    spent = charged(opened(1.0, NOON_S), 0.999)

    assert (affords_trial(spent, 0.001), affords_trial(spent, 0.002)) == (True, False)


def test_begins_anew_with_the_utc_day() -> None:
    spent = charged(opened(1.0, NOON_S), 1.0)
    assert not affords_trial(filled(spent, NOON_S + DAY_S / 2 - 1), 0.1)

    assert affords_trial(filled(spent, NOON_S + DAY_S / 2), 0.1)


def test_owes_what_a_provider_charged_beyond_the_cap() -> None:
    owing = charged(opened(1.0, NOON_S), 0.15)

    assert owing.held_usd == pytest.approx(-0.1)
    assert not affords_routine(filled(owing, NOON_S + DAY_S / 20), 0.0001)
    assert affords_routine(filled(owing, NOON_S + DAY_S / 5), 0.0001)


def test_does_not_earn_by_a_clock_that_is_set_back() -> None:
    empty = charged(opened(1.0, NOON_S), 0.05)

    assert filled(filled(empty, NOON_S - 3_600), NOON_S) == empty


@given(st.lists(st.tuples(st.floats(0, 5_000), st.floats(0.0001, 0.2)), max_size=300), st.floats(0.01, 10))
def test_never_spends_more_than_the_budget_on_any_day(asked: list[tuple[float, float]], per_day_usd: float) -> None:
    epoch_s, purse = NOON_S, opened(per_day_usd, NOON_S)
    by_day: dict[int, float] = {}
    for wait_s, cost_usd in asked:
        epoch_s += wait_s
        purse = filled(purse, epoch_s)
        if affords_routine(purse, cost_usd):
            purse = charged(purse, cost_usd)
            day = int(epoch_s // DAY_S)
            by_day[day] = by_day.get(day, 0.0) + cost_usd

    assert all(usd <= per_day_usd * (1 + 1e-9) for usd in by_day.values())
