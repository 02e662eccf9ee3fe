"""LiteLLM's model groups as routes: fallbacks, weights, order, retries, strategy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.config.imports.draft import Account, Deployment, Draft, Json, entry_id, escaped_glob, unused_id
from gateway.config.imports.litellm_settings import Settings
from gateway.config.imports.notes import Notes, named

MOST_ATTEMPTS = 20  # of a request, whatever is asked for


@dataclass(frozen=True, slots=True)
class Member:
    """One deployment of a group."""

    endpoint: str
    account: Account
    deployment: Deployment
    weight: float | None
    order: int | None


@dataclass(slots=True)
class Group:
    """All deployments of one name."""

    name: str  # as it is written here
    source: str  # the name whose rules it has
    members: list[Member] = field(default_factory=list)


def routes_of(groups: Mapping[str, Group], settings: Settings, draft: Draft, notes: Notes) -> list[dict[str, Json]]:
    """A route for each group that has rules of its own, and one for all others."""
    names, known = {"default"}, _Known(groups, settings, draft, notes)
    routes: list[dict[str, Json]] = []
    for group in groups.values():
        own_fallbacks = group.source in settings.fallbacks or group.source in settings.context_fallbacks
        split = _split(group.members)
        if own_fallbacks or split:
            models = known.fallbacks(group)
            deployments = len({member.endpoint for member in group.members})
            own: dict[str, Json] = {"name": unused_id(entry_id(group.name), names)}
            own["match"] = {"model": escaped_glob(group.name)}
            routes.append(own | _rules(settings, models, split, deployments))
    default = known.names(settings.default_fallbacks, None)
    last = _rules(settings, default, [], 1)
    return [*routes, {"name": "default", **last}] if last or routes else []


@dataclass(frozen=True, slots=True)
class _Known:
    """What fallbacks may name."""

    groups: Mapping[str, Group]
    settings: Settings
    draft: Draft
    notes: Notes

    def fallbacks(self, group: Group) -> list[str]:
        """Behind the group's own fallbacks those for long prompts: the gateway tells by itself which fit."""
        own = self.settings.fallbacks.get(group.source, [])
        longer = self.settings.context_fallbacks.get(group.source, [])
        return self.names([*own, *longer] or self.settings.default_fallbacks, group)

    def names(self, wanted: Sequence[str], group: Group | None) -> list[str]:
        """Those of them that there are, but for the group itself."""
        found: dict[str, None] = {}
        for name in wanted:
            if name in self.groups:
                found[self.groups[name].name] = None
            elif self.draft.offers(name):
                found[name] = None
            else:
                words = f"the fallback {named(name)} is no group of model_list: it was left out"
                self.notes.add(self.settings.fallbacks_at, words)
        if group is not None:
            found.pop(group.name, None)
        return list(found)


def _split(members: Sequence[Member]) -> list[dict[str, Json]]:
    """Arms of the group: by `order` one, whose endpoints come in that order, else one for each weight."""
    if len({member.endpoint for member in members}) < 2:
        return []
    if any(member.order is not None for member in members):
        ordered = sorted(members, key=lambda member: 1 if member.order is None else member.order)
        return [{"name": "in-order", "weight": 1, "prefer": _once(member.endpoint for member in ordered)}]
    weights: dict[str, float] = {}
    for member in members:
        if member.weight is not None:
            weights[member.endpoint] = weights.get(member.endpoint, 0.0) + member.weight
    if not weights:
        return []
    most = max(weights.values())
    scale = 1.0 if most <= 1_000_000 else 1_000_000 / most
    names: set[str] = set()
    return [
        {"name": unused_id(entry_id(endpoint.partition("/")[0]), names), "weight": _tidy(weight * scale),
         "prefer": [escaped_glob(endpoint)]}
        for endpoint, weight in weights.items()
    ]  # fmt: skip


def _once(endpoints: Iterable[str]) -> list[str]:
    return [escaped_glob(endpoint) for endpoint in dict.fromkeys(endpoints)]


def _tidy(weight: float) -> float | int:
    return int(weight) if weight == int(weight) else weight


def _rules(
    settings: Settings, fallbacks: list[str], split: list[dict[str, Json]], deployments: int
) -> dict[str, Json]:
    """What a route says beside its name and match; tries enough to come to the fallbacks, whatever retries are set."""
    rules: dict[str, Json] = {}
    if settings.objective is not None:
        rules["objective"] = settings.objective
    if settings.retries is not None:
        rules["limits"] = {"attempts": min(MOST_ATTEMPTS, max(1 + settings.retries, deployments) + len(fallbacks))}
    if fallbacks:
        rules["fallbacks"] = fallbacks
    if split:
        rules["split"] = split
    return rules
