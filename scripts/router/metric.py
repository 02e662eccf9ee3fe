"""RouteLLM's metric (arXiv 2406.18665): how much of the gap between two models a router wins back by what calls.

The scores are cut at their deciles; at each cut, prompts at or above it go to the stronger model. CPT(p) is the share
of calls to it, in per cent, at which p of the gap is recovered; APGR is the mean recovered gap over all shares.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

CUTS = 11  # the deciles and both ends, as in its evaluation
RESAMPLES = 1000
INTERVAL = (2.5, 97.5)  # per cent


@dataclass(frozen=True, slots=True)
class Result:
    """Shares in per cent; `apgr` 0.5 is a coin's, 1 would be perfect. `interval`: 95 %, by resampling the prompts."""

    prompts: int
    weak: float  # mean scores
    strong: float
    cpt50: float
    cpt80: float
    apgr: float
    interval: tuple[float, float]


def evaluate(scores: Values, weak: Values, strong: Values, seed: int = 0) -> Result:
    """What a router's scores are worth: the higher, the more a prompt needs the stronger model."""
    cpt50, cpt80, apgr = _figures(scores, weak, strong)
    dice = np.random.default_rng(seed)
    again = []
    for _ in range(RESAMPLES):
        drawn = dice.integers(0, len(scores), len(scores))
        if strong[drawn].mean() > weak[drawn].mean():
            again.append(_figures(scores[drawn], weak[drawn], strong[drawn])[2])
    low, high = np.percentile(again, INTERVAL)
    return Result(
        len(scores), float(weak.mean()), float(strong.mean()), cpt50, cpt80, apgr, (float(low), float(high))
    )


def _figures(scores: Values, weak: Values, strong: Values) -> tuple[float, float, float]:
    cuts = np.quantile(scores, np.linspace(0, 1, CUTS))
    shares, means = [], []
    for number, cut in enumerate(cuts):
        chosen = scores > cut if number == CUTS - 1 else scores >= cut
        shares.append(chosen.mean() * 100)
        means.append(np.where(chosen, strong, weak).mean())
    order = np.argsort(shares, kind="stable")
    x, y = np.array(shares)[order], np.array(means)[order]
    low, gap = weak.mean(), strong.mean() - weak.mean()
    cpt50, cpt80 = (float(np.interp(low + part * gap, y, x)) for part in (0.5, 0.8))
    span = (x[-1] - x[0]) / 100
    return cpt50, cpt80, float((np.trapezoid(y, x / 100) - low * span) / (gap * span))
