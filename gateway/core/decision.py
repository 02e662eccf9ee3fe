"""The record of one request: what was asked, considered, excluded and why, tried, what came back, cost and saved.

Owns the shape of CONTRACT §7. It holds no text of prompt or answer; `Texts` is added by the walk only where the route
opted in and every label of the request allows it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b

from msgspec import Struct

from gateway.core.ask import Ask
from gateway.core.chat import Json
from gateway.core.extras import Extras
from gateway.core.plan import Step
from gateway.core.policy import Label, Route, Variant
from gateway.core.trace import Trace
from gateway.core.usage import Usage

OTHERS_SHOWN = 8  # of the cheapest candidates outside the plan


class Outcome(StrEnum):
    OK = "ok"
    PARTIAL = "partial"  # content was delivered, and then it broke
    FAILED = "failed"  # every attempt failed
    REJECTED = "rejected"  # the gateway or the provider refused the request itself
    CANCELLED = "cancelled"  # the client left


class Considered(Struct, frozen=True, gc=False):
    """The walk up to the plan."""

    route: Route
    variant: Variant | None
    labels: tuple[Label, ...]
    task: str
    task_confidence: float
    task_reasons: tuple[str, ...]
    difficulty: float
    tier_required: int | None
    escalated: bool
    session: str
    steps: tuple[Step, ...]  # the plan
    others: tuple[Step, ...]  # eligible, behind the plan
    excluded: Mapping[str, tuple[str, ...]]  # endpoint id -> reasons
    estimated_input: int
    input_bound: int | None
    estimated_output: int
    budget_usd: float | None
    baseline: str | None  # endpoint id savings are counted against
    panic: bool  # every eligible endpoint was open; the least bad are tried
    attempts: int  # at most so many


class AttemptRow(Struct, frozen=True, gc=False):
    endpoint: str
    started_ms: float  # since the request came in
    ttft_ms: float | None
    duration_ms: float
    outcome: str  # "ok" | "partial" | "cancelled" | a failure kind
    status: int | None
    error: str | None
    cost_usd: float | None  # None: unknown
    usage: Usage | None = None


class Decision(Struct, frozen=True, gc=False):
    id: str
    time_s: float  # epoch, when the request came in
    surface: str
    model: str
    stream: bool
    key_id: str | None
    tags: tuple[tuple[str, str], ...]
    considered: Considered | None  # None: refused before the plan
    tiers: tuple[str, ...]
    prompt_hash: str | None
    prompt_chars: int
    attempts: tuple[AttemptRow, ...]
    endpoint: str | None  # who answered
    provider: str | None
    status: int
    outcome: Outcome
    error: str | None
    usage: Usage | None
    cost_usd: float | None
    baseline_cost_usd: float | None
    saved_usd: float | None
    latency_ms: float
    ttft_ms: float | None
    response_hash: str | None
    dropped: tuple[str, ...] = ()
    texts: Mapping[str, Json] | None = None
    trace: Trace | None = None  # None: nothing is traced


def record(decision: Decision) -> dict[str, Json]:
    """The decision as one JSON object, in the field order of CONTRACT §7."""
    usage = decision.usage
    row: dict[str, Json] = {
        "id": decision.id,
        "time": _utc(decision.time_s),
        "route": None,
        "variant": None,
        "key_id": decision.key_id,
        "surface": decision.surface,
        "model": decision.model,
        "stream": decision.stream,
        "task": None,
        "task_confidence": None,
        "difficulty": None,
        "escalated": False,
        "tier_required": None,
        "sensitivity": [],
        "tags": dict(decision.tags),
        "session_hash": None,
        "prompt_hash": decision.prompt_hash,
        "prompt_chars": decision.prompt_chars,
        "estimated_input_tokens": None,
        "plan": [],
        "candidates": [],
        "excluded": {},
        "panic": False,
        "attempts": [_attempt(row) for row in decision.attempts],
        "endpoint": decision.endpoint,
        "status": decision.status,
        "outcome": decision.outcome.value,
        "error": decision.error,
        "usage": usage_json(usage),
        "cost_usd": decision.cost_usd,
        "provider_cost_usd": None if usage is None else usage.provider_cost_usd,
        "baseline": None,
        "baseline_cost_usd": decision.baseline_cost_usd,
        "saved_usd": decision.saved_usd,
        "latency_ms": round(decision.latency_ms, 2),
        "ttft_ms": None if decision.ttft_ms is None else round(decision.ttft_ms, 2),
        "response_hash": decision.response_hash,
        "dropped": list(decision.dropped),
        "trace_id": _trace_id(decision.trace),
    }
    if decision.considered is not None:
        row |= _walked(decision.considered, decision.tiers)
    if decision.texts is not None:
        row["texts"] = dict(decision.texts)
    return row


def _trace_id(trace: Trace | None) -> str | None:
    """The id by which somebody may find something: of a trace with spans of ours, or of the client's."""
    return trace.trace_id if trace is not None and (trace.recorded or trace.parent_id is not None) else None


def _walked(considered: Considered, tiers: tuple[str, ...]) -> dict[str, Json]:
    """What is known of a request that got as far as a plan; the fields keep their place in the record."""
    tier, variant = considered.tier_required, considered.variant
    excluded: dict[str, int] = {}
    for reasons in considered.excluded.values():
        for why in reasons:
            excluded[why] = excluded.get(why, 0) + 1
    return {
        "route": considered.route.name,
        "variant": None if variant is None else variant.name,
        "task": considered.task,
        "task_confidence": round(considered.task_confidence, 3),
        "difficulty": round(considered.difficulty, 3),
        "escalated": considered.escalated,
        "tier_required": None if tier is None else tiers[tier],
        "sensitivity": [label.name for label in considered.labels],
        "session_hash": considered.session,
        "estimated_input_tokens": considered.estimated_input,
        "plan": [step.endpoint.id for step in considered.steps],
        "candidates": candidates(considered),
        "excluded": excluded,
        "panic": considered.panic,
        "baseline": considered.baseline,
    }


def _utc(time_s: float) -> str:
    second, micro = divmod(round(time_s * 1e6), 1_000_000)
    return f"{_second(second)}.{micro // 1000:03}Z"


@lru_cache(maxsize=2)
def _second(epoch_s: int) -> str:
    """The text of a second: the requests of that second share it."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def tier_name(tier: int | None, tiers: tuple[str, ...]) -> str | None:
    return None if tier is None else tiers[tier]


def usage_json(usage: Usage | None) -> dict[str, Json] | None:
    if usage is None:
        return None
    units: dict[str, Json] = {} if usage.requests in (0, 1) else {"units": usage.requests}
    return {
        **units,  # images, characters, seconds, search units: what a fee was for
        "input": usage.input,
        "cached_input": usage.cached_input,
        "cache_write": usage.cache_write,
        "output": usage.output,
        "reasoning": usage.reasoning,
        "estimated": usage.estimated,
    }


def candidates(considered: Considered) -> list[dict[str, Json]]:
    """The plan and the cheapest others, excluded ones last."""
    others = considered.others[:OTHERS_SHOWN]
    rows: list[dict[str, Json]] = [
        {"endpoint": step.endpoint.id, "eligible": True, "reasons": [], "estimated_cost": step.estimate_usd}
        for step in (*considered.steps, *others)
    ]
    room = OTHERS_SHOWN - len(others)
    planned = {row["endpoint"] for row in rows}
    for name, reasons in considered.excluded.items():
        if room <= 0:
            break
        if name not in planned:
            rows.append({"endpoint": name, "eligible": False, "reasons": list(reasons), "estimated_cost": None})
            room -= 1
    return rows


def _attempt(row: AttemptRow) -> dict[str, Json]:
    return {
        "endpoint": row.endpoint,
        "started_ms": round(row.started_ms, 2),
        "ttft_ms": None if row.ttft_ms is None else round(row.ttft_ms, 2),
        "duration_ms": round(row.duration_ms, 2),
        "outcome": row.outcome,
        "status": row.status,
        "error": row.error,
        "cost_usd": row.cost_usd,
    }


def feedback(decision_id: str, score: float, comment: str | None, time_s: float) -> dict[str, Json]:
    """A row of the decision stream that carries a client's judgement of an earlier decision."""
    return {"type": "feedback", "decision": decision_id, "score": score, "comment": comment, "time": _utc(time_s)}


def session_hash(ask: Ask, extras: Extras) -> str:
    """Name of the session for records: a hash, so that a client's own id never shows."""
    session = extras.session
    if session is None:
        return ask.survey.prefix_hash
    return blake2b(session.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
