"""Finished requests, as sinks get them."""

from typing import Any

from msgspec.structs import replace

from gateway.core.decision import AttemptRow, Considered, Decision, Outcome
from gateway.core.policy import Label, Route, Variant
from gateway.core.trace import Trace
from gateway.core.usage import Usage
from tests.support.builders import TIERS, a_step

TIME_S = 1_764_000_000.5  # 2025-11-24T16:00:00.500Z
ID = "0123456789abcdef"
TEXTS = {
    "request": {"model": "auto", "messages": [{"role": "user", "content": "a canary's question"}]},
    "response": '{"choices":[{"message":{"content":"a canary\'s answer"}}]}',
}
CONSIDERED = Considered(
    route=Route("support"),
    variant=Variant("candidate", 10),
    labels=(Label("internal"),),
    task="code",
    task_confidence=0.87,
    task_reasons=(),
    difficulty=0.4,
    tier_required=1,
    escalated=False,
    session="5e55",
    steps=(a_step("alpha/m1", 0.001), a_step("beta/m2", None)),
    others=(),
    excluded={},
    estimated_input=120,
    input_bound=2_500,
    estimated_output=700,
    budget_usd=None,
    baseline="gamma/m",
    panic=False,
    attempts=4,
)
ANSWERED = Decision(
    id=ID,
    time_s=TIME_S,
    surface="chat",
    model="auto",
    stream=True,
    key_id="kb-1",
    tags=(("team", "kb"), ("user", "ann")),
    considered=CONSIDERED,
    tiers=TIERS,
    prompt_hash="aa",
    prompt_chars=42,
    attempts=(
        AttemptRow("alpha/m1", 1.0, None, 20.5, "server_error", 500, "500: no", 0.0),
        AttemptRow(
            "beta/m2", 22.0, 310.25, 900.0, "ok", 200, None, 0.0021,
            Usage(120, cached_input=20, cache_write=5, output=300, reasoning=7),
        ),
    ),
    endpoint="beta/m2",
    provider="beta",
    status=200,
    outcome=Outcome.OK,
    error=None,
    usage=Usage(120, cached_input=20, cache_write=5, output=300, reasoning=7),
    cost_usd=0.0021,
    baseline_cost_usd=0.0042,
    saved_usd=0.0021,
    latency_ms=922.5,
    ttft_ms=332.25,
    response_hash="bb",
    trace=Trace("0af7651916cd43dd8448eb211c80319c", ID, "b7ad6b7169203331", 1, "", True),
)  # fmt: skip
REFUSED = replace(
    ANSWERED,
    id="00000000000000ff",
    key_id=None,
    tags=(),
    considered=None,
    attempts=(),
    endpoint=None,
    provider=None,
    status=400,
    outcome=Outcome.REJECTED,
    error="messages is missing",
    usage=None,
    cost_usd=None,
    baseline_cost_usd=None,
    saved_usd=None,
    latency_ms=1.0,
    ttft_ms=None,
    response_hash=None,
    trace=None,
)
FEEDBACK = {
    "type": "feedback", "decision": ID, "score": 0.5, "comment": "well", "time": "2025-11-24T16:01:00.250Z",
}  # fmt: skip


def numbered(number: int, **changes: Any) -> Decision:
    """A decision of its own id."""
    return replace(ANSWERED, id=f"{number:016x}", **changes)
