"""What an A/B split shows, at any time it is looked at.

An ordinary confidence interval is right once, at a size fixed beforehand; who looks each day and stops when it pleases
is wrong far more often than he believes. These intervals are confidence *sequences*: all of them together, over all
time, miss with the stated probability at most, so that anybody may look and stop whenever he likes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.core.chat import Json

CALIBRATION = 100  # first requests, of all variants together: they say how large values are, and nothing else
ROOM = 2.0  # larger values than this times the largest of those are cut to it
MOST_STAKE = 0.5
PRIOR_ROWS = 50.0  # how many requests' worth the prior of the sample ratio weighs: wide enough to see a few per cent
REFUTED = 20.0  # e-value from which the sample ratio is refuted with 95 % confidence
METRICS = ("cost_usd", "latency_ms", "ttft_ms", "failure", "feedback")


class MeanSequence:
    """A confidence sequence for the mean of values in [0, `most`]; larger ones are cut to it and counted. Mutable.

    The predictable plug-in empirical Bernstein sequence of Waudby-Smith and Ramdas ("Estimating means of bounded
    random variables by betting", J. R. Stat. Soc. B 2024, arXiv 2010.09686, theorem 2), its running intersection. It
    holds where each value has the same mean given all before it.
    """

    __slots__ = ("_alpha", "_high", "_low", "_penalty", "_spread", "_stakes", "_total", "_weighted", "count", "cut",
                 "most")  # fmt: skip

    def __init__(self, most: float, alpha: float) -> None:
        """`alpha`: probability that the interval is ever wrong, at most."""
        self.most = most
        self.count = 0
        self.cut = 0
        self._alpha = alpha
        self._total = 0.0  # the rest in units of `most`
        self._spread = 0.25
        self._stakes = self._weighted = self._penalty = 0.0
        self._low, self._high = 0.0, 1.0

    def see(self, value: float) -> None:
        """Take one more value."""
        if value > self.most:
            self.cut += 1
            value = self.most
        part = value / self.most
        before = (0.5 + self._total) / (self.count + 1)
        variance = self._spread / (self.count + 1)
        self.count += 1
        pace = variance * self.count * math.log(1 + self.count)
        stake = min(math.sqrt(2 * math.log(2 / self._alpha) / pace), MOST_STAKE)
        self._stakes += stake
        self._weighted += stake * part
        self._penalty += (part - before) ** 2 * (-math.log1p(-stake) - stake)
        self._total += part
        after = (0.5 + self._total) / (self.count + 1)
        self._spread += (part - after) ** 2
        middle = self._weighted / self._stakes
        half = (math.log(2 / self._alpha) + self._penalty) / self._stakes
        self._low, self._high = max(self._low, middle - half), min(self._high, middle + half)

    @property
    def mean(self) -> float | None:
        """Of the values, as they were cut; None before the first."""
        return self.most * self._total / self.count if self.count else None

    @property
    def interval(self) -> tuple[float, float]:
        """Lowest and highest mean that are not refuted."""
        return self.most * self._low, self.most * self._high


@dataclass(frozen=True, slots=True)
class Seen:
    """One request of an experiment; what is unknown is None. `score`: of feedback, -1 to 1."""

    variant: str
    cost_usd: float | None = None
    latency_ms: float | None = None
    ttft_ms: float | None = None
    failed: bool = False
    score: float | None = None


@dataclass(slots=True)
class Arm:
    """A variant: its requests, and an interval for each metric."""

    requests: int = 0
    means: dict[str, MeanSequence] = field(default_factory=dict)


class Experiment:
    """Collects what happened to the variants. Mutable.

    The intervals of all variants and metrics hold together, with probability `confidence`.
    """

    def __init__(self, variants: Sequence[str], confidence: float) -> None:
        self.arms = {name: Arm() for name in variants}
        self._alpha = (1 - confidence) / (len(variants) * len(METRICS))
        self._first: list[Seen] = []

    def see(self, one: Seen) -> None:
        """Take one more request, in the order of time; others' variants are ignored."""
        arm = self.arms.get(one.variant)
        if arm is None:
            return
        arm.requests += 1
        if len(self._first) < CALIBRATION:
            self._first.append(one)
            if len(self._first) == CALIBRATION:
                self._calibrate()
            return
        _take(arm, one)

    def judged(self, variant: str, score: float) -> None:
        """Feedback, -1 to 1, on a request that was seen without; before the intervals begin it is not counted."""
        arm = self.arms.get(variant)
        if arm is not None and arm.means:
            arm.means["feedback"].see(_liked(score))

    def _calibrate(self) -> None:
        sizes = {
            "cost_usd": [one.cost_usd for one in self._first],
            "latency_ms": [one.latency_ms for one in self._first],
            "ttft_ms": [one.ttft_ms for one in self._first],
        }
        most = {name: ROOM * max((v for v in values if v is not None), default=0.0) for name, values in sizes.items()}
        most |= {"failure": 1.0, "feedback": 1.0}
        for arm in self.arms.values():
            arm.means = {name: MeanSequence(most[name] or 1.0, self._alpha) for name in METRICS}


def _take(arm: Arm, one: Seen) -> None:
    liked = None if one.score is None else _liked(one.score)
    values = (one.cost_usd, one.latency_ms, one.ttft_ms, float(one.failed), liked)
    for name, value in zip(METRICS, values, strict=True):
        if value is not None:
            arm.means[name].see(max(value, 0.0))


def _liked(score: float) -> float:
    return (min(max(score, -1.0), 1.0) + 1) / 2


def imbalance(counts: Mapping[str, int], weights: Mapping[str, float]) -> float:
    """The evidence that units do not come in the ratio of `weights`: an e-value, valid whenever anybody looks.

    From `REFUTED` on the experiment tells of a fault in the assignment rather than of the variants. It is the Bayes
    factor of a Dirichlet prior around the weights against the weights themselves (Lindon and Malek, "Anytime-valid
    inference for multinomial count data", arXiv 2011.03567).
    """
    whole = sum(weights.values())
    total = sum(counts.get(name, 0) for name in weights)
    logs = math.lgamma(PRIOR_ROWS) - math.lgamma(PRIOR_ROWS + total)
    for name, weight in weights.items():
        seen = counts.get(name, 0)
        if weight <= 0:
            if seen:
                return math.inf
            continue
        share = weight / whole
        logs += math.lgamma(PRIOR_ROWS * share + seen) - math.lgamma(PRIOR_ROWS * share) - seen * math.log(share)
    return math.exp(min(logs, 700.0))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the experiment may stop. `excess`: by how much the better one can fail more often at most."""

    better: str | None
    why: str
    excess: float | None = None


def verdict(experiment: Experiment, tolerance: float) -> Verdict:
    """Stop as soon as one variant's cost per request is surely below every other's, and its share of failures surely
    no more than `tolerance` above theirs."""
    arms = {name: arm.means for name, arm in experiment.arms.items()}
    if len(arms) < 2 or not all(means and means["cost_usd"].count for means in arms.values()):
        return Verdict(None, "too few requests")
    cheapest = min(arms, key=lambda name: arms[name]["cost_usd"].interval[1])
    others = [means for name, means in arms.items() if name != cheapest]
    if any(means["cost_usd"].interval[0] <= arms[cheapest]["cost_usd"].interval[1] for means in others):
        return Verdict(None, "costs cannot be told apart yet")
    own = arms[cheapest]["failure"].interval
    excess = own[1] - min(means["failure"].interval[0] for means in others)
    if own[0] > min(means["failure"].interval[1] for means in others):
        return Verdict(None, f"{cheapest} is cheaper and fails more often", excess)
    if excess > tolerance:
        return Verdict(None, f"{cheapest} is cheaper; whether it fails as rarely is not certain yet", excess)
    return Verdict(cheapest, f"{cheapest} is cheaper per request and fails as rarely", excess)


def told(
    experiment: Experiment, units: Mapping[str, int], ratio: float | None, tolerance: float
) -> dict[str, Json]:
    """What came of it, as JSON types.

    Args:
        experiment: the requests.
        units: of assignment (sessions), by variant.
        ratio: the evidence against the configured ratio; None: it is unknown.
        tolerance: as `verdict` takes it.
    """
    found = verdict(experiment, tolerance)
    refuted = ratio is not None and ratio >= REFUTED
    return {
        "variants": {
            name: {
                "requests": arm.requests,
                "sessions": units.get(name, 0),
                **{metric: _mean(metric, mean) for metric, mean in arm.means.items()},
            }
            for name, arm in experiment.arms.items()
        },
        "sample_ratio": None if ratio is None else {"e_value": min(ratio, 1e300), "refuted": refuted},
        "stop": found.better is not None and not refuted,
        "better": found.better,
        "why": found.why,
        "failure_excess_at_most": found.excess,
    }


def _mean(metric: str, mean: MeanSequence) -> dict[str, Json]:
    """Feedback in its own scale, -1 to 1."""
    low, high = mean.interval
    shown = [None if v is None else 2 * v - 1 if metric == "feedback" else v for v in (mean.mean, low, high)]
    return {"count": mean.count, "mean": shown[0], "interval": shown[1:], "cut": mean.cut}
