"""`pointsman models`: every endpoint there is, what it costs, and whether it can be used here and now."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gateway.cli.output import print_json, print_table
from gateway.config.compile import Compiled
from gateway.config.defaults import TIERS
from gateway.config.known import Known
from gateway.config.providers import catalog_endpoint, default_key
from gateway.core.catalog import Endpoint
from gateway.core.pricing import Price

_HEADS = ("endpoint", "usable", "tier", "context", "in $/M", "out $/M", "caps", "api")


@dataclass(frozen=True, slots=True)
class Listed:
    endpoint: Endpoint
    tier: str | None
    price: Price | None
    usable: bool  # its provider is in use and has its key


def effective_models(compiled: Compiled, known: Known) -> list[Listed]:
    """The endpoints of a configuration."""
    policy = compiled.policy
    return [
        Listed(
            endpoint=endpoint,
            tier=None if endpoint.tier is None else policy.tiers[endpoint.tier],
            price=compiled.price_book.get(endpoint.id),
            usable=(key := policy.catalog.providers[endpoint.provider].key).none or known.key_present(key),
        )
        for endpoint in policy.catalog.endpoints.values()
    ]


def whole_catalog(compiled: Compiled, known: Known) -> list[Listed]:
    """The configuration's endpoints, then the rest of the catalog."""
    own = effective_models(compiled, known)
    taken = {listed.endpoint.id for listed in own}
    rest = [
        Listed(catalog_endpoint(row, TIERS, known.today), row.tier, row.price, usable=False)
        for row in known.models.values()
        if row.endpoint.id not in taken
    ]
    return own + rest


def print_models(listed: Iterable[Listed], known: Known, *, as_json: bool) -> None:
    rows = list(listed)
    if as_json:
        print_json([_json(row) for row in rows])
        return
    print_table(_HEADS, [_cells(row) for row in rows])
    unused = dict.fromkeys(row.endpoint.provider for row in rows if not row.usable)
    keys = [f"{env} ({name})" for name in unused if (env := _variable(name, known))]
    print(f"\n{len(rows)} endpoints, {sum(row.usable for row in rows)} usable here.")
    if keys:
        print(f"Keys that would make more usable: {', '.join(keys)}")


def _variable(provider: str, known: Known) -> str | None:
    base = known.providers.get(provider)
    return default_key(provider, base.key.env).env if base else None


def _cells(row: Listed) -> tuple[str | int | float | bool | None, ...]:
    rates = row.price.base if row.price else None
    return (
        row.endpoint.id,
        row.usable,
        row.tier,
        row.endpoint.context,
        rates.input if rates else None,
        rates.output if rates else None,
        ",".join(sorted(row.endpoint.caps)) or None,
        row.endpoint.api,
    )


def _json(row: Listed) -> dict[str, Any]:
    rates = row.price.base if row.price else None
    return {
        "id": row.endpoint.id,
        "provider": row.endpoint.provider,
        "model": row.endpoint.model,
        "operation": row.endpoint.operation.value,
        "usable": row.usable,
        "tier": row.tier,
        "context": row.endpoint.context,
        "max_output": row.endpoint.max_output,
        "price": rates and {"input": rates.input, "output": rates.output, "cached_input": rates.cached_input},
        "caps": sorted(row.endpoint.caps),
        "api": row.endpoint.api,
        "deprecated": row.endpoint.deprecated,
    }
