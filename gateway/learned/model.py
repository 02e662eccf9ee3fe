"""The model: three views of a prompt, one score, and the probability that the cheaper tier's answer is as good.

    score = linear(hashed words) + 0.5 linear(looks) + what became of the most similar judged prompts

each divided by its spread over the training prompts, so that none drowns the others. The last part also explains: of
the 60 most similar judged prompts, so many needed the stronger model. The score is higher the more a prompt needs it;
a logistic curve, fitted where the labels are, turns it into a probability.
"""

import math
from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from gateway.core.classify import Opinion
from gateway.learned.features import Floats, Seen, see
from gateway.learned.words import WordTable

NEIGHBOURS = 60
SHARPNESS = 4.0  # of a neighbour's weight exp(-SHARPNESS · distance²)
_LOOKS_SHARE = 0.5
NEEDED = 0.5  # a gain from which the stronger model counts as needed
VERSION = 1


@dataclass(frozen=True, slots=True)
class Parameters:
    """All that was learned. Arrays are float32, the exemplars' points int8 (divided by 127)."""

    rarity: Floats  # per bucket: ln((1 + n) / (1 + prompts with it)) + 1
    by_words: Floats  # per bucket
    looks_mean: Floats
    looks_spread: Floats
    by_looks: Floats
    exemplars: Floats  # one row per judged prompt
    gains: Floats  # of each, less what is usual: stronger tier's score minus cheaper one's
    needed: NDArray[np.bool_]  # of each: whether it needed the stronger model
    spreads: tuple[float, float, float]  # of the three parts
    curve: tuple[float, float]  # as_good = 1 / (1 + exp(slope · score + offset))


class Model:
    """Immutable; one serves every request."""

    def __init__(self, parameters: Parameters, words: WordTable) -> None:
        self.parameters = parameters
        self.words = words

    def with_curve(self, curve: tuple[float, float]) -> "Model":
        """The same, with this slope and offset."""
        return Model(replace(self.parameters, curve=curve), self.words)

    def judge(self, prompt: str) -> Opinion:
        """What it says of a prompt; takes about half a millisecond."""
        seen = see(prompt)
        return self.judge_seen(seen, self.words.point(seen.words))

    def judge_seen(self, seen: Seen, point: Floats) -> Opinion:
        """As `judge`, of a prompt that was looked at already; `point` is where its words lie."""
        learned = self.parameters
        near, needed, count = nearest(learned, point)
        spreads = learned.spreads
        score = (
            by_words(learned, seen) / spreads[0]
            + _LOOKS_SHARE * by_looks(learned, seen.looks) / spreads[1]
            + near / spreads[2]
        )
        slope, offset = learned.curve
        as_good = 1 / (1 + math.exp(min(60.0, max(-60.0, slope * score + offset))))
        return Opinion(score, as_good, count, needed)


def by_words(learned: Parameters, seen: Seen) -> float:
    """The linear part over words and pairs of words, for a vector of length 1."""
    values = seen.counts * learned.rarity[seen.buckets]
    length = float(np.linalg.norm(values)) or 1.0
    return float(values @ learned.by_words[seen.buckets]) / length


def by_looks(learned: Parameters, looks: Floats) -> float:
    return float(((looks - learned.looks_mean) / learned.looks_spread) @ learned.by_looks)


def nearest(learned: Parameters, point: Floats, skip: int | None = None) -> tuple[float, int, int]:
    """The weighted mean of the nearest exemplars' gains, how many of them needed the stronger model, and of how many.

    Args:
        skip: the exemplar that is the prompt itself, while the model is fitted.
    """
    alike = learned.exemplars @ point
    if skip is not None:
        alike[skip] = -2.0
    count = min(NEIGHBOURS, len(alike))
    if not count:
        return 0.0, 0, 0
    rows = np.argpartition(alike, -count)[-count:]
    weights = np.exp(-SHARPNESS * (2 - 2 * alike[rows]))
    mean = float((weights * learned.gains[rows]).sum() / weights.sum())
    return mean, int(learned.needed[rows].sum()), count


def pack(learned: Parameters) -> bytes:
    """As a file: half precision where that is enough."""
    out = BytesIO()
    np.savez_compressed(
        out,
        version=np.int32(VERSION),
        rarity=learned.rarity.astype(np.float16),
        by_words=learned.by_words.astype(np.float16),
        looks=np.stack([learned.looks_mean, learned.looks_spread, learned.by_looks]),
        exemplars=np.round(learned.exemplars * 127).astype(np.int8),
        gains=learned.gains.astype(np.float16),
        needed=np.packbits(learned.needed),
        numbers=np.array([*learned.spreads, *learned.curve], np.float64),
    )
    return out.getvalue()


def unpack(data: bytes) -> Parameters:
    """Read a file of `pack`. Raises ValueError where it is of another version."""
    with np.load(BytesIO(data)) as held:
        if int(held["version"]) != VERSION:
            raise ValueError(f"the model is of version {int(held['version'])}; this program reads {VERSION}")
        looks = held["looks"].astype(np.float32)
        words, looks_spread, near, slope, offset = (float(number) for number in held["numbers"])
        return Parameters(
            rarity=held["rarity"].astype(np.float32),
            by_words=held["by_words"].astype(np.float32),
            looks_mean=looks[0],
            looks_spread=looks[1],
            by_looks=looks[2],
            exemplars=held["exemplars"].astype(np.float32) / 127,
            gains=held["gains"].astype(np.float32),
            needed=np.unpackbits(held["needed"], count=len(held["gains"])).astype(np.bool_),
            spreads=(words, looks_spread, near),
            curve=(slope, offset),
        )
