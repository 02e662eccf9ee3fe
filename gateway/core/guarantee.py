"""Thresholds with a promise, and the alarm that watches over it.

*Learn then Test* (Angelopoulos, Bates, Candès, Jordan, Lei, arXiv 2110.01052): thresholds are tested from the strictest
to the loosest, and the last one before the first that fails is taken. Since the order is fixed beforehand, no
correction for many tests is needed: P(mean loss > alpha) <= delta. The p-value of each is a betting one
(Waudby-Smith and Ramdas, arXiv 2010.09686): a gambler bets that the mean is below alpha, never knowing the next
outcome, and what he may at most have won bounds the chance that he was wrong.

The alarm is the same gambler who bets on the other side and never stops (an e-process): by Ville's inequality he ever
reaches 1/delta with probability delta at most, if the promise holds, whenever anybody looks. One who has lost for long
needs long to recover, so that fresh ones join him, who share delta among them (`Sentry`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

GRID = 40  # thresholds that are tested, at equal shares of the judged pairs
FIRST_SHARE = 0.02
LEAST_PAIRS = 100  # fewer certify nothing worth having
FRESH_EVERY = 200  # losses, after which another gambler joins
GAMBLERS = 5  # at most at a time; the oldest leaves


@dataclass(frozen=True, slots=True)
class Pair:
    """A judged pair of answers.

    `score`: of the prompt, by the model; `gain`: how much better the stronger tier's answer was, in [-1, 1]; `weight`:
    1 / (probability that it was judged), up to any common factor.
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
    weights = [pair.weight / heaviest for pair in pairs]
    total = sum(pair.weight for pair in pairs)
    ordered = sorted(pair.score for pair in pairs)
    passed: tuple[float, list[float]] | None = None
    for number in range(GRID):
        share = FIRST_SHARE + (1 - FIRST_SHARE) * number / (GRID - 1)
        threshold = _quantile(ordered, share)
        losses = [pair.gain if pair.score < threshold else 0.0 for pair in pairs]
        if not refuted(losses, weights, alpha, delta):
            break
        passed = threshold, losses
    if passed is None:
        return None
    threshold, losses = passed
    below = sum(pair.weight for pair in pairs if pair.score < threshold)
    lost = sum(pair.weight * loss for pair, loss in zip(pairs, losses, strict=True))
    return Verdict(threshold, below / total, lost / total)


def fewest(alpha: float, delta: float) -> int:
    """Pairs below which `certify` finds nothing, even where nothing is ever lost: 370 for 2 % and a delta of 2.5 %.

    Stakes are capped, so each pair without a loss wins little; the sixteenth is for the first stakes: they are smaller.
    """
    won = math.log1p(_most(alpha) * alpha / 2)
    return max(LEAST_PAIRS, math.ceil((math.log(1 / delta) + 1 / 16) / won))


def _most(alpha: float) -> float:
    """Half of the stake at which one loss takes everything, as Waudby-Smith and Ramdas advise."""
    return 0.5 / (1 - (alpha + 1) / 2)


def _quantile(ordered: Sequence[float], share: float) -> float:
    """What that share of the scores lies below; of all of them, for 1."""
    place = math.ceil(share * len(ordered))
    return ordered[place] if place < len(ordered) else math.nextafter(ordered[-1], math.inf)


def refuted(losses: Sequence[float], weights: Sequence[float], alpha: float, delta: float) -> bool:
    """Whether the p-value of "the weighted mean of the losses is above alpha" comes down to delta.

    Losses lie within ±1, weights in (0, 1].
    """
    bound, enough = (alpha + 1) / 2, math.log(1 / delta)
    most, target = _most(alpha), 2 * enough / len(losses)
    capital = 0.0  # its logarithm
    mean, variance = 0.5, 0.25
    for count, (loss, weight) in enumerate(zip(losses, weights, strict=True), 2):
        excess = weight * (loss - alpha) / 2  # its mean is above 0 exactly where the weighted mean is above alpha
        capital += math.log1p(-min(math.sqrt(target / variance), most) * excess)
        if capital >= enough:
            return True
        value = bound + excess
        mean += (value - mean) / count
        variance += ((value - mean) ** 2 - variance) / count
    return False


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


class Sentry:
    """The alarm of a promise: goes off with probability `delta` at most, ever, while the mean loss is within the bound.

    Gambler number j (1, 2, …) joins after (j - 1) * FRESH_EVERY losses and has delta / (j * (j + 1)) of it. After 5,000
    good outcomes a lone one took 2,600 more to see that losses had grown from 1 to 10 % (bound 2 %, delta 5 %), and in
    half of the cases longer than 3,000; these take 340. Mutable. Losses lie in [0, 1].
    """

    __slots__ = ("_bound", "_delta", "_joined", "_seen", "_watches")

    def __init__(self, bound: float, delta: float) -> None:
        self._bound = bound
        self._delta = delta
        self._seen = 0
        self._joined = 0
        self._watches: list[Watch] = []

    def see(self, loss: float) -> bool:
        """Take one more loss; whether the alarm goes off."""
        if self._seen % FRESH_EVERY == 0:
            self._joined += 1
            delta = self._delta / (self._joined * (self._joined + 1))
            self._watches = [*self._watches[1 - GAMBLERS :], Watch(self._bound, delta, side=1)]
        self._seen += 1
        return sum(watch.see(loss) for watch in self._watches) > 0  # not `any`: each of them must see it
