"""How instants, percentiles and prices look in the JSON that people's pages and commands read."""

from datetime import UTC, datetime

from gateway.core.pricing import Price
from gateway.core.window import Quantiles


def iso(unix_s: float) -> str:
    """UTC, to the second."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def quantiles(found: Quantiles | None) -> dict[str, float] | None:
    """Milliseconds."""
    if found is None:
        return None
    return {name: round(getattr(found, name), 1) for name in ("p50", "p90", "p95", "p99")}


def price_shown(price: Price | None) -> dict[str, float | str | None] | None:
    """USD per million tokens, and per unit where that is what is paid for; None is unknown."""
    if price is None:
        return None
    base = price.base
    return {
        "input": base.input,
        "cached_input": base.cached_input,
        "output": base.output,
        "per_request": base.per_request,
        "source": price.source,
    }
