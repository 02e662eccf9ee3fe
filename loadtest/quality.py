"""How good the answers of a simulated vendor are: which prompts a model does well, and which it does badly.

Pure. Whether a model does a prompt well is drawn from the two texts alone, so that it is the same at every vendor, and
known to whoever asks for the truth; and a share that falls takes answers away without giving others back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

Json = Any  # a parsed JSON value

_DIGEST_BYTES = 8


@dataclass(frozen=True, slots=True)
class Rule:
    """Of the prompts that hold all the texts of `contains`, `model` does the share `good` well."""

    good: float
    model: str | None = None  # None: every model
    contains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quality:
    """The first rule that fits decides; without one, all is well."""

    rules: tuple[Rule, ...] = ()

    def does_well(self, model: str, prompt: str) -> bool:
        for rule in self.rules:
            if rule.model in (None, model) and all(text in prompt for text in rule.contains):
                return drawn(model, prompt) < rule.good
        return True


FLAWLESS = Quality()


def drawn(model: str, prompt: str) -> float:
    """A number in [0, 1) of this model and prompt."""
    digest = blake2b(f"{model}\0{prompt}".encode(), digest_size=_DIGEST_BYTES).digest()
    return int.from_bytes(digest) / float(1 << 8 * _DIGEST_BYTES)


def quality_from(rows: Iterable[Mapping[str, Json]]) -> Quality:
    """Reads rules from JSON; raises `ValueError` or `TypeError` that says what is wrong."""
    return Quality(tuple(_rule(row) for row in rows))


def _rule(row: Mapping[str, Json]) -> Rule:
    good: Json = row.get("good")
    if type(good) not in (int, float) or not 0 <= good <= 1:
        raise ValueError(f"good: {good!r} is no share between 0 and 1")
    return Rule(**{**row, "contains": tuple(row.get("contains") or ())})


def as_json(rules: Sequence[Rule]) -> list[dict[str, Json]]:
    return [{"good": rule.good, "model": rule.model, "contains": list(rule.contains)} for rule in rules]
