"""What a request would have cost without us: the endpoint that savings are counted against (CONTRACT §7)."""

from collections.abc import Mapping, Sequence

from gateway.core.named import Named
from gateway.core.plan import Step
from gateway.core.policy import Route
from gateway.core.pricing import Price


def baseline_of(route: Route, named: Named, eligible: Sequence[Step], prices: Mapping[str, Price | None]) -> str | None:
    """Endpoint id of the baseline: the route's own; else the model the client named, at the first provider of the file
    that has a price for it; else the median by estimated cost of the highest eligible tier.
    """
    if route.baseline is not None:
        return route.baseline
    for name in named.endpoints:
        if prices.get(name) is not None:
            return name
    priced = [step for step in eligible if step.estimate_usd is not None]
    if not priced:
        return None
    highest = max(step.endpoint.tier or 0 for step in priced)
    top = sorted(
        (step for step in priced if (step.endpoint.tier or 0) == highest), key=lambda step: step.estimate_usd or 0.0
    )
    return top[(len(top) - 1) // 2].endpoint.id
