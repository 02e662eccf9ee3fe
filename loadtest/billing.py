"""A simulated vendor's own bill: the independent witness beside the gateway's `cost_usd`.

Owns the arithmetic (exact, in Decimal, from the vendor's own price list) and shares none of it with the
gateway. A request is billed for what was sent: a stream cut short costs its whole input and the output so far;
an answer of which nothing was sent costs nothing.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from loadtest.vendors import Model, PriceList

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one answer consumed. `input` includes `cached` and `cache_write`; `output` includes `reasoning`."""

    input: int
    output: int = 0
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0


def cost_usd(price: PriceList, tokens: Tokens) -> Decimal:
    """The exact price of one answer."""
    cached_usd = price.input if price.cached_input is None else price.cached_input
    write_usd = price.input if price.cache_write is None else price.cache_write
    plain = tokens.input - tokens.cached - tokens.cache_write
    parts = (
        plain * price.input + tokens.cached * cached_usd + tokens.cache_write * write_usd + tokens.output * price.output
    )
    return parts / _MILLION


@dataclass(slots=True)
class Line:
    """The bill of one model."""

    requests: int = 0
    usd: Decimal = Decimal(0)
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0


@dataclass(slots=True)
class Bill:
    """All that one vendor has charged since its start (or since `reset`)."""

    lines: dict[str, Line] = field(default_factory=dict)

    def charge(self, model: Model, tokens: Tokens) -> None:
        line = self.lines.setdefault(model.id, Line())
        line.requests += 1
        line.usd += cost_usd(model.price, tokens)
        line.input_tokens += tokens.input
        line.cached_tokens += tokens.cached
        line.cache_write_tokens += tokens.cache_write
        line.output_tokens += tokens.output

    @property
    def requests(self) -> int:
        return sum(line.requests for line in self.lines.values())

    @property
    def usd(self) -> Decimal:
        return sum((line.usd for line in self.lines.values()), Decimal(0))

    def as_json(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "usd": format(self.usd, "f"),
            "by_model": {model_id: _line_json(line) for model_id, line in sorted(self.lines.items())},
        }


def _line_json(line: Line) -> dict[str, Any]:
    return {
        "requests": line.requests,
        "usd": format(line.usd, "f"),
        "input_tokens": line.input_tokens,
        "cached_tokens": line.cached_tokens,
        "cache_write_tokens": line.cache_write_tokens,
        "output_tokens": line.output_tokens,
    }
