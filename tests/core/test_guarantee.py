"""The promises, put to the test on logs that are drawn: how often are they broken?"""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.guarantee import FRESH_EVERY, LEAST_PAIRS, Pair, Sentry, Verdict, Watch, certify, fewest

ALPHA, DELTA = 0.02, 0.1
LOGS = 300  # as part of the whole procedure it is tried on 1,000: tests/monitor/evaluation/test_certify.py


def a_log(seed: int, count: int) -> list[Pair]:
    """The higher the score, the likelier the stronger answer is better; now and then the cheaper one is."""
    dice = Random(seed)
    return [a_pair(dice) for _ in range(count)]


def a_pair(dice: Random) -> Pair:
    score = dice.random()
    drawn = dice.random()
    return Pair(score, 1.0 if drawn < _need(score) else -1.0 if drawn > 0.97 else 0.0)


def _need(score: float) -> float:
    return 0.3 * score * score


def true_loss(threshold: float) -> float:
    """∫ need - 0.03 over the scores below the threshold."""
    t = min(max(threshold, 0.0), 1.0)
    return 0.1 * t**3 - 0.03 * t


def plug_in(pairs: list[Pair]) -> float:
    """What one would take without a test: the loosest threshold whose measured loss is within alpha."""
    ordered = sorted(pairs, key=lambda pair: pair.score)
    best = loss = 0.0
    for pair in ordered:
        loss += pair.gain / len(pairs)
        if loss <= ALPHA:
            best = pair.score
    return best


def test_the_promise_is_broken_in_no_more_than_its_share_of_logs_and_the_plain_threshold_far_oftener() -> None:
    broken = plain = 0
    shares = []
    for seed in range(LOGS):
        pairs = a_log(seed, 400)
        verdict = certify(pairs, ALPHA, DELTA)
        if verdict is not None:
            broken += true_loss(verdict.threshold) > ALPHA
            shares.append(verdict.share)
        plain += true_loss(plug_in(pairs)) > ALPHA
    assert broken <= DELTA * LOGS
    assert plain > 3 * DELTA * LOGS
    assert sum(shares) / LOGS > 0.4, "and it is worth something"


def test_weights_make_good_for_pairs_that_were_judged_less_often() -> None:
    """Hard prompts are judged half as often: unweighted, the loss would look smaller than it is."""
    broken = 0
    for seed in range(200):
        dice = Random(seed)
        drawn = (a_pair(dice) for _ in range(800))
        pairs = [Pair(one.score, one.gain, 2.0 if one.score > 0.5 else 1.0) for one in drawn
                 if one.score <= 0.5 or dice.random() < 0.5]  # fmt: skip
        verdict = certify(pairs, ALPHA, DELTA)
        broken += verdict is not None and true_loss(verdict.threshold) > ALPHA
    assert broken <= DELTA * 200


def test_weights_count_up_to_any_common_factor() -> None:
    pairs = a_log(7, 800)
    heavy, light = ([Pair(one.score, one.gain, weight) for one in pairs] for weight in (50.0, 0.25))
    assert certify(pairs, ALPHA, DELTA) == certify(heavy, ALPHA, DELTA) == certify(light, ALPHA, DELTA)


def test_few_pairs_certify_nothing() -> None:
    assert certify([Pair(0.5, 0.0)] * (LEAST_PAIRS - 1), ALPHA, DELTA) is None


@pytest.mark.parametrize(("alpha", "delta", "count"), [(0.02, 0.025, 370), (0.05, 0.05, 118), (0.2, 0.1, LEAST_PAIRS)])
def test_so_many_pairs_without_a_loss_certify_everything_and_a_few_less_nothing(
    alpha: float, delta: float, count: int
) -> None:
    assert fewest(alpha, delta) == count
    assert certify([Pair(number / count, 0.0) for number in range(count)], alpha, delta) is not None
    assert certify([Pair(number / count, 0.0) for number in range(count * 97 // 100)], alpha, delta) is None


def test_where_the_cheaper_tier_is_always_worse_nothing_is_certified() -> None:
    assert certify([Pair(number / 500, 1.0) for number in range(500)], ALPHA, DELTA) is None


def test_where_both_are_always_alike_everything_may_go_lower() -> None:
    pairs = [Pair(number / 5000, 0.0) for number in range(5000)]
    assert certify(pairs, 0.05, DELTA) == Verdict(math.nextafter(4999 / 5000, math.inf), 1.0, 0.0)


def test_the_verdict_tells_share_and_loss_by_weight() -> None:
    pairs = [Pair(number % 100 / 100, 1.0 if number % 100 >= 90 else 0.0, 3.0) for number in range(5000)]
    verdict = certify(pairs, 0.02, DELTA)
    assert verdict is not None
    assert verdict.share == pytest.approx(verdict.threshold)
    assert 0.85 <= verdict.threshold <= 0.93
    assert verdict.loss == pytest.approx(max(0.0, verdict.threshold - 0.9))


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-1, 1), st.floats(0.1, 9)), min_size=100, max_size=130))
def test_any_log_can_be_asked(rows: list[tuple[float, float, float]]) -> None:
    verdict = certify([Pair(*row) for row in rows], ALPHA, DELTA)
    assert verdict is None or (0 <= verdict.share <= 1 and -1 <= verdict.loss <= 1)


def until(rate: float, side: int, seed: int, most: int = 5_000) -> int | None:
    """How many judged outcomes of that rate it takes; None: not within `most`."""
    dice, watch = Random(seed), Watch(0.03, 0.05, side)
    for count in range(1, most + 1):
        if watch.see(float(dice.random() < rate)):
            return count
    return None


def median(found: list[int | None]) -> int:
    return sorted(one for one in found if one is not None)[len(found) // 2]


def test_the_alarm_is_soon_where_the_loss_has_trebled_and_seldom_where_the_promise_holds() -> None:
    trebled = [until(0.10, 1, seed) for seed in range(100)]
    assert 50 <= median(trebled) <= 110
    doubled = [until(0.06, 1, seed) for seed in range(60)]
    assert 250 <= median(doubled) <= 550
    held = [until(0.03, 1, seed, most=3_000) for seed in range(100)]
    assert sum(one is not None for one in held) <= 5


def test_a_smaller_loss_is_proven_and_an_equal_one_seldom() -> None:
    assert 250 <= median([until(0.01, -1, seed) for seed in range(60)]) <= 450
    assert sum(until(0.03, -1, seed, most=3_000) is not None for seed in range(100)) <= 5


def test_what_was_proven_stays_proven_until_something_speaks_against_it() -> None:
    watch = Watch(0.5, 0.05, 1)
    assert not watch.sure
    while not watch.see(1.0):
        pass
    assert watch.sure
    for _ in range(20):
        watch.see(0.0)
    assert not watch.sure


def goes_off(rates: list[tuple[int, float]], seed: int, alarm: Sentry | Watch) -> int | None:
    """After how many outcomes, where so many of each rate follow each other."""
    dice, count = Random(seed), 0
    for many, rate in rates:
        for _ in range(many):
            count += 1
            if alarm.see(float(dice.random() < rate)):
                return count
    return None


def test_the_alarm_is_as_soon_after_a_long_good_time_where_one_gambler_would_sleep() -> None:
    drift = [(3_000, 0.01), (2_000, 0.10)]
    found = [goes_off(drift, seed, Sentry(0.03, 0.05)) for seed in range(30)]
    assert None not in found
    assert 3_050 <= median(found) <= 3_400
    alone = [goes_off(drift, seed, Watch(0.03, 0.05, 1)) for seed in range(5)]
    assert all(one is None or one > 3_800 for one in alone)


def test_many_gamblers_together_are_seldom_wrong() -> None:
    held = [goes_off([(8 * FRESH_EVERY, 0.03)], seed, Sentry(0.03, 0.05)) for seed in range(100)]
    assert sum(one is not None for one in held) <= 5
