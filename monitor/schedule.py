"""Who is due when.

Every target has its own phase within the period, drawn from its name: probes spread evenly, keep their rhythm for
ever, and never arrive in step with those of another process that probes other targets. After a failure a target comes
again sooner, until the breaker has opened: an outage is then noticed within two periods rather than five.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from gateway.core.catalog import PASSED, Catalog

CONFIRM_SHARE = 1 / 6  # of the period, after a failure: five in a row take 4/6 of a period
CATCH_UP_S = 5.0  # a lost replica is missed after 22 s at most: this keeps its endpoints within two periods
SETTLE_S = 2.0  # endpoints begin so long after their providers' first checks


@dataclass(frozen=True, slots=True)
class Target:
    """What is probed: a provider (by a check that costs nothing), or one of its endpoints (by a completion)."""

    provider: str
    every_s: float
    endpoint: str | None = None


def targets(catalog: Catalog) -> tuple[Target, ...]:
    """All that the configuration wants probed."""
    return (*_providers(catalog), *_endpoints(catalog))


def _providers(catalog: Catalog) -> Iterator[Target]:
    used = {endpoint.provider for endpoint in catalog.endpoints.values()}
    for provider in catalog.providers.values():
        if provider.id in used and provider.probe.by != "none":
            yield Target(provider.id, provider.probe.every_s)


def _endpoints(catalog: Catalog) -> Iterator[Target]:
    for endpoint in catalog.endpoints.values():
        probe = catalog.providers[endpoint.provider].probe
        if probe.by in ("auto", "completion") and endpoint.operation not in PASSED:  # an image is too dear to ask
            yield Target(endpoint.provider, probe.every_s, endpoint.id)


def phase(target: Target) -> float:
    """The target's place in the period, from 0 to below 1."""
    name = target.endpoint or target.provider
    return int.from_bytes(blake2b(name.encode(), digest_size=6).digest()) / 2**48


def first_s(target: Target, start_s: float, spread_s: float) -> float:
    """When the target is due for the first time: providers within a second, endpoints spread over some time."""
    if target.endpoint is None:
        return start_s + phase(target)
    return start_s + SETTLE_S + phase(target) * spread_s


def next_s(target: Target, now_s: float) -> float:
    """The target's next instant after now."""
    offset_s = phase(target) * target.every_s
    at_s = offset_s + ((now_s - offset_s) // target.every_s + 1) * target.every_s
    return at_s if at_s > now_s + target.every_s / 1_000 else at_s + target.every_s  # it is due now, but for rounding


def again_s(target: Target, now_s: float) -> float:
    """When the target is due after a failure that has not opened its breaker yet."""
    return min(next_s(target, now_s), now_s + target.every_s * CONFIRM_SHARE)


def begun(wanted: Iterable[Target], before: Mapping[Target, float], now_s: float) -> dict[Target, float]:
    """When each is due, under a new configuration; what was scheduled before keeps its turn.

    At the start targets are spread over their period; what comes to a process that works already may have been left
    alone by a replica that died, and is looked at soon.
    """
    return {
        target: before[target]
        if target in before
        else first_s(target, now_s, min(CATCH_UP_S, target.every_s) if before else target.every_s)
        for target in wanted
    }


def due(turns: Mapping[Target, float], now_s: float) -> list[Target]:
    """Whose turn it is, the longest overdue first."""
    return sorted((target for target, at_s in turns.items() if at_s <= now_s), key=turns.__getitem__)
