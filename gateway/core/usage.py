"""What one answer consumed, normalised before anyone prices it.

Providers count differently (Anthropic's `input_tokens` leaves cache tokens out, OpenAI's `prompt_tokens` counts them
in, Gemini's thoughts stand beside the candidates). Each wire format translates its own counting into this one; nobody
else does.
"""

from gateway.core.value import Value


class Usage(Value):
    """Tokens of one answer. `input` includes `cached_input` and `cache_write`; `output` includes `reasoning`."""

    input: int = 0
    cached_input: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    cache_write_1h: int = 0  # the part of `cache_write` kept for an hour (Anthropic prices it apart)
    requests: float = 1  # fees per request are charged once for each; else what such a fee is for, see `core.pricing`
    provider_cost_usd: float | None = None  # the provider's own figure, where it gives one
    estimated: bool = False  # counted by us, since the provider's figure never came
    uncounted: frozenset[str] = frozenset()  # of "tokens" and "requests": what nobody told, and nobody can estimate
