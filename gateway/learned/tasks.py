"""The task of a prompt by its meaning and looks: a multinomial logistic regression behind the rules' phrases."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np

from gateway.core.opinion import TaskOpinion
from gateway.learned.features import Floats, Seen
from gateway.learned.words import WordTable

_PENALTY = 1e-3
_STEPS = 400
_RATE = 1.0


@dataclass(frozen=True, slots=True)
class TaskModel:
    """`weights` has a row per task and a column per dimension of words and looks, and one for the offset."""

    tasks: tuple[str, ...]
    weights: Floats
    looks_mean: Floats
    looks_spread: Floats

    def task(self, seen: Seen, point: Floats) -> TaskOpinion:
        """The likeliest task."""
        scores = self.weights @ _column(point, (seen.looks - self.looks_mean) / self.looks_spread)
        chances = np.exp(scores - scores.max())
        best = int(chances.argmax())
        return TaskOpinion(self.tasks[best], float(chances[best] / chances.sum()))


def fit_tasks(seen: Sequence[Seen], tasks: Sequence[str], words: WordTable, shares: Sequence[float]) -> TaskModel:
    """The model of prompts whose task is known.

    Args:
        shares: what each prompt weighs; their scale does not matter.
    """
    names = tuple(sorted(set(tasks)))
    looks = np.stack([one.looks for one in seen])
    mean, spread = looks.mean(0), looks.std(0) + np.float32(1e-6)
    columns = np.stack([_column(words.point(one.words), (one.looks - mean) / spread) for one in seen])
    wanted = np.stack([np.array([task == name for name in names], np.float32) for task in tasks])
    weight = (np.asarray(shares, np.float32) / np.float32(np.sum(shares)))[:, None]
    found = np.zeros((len(names), columns.shape[1]), np.float32)
    speed = np.zeros_like(found)
    for _ in range(_STEPS):  # gradient descent with momentum: convex, small, and the same on every machine
        scores = columns @ found.T
        chances = np.exp(scores - scores.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        slope = ((chances - wanted) * weight).T @ columns + np.float32(_PENALTY) * found
        speed = np.float32(0.9) * speed - np.float32(_RATE) * slope
        found += speed
    return TaskModel(names, found, mean, spread)


def _column(point: Floats, looks: Floats) -> Floats:
    """Looks count a tenth: there are few of them, and they are larger."""
    return np.concatenate([3 * point, np.clip(looks, -3, 3) / 10, np.ones(1, np.float32)]).astype(np.float32)


def pack_tasks(model: TaskModel) -> bytes:
    out = BytesIO()
    looks = np.stack([model.looks_mean, model.looks_spread])
    np.savez_compressed(out, tasks=np.array("\n".join(model.tasks)), weights=model.weights, looks=looks)
    return out.getvalue()


def unpack_tasks(data: bytes) -> TaskModel:
    with np.load(BytesIO(data)) as held:
        return TaskModel(tuple(str(held["tasks"]).split("\n")), held["weights"], held["looks"][0], held["looks"][1])
