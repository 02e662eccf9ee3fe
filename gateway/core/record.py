"""A decision as one JSON object: the record of CONTRACT §7, in its order.

The shape is a struct, from which a line of JSON is made in two thirds of the time that dicts take; who wants a dict
gets it from the same struct. Half a request's cost of being seen is spent here. So what requests of one kind share is
counted once (`Recorder`), and numbers are rounded through integers, for a third of `round`; none is negative or large.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from msgspec import UNSET, UnsetType, to_builtins

from gateway.core.chat import Json
from gateway.core.decision import AttemptRow, Considered, Decision, Outcome
from gateway.core.trace import Trace
from gateway.core.usage import Usage
from gateway.core.value import Note, Value

OTHERS_SHOWN = 8  # of the cheapest candidates outside the plan
KINDS_KEPT = 128  # sets of exclusions whose sums are remembered


class Candidate(Note):
    endpoint: str
    eligible: bool
    reasons: list[str]
    estimated_cost: float | None  # USD


class Attempt(Note):
    endpoint: str
    started_ms: float
    ttft_ms: float | None
    duration_ms: float
    outcome: str
    status: int | None
    error: str | None
    cost_usd: float | None


class Tokens(Note):
    units: float | UnsetType  # images, characters, seconds, search units: what a fee was for
    input: int
    cached_input: int
    cache_write: int
    output: int
    reasoning: int
    estimated: bool


class Learned(Note):
    """What a learned model said, where one was asked; and where a certificate decided, the score it went by."""

    score: float
    as_good: float | None  # None: no model was asked
    needed: int
    neighbours: int
    certificate: str | None


class Record(Note):
    id: str
    time: str
    route: str | None
    variant: str | None
    key_id: str | None
    surface: str
    model: str
    stream: bool
    task: str | None
    task_confidence: float | None
    difficulty: float | None
    escalated: bool
    tier_required: str | None
    sensitivity: list[str]
    tags: dict[str, str]
    session_hash: str | None
    prompt_hash: str | None
    prompt_chars: int
    estimated_input_tokens: int | None
    plan: list[str]
    candidates: list[Candidate]
    excluded: Mapping[str, int]
    panic: bool
    attempts: list[Attempt]
    endpoint: str | None
    status: int
    outcome: Outcome
    error: str | None
    usage: Tokens | None
    cost_usd: float | None
    provider_cost_usd: float | None
    baseline: str | None
    baseline_cost_usd: float | None
    saved_usd: float | None
    latency_ms: float
    ttft_ms: float | None
    response_hash: str | None
    dropped: list[str]
    trace_id: str | None
    learned: Learned | UnsetType = UNSET
    format_ok: bool | UnsetType = UNSET  # only where JSON was asked for
    texts: Mapping[str, Json] | UnsetType = UNSET


class Walked(Value):
    """What is known of a request that got as far as a plan, as the record says it."""

    route: str | None = None
    variant: str | None = None
    task: str | None = None
    task_confidence: float | None = None
    difficulty: float | None = None
    escalated: bool = False
    tier_required: str | None = None
    sensitivity: list[str] = []
    session_hash: str | None = None
    estimated_input_tokens: int | None = None
    plan: list[str] = []
    candidates: list[Candidate] = []
    excluded: Mapping[str, int] = {}
    panic: bool = False
    baseline: str | None = None
    learned: Learned | UnsetType = UNSET


class Recorder:
    """Makes records one after the other. Used by one thread."""

    def __init__(self) -> None:
        self._counted: dict[int, tuple[Mapping[str, tuple[str, ...]], dict[str, int]]] = {}

    def record(self, decision: Decision) -> Record:
        usage, considered = decision.usage, decision.considered
        walked = Walked() if considered is None else self._walked(considered, decision.tiers)
        return Record(
            decision.id,
            _utc(decision.time_s),
            walked.route,
            walked.variant,
            decision.key_id,
            decision.surface,
            decision.model,
            decision.stream,
            walked.task,
            walked.task_confidence,
            walked.difficulty,
            walked.escalated,
            walked.tier_required,
            walked.sensitivity,
            dict(decision.tags) if decision.tags else {},
            walked.session_hash,
            decision.prompt_hash,
            decision.prompt_chars,
            walked.estimated_input_tokens,
            walked.plan,
            walked.candidates,
            walked.excluded,
            walked.panic,
            [_attempt(row) for row in decision.attempts],
            decision.endpoint,
            decision.status,
            decision.outcome,
            decision.error,
            _tokens(usage),
            decision.cost_usd,
            None if usage is None else usage.provider_cost_usd,
            walked.baseline,
            decision.baseline_cost_usd,
            decision.saved_usd,
            int(decision.latency_ms * 100.0 + 0.5) / 100.0,
            None if decision.ttft_ms is None else int(decision.ttft_ms * 100.0 + 0.5) / 100.0,
            decision.response_hash,
            list(decision.dropped) if decision.dropped else [],
            None if decision.trace is None else _trace_id(decision.trace),
            walked.learned,
            UNSET if decision.format_ok is None else decision.format_ok,
            UNSET if decision.texts is None else decision.texts,
        )

    def _walked(self, considered: Considered, tiers: tuple[str, ...]) -> Walked:
        tier, variant = considered.tier_required, considered.variant
        asked = considered.opinion is not None or considered.certificate is not None
        return Walked(
            considered.route.name,
            None if variant is None else variant.name,
            considered.task,
            int(considered.task_confidence * 1000.0 + 0.5) / 1000.0,
            int(considered.difficulty * 1000.0 + 0.5) / 1000.0,
            considered.escalated,
            None if tier is None else tiers[tier],
            [label.name for label in considered.labels] if considered.labels else [],
            considered.session,
            considered.estimated_input,
            [step.endpoint.id for step in considered.steps],
            candidates(considered),
            self._sums(considered.excluded) if considered.excluded else {},
            considered.panic,
            considered.baseline,
            learned(considered) if asked else UNSET,
        )

    def _sums(self, excluded: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
        """How many endpoints each reason kept out. Requests of a kind share the mapping, which is held here with its
        sums: so its identity says which it is."""
        known = self._counted.get(id(excluded))
        if known is not None:
            return known[1]
        sums: dict[str, int] = {}
        for reasons in excluded.values():
            for why in reasons:
                sums[why] = sums.get(why, 0) + 1
        if len(self._counted) >= KINDS_KEPT:
            self._counted.clear()
        self._counted[id(excluded)] = (excluded, sums)
        return sums


def record(decision: Decision) -> dict[str, Any]:
    """The decision as a dict of JSON types."""
    return fields(Recorder().record(decision))


def fields(made: Record) -> dict[str, Any]:
    """The same as JSON types; what is not set is not there."""
    found: dict[str, Any] = to_builtins(made)
    return found


def candidates(considered: Considered) -> list[Candidate]:
    """The plan and the cheapest others, excluded ones last."""
    others = considered.others[:OTHERS_SHOWN]
    rows = [Candidate(step.endpoint.id, True, [], step.estimate_usd) for step in (*considered.steps, *others)]
    room = OTHERS_SHOWN - len(others)
    if room <= 0 or not considered.excluded:
        return rows
    planned = {row.endpoint for row in rows}
    for name, reasons in considered.excluded.items():
        if name not in planned:
            rows.append(Candidate(name, False, list(reasons), None))
            room -= 1
            if room <= 0:
                break
    return rows


def learned(considered: Considered) -> Learned:
    """What a learned model said, and on whose grounds the request went a tier lower: without a model, by the rules."""
    opinion = considered.opinion
    if opinion is None:
        return Learned(round(considered.difficulty, 3), None, 0, 0, considered.certificate)
    score, as_good = round(opinion.score, 3), round(opinion.as_good, 3)
    return Learned(score, as_good, opinion.needed, opinion.neighbours, considered.certificate)


def usage_json(usage: Usage | None) -> dict[str, Json] | None:
    return None if usage is None else to_builtins(_tokens(usage))


def feedback(decision_id: str, score: float, comment: str | None, time_s: float) -> dict[str, Json]:
    """A row of the decision stream that carries a client's judgement of an earlier decision."""
    return {"type": "feedback", "decision": decision_id, "score": score, "comment": comment, "time": _utc(time_s)}


def _tokens(usage: Usage | None) -> Tokens | None:
    if usage is None:
        return None
    return Tokens(
        UNSET if usage.requests in (0, 1) else usage.requests,
        usage.input,
        usage.cached_input,
        usage.cache_write,
        usage.output,
        usage.reasoning,
        usage.estimated,
    )


def _attempt(row: AttemptRow) -> Attempt:
    return Attempt(
        row.endpoint,
        int(row.started_ms * 100.0 + 0.5) / 100.0,
        None if row.ttft_ms is None else int(row.ttft_ms * 100.0 + 0.5) / 100.0,
        int(row.duration_ms * 100.0 + 0.5) / 100.0,
        row.outcome,
        row.status,
        row.error,
        row.cost_usd,
    )


def _trace_id(trace: Trace) -> str | None:
    """The id by which somebody may find something: of a trace with spans of ours, or of the client's."""
    return trace.trace_id if trace.recorded or trace.parent_id is not None else None


def _utc(time_s: float) -> str:
    ms = int(time_s * 1e6 + 0.5) // 1000
    return _second(ms // 1000) + _ENDS[ms % 1000]


_ENDS = tuple(f".{ms:03}Z" for ms in range(1000))


@lru_cache(maxsize=2)
def _second(epoch_s: int) -> str:
    """The text of a second: the requests of that second share it."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")
