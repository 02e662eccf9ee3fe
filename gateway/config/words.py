"""The small words of `pointsman.yaml`: durations, names, patterns, hashes, as types of the file's model.

Owns how one scalar is read and how a JSON Schema describes it; knows nothing of where it stands.
"""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
MAX_DURATION_S = 7 * 86400.0  # no timer here has a use for more than a week
MAX_AGE_S = 3650 * 86400.0


def duration_s(value: Any) -> float:
    """`30s`, `1500ms`, `2m`, `1h` in seconds; ValueError for all else, bare numbers included: they have no unit."""
    return _within(value, MAX_DURATION_S, "30s, 1500ms, 2m or 1h", "s")


def age_s(value: Any) -> float:
    """As `duration_s`, of what is kept rather than waited for: up to 3650 days."""
    return _within(value, MAX_AGE_S, "12h or 90d", "d")


def _within(value: Any, most_s: float, such_as: str, unit: str) -> float:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"must be a duration with its unit, like {such_as}{_without_unit(value, unit)}")
    seconds = float(match[1]) * _UNIT_S[match[2]]
    if not 0 < seconds <= most_s:
        raise ValueError(f"must be longer than nothing and at most {most_s / 86400:.0f} days")
    return seconds


def _without_unit(value: Any, unit: str) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f" (did you mean {value}{unit}?)"
    return ""


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str | int | float) and not isinstance(value, bool) else value


def _text(value: Any) -> Any:
    """A header's value may look like a number in YAML."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Duration = Annotated[
    float,
    BeforeValidator(duration_s),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$", "examples": ["30s", "1500ms", "1h"]}),
]
Age = Annotated[
    float,
    BeforeValidator(age_s),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$", "examples": ["90d", "24h"]}),
]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
"""Of a provider, route, label, tier, task, key or arm: safe as a metric label, in a path and before a model's slash."""

ModelId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9@][A-Za-z0-9@._:/+-]{0,190}$")]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
Glob = Annotated[str, BeforeValidator(_text), StringConstraints(min_length=1, max_length=200)]
Globs = Annotated[
    list[Glob],
    BeforeValidator(_one_or_many),
    Field(min_length=1, max_length=1000),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
"""One pattern or several, of which one must fit; `*`, `?` and `[...]` as in a shell."""

OnlyGlobs = Annotated[
    list[Glob],
    BeforeValidator(_one_or_many),
    Field(max_length=1000),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""As `Globs`, and none at all."""

Models = Annotated[
    list[Glob],
    BeforeValidator(_one_or_many),
    Field(min_length=1, max_length=100),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
"""One name of a model or endpoint, or several."""

Usd = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Tokens = Annotated[int, Field(ge=1, le=100_000_000)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]
