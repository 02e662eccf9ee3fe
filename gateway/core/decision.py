"""What is known of one request in the end: what was asked, considered, excluded and why, tried, what came back, cost
and saved.

It holds no text of prompt or answer; `texts` are added by the walk only where the route opted in and every label of the
request allows it. As JSON it is `core.record`.
"""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import blake2b

from gateway.core.ask import Ask
from gateway.core.chat import Json
from gateway.core.classify import Opinion
from gateway.core.extras import Extras
from gateway.core.plan import Step
from gateway.core.policy import Label, Route, Variant
from gateway.core.trace import Trace
from gateway.core.usage import Usage
from gateway.core.value import Value


class Outcome(StrEnum):
    OK = "ok"
    PARTIAL = "partial"  # content was delivered, and then it broke
    FAILED = "failed"  # every attempt failed
    REJECTED = "rejected"  # the gateway or the provider refused the request itself
    CANCELLED = "cancelled"  # the client left


class Considered(Value):
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
    opinion: Opinion | None = None  # of a learned model, on the step that counted
    step: int | None = None  # lower tier of the two that a certificate may choose between; None: none could
    certificate: str | None = None  # on whose grounds it went a tier lower than the rules ask


class AttemptRow(Value):
    endpoint: str
    started_ms: float  # since the request came in
    ttft_ms: float | None
    duration_ms: float
    outcome: str  # "ok" | "partial" | "cancelled" | a failure kind
    status: int | None
    error: str | None
    cost_usd: float | None  # None: unknown
    usage: Usage | None = None


class Decision(Value):
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
    format_ok: bool | None = None  # whether the answer is JSON, where that was asked for; None: it was not, or unknown


def tier_name(tier: int | None, tiers: tuple[str, ...]) -> str | None:
    return None if tier is None else tiers[tier]


def session_hash(ask: Ask, extras: Extras) -> str:
    """Name of the session for records: a hash, so that a client's own id never shows."""
    session = extras.session
    if session is None:
        return ask.survey.prefix_hash
    return blake2b(session.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
