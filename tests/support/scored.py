"""Complete pairs for people to score."""

from typing import Any

from msgspec.structs import replace

from gateway.core.evaluation import Half
from monitor.evaluation.pairs import Answer
from monitor.evaluation.store import Store
from tests.support.builders import EPOCH_S

PLAIN = Half(
    decision="", time_s=EPOCH_S, route="default", task="chat", step=0, score=0.3, model="rules", probability=0.02,
    lower=False, certificate=None, surface="chat", request={}, answer="", endpoint="strong/m", cost_usd=0.01,
    others=("weak/m",), judges=(), budget_usd_per_day=5.0, keep_s=86_400.0, labels=(),
)  # fmt: skip


def half_of(number: int, **changes: Any) -> Half:
    """The later the higher its number is."""
    return replace(PLAIN, decision=f"{number:016x}", time_s=EPOCH_S + number, **changes)


def add_pair(store: Store, half: Half, prompt: str, lower: str, upper: str) -> None:
    """Complete, with these texts for the tiers' answers."""
    first, second = (lower, upper) if half.lower else (upper, lower)
    store.add([half], EPOCH_S)
    store.complete(half.decision, prompt, first, Answer("weak/m", second, 0.001), EPOCH_S)
