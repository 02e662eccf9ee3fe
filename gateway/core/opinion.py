"""What a learned model says of a prompt beside the rules, and how the two go together.

The model itself is an argument (`gateway.learned` makes it, where the configuration asks for one), so that nothing here
knows what it is made of. Its word changes the difficulty, which escalation goes by, and the task where the rules have
found none; it never lowers a tier by itself.
"""

from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Literal, Protocol

from msgspec.structs import replace

from gateway.core.classify import FALLBACK_TASK, Classification, Opinion
from gateway.core.value import Value

By = Literal["rules", "learned", "rules+learned"]

SURE = 0.5  # a share of all tasks' probability from which the model's word on the task is taken


class TaskOpinion(Value):
    """The likeliest task and its probability."""

    task: str
    probability: float


class Judge(Protocol):
    """A learned model. `fingerprint` tells it from others: what was certified for one holds for no other."""

    @property
    def fingerprint(self) -> str: ...

    def judge(self, prompt: str, step: int) -> Opinion | None:
        """Of the step from tier number `step` to the next; None where nothing was learned about it."""

    def task(self, prompt: str) -> TaskOpinion: ...


def refined(
    found: Classification, prompt: str, judge: Judge, by: By, tasks: Mapping[str, int], top: int
) -> Classification:
    """What the rules found, with the model's word.

    Args:
        tasks: the tier of each task that the configuration knows.
        top: the number of the highest tier.
    """
    named = _named(found, prompt, judge, by, tasks.keys())
    opinion = judge.judge(prompt, min(tasks.get(named.task, 0), top - 1)) if top else None
    if opinion is None:
        return named
    return replace(named, difficulty=1 - opinion.as_good, opinion=opinion)


def fingerprint_of(judge: Judge | None, rules: str, tiers: Sequence[str]) -> str:
    """Of what makes the scores that certificates are about, and of the tiers that their steps lie between: under other
    tiers a step of the same number is another one.

    Args:
        rules: the classifier's fingerprint, whose difficulty is the score where there is no model.
        tiers: names, the smallest first.
    """
    scores = f"rules-{rules}" if judge is None else judge.fingerprint
    return f"{scores}-{blake2b('/'.join(tiers).encode(), digest_size=4).hexdigest()}"


def _named(found: Classification, prompt: str, judge: Judge, by: By, tasks: Collection[str]) -> Classification:
    """The request and the users' rules stand before the model, the built-in rules too where both are asked for."""
    if found.decided or (by == "rules+learned" and found.task != FALLBACK_TASK):
        return found
    said = judge.task(prompt)
    if said.probability < SURE or said.task not in tasks or said.task == found.task:
        return found
    return replace(found, task=said.task, confidence=said.probability, reasons=("learned",))
