import numpy as np
import pytest

from scripts.router.metric import evaluate

WEAK = np.array([0.0] * 50 + [1.0] * 50)
STRONG = np.ones(100)


def test_a_router_that_knows_wins_the_gap_back_with_half_the_calls() -> None:
    knows = np.concatenate([np.linspace(2, 3, 50), np.linspace(0, 1, 50)])
    result = evaluate(knows, WEAK, STRONG)
    assert (result.prompts, result.weak, result.strong) == (100, 0.5, 1.0)
    assert (result.cpt50, result.cpt80) == (pytest.approx(25.0), pytest.approx(40.0))
    assert result.apgr == pytest.approx(0.75)


def test_a_router_that_errs_always_is_as_far_below_a_coin() -> None:
    errs = np.concatenate([np.linspace(0, 1, 50), np.linspace(2, 3, 50)])
    assert evaluate(errs, WEAK, STRONG).apgr == pytest.approx(0.25)


def test_a_coin_has_one_half_within_its_interval() -> None:
    dice = np.random.default_rng(5)
    weak, strong = dice.integers(0, 2, 2000).astype(float), np.ones(2000)
    result = evaluate(dice.random(2000), weak, strong)
    low, high = result.interval
    assert low < 0.5 < high
    assert high - low < 0.1
    assert result.cpt50 == pytest.approx(50, abs=5)
