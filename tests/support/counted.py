"""Finished requests, as the metrics count them: one that went well, one that was refused, and their attempts."""

from msgspec.structs import replace

from gateway.core.decision import AttemptRow, Considered, Decision, Outcome
from gateway.core.policy import Route
from gateway.core.usage import Usage
from tests.support.builders import EPOCH_S, TIERS

CONSIDERED = Considered(
    route=Route("support"), variant=None, labels=(), task="code", task_confidence=0.9, task_reasons=(), difficulty=0.4,
    tier_required=1, escalated=False, session="5e55", steps=(), others=(), excluded={}, estimated_input=120,
    input_bound=None, estimated_output=700, budget_usd=None, baseline=None, panic=False, attempts=4,
)  # fmt: skip
BROKEN = AttemptRow("alpha/m", 1.0, None, 20.0, "server_error", 500, "500: no", 0.0)
GOOD = AttemptRow("beta/m", 22.0, 310.0, 900.0, "ok", 200, None, 0.25)
DECISION = Decision(
    id="d1", time_s=EPOCH_S, surface="chat", model="auto", stream=True, key_id=None, tags=(), considered=CONSIDERED,
    tiers=TIERS, prompt_hash="aa", prompt_chars=42, attempts=(GOOD,), endpoint="beta/m", provider="beta", status=200,
    outcome=Outcome.OK, error=None, usage=Usage(input=120, output=300), cost_usd=0.25, baseline_cost_usd=None,
    saved_usd=None, latency_ms=900.0, ttft_ms=310.0, response_hash="bb",
)  # fmt: skip
REFUSED = replace(
    DECISION, considered=None, attempts=(), endpoint=None, status=400, outcome=Outcome.REJECTED, usage=None,
    ttft_ms=None, latency_ms=0.5,
)  # fmt: skip
