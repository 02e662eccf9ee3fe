"""What judged pairs prove of a whole task: that all of it may go one tier lower, at a loss that is surely small.

Owns the question and its honesty; the proof is `core.guarantee`'s. A tuner is run again and again while pairs come in,
so it looks at 100, 200, 400, … of them only, with a half, a quarter, an eighth, … of what it may be wrong: all its
looks together are wrong with the stated probability at most.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.core.guarantee import LEAST_PAIRS, Pair, certify, refuted
from gateway.core.judged import JudgedPair
from gateway.core.value import TrackedValue

FINEST = 0.001  # to which a bound is told
WORST = 0.5  # bounds above are told as nothing: whoever loses half of all comparisons wants no more digits


class Look(NamedTuple):
    """How many pairs are looked at, and with which part of the probability of being wrong."""

    pairs: int
    part: float


class Bound(TrackedValue):
    """What is sure of a slice that would go one tier lower as a whole."""

    route: str
    task: str
    step: int  # the tier it would go to
    pairs: int  # that were looked at
    loss: float  # measured
    at_most: float | None  # the loss, surely; None: above `WORST`, which is as good as unknown
    people: int  # of the pairs, judged by people; the rest by models, or by nobody since both endpoints were the same


def look(count: int) -> Look | None:
    """The last look that so many pairs allow; None where there are too few for any."""
    if count < LEAST_PAIRS:
        return None
    turn = (count // LEAST_PAIRS).bit_length() - 1
    return Look(LEAST_PAIRS << turn, 0.5 ** (turn + 1))


def bound(pairs: Sequence[JudgedPair], delta: float) -> Bound | None:
    """What is sure of these pairs' slice, with probability 1 - `delta` whenever it is looked at; None: too few pairs.

    The pairs are of one route, task and step, in the order of their requests.
    """
    looked = look(len(pairs))
    if looked is None:
        return None
    seen = pairs[: looked.pairs]
    gains, weights = [pair.gain for pair in seen], _weights(seen)
    return Bound(
        route=seen[0].route,
        task=seen[0].task,
        step=seen[0].step,
        pairs=looked.pairs,
        loss=sum(gain * weight for gain, weight in zip(gains, weights, strict=True)) / sum(weights),
        at_most=_least_bound(gains, weights, delta * looked.part),
        people=sum(pair.by == "people" for pair in seen),
    )


def _weights(pairs: Sequence[JudgedPair]) -> list[float]:
    """By which the pairs stand for all requests, the heaviest 1."""
    rarest = min(pair.probability for pair in pairs)
    return [rarest / pair.probability for pair in pairs]


def _least_bound(gains: Sequence[float], weights: Sequence[float], delta: float) -> float | None:
    """The lowest loss that the pairs refute, to `FINEST`: by bisection, since a higher one is refuted the sooner."""
    low, high = 0, round(WORST / FINEST)
    if not refuted(gains, weights, high * FINEST, delta):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if refuted(gains, weights, middle * FINEST, delta):
            high = middle
        else:
            low = middle
    return round(high * FINEST, 3)


class Threshold(TrackedValue):
    """A threshold that the pairs certify, as a certificate would have it."""

    route: str
    task: str | None  # None: of the whole route
    step: int
    pairs: int
    share: float  # of the pairs that lie below it
    loss: float


def thresholds(pairs: Sequence[JudgedPair], route: str, alpha: float, delta: float) -> list[Threshold]:
    """What certificates the pairs of a route would give, for each task and for the whole route, by the scores of the
    newest model."""
    own = [pair for pair in pairs if pair.route == route]
    found = []
    for step in sorted({pair.step for pair in own}):
        here = [pair for pair in own if pair.step == step]
        same = [pair for pair in here if pair.model == here[-1].model]
        for task in [*sorted({pair.task for pair in same}), None]:
            some = [pair for pair in same if task in (None, pair.task)]
            looked = look(len(some))
            if looked is None:
                continue
            seen = [Pair(pair.score, pair.gain, 1 / pair.probability) for pair in some[: looked.pairs]]
            verdict = certify(seen, alpha, delta * looked.part)
            if verdict is not None:
                found.append(Threshold(route, task, step, looked.pairs, verdict.share, verdict.loss))
    return found
