from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.window import NOTHING, RELATIVE_ERROR, Counts, Percentiles, Quantiles, Ring

MOMENTS = st.lists(st.tuples(st.integers(0, 120), st.booleans()), max_size=60)


def test_says_nothing_where_nothing_happened() -> None:
    assert Ring(30).counts(1_000.0) == NOTHING
    assert (NOTHING.total, NOTHING.ok_ratio, NOTHING.error_rate) == (0, None, 0.0)


def test_counts_both_outcomes_within_the_window() -> None:
    ring = Ring(30)
    ring.succeeded(100.0)
    ring.succeeded(100.9)
    ring.failed(120.0)

    assert ring.counts(129.9) == Counts(ok=2, failed=1)
    assert ring.counts(129.9).ok_ratio == pytest.approx(2 / 3)
    assert ring.counts(129.9).error_rate == pytest.approx(1 / 3)
    assert ring.counts(130.0) == Counts(ok=0, failed=1)
    assert ring.counts(150.0) == NOTHING


def test_counts_many_at_once() -> None:
    ring = Ring(30)
    ring.succeeded(100.0, 40)
    ring.failed(100.0, 10)

    assert ring.counts(100.0) == Counts(ok=40, failed=10)


def test_forgets_all_after_a_long_silence() -> None:
    ring = Ring(30)
    ring.succeeded(100.0)

    ring.failed(1_000_000.0)

    assert ring.counts(1_000_000.0) == Counts(ok=0, failed=1)


def test_counts_a_late_report_as_of_now() -> None:
    ring = Ring(30)
    ring.failed(100.0)
    ring.succeeded(99.0)

    assert ring.counts(98.0) == Counts(ok=1, failed=1)


def test_is_empty_after_clearing_and_counts_on() -> None:
    ring = Ring(30)
    ring.failed(100.0)
    ring.clear()

    ring.succeeded(101.0)

    assert ring.counts(101.0) == Counts(ok=1, failed=0)


def test_counts_in_slices_of_another_length() -> None:
    ring = Ring(10, slice_s=30.0)
    ring.succeeded(0.0)
    ring.failed(299.0)

    assert ring.counts(299.9) == Counts(ok=1, failed=1)
    assert ring.counts(300.0) == Counts(ok=0, failed=1)


@given(MOMENTS)
def test_counts_exactly_what_happened_in_the_last_slices(moments: list[tuple[int, bool]]) -> None:
    ring = Ring(30)
    moments.sort()
    for second, ok in moments:
        (ring.succeeded if ok else ring.failed)(float(second))

    inside = [ok for second, ok in moments if second > 120 - 30]
    assert ring.counts(120.0) == Counts(ok=sum(inside), failed=len(inside) - sum(inside))


def test_has_no_percentiles_without_samples() -> None:
    assert Percentiles(300.0).quantiles(1_000.0) is None


def test_gives_a_single_sample_for_every_percentile() -> None:
    window = Percentiles(300.0)
    window.add(1_000.0, 310.0)

    found = window.quantiles(1_000.0)

    assert found is not None
    assert found == Quantiles(found.p50, found.p50, found.p50, found.p50)
    assert found.p50 == pytest.approx(310.0, rel=RELATIVE_ERROR)


def test_forgets_samples_older_than_the_span() -> None:
    window = Percentiles(300.0, slices=10)
    window.add(1_000.0, 10.0)
    window.add(1_200.0, 500.0)

    later = window.quantiles(1_300.0)

    assert later is not None
    assert later.p50 == pytest.approx(500.0, rel=RELATIVE_ERROR)
    assert window.quantiles(2_000.0) is None


def test_counts_a_late_sample_as_of_now() -> None:
    window = Percentiles(300.0)
    window.quantiles(5_000.0)
    window.add(10.0, 7.0)

    assert window.quantiles(5_000.0) is not None


@pytest.mark.parametrize(("value_ms", "counted_ms"), [(0.0, 0.1), (-5.0, 0.1), (1e12, 3_600_000.0)])
def test_clips_samples_no_answer_can_take(value_ms: float, counted_ms: float) -> None:
    window = Percentiles(300.0)
    window.add(1.0, value_ms)

    found = window.quantiles(1.0)

    assert found is not None
    assert found.p99 == pytest.approx(counted_ms, rel=RELATIVE_ERROR)


@given(st.lists(st.floats(0.2, 3_000_000.0), min_size=1, max_size=300))
def test_is_within_one_percent_of_the_sample_at_that_rank(samples: list[float]) -> None:
    window = Percentiles(300.0)
    for sample in samples:
        window.add(50.0, sample)

    found = window.quantiles(50.0)

    assert found is not None
    ascending = sorted(samples)
    for rank, value in ((0.5, found.p50), (0.9, found.p90), (0.95, found.p95), (0.99, found.p99)):
        assert value == pytest.approx(ascending[ceil(rank * len(ascending)) - 1], rel=RELATIVE_ERROR + 1e-9)
