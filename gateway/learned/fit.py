"""Fitting a model to judged prompts: ridge regressions in closed form, a logistic curve by Newton's method.

The label of a prompt is its gain: the stronger tier's score less the cheaper one's, in [-1, 1]. A fit of 1,600 prompts
takes about two seconds, of 12,000 about ten.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gateway.learned.features import BUCKETS, Doubles, Floats, Numbers, Seen, see
from gateway.learned.model import NEEDED, Model, Parameters, nearest
from gateway.learned.words import WordTable

MOST_EXEMPLARS = 4096
_RIDGE_WORDS = 3.0
_RIDGE_LOOKS = 30.0
_STEPS = 60  # of the conjugate gradients; the residual no longer moves by then
_EXACT = 1e-12
_NEWTON_STEPS = 25
_LEFT_OUT = 1000  # exemplars that are judged by the others, for the spread of the third part


@dataclass(frozen=True, slots=True)
class Keeping:
    """How many prompts are kept to compare with, and the seed of their choice where there are more."""

    exemplars: int = MOST_EXEMPLARS
    seed: int = 0


def fit(
    prompts: Sequence[str],
    gains: Sequence[float],
    words: WordTable,
    usual: Sequence[float] | None = None,
    keeping: Keeping = Keeping(),
) -> Model:
    """The model of these prompts.

    Args:
        gains: one per prompt, in [-1, 1].
        usual: what each prompt's gain is measured from: the mean of where it comes from, so that no source of prompts
            speaks by its mean alone. Without it: the mean of all.
    """
    seen = [see(prompt) for prompt in prompts]
    label = np.asarray(gains, np.float32)
    target = label - (label.mean() if usual is None else np.asarray(usual, np.float32))
    looks = np.stack([one.looks for one in seen])
    looks_mean, looks_spread = looks.mean(0), looks.std(0) + np.float32(1e-6)
    shapes = (looks - looks_mean) / looks_spread
    gram = shapes.T @ shapes + _RIDGE_LOOKS * np.eye(shapes.shape[1], dtype=np.float32)
    rarity = _rarity(seen)
    matrix = Sparse(seen, rarity)
    points = np.stack([words.point(one.words) for one in seen])
    kept = np.random.default_rng(keeping.seed).permutation(len(prompts))[: keeping.exemplars]
    learned = Parameters(
        rarity=rarity,
        by_words=_ridge(matrix, target, _RIDGE_WORDS),
        looks_mean=looks_mean,
        looks_spread=looks_spread,
        by_looks=np.linalg.solve(gram, shapes.T @ target).astype(np.float32),
        exemplars=points[kept],
        gains=target[kept],
        needed=label[kept] >= NEEDED,
        spreads=(1.0, 1.0, 1.0),
        curve=(1.0, 0.0),
    )
    near = [nearest(learned, learned.exemplars[row], skip=row)[0] for row in range(min(_LEFT_OUT, len(kept)))]
    parts = (matrix.times(learned.by_words), shapes @ learned.by_looks, np.array(near))
    first, second, third = (float(part.std()) + 1e-6 for part in parts)
    return Model(replace(learned, spreads=(first, second, third)), words)


def calibrated(model: Model, prompts: Sequence[str], gains: Sequence[float]) -> Model:
    """With the curve fitted to prompts that the model has not seen.

    Where gains are 0 or 1, `as_good` is P(gain = 0 | score); where they are means of several models, it is one less
    the expected gain.
    """
    scores = np.array([model.judge(prompt).score for prompt in prompts])
    curve = _logistic(scores, np.clip(np.asarray(gains, np.float64), 0, 1))
    return model.with_curve(curve)


class Sparse:
    """Rows of length 1: each prompt's rare words weigh more."""

    def __init__(self, seen: Sequence[Seen], rarity: Floats) -> None:
        lengths = [len(one.buckets) for one in seen]
        self._rows: Numbers = np.repeat(np.arange(len(seen)), lengths)
        self._columns: Numbers = np.concatenate([one.buckets for one in seen])
        values = np.concatenate([one.counts for one in seen]) * rarity[self._columns]
        norms = np.sqrt(np.bincount(self._rows, values * values, len(seen)))
        self._values = values / np.maximum(norms, 1e-9)[self._rows]
        self._count = len(seen)

    def times(self, weights: Floats) -> Floats:
        return np.bincount(self._rows, self._values * weights[self._columns], self._count).astype(np.float32)

    def transposed_times(self, values: Floats) -> Floats:
        return np.bincount(self._columns, self._values * values[self._rows], BUCKETS).astype(np.float32)


def _rarity(seen: Sequence[Seen]) -> Floats:
    found = np.bincount(np.concatenate([one.buckets for one in seen]), minlength=BUCKETS)
    return (np.log((1 + len(seen)) / (1 + found)) + 1).astype(np.float32)


def _ridge(matrix: Sparse, target: Floats, penalty: float) -> Floats:
    """(XᵀX + penalty) w = Xᵀy by conjugate gradients (Hestenes and Stiefel, 1952)."""

    def apply(weights: Floats) -> Floats:
        return matrix.transposed_times(matrix.times(weights)) + np.float32(penalty) * weights

    return _conjugate(apply, matrix.transposed_times(target))


def _conjugate(apply: Callable[[Floats], Floats], wanted: Floats) -> Floats:
    found = np.zeros_like(wanted)
    left = wanted.copy()
    way = left.copy()
    size = float(left @ left)
    steps = 0
    while size > _EXACT and steps < _STEPS:
        steps += 1
        image = apply(way)
        step = np.float32(size / float(way @ image))
        found += step * way
        left -= step * image
        size, before = float(left @ left), size
        way = left + np.float32(size / before) * way
    return found


def _logistic(scores: Doubles, needed: Doubles) -> tuple[float, float]:
    """Slope and offset of P(needed) = 1 / (1 + exp(-(slope · score + offset))), with a weak pull towards 0."""
    design = np.stack([scores, np.ones_like(scores)], 1)
    weights = np.zeros(2)
    for _ in range(_NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -60, 60)))
        slope = design.T @ (needed - chance) - 1e-3 * weights
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + 1e-3 * np.eye(2)
        weights = weights + np.linalg.solve(curvature, slope)
    return float(weights[0]), float(weights[1])
