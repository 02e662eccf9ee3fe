"""`/v1/explain`: the whole decision of a request that is not sent."""

from collections.abc import Iterator
from typing import Any

from msgspec import to_builtins

from gateway.core import routes
from gateway.core.decision import Considered, tier_name
from gateway.core.named import resolve
from gateway.core.plan import Step
from gateway.core.policy import Label
from gateway.core.record import learned
from gateway.core.refusal import Refused
from gateway.flow import faults
from gateway.flow.answer import Walk
from gateway.flow.refuse import Unroutable
from gateway.flow.run import Request


async def explained(walk: Walk, request: Request) -> dict[str, Any]:
    """Every endpoint with `eligible`, reasons, estimated cost and health; the plan's order; and the refusal, if any."""
    try:
        planner = walk.parts.planner.aside()
        considered = await planner.considered(request.ask, request.extras, request.client, request.moment)
    except Unroutable as unroutable:
        return {**_told(walk, request, unroutable.considered), "error": _error(unroutable)}
    except Refused as refused:
        return {"model": request.ask.model, "plan": [], "error": _error(refused)}
    return _told(walk, request, considered)


def _error(refused: Refused) -> dict[str, Any]:
    error = faults.of_refusal(refused.refusal).error
    return {"status": error.status, "code": error.code, "message": error.message, **error.extra}


def _told(walk: Walk, request: Request, considered: Considered) -> dict[str, Any]:
    world = walk.parts.planner.world
    return {
        "model": request.ask.model,
        "route": considered.route.name,
        "variant": considered.variant and considered.variant.name,
        "task": considered.task,
        "task_confidence": round(considered.task_confidence, 3),
        "task_reasons": list(considered.task_reasons),
        "difficulty": round(considered.difficulty, 3),
        "learned": to_builtins(learned(considered)) if considered.opinion or considered.certificate else None,
        "escalated": considered.escalated,
        "tier_required": tier_name(considered.tier_required, world.policy.tiers),
        "sensitivity": [label.name for label in considered.labels],
        "sensitivity_by": {label.name: list(_sources(walk, request, label)) for label in considered.labels},
        "session": considered.session,
        "estimated_input_tokens": considered.estimated_input,
        "estimated_output_tokens": considered.estimated_output,
        "cost_limit_usd": considered.budget_usd,
        "baseline": considered.baseline,
        "panic": considered.panic,
        "plan": [step.endpoint.id for step in considered.steps],
        "endpoints": _endpoints(walk, request, considered),
    }


def _sources(walk: Walk, request: Request, label: Label) -> Iterator[str]:
    """Who put the label on: floors of routes, the request's header, the scanner."""
    world, asked = walk.parts.planner.world, request.ask.model
    headers, extras = request.client.headers, request.extras
    route = extras.route or resolve(asked, world.policy, world.names).route
    floored = label.name in routes.take(world.policy, headers, request.client.key_id, asked, route).floors
    if floored:
        yield "route"
    if label.name in extras.sensitivity:
        yield "header"
    elif not floored:
        yield "scanner"


def _endpoints(walk: Walk, request: Request, considered: Considered) -> list[dict[str, Any]]:
    tiers = walk.parts.planner.world.policy.tiers
    rows = []
    for step in (*considered.steps, *considered.others):
        reasons = considered.excluded.get(step.endpoint.id, ()) if considered.panic else ()
        rows.append(_row(step, tiers, not reasons, reasons))
    known = {row["endpoint"] for row in rows}
    catalog = walk.parts.planner.world.policy.catalog.endpoints
    for name, reasons in considered.excluded.items():
        if name not in known:
            rows.append(_row(Step(catalog[name], None), tiers, False, reasons))
    for row in rows:
        row["health"] = _health(walk, row["endpoint"], request.moment.now_s)
    return rows


def _row(step: Step, tiers: tuple[str, ...], eligible: bool, reasons: tuple[str, ...]) -> dict[str, Any]:
    return {
        "endpoint": step.endpoint.id,
        "model": step.endpoint.model,
        "tier": tier_name(step.endpoint.tier, tiers),
        "eligible": eligible,
        "reasons": list(reasons),
        "estimated_cost_usd": step.estimate_usd,
    }


def _health(walk: Walk, name: str, now_s: float) -> dict[str, Any]:
    verdict = walk.book.verdict(name, now_s)
    until_s = verdict.rate_limited_until_s
    return {
        "breaker": verdict.state.value,
        "rate_limited_for_s": None if until_s is None else round(until_s - now_s, 1),
        "ttft_p95_ms": verdict.ttft_p95_ms,
    }
