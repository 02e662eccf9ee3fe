"""OpenAI-shaped usage into the normalised one.

Shapes seen in recorded exchanges: cached tokens under `prompt_tokens_details.cached_tokens` (OpenAI),
`prompt_cache_hit_tokens` (DeepSeek), `num_cached_tokens` (Mistral), `cached_tokens` (Together, Moonshot);
`cost` (OpenRouter). xAI and Gemini's OpenAI-compatible endpoint count reasoning beside the completion, and bill it;
the total tells.
"""

from collections.abc import Mapping

from gateway.core.chat import Json
from gateway.core.usage import Usage

_PLAIN = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})


def read_usage(usage: Json) -> Usage | None:
    """None for what is no complete usage: null, partial objects, zeros at the start (cases.md D1, D2)."""
    if not isinstance(usage, dict) or not is_complete(usage):
        return None
    prompt, output = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if prompt == 0 and output == 0:
        return None
    if usage.keys() <= _PLAIN and usage.get("total_tokens") == prompt + output:
        return Usage(input=prompt, output=output)
    details = _inner(usage, "prompt_tokens_details")
    cached = _count(details, "cached_tokens") or _first(
        usage, ("prompt_cache_hit_tokens", "num_cached_tokens", "cached_tokens")
    )
    written = min(_count(details, "cache_write_tokens"), prompt)
    reasoning = _count(_inner(usage, "completion_tokens_details"), "reasoning_tokens")
    hidden = _count(usage, "total_tokens") - prompt - output
    if hidden > 0 and "completion_tokens" in usage:
        output += hidden
        reasoning = max(reasoning, hidden)
    cost = usage.get("cost")
    return Usage(
        input=prompt,
        cached_input=min(cached, prompt - written),
        cache_write=written,
        output=output,
        reasoning=min(reasoning, output),
        provider_cost_usd=float(cost) if isinstance(cost, int | float) and not isinstance(cost, bool) else None,
    )


def is_complete(usage: Mapping[str, Json]) -> bool:
    """Whether both sides are counted; embeddings have no completion, only a total."""
    if not isinstance(usage.get("prompt_tokens"), int):
        return False
    return isinstance(usage.get("completion_tokens"), int) or isinstance(usage.get("total_tokens"), int)


def _count(usage: Mapping[str, Json], key: str) -> int:
    value = usage.get(key)
    return value if isinstance(value, int) and value > 0 else 0


def _first(usage: Mapping[str, Json], keys: tuple[str, ...]) -> int:
    for key in keys:
        if key in usage and (count := _count(usage, key)):
            return count
    return 0


def _inner(usage: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    value = usage.get(key)
    return value if isinstance(value, dict) else {}
