"""What judged pairs prove of a whole task, however often anybody looks."""

from random import Random

import pytest

from gateway.core.judged import JudgedPair
from gateway.core.tuning import WORST, Look, bound, look, thresholds


def pairs(count: int, better: float, worse: float, seed: int = 1, **changes: object) -> list[JudgedPair]:
    """The upper tier's answer is better in a share of them, and worse in another."""
    dice, found = Random(seed), []
    for number in range(count):
        drawn = dice.random()
        gain = 1.0 if drawn < better else -1.0 if drawn < better + worse else 0.0
        fields = {"score": dice.random(), "model": "m", "task": "email", "step": 0, "probability": 0.02, **changes}
        found.append(JudgedPair(time_s=float(number), route="default", gain=gain, by="people", **fields))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("count", "looked"),
    [(99, None), (100, Look(100, 0.5)), (199, Look(100, 0.5)), (399, Look(200, 0.25)), (400, Look(400, 0.125))],
)
def test_looks_double_and_share_what_may_be_wrong(count: int, looked: Look | None) -> None:
    assert look(count) == looked


def test_too_few_pairs_say_nothing() -> None:
    assert bound(pairs(99, 0, 0), 0.05) is None


def test_says_how_much_is_lost_at_most() -> None:
    found = bound(pairs(900, 0.02, 0.05), 0.05)
    assert found is not None
    assert (found.route, found.task, found.step, found.pairs, found.people) == ("default", "email", 0, 800, 800)
    assert found.at_most is not None
    assert found.loss < found.at_most < 0.02


def test_a_great_loss_has_no_bound() -> None:
    found = bound(pairs(100, 0.9, 0), 0.05)
    assert found is not None
    assert (found.at_most, found.loss > WORST) == (None, True)


def test_seldom_drawn_pairs_weigh_more() -> None:
    seldom = pairs(200, 1, 0, probability=0.01)[:20]
    often = pairs(200, 0, 0, probability=0.1)[20:]
    found = bound(sorted([*seldom, *often], key=lambda pair: pair.time_s), 0.05)
    assert found is not None
    assert found.loss == pytest.approx(20 * 100 / (20 * 100 + 180 * 10))


def test_is_wrong_no_oftener_than_it_says_though_it_is_asked_at_every_size() -> None:
    """The true loss is 5 %: a bound below it is wrong."""
    wrong = 0
    for seed in range(60):
        many = pairs(800, 0.15, 0.10, seed)
        bounds = [bound(many[:size], 0.2) for size in (100, 200, 400, 800)]
        wrong += any(one is not None and one.at_most is not None and one.at_most < 0.05 for one in bounds)
    assert wrong <= 0.2 * 60


def test_thresholds_are_told_for_each_task_and_for_the_route_by_the_newest_models_scores() -> None:
    good = [*pairs(400, 0, 0.1), *pairs(400, 0, 0.1, task="chat"), *pairs(400, 0.9, 0, task="math")]
    few = pairs(50, 0, 0, task="code", step=1)
    ordered = sorted([*good, *few], key=lambda pair: pair.time_s)
    found = thresholds(ordered, "default", 0.05, 0.05)
    shares = {one.task: one.share for one in found if one.pairs == 400}
    assert shares == {"chat": 1.0, "email": 1.0, "math": 0.02}
    assert thresholds(ordered, "other", 0.05, 0.05) == thresholds(ordered, "default", 1e-6, 0.05) == []
    newer = [*ordered, *pairs(1, 0, 0, model="m2", task="chat")]
    assert thresholds(newer, "default", 0.05, 0.05) == []
