"""Thresholds with a promise, and the alarm that watches over it.

*Learn then Test* (Angelopoulos, Bates, Candès, Jordan, Lei, arXiv 2110.01052): thresholds are tested from the strictest
to the loosest, and the last one before the first that fails is taken. Since the order is fixed beforehand, no
correction for many tests is needed: P(mean loss > alpha) <= delta. The p-value of each is a betting one
(Waudby-Smith and Ramdas, arXiv 2010.09686): a gambler bets that the mean is below alpha, never knowing the next
outcome, and what he may at most have won bounds the chance that he was wrong.

The alarm is the same gambler who bets on the other side and never stops (an e-process): by Ville's inequality he ever
reaches 1/delta with probability delta at most, if the promise holds, whenever anybody looks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

GRID = 40  # thresholds that are tested, at equal shares of the judged pairs
FIRST_SHARE = 0.02
LEAST_PAIRS = 100  # fewer certify nothing worth having


@dataclass(frozen=True, slots=True)
class Pair:
    """A judged pair of answers.

    `score`: of the prompt, by the model; `gain`: how much better the stronger tier's answer was, in [-1, 1]; `weight`:
    1 / (probability that it was judged), up to a common factor.
    """

    score: float
    gain: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The loosest threshold that passed: the share of requests below it, and their measured loss over all."""

    threshold: float
    share: float
    loss: float


def certify(pairs: Sequence[Pair], alpha: float, delta: float) -> Verdict | None:
    """The loosest threshold for which P(mean loss > alpha) <= delta; None where there is none.

    The loss of a request is its gain where it goes to the cheaper tier, else 0; where the cheaper answer is the better
    one it counts against others' losses. The pairs are taken in the order given, which must not depend on gains.
    """
    if len(pairs) < LEAST_PAIRS:
        return None
    heaviest = max(pair.weight for pair in pairs)
    ordered = sorted(pair.score for pair in pairs)
    passed: Verdict | None = None
    for number in range(GRID):
        share = FIRST_SHARE + (1 - FIRST_SHARE) * number / (GRID - 1)
        threshold = _quantile(ordered, share)
        losses = [pair.weight * pair.gain if pair.score < threshold else 0.0 for pair in pairs]
        if _p_value(losses, alpha, delta, heaviest) > delta:
            break
        total = sum(pair.weight for pair in pairs)
        below = sum(pair.weight for pair in pairs if pair.score < threshold)
        passed = Verdict(threshold, below / total, sum(losses) / total)
    return passed


def _quantile(ordered: Sequence[float], share: float) -> float:
    """What that share of the scores lies below; of all of them, for 1."""
    place = math.ceil(share * len(ordered))
    return ordered[place] if place < len(ordered) else math.nextafter(ordered[-1], math.inf)


def _p_value(losses: Sequence[float], alpha: float, delta: float, heaviest: float) -> float:
    """Of the hypothesis that the mean loss is above alpha. Losses lie within ±heaviest and are brought to [0, 1]."""
    bound = (alpha / heaviest + 1) / 2
    capital = best = 0.0  # logarithms
    mean, variance = 0.5, 0.25
    target = 2 * math.log(1 / delta) / len(losses)
    for count, loss in enumerate(losses, 2):
        value = (loss / heaviest + 1) / 2
        stake = min(math.sqrt(target / variance), 0.5 / (1 - bound))
        capital += math.log1p(-stake * (value - bound))
        best = max(best, capital)
        mean += (value - mean) / count
        variance += ((value - mean) ** 2 - variance) / count
    return math.exp(-best)


class Watch:
    """An e-process over a stream of losses in [0, 1], on one side of a bound. Mutable; small enough to be kept.

    `side` +1 is the alarm: it goes off where the mean loss is above `bound`. `side` -1 is the proof that it is below.
    """

    __slots__ = ("_count", "_mean", "_variance", "bound", "capital", "delta", "side")

    def __init__(self, bound: float, delta: float, side: int) -> None:
        self.bound = bound
        self.delta = delta
        self.side = side
        self.capital = 0.0  # its logarithm
        self._count = 1
        self._mean = 0.5
        self._variance = 0.25

    def see(self, loss: float) -> bool:
        """Take one more loss; whether the evidence now suffices. What it has seen it never forgets by itself."""
        count = self._count
        pace = self._variance * count * math.log(count + 1) + 1e-9
        most = 0.5 / self.bound if self.side > 0 else 0.5 / (1 - self.bound)
        stake = min(math.sqrt(2 * math.log(1 / self.delta) / pace), most)
        self.capital += math.log1p(self.side * stake * (loss - self.bound))
        self._count += 1
        self._mean += (loss - self._mean) / self._count
        self._variance += ((loss - self._mean) ** 2 - self._variance) / self._count
        return self.sure

    @property
    def sure(self) -> bool:
        return self.capital >= math.log(1 / self.delta)
