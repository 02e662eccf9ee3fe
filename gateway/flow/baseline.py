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
    highest = -1
    top: list[tuple[float, str]] = []
    for step in eligible:
        usd, tier = step.estimate_usd, step.endpoint.tier or 0
        if usd is None or tier < highest:
            continue
        if tier > highest:
            highest = tier
            top = []
        top.append((usd, step.endpoint.id))
    if not top:
        return None
    top.sort()
    return top[(len(top) - 1) // 2][1]
