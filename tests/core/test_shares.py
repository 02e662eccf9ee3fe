"""An interval of a counted share."""

import random

import pytest

from gateway.core.shares import wilson


@pytest.mark.parametrize(
    ("good", "of", "interval"),
    [
        (0, 0, (0.0, 1.0)),
        (0, 10, (0.0, pytest.approx(0.2775, abs=1e-4))),
        (10, 10, (pytest.approx(0.7225, abs=1e-4), pytest.approx(1.0))),
        (81, 263, (pytest.approx(0.2553, abs=1e-4), pytest.approx(0.3662, abs=1e-4))),  # Newcombe 1998, table I
    ],
)
def test_is_wilsons_interval(good: int, of: int, interval: tuple[float, float]) -> None:
    assert wilson(good, of) == interval


def test_holds_the_true_share_as_often_as_it_says() -> None:
    rng, held = random.Random(7), 0
    for _ in range(1_000):
        low, high = wilson(sum(rng.random() < 0.9 for _ in range(60)), 60)
        held += low <= 0.9 <= high
    assert held >= 930
