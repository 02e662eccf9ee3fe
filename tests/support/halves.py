"""Halves of pairs as a gateway hands them over, and routes that evaluate."""

from typing import Any

from msgspec.structs import replace

from gateway.core.evaluation import Half
from tests.support.builders import EPOCH_S, a_body
from tests.support.openai_scripts import an_answer
from tests.support.scripted_upstream import Script


def text_of(script: Script) -> str:
    """The body that a script sends."""
    return b"".join(step for step in script if isinstance(step, bytes)).decode()


def a_half(number: int = 1, **changes: Any) -> Half:
    """A plain chat completion, answered by the upper tier; the lower one is to be asked."""
    plain = Half(
        decision=f"{number:016x}", time_s=EPOCH_S, route="default", task="chat", step=0, score=0.3, model="rules",
        probability=0.02, lower=False, certificate=None, surface="chat", request=a_body(),
        answer=text_of(an_answer("Hello")), endpoint="strong/m", cost_usd=0.01, others=("weak/m",), judges=(),
        budget_usd_per_day=5.0, keep_s=86_400.0,
    )  # fmt: skip
    return replace(plain, **changes)
