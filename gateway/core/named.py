"""What a client means by `model`.

Owns the reading of names (`auto`, `auto:ROUTE`, `tier:T`, a model, an endpoint); knows nothing of who may serve them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from heapq import nlargest
from itertools import pairwise

from gateway.core.catalog import Catalog
from gateway.core.policy import Policy
from gateway.core.value import Value

SHOWN = 128  # characters of a wrong name that are looked at and repeated
COMPARED = 32  # names that are compared in full with a wrong one
LISTED = "GET /v1/models lists the names there are."


class Naming(StrEnum):
    AUTO = "auto"
    TIER = "tier"
    MODEL = "model"
    ENDPOINT = "endpoint"


class Named(Value):
    """A resolved name. `endpoints` are the ids meant by a model or endpoint name, in catalog order."""

    naming: Naming
    name: str
    route: str | None = None
    tier: int | None = None
    endpoints: tuple[str, ...] = ()


_AUTO = Named(Naming.AUTO, "auto")  # what most requests say


class UnknownModel(Exception):
    """Nothing has this name. `near` are the most similar names there are; `hint` says what else to do."""

    def __init__(self, name: str, near: tuple[str, ...], hint: str = LISTED) -> None:
        words = f"Did you mean {' or '.join(repr(n) for n in near)}?" if near else hint
        super().__init__(f"no model is named {name[:SHOWN]!r}. {words}")
        self.near = near


@dataclass(frozen=True, slots=True)
class Names:
    """Index of a catalog by name; built once per catalog."""

    by_model: dict[str, tuple[str, ...]]  # model id -> endpoint ids with the same weights
    catalog: Catalog

    @classmethod
    def of(cls, catalog: Catalog) -> "Names":
        """Index `catalog`: a model's name means every endpoint of that name, and every one with the same weights."""
        weights: dict[str, list[str]] = {}
        for endpoint in catalog.endpoints.values():
            weights.setdefault(endpoint.base_model, []).append(endpoint.id)
        found: dict[str, dict[str, None]] = {}
        for endpoint in catalog.endpoints.values():
            ids = found.setdefault(endpoint.model, {})
            ids[endpoint.id] = None
        for endpoint in catalog.endpoints.values():
            found[endpoint.model].update(dict.fromkeys(weights[endpoint.base_model]))
        return cls({name: tuple(ids) for name, ids in found.items()}, catalog)

    def endpoint(self, name: str) -> str | None:
        """Endpoint id meant by `provider/model` or `provider/upstream id`, split at the first slash."""
        provider, slash, model = name.partition("/")
        if not slash or provider not in self.catalog.providers:
            return None
        if name in self.catalog.endpoints:
            return name
        for endpoint in self.catalog.endpoints.values():
            if endpoint.provider == provider and endpoint.upstream_id == model:
                return endpoint.id
        return None


def resolve(name: str, policy: Policy, names: Names) -> Named:
    """Say what `name` means.

    Raises:
        UnknownModel: with the nearest names there are.
    """
    if name == "auto":
        return _AUTO
    if name.startswith("auto:"):
        routes = [route.name for route in policy.routes]
        if name[5:] in routes:
            return Named(Naming.AUTO, name, route=name[5:])
        raise UnknownModel(name, (), f"Routes: {', '.join(f'auto:{route}' for route in routes)}.")
    if name.startswith("tier:"):
        if name[5:] in policy.tiers:
            return Named(Naming.TIER, name, tier=policy.tiers.index(name[5:]))
        raise UnknownModel(name, (), f"Tiers: {', '.join(f'tier:{tier}' for tier in policy.tiers)}.")
    endpoint = names.endpoint(name)
    if endpoint is not None:
        return Named(Naming.ENDPOINT, name, endpoints=(endpoint,))
    ids = names.by_model.get(name)
    if ids is not None:
        return Named(Naming.MODEL, name, endpoints=ids)
    raise UnknownModel(name, _near(name[:SHOWN], [*names.by_model, *policy.catalog.endpoints]))


def _near(name: str, valid: Sequence[str]) -> tuple[str, ...]:
    """The most similar of `valid`.

    Compared in full are only those that share most pairs of letters with the name: all of a large catalog would take
    a tenth of a second.
    """
    pairs = set(pairwise(name))
    likely = nlargest(COMPARED, valid, key=lambda one: len(pairs.intersection(pairwise(one))))
    return tuple(get_close_matches(name, likely, n=3, cutoff=0.5))
