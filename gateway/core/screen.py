"""Which endpoints may and can serve a request, whatever they cost and however they feel today.

These are the constraints that depend on the request's *kind* alone: sensitivity, capability, tier, the request's own
provider rules, a key to call with. Equal demands have equal answers, so the caller may remember them (`Demand` is
hashable); what depends on the single request (length, cost, health) is judged in `plan`.
"""

from collections.abc import Mapping
from datetime import date

from gateway.core.catalog import Catalog, Endpoint, Operation, family_of
from gateway.core.extras import ProviderRules
from gateway.core.policy import Requirement
from gateway.core.sensitivity import missing, of_rules
from gateway.core.value import Value

# Reason codes (CONTRACT §5). `capability:<what>` names a capability word or a field of the request.
SENSITIVITY = "sensitivity"
CONTEXT = "context"
TIER = "tier"
NOT_ALLOWED = "not_allowed"
PRICE = "price"
COST_LIMIT = "cost_limit"
BREAKER_OPEN = "breaker_open"
RATE_LIMITED = "rate_limited"
NO_KEY = "no_key"
SIGNED_REASONING = "capability:signed_reasoning"


def capability(what: str) -> str:
    return f"capability:{what}"


Kind = tuple[str, frozenset[str]]  # wire format, and what tells its endpoints apart: one kind can express the same


TELLING_CAPS = frozenset({"completions", "reasoning", "json_schema"})  # wire formats look at these beside the quirks


def kind_of(endpoint: Endpoint) -> Kind:
    """Endpoints of one kind get the same answer from their wire format's `inexpressible`."""
    told = endpoint.quirks | (endpoint.caps & TELLING_CAPS) | {f"operation:{endpoint.operation.value}"}
    return endpoint.api, told.union(endpoint.also_speaks) if endpoint.also_speaks else told


class Demand(Value):
    """What one group of endpoints is asked for."""

    operation: Operation
    among: tuple[str, ...] | None  # endpoint ids; None: all of them
    named: bool  # the client named this model: unknown tiers and deprecated models are in
    require: Requirement
    needs: frozenset[str]
    signed_by: frozenset[str]
    tier: int | None  # lowest eligible
    rules: ProviderRules
    inexpressible: tuple[tuple[Kind, frozenset[str]], ...]  # fields a kind cannot express, where there are any
    keyless: frozenset[str]  # providers without a key
    today: date
    dimensions: int | None = None  # of vectors, as the request asks
    native_dimensions: int | None = None  # of vectors, where it does not ask


class Screened(Value):
    eligible: tuple[Endpoint, ...]
    excluded: Mapping[str, tuple[str, ...]]  # endpoint id -> every reason, in the order of CONTRACT §5


def screen(demand: Demand, catalog: Catalog) -> Screened:
    """Sort the endpoints of `demand` into eligible and excluded."""
    fields = dict(demand.inexpressible)
    own = of_rules(demand.rules)
    eligible: list[Endpoint] = []
    excluded: dict[str, tuple[str, ...]] = {}
    ids = catalog.endpoints if demand.among is None else demand.among
    for name in ids:
        endpoint = catalog.endpoints[name]
        if endpoint.operation is not demand.operation:
            if demand.named:
                excluded[name] = (capability(demand.operation.value),)
            continue
        privacy = catalog.providers[endpoint.provider].privacy
        reasons = []
        if missing(demand.require, privacy, demand.today):
            reasons.append(SENSITIVITY)
        reasons.extend(_incapable(demand, endpoint, fields))
        if not _good_enough(demand, endpoint):
            reasons.append(TIER)
        if not _allowed(demand.rules, endpoint) or missing(own, privacy, demand.today):
            reasons.append(NOT_ALLOWED)
        if endpoint.provider in demand.keyless:
            reasons.append(NO_KEY)
        if reasons:
            excluded[name] = tuple(reasons)
        else:
            eligible.append(endpoint)
    return Screened(tuple(eligible), excluded)


def _incapable(demand: Demand, endpoint: Endpoint, fields: Mapping[Kind, frozenset[str]]) -> list[str]:
    reasons = [capability(need) for need in sorted(demand.needs - endpoint.caps)]
    if demand.signed_by and demand.signed_by.isdisjoint(map(family_of, (endpoint.api, *endpoint.also_speaks))):
        reasons.append(SIGNED_REASONING)
    reasons.extend(capability(field) for field in sorted(fields.get(kind_of(endpoint), frozenset())))
    if demand.dimensions is not None and endpoint.dimensions is not None and demand.dimensions > endpoint.dimensions:
        reasons.append(capability("dimensions"))
    if demand.native_dimensions is not None and endpoint.dimensions not in (None, demand.native_dimensions):
        reasons.append(capability("dimensions"))
    return reasons


def _good_enough(demand: Demand, endpoint: Endpoint) -> bool:
    """Tier rule; a named model may be of unknown tier (counted as the smallest) or deprecated."""
    if demand.operation is not Operation.CHAT:  # its model is named, and tiers are of conversation
        return True
    if not demand.named and (endpoint.tier is None or endpoint.deprecated):
        return False
    return (endpoint.tier or 0) >= (demand.tier or 0)


def _allowed(rules: ProviderRules, endpoint: Endpoint) -> bool:
    names = (endpoint.provider, endpoint.id)
    if rules.only and not any(name in rules.only for name in names):
        return False
    if any(name in rules.ignore for name in names):
        return False
    return not (rules.allow_fallbacks is False and rules.order) or any(name in rules.order for name in names)
