"""Experiments: intervals that hold at any time, the sample ratio, and when to stop."""

import math
import random

import pytest

from gateway.core.experiment import CALIBRATION, Experiment, MeanSequence, Seen, imbalance, told, verdict


def draws(rng: random.Random, kind: str) -> tuple[float, float]:
    """A value in [0, 1], and the mean it is drawn around."""
    match kind:
        case "rare":
            return float(rng.random() < 0.03), 0.03
        case "skewed":
            return rng.random() ** 4, 0.2
        case _:
            return rng.betavariate(2, 2), 0.5


@pytest.mark.parametrize("kind", ["rare", "skewed", "even"])
def test_no_more_than_five_in_a_hundred_sequences_ever_miss_the_mean_at_any_time(kind: str) -> None:
    missed = 0
    for seed in range(1_000):
        rng, sequence = random.Random(seed), MeanSequence(1.0, 0.05)
        for _ in range(250):
            value, mean = draws(rng, kind)
            sequence.see(value)
            low, high = sequence.interval
            if not low <= mean <= high:
                missed += 1
                break
    assert missed <= 50


def test_a_usual_interval_looked_at_each_time_misses_far_more_often() -> None:
    missed = 0
    for seed in range(300):
        rng, total, squares = random.Random(seed), 0.0, 0.0
        for count in range(1, 251):
            value, mean = draws(rng, "even")
            total, squares = total + value, squares + value * value
            if count >= 20:
                spread = math.sqrt(max(squares / count - (total / count) ** 2, 1e-12) / count)
                if abs(total / count - mean) > 1.96 * spread:
                    missed += 1
                    break
    assert missed > 60


def test_narrows_to_the_mean_in_the_unit_of_its_values() -> None:
    rng, sequence = random.Random(3), MeanSequence(40.0, 0.05)
    for _ in range(4_000):
        sequence.see(40.0 * draws(rng, "skewed")[0])
    low, high = sequence.interval
    assert low < 8.0 < high
    assert high - low < 2.5
    assert sequence.mean == pytest.approx(8.0, abs=0.5)


def test_larger_values_are_cut_and_counted() -> None:
    sequence = MeanSequence(2.0, 0.05)
    assert (sequence.mean, sequence.interval) == (None, (0.0, 2.0))
    for value in (1.0, 7.0):
        sequence.see(value)
    assert (sequence.mean, sequence.cut, sequence.count) == (1.5, 1, 2)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ({"a": 9_000, "b": 1_000}, 0.0, 1.0),
        ({"a": 8_500, "b": 1_500}, 1e6, math.inf),
        ({}, 1.0, 1.0),
        ({"a": 10_000}, 1e6, math.inf),
    ],
)
def test_the_sample_ratio_is_doubted_only_where_it_is_wrong(counts: dict[str, int], low: float, high: float) -> None:
    assert low <= imbalance(counts, {"a": 90, "b": 10}) <= high


def test_a_variant_without_weight_that_is_seen_refutes_the_ratio_at_once() -> None:
    assert imbalance({"a": 5}, {"a": 1, "off": 0}) <= 1.0
    assert imbalance({"a": 5, "off": 1}, {"a": 1, "off": 0}) == math.inf


def test_a_right_ratio_is_ever_refuted_in_no_more_than_one_of_twenty_experiments() -> None:
    refuted = 0
    for seed in range(400):
        rng, counts = random.Random(seed), {"a": 0, "b": 0}
        for _ in range(300):
            counts["a" if rng.random() < 0.7 else "b"] += 1
            if imbalance(counts, {"a": 7, "b": 3}) >= 20:
                refuted += 1
                break
    assert refuted <= 20


def an_experiment(cheap: float = 0.5, failing: float = 0.02, requests: int = 8_000) -> Experiment:
    """Two variants, of which b costs so much of a's price and fails so often."""
    rng, made = random.Random(5), Experiment(["a", "b"], 0.95)
    for number in range(requests):
        name = "ab"[number % 2]
        cost = rng.uniform(0.5, 1.5) * (cheap if name == "b" else 1.0) * 1e-3
        failed = rng.random() < (failing if name == "b" else 0.02)
        score = rng.choice((1.0, -1.0)) if rng.random() < 0.1 else None
        made.see(Seen(name, cost, rng.uniform(200, 900), None, failed, score))
    made.see(Seen("elsewhere"))
    return made


def test_stops_for_the_cheaper_one_that_fails_no_more_often() -> None:
    made = an_experiment()
    found = verdict(made, 0.03)
    assert (found.better, found.why) == ("b", "b is cheaper per request and fails as rarely")
    assert 0 < (found.excess or 0) <= 0.03
    arm = made.arms["b"]
    assert (arm.requests, arm.means["cost_usd"].count) == (4_000, 4_000 - CALIBRATION // 2)
    assert (arm.means["ttft_ms"].count, arm.means["ttft_ms"].mean) == (0, None)
    low, high = arm.means["feedback"].interval
    assert low < 0.5 < high


@pytest.mark.parametrize(
    ("made", "tolerance", "why"),
    [
        (an_experiment(requests=80), 0.02, "too few requests"),
        (an_experiment(cheap=1.0), 0.02, "costs cannot be told apart yet"),
        (an_experiment(failing=0.2), 0.02, "b is cheaper and fails more often"),
        (an_experiment(), 0.0001, "b is cheaper; whether it fails as rarely is not certain yet"),
        (Experiment(["a"], 0.95), 0.02, "too few requests"),
    ],
)
def test_goes_on_where_something_is_open(made: Experiment, tolerance: float, why: str) -> None:
    found = verdict(made, tolerance)
    assert (found.better, found.why) == (None, why)


def test_feedback_that_comes_later_counts_once_the_intervals_have_begun() -> None:
    made = Experiment(["a", "b"], 0.95)
    made.judged("a", 1.0)
    for _ in range(CALIBRATION):
        made.see(Seen("a", 1.0))
    for score in (1.0, -1.0, 7.0):
        made.judged("a", score)
    made.judged("gone", 1.0)
    assert (made.arms["a"].means["feedback"].count, made.arms["b"].means["feedback"].count) == (3, 0)
    assert made.arms["a"].means["feedback"].mean == pytest.approx(2 / 3)


def test_tells_programs_what_came_of_it() -> None:
    made = Experiment(["a", "b"], 0.95)
    for _ in range(CALIBRATION + 10):
        made.see(Seen("a", 1.0))
    shown = told(made, {"a": 7}, math.inf, 0.02)
    assert shown["sample_ratio"] == {"e_value": 1e300, "refuted": True}
    assert (shown["stop"], shown["better"], shown["why"]) == (False, None, "too few requests")
    arm = shown["variants"]["a"]
    assert (arm["requests"], arm["sessions"], shown["variants"]["b"]["sessions"]) == (110, 7, 0)
    assert (arm["cost_usd"]["count"], arm["cost_usd"]["mean"], arm["feedback"]["mean"]) == (10, 1.0, None)
    assert arm["feedback"]["interval"] == [-1.0, 1.0]
    assert told(Experiment(["a"], 0.95), {}, None, 0.02)["sample_ratio"] is None
