"""Exports of evaluations, made up: pairs whose upper answer was better, worse or the same."""

from collections.abc import Iterator
from random import Random
from typing import Any

HEAD = {"kind": "evaluations", "version": 1}


def a_pair(number: int, verdict: str | None = "tie", **changes: Any) -> dict[str, Any]:
    """A line of an export; `verdict` None: nobody judged it yet."""
    said = [] if verdict is None else [{"scorer": "kim", "by": "people", "verdict": verdict, "time_s": 5.0}]
    return {
        "kind": "pair", "decision": f"{number:016x}", "time_s": float(number), "route": "default", "task": "email",
        "step": 0, "score": 0.5, "model": "m1", "probability": 0.02, "certificate": None, "lower": False,
        "surface": "chat", "endpoint": "here/l", "cost_usd": 0.01, "others": ["here/s"], "judges": [],
        "budget_usd_per_day": 5.0, "keep_s": 90.0, "added_s": 1.0, "state": "complete", "state_s": 2.0, "why": None,
        "second_endpoint": "here/s", "second_cost_usd": 0.001, "wanted": 1, "judgements": said, "prompt": "hi",
        "first": "a", "second": "b", **changes,
    }  # fmt: skip


def an_export(count: int, better: float, worse: float, seed: int = 1, **changes: Any) -> Iterator[dict[str, Any]]:
    """Shares of pairs in which the upper tier's answer was better, and worse."""
    dice = Random(seed)
    yield HEAD
    for number in range(count):
        drawn = dice.random()
        verdict = "upper" if drawn < better else "lower" if drawn < better + worse else "tie"
        yield a_pair(number, verdict, **changes)
