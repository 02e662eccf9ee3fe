"""Judged pairs as drawn from a world whose truth is known, and how they are certified day by day."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

from gateway.core.policy import Evaluate
from monitor.evaluation.certify import State, certified
from monitor.evaluation.pairs import By, Facts, Judged

ROUTE = "support"
MODEL = "model-a"
BEGIN_S = 1_790_000_000.0
EVERY_S = 60.0  # a pair a minute
DELTA = 0.1

Need = Callable[[float], float]
"""From a score to the probability that the upper tier's answer is the better one."""


def terms(alpha: float = 0.05, delta: float = DELTA, auto: str = "yes") -> Evaluate:
    return Evaluate(share=0.1, against=2, max_loss=alpha, confidence=1 - delta, auto=auto == "yes")


def needed(steepness: float) -> Need:
    """The higher the score, the likelier."""
    return lambda score: steepness * score * score


def always(share: float) -> Need:
    """Whatever the score."""
    return lambda _: share


usual = needed(0.5)


def usual_loss(threshold: float, steepness: float = 0.5) -> float:
    """∫ (need - 0.03) over the scores below the threshold: of 3 % in `a_log` the lower tier's answer is the better."""
    t = min(max(threshold, 0.0), 1.0)
    return steepness * t**3 / 3 - 0.03 * t


def a_log(
    seed: int, count: int, need: Need = usual, task: str = "email", first: int = 0, probability: float = 0.1
) -> list[Judged]:
    """Pairs number `first` and on, one a minute, each judged ten seconds after."""
    dice = Random(f"{seed} {task} {first}")
    return [a_pair(dice, number, need, task, probability) for number in range(first, first + count)]


def a_pair(dice: Random, number: int, need: Need, task: str, probability: float) -> Judged:
    score, drawn = dice.random(), dice.random()
    gain = 1.0 if drawn < need(score) else -1.0 if drawn > 0.97 else 0.0
    return judged(number, score, gain, task=task, probability=probability)


def judged(number: int, score: float, gain: float, task: str = "email", probability: float = 0.1) -> Judged:
    time_s = BEGIN_S + number * EVERY_S
    facts = Facts(f"{number:08}-{task}", time_s, ROUTE, task, 1, score, MODEL, probability, None)
    return Judged(facts, gain, By.PEOPLE, time_s + 10)


def day_by_day(
    pairs: Sequence[Judged], sizes: Sequence[int], state: State | None = None, of: Mapping[str, Evaluate] | None = None
) -> Iterator[State]:
    """The state each time when so many of the pairs are there."""
    state = State() if state is None else state
    for size in sizes:
        now_s = pairs[size - 1].judged_s + 5
        state = certified(pairs[:size], {ROUTE: terms()} if of is None else of, state, now_s)
        yield state
