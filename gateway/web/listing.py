"""`GET /v1/models`: every name that `model` may have, in OpenAI's shape with what OpenRouter's users look for."""

from collections.abc import Iterator
from typing import Any

from gateway.core.catalog import Endpoint
from gateway.core.pricing import Price
from gateway.core.refusal import Refusal, RefusalKind, Refused
from gateway.flow.world import World

CREATED_S = 1_764_000_000  # names have no birthday; OpenAI's clients want a number, Anthropic's the same as a text
CREATED_AT = "2025-11-24T16:00:00Z"


def models_page(world: World, keyless: frozenset[str]) -> dict[str, Any]:
    """The list; models whose provider has no key are left out."""
    rows = list(_rows(world, keyless))
    ends = {"has_more": False, "first_id": rows[0]["id"], "last_id": rows[-1]["id"]}  # Anthropic's paging: one page
    return {"object": "list", "data": rows, **ends}


def one_model(world: World, keyless: frozenset[str], name: str) -> dict[str, Any]:
    """One row.

    Raises:
        Refused: there is no such name.
    """
    for row in _rows(world, keyless):
        if row["id"] == name:
            return row
    raise Refused(Refusal(RefusalKind.MODEL_NOT_FOUND, f"no model is named {name[:128]!r}; see /v1/models", param="id"))


def _rows(world: World, keyless: frozenset[str]) -> Iterator[dict[str, Any]]:
    policy = world.policy
    yield _virtual("auto", "the cheapest healthy endpoint that is good enough")
    for route in policy.routes:
        yield _virtual(f"auto:{route.name}", f"as auto, on route {route.name}")
    for tier in policy.tiers:
        yield _virtual(f"tier:{tier}", f"as auto, of tier {tier} at least")
    usable = [e for e in policy.catalog.endpoints.values() if e.provider not in keyless]
    by_model: dict[str, list[Endpoint]] = {}
    for endpoint in usable:
        by_model.setdefault(endpoint.model, []).append(endpoint)
    for model, endpoints in by_model.items():
        yield {**_named(model), **_facts(world, endpoints[0]), "endpoints": [endpoint.id for endpoint in endpoints]}
    for endpoint in usable:
        yield {**_named(endpoint.id), **_facts(world, endpoint)}


def _virtual(name: str, what: str) -> dict[str, Any]:
    return {**_named(name), "owned_by": "pointsman", "description": what}


def _named(name: str) -> dict[str, Any]:
    """What OpenAI's clients look for in a row, and what Anthropic's do."""
    return {
        "id": name,
        "object": "model",
        "type": "model",
        "created": CREATED_S,
        "created_at": CREATED_AT,
        "display_name": name,
    }


def _facts(world: World, endpoint: Endpoint) -> dict[str, Any]:
    return {
        "owned_by": endpoint.provider,
        "operation": endpoint.operation.value,
        "tier": None if endpoint.tier is None else world.policy.tiers[endpoint.tier],
        "context_length": endpoint.context,
        "max_output": endpoint.max_output,
        "capabilities": sorted(endpoint.caps),
        "deprecated": endpoint.deprecated,
        "pricing": _pricing(world.prices.get(endpoint.id)),
    }


def _pricing(price: Price | None) -> dict[str, float | None] | None:
    """USD per million tokens; None: unknown."""
    if price is None:
        return None
    return {"input": price.base.input, "cached_input": price.base.cached_input, "output": price.base.output}
