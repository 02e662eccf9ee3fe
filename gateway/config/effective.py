"""The configuration in force as plain data, for `/config`: everything that decides, nothing that is secret.

A provider's key appears as the place it is read from, a client's key as its id and the start of its hash.
"""

from dataclasses import fields
from datetime import date
from typing import Any

from gateway.core.catalog import Endpoint, KeyRef, Privacy, ProbeRules, Provider, Timeouts
from gateway.core.policy import Evaluate, Label, Limits, Match, Policy, Requirement, Route

Json = Any  # what json.dumps takes


def effective(policy: Policy) -> dict[str, Json]:
    """The whole policy, names where it has indexes; JSON types only."""
    return {
        "generation": policy.generation,
        "compat": sorted(policy.compat),
        "tiers": list(policy.tiers),
        "auth": None
        if policy.keys is None
        else {"keys": [{"id": key.id, "sha256": f"{key.sha256.hex()[:8]}…"} for key in policy.keys]},
        "classify": {
            "by": policy.classify_by,
            "task_tiers": {task: policy.tiers[tier] for task, tier in policy.task_tiers.items()},
            "rules": [
                _filled(task=rule.task, regex=rule.regex and rule.regex.pattern, phrases=list(rule.phrases))
                for rule in policy.rules
            ],
        },
        "sensitivity": {label.name: _label(label) for label in policy.labels.values()},
        "routes": [_route(route, policy.tiers) for route in policy.routes],
        "providers": {provider.id: _provider(provider, policy) for provider in policy.catalog.providers.values()},
    }


def _provider(provider: Provider, policy: Policy) -> dict[str, Json]:
    return _filled(
        api=provider.api,
        also_speaks=list(provider.also_speaks) or None,
        base_url=provider.base_url,
        key=key_source(provider.key),
        region=provider.region,
        privacy=_privacy(provider.privacy),
        probe=_fields(provider.probe),
        timeouts=_fields(provider.timeouts),
        max_in_flight=provider.max_in_flight,
        trace_context=provider.trace_context or None,
        cancellable=None if provider.cancellable else False,
        models=[
            _endpoint(endpoint, policy.tiers)
            for endpoint in policy.catalog.endpoints.values()
            if endpoint.provider == provider.id
        ],
    )


def key_source(key: KeyRef) -> str:
    """Where the key is read, in words."""
    if key.none:
        return "none"
    if key.identity is not None:
        return f"identity at {key.identity}"
    places = [f"file {key.file}"] if key.file else []
    places += [f"variable {key.env}"] if key.env else []
    return ", else ".join(places)


def _endpoint(endpoint: Endpoint, tiers: tuple[str, ...]) -> dict[str, Json]:
    return _filled(
        id=endpoint.id,
        upstream_id=endpoint.upstream_id,
        api=endpoint.api,
        base_model=endpoint.base_model,
        operation=endpoint.operation.value,
        tier=None if endpoint.tier is None else tiers[endpoint.tier],
        context=endpoint.context,
        max_output=endpoint.max_output,
        dimensions=endpoint.dimensions,
        caps=sorted(endpoint.caps),
        deprecated=endpoint.deprecated or None,
    )


def _privacy(privacy: Privacy) -> dict[str, Json]:
    return _filled(
        trains_on_data=privacy.trains_on_data,
        retention_days=privacy.retention_days,
        regions=_sorted(privacy.regions),
        certifications=_sorted(privacy.certifications),
        source=privacy.source or None,
        reviewed=_day(privacy.reviewed),
        expires=_day(privacy.expires),
    )


def _label(label: Label) -> dict[str, Json]:
    return {
        "require": _requirement(label.require),
        "detect": label.detect,
        "content": "allowed" if label.content_allowed else "never",
    }


def _requirement(require: Requirement) -> dict[str, Json]:
    return _filled(
        trains_on_data=require.trains_on_data,
        retention_days=require.retention_days,
        regions=_sorted(require.regions),
        certifications=_sorted(require.certifications),
    )


def _route(route: Route, tiers: tuple[str, ...]) -> dict[str, Json]:
    escalate = route.escalate
    return _filled(
        name=route.name,
        match=_match(route.match) or None,
        sensitivity=route.sensitivity,
        tier=_filled(min=_tier(route.tier_min, tiers), max=_tier(route.tier_max, tiers)) or None,
        named_model=route.named_model.value,
        objective=route.objective.value,
        first_token_p95_ms=route.first_token_p95_ms,
        limits=_fields(route.limits),
        baseline=route.baseline,
        split=[_filled(name=arm.name, weight=arm.weight, prefer=list(arm.prefer) or None) for arm in route.split]
        or None,
        escalate=escalate
        and _filled(share=escalate.share, to=tiers[escalate.to], by=escalate.by, bad=dict(escalate.bad) or None),
        model=list(route.models) or None,
        fallbacks=list(route.fallbacks) or None,
        record="full" if route.record_full else None,
        evaluate=None if route.evaluate is None else _evaluate(route.evaluate, tiers),
    )


def _evaluate(evaluate: Evaluate, tiers: tuple[str, ...]) -> dict[str, Json]:
    return _fields(evaluate) | {"against": tiers[evaluate.against]}


def _match(match: Match) -> dict[str, Json]:
    return _filled(
        header={name: pattern.pattern for name, pattern in match.headers} or None,
        key=[pattern.pattern for pattern in match.keys] or None,
        model=[pattern.pattern for pattern in match.models] or None,
    )


def _tier(tier: int | None, tiers: tuple[str, ...]) -> str | None:
    return None if tier is None else tiers[tier]


def _sorted(words: frozenset[str] | None) -> list[str] | None:
    return None if words is None else sorted(words)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _fields(value: ProbeRules | Timeouts | Limits | Evaluate) -> dict[str, Json]:
    """A flat frozen value as its fields."""
    return _filled(**{each.name: getattr(value, each.name) for each in fields(value)})


def _filled(**values: Json) -> dict[str, Json]:
    """Only what has a value: a reader sees what was decided, not what was not."""
    return {name: value for name, value in values.items() if value is not None}
