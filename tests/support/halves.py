"""Halves and pairs that are made up, and a store of evaluations to put them into."""

from typing import Any

from gateway.core.evaluation import Half
from gateway.core.policy import Requirement
from monitor.evaluation.pairs import Answer, By, Judgement, Verdict
from monitor.evaluation.rows import scorers_wanted
from monitor.evaluation.store import Store

DAY_S = 86_400.0


def decisions(wanted: int, count: int) -> list[str]:
    """Ids of pairs that this many people are to judge."""
    ids = (f"{number:016x}" for number in range(100_000))
    return [one for one, _ in zip((one for one in ids if scorers_wanted(one) == wanted), range(count), strict=False)]


def a_half(decision: str, time_s: float = 1000.0, **changed: Any) -> Half:
    fields: dict[str, Any] = {
        "decision": decision,
        "time_s": time_s,
        "route": "support",
        "task": "chat",
        "step": 1,
        "score": 0.25,
        "model": "rules",
        "probability": 0.02,
        "lower": False,
        "certificate": None,
        "surface": "chat_completions",
        "request": {"model": "auto", "messages": [{"role": "user", "content": "Grüße \x00 \U0001f600"}]},
        "answer": '{"choices": []}',
        "endpoint": "openai/large",
        "cost_usd": 0.125,
        "others": ("groq/small", "local/small"),
        "judges": ("openai/judge",),
        "budget_usd_per_day": 5.0,
        "keep_s": 90 * DAY_S,
        "labels": ("internal", "customer"),
        "require": Requirement(trains_on_data=False, retention_days=0),
        "headers": (("anthropic-version", "2023-06-01"), ("anthropic-beta", "files-api-2025-04-14")),
    }
    return Half(**(fields | changed))


def second(text: str = "second") -> Answer:
    return Answer("groq/small", text, 0.001)


def complete(store: Store, *halves: Half) -> None:
    """Both answers are there."""
    store.add(halves, max(2000.0, *(half.time_s for half in halves)))
    for half in halves:
        store.complete(half.decision, f"prompt {half.decision}", f"first {half.decision}", second(), 2001.0)


def by_person(decision: str, verdict: Verdict, scorer: str = "ann", time_s: float = 3000.0) -> Judgement:
    return Judgement(decision, scorer, By.PEOPLE, verdict, time_s)


def by_model(decision: str, verdict: Verdict, time_s: float = 3000.0) -> Judgement:
    return Judgement(decision, "openai/judge", By.MODEL, verdict, time_s)
