"""Usage of the responses format into the normalised one: input includes cached tokens, output includes reasoning."""

from collections.abc import Mapping

from gateway.core.chat import Json
from gateway.core.usage import Usage


def read_usage(usage: Json) -> Usage | None:
    """None for what is no complete usage: null, partial objects, zeros at the start (cases.md D1, D2)."""
    if not isinstance(usage, dict) or not is_complete(usage):
        return None
    fed, output = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    if fed == 0 and output == 0:
        return None
    details = _inner(usage, "input_tokens_details")
    written = min(_count(details, "cache_write_tokens"), fed)
    return Usage(
        input=fed,
        cached_input=min(_count(details, "cached_tokens"), fed - written),
        cache_write=written,
        output=output,
        reasoning=min(_count(_inner(usage, "output_tokens_details"), "reasoning_tokens"), output),
        provider_cost_usd=_cost(usage.get("cost")),
    )


def is_complete(usage: Mapping[str, Json]) -> bool:
    return isinstance(usage.get("input_tokens"), int) and isinstance(usage.get("output_tokens"), int)


def _cost(value: Json) -> float | None:
    """USD: a number (OpenRouter), or an object whose total counts (Perplexity)."""
    if isinstance(value, dict):
        value = value.get("total_cost")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _count(usage: Mapping[str, Json], key: str) -> int:
    value = usage.get(key)
    return value if isinstance(value, int) and value > 0 else 0


def _inner(usage: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    value = usage.get(key)
    return value if isinstance(value, dict) else {}
