"""What became of a stretch of the day: costs, who served it, and what was lost in truth.

Pure.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from loadtest.day.config import SMALL
from loadtest.day.prompts import TASKS, Asked
from loadtest.day.truth import loss
from loadtest.quality import Rule

Json = Any  # a parsed JSON value


@dataclass(frozen=True, slots=True)
class Served:
    """One request that was answered, by the model of that name; `cost_usd` as the answer says."""

    asked: Asked
    model: str
    cost_usd: float


@dataclass(frozen=True, slots=True)
class Share:
    """Of one task, or of all: how many requests, which share the small model answered, and the mean true loss."""

    requests: int
    lower: float
    loss: float


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of the day. `saved_usd` is the gateway's own figure."""

    name: str
    all: Share
    by_task: dict[str, Share]
    cost_usd: float
    saved_usd: float

    def per_1000(self, usd: float) -> float:
        return usd / self.all.requests * 1000 if self.all.requests else 0.0

    def as_json(self) -> dict[str, Json]:
        return {
            "name": self.name,
            "requests": self.all.requests,
            "lower": self.all.lower,
            "loss": self.all.loss,
            "cost_usd_per_1000": self.per_1000(self.cost_usd),
            "saved_usd_per_1000": self.per_1000(self.saved_usd),
            "by_task": {
                task: {"requests": one.requests, "lower": one.lower, "loss": one.loss}
                for task, one in self.by_task.items()
            },
        }


def block(name: str, served: Sequence[Served], rules: Sequence[Rule], saved_usd: float) -> Block:
    """`rules`: how good the models were meanwhile."""
    by_task = {task: _share([one for one in served if one.asked.task == task], rules) for task in TASKS}
    return Block(name, _share(served, rules), by_task, math.fsum(one.cost_usd for one in served), saved_usd)


def _share(served: Iterable[Served], rules: Sequence[Rule]) -> Share:
    rows = list(served)
    if not rows:
        return Share(0, 0.0, 0.0)
    lower = sum(1 for one in rows if one.model == SMALL) / len(rows)
    return Share(len(rows), lower, math.fsum(loss(one.asked, one.model, rules) for one in rows) / len(rows))
