from gateway.core.window import Quantiles
from monitor.durations import DurationQuantiles, Durations


def same(value_ms: float) -> Quantiles:
    return Quantiles(value_ms, value_ms, value_ms, value_ms)


def test_is_empty_without_answers() -> None:
    assert Durations().quantiles(1_000.0) == DurationQuantiles()


def test_rounds_to_two_digits() -> None:
    durations = Durations()
    durations.add(1_000.0, 1_312.0, 317.4)

    assert durations.quantiles(1_000.0) == DurationQuantiles(same(320), same(1_300), same(320), same(1_300))


def test_keeps_five_minutes_and_an_hour_apart() -> None:
    durations = Durations()
    durations.add(1_000.0, 500.0, None)
    durations.add(1_400.0, 0.52, 0.21)

    found = durations.quantiles(1_400.0)

    assert (found.ttfb, found.total) == (same(0.21), same(0.52))
    assert found.total_1h is not None
    assert (found.total_1h.p50, found.total_1h.p99) == (0.52, 500)
