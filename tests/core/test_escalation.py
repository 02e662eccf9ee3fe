"""The 80/20 mode holds its share over every window, and picks the difficult ones."""

from collections.abc import Iterator
from itertools import accumulate
from math import exp, sin
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.escalation import MEMORY, Escalation, corrected

WINDOW = 1_000
POINTS = 0.02


def worst_points(share: float, scores: list[float]) -> float:
    """Largest distance of the share in any window of 1,000 requests from the share wanted."""
    account = Escalation(share)
    sums = [0, *accumulate(int(account.decide(score)) for score in scores)]
    return max(abs((sums[at + WINDOW] - sums[at]) / WINDOW - share) for at in range(len(sums) - WINDOW))


def drawn(seed: int, shape: str) -> Iterator[float]:
    dice = Random(seed)
    for n in range(3_000):
        match shape:
            case "constant":
                yield 0.5
            case "rising":
                yield n / 3_000
            case "falling":
                yield 1 - n / 3_000
            case "random":
                yield dice.random()
            case "two":
                yield 0.1 if dice.random() < 0.9 else 0.9
            case "blocks":
                yield 0.9 if n // 700 % 2 else 0.1
            case _:
                yield (0.0, 1.0)[n % 2]


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 1 / 3, 0.5])
@pytest.mark.parametrize("shape", ["constant", "rising", "falling", "random", "two", "blocks", "alternating"])
def test_holds_its_share_within_two_points_over_every_thousand(shape: str, share: float) -> None:
    assert worst_points(share, list(drawn(7, shape))) <= POINTS


@settings(max_examples=25, deadline=None)
@given(
    st.floats(0.05, 0.5),
    st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.5001, 1.0]), st.integers(1, 600)), min_size=3, max_size=12),
)
def test_holds_its_share_whatever_the_scores_do(share: float, runs: list[tuple[float, int]]) -> None:
    scores = [score for score, length in runs for _ in range(length)]
    assert worst_points(share, scores + [0.5] * max(0, WINDOW + 1 - len(scores))) <= POINTS


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_bad_answers_make_a_task_more_difficult_and_never_less(score: float, bad: float, worse: float) -> None:
    low, high = sorted((bad, worse))
    assert score - 1e-12 <= corrected(score, low) <= corrected(score, high) + 1e-12 <= 1 + 1e-11
    assert corrected(score, 0.0) == pytest.approx(score)


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_holds_its_share_when_what_became_of_answers_is_told_on_the_way(share: float) -> None:
    """A new file says that one task of four does badly, half way."""
    scores = list(learned(4, 4_000))
    told = [corrected(score, 0.4 if n > 2_000 and n % 4 == 0 else 0.0) for n, score in enumerate(scores)]
    assert worst_points(share, told) <= POINTS


def learned(seed: int, count: int) -> Iterator[float]:
    """A learned score, 1 - P(the cheaper answer is as good): it drifts as traffic does, and at half-time a new model
    comes whose scores lie elsewhere and nearer together."""
    dice = Random(seed)
    for n in range(count):
        middle, spread = (-1.5 + 2.5 * n / count, 0.8) if n < count / 2 else (0.4 + 0.1 * sin(n / 500), 0.05)
        yield 1 / (1 + exp(-dice.gauss(middle, spread)))


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_holds_its_share_while_a_learned_score_drifts_and_its_model_changes(seed: int, share: float) -> None:
    assert worst_points(share, list(learned(seed, 6_000))) <= POINTS


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_picks_the_difficult_ones_of_their_time_though_the_score_drifts(seed: int) -> None:
    scores, account = list(learned(seed, 6_000)), Escalation(0.2)
    picked = [place for place, score in enumerate(scores) if account.decide(score)]

    def among(place: int) -> float:
        """Share of the two hundred around it that are easier."""
        around = scores[max(0, place - 100) : place + 100]
        return sum(score < scores[place] for score in around) / len(around)

    assert sum(among(place) > 0.7 for place in picked) / len(picked) > 0.8


def test_picks_the_difficult_ones() -> None:
    dice, account = Random(3), Escalation(0.2)
    scores = [dice.random() for _ in range(4_000)]
    picked = [score for score in scores if account.decide(score)]
    difficult = sum(score > 0.75 for score in picked) / len(picked)
    assert difficult > 0.9


@pytest.mark.parametrize(("share", "picks"), [(0.0, 0), (1.0, 2_000)])
def test_escalates_none_of_none_and_all_of_all(share: float, picks: int) -> None:
    account = Escalation(share)
    assert sum(account.decide(n % 10 / 10) for n in range(2_000)) == picks


def test_remembers_no_more_than_it_says() -> None:
    account = Escalation(0.2)
    for n in range(MEMORY + 10):
        account.decide(n % 7 / 7)
    assert len(account._recent) == len(account._sorted) == MEMORY
