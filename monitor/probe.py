"""Which probe tells the truth at the least cost, and what its result says.

A free check of the provider (its model list, or else a connection) shows that it can be reached and accepts our key.
That one of its models answers is shown by live traffic, or else by a completion of a few tokens, which costs money.
What we did wrong ourselves (a parameter this model refuses, a list this key may not read) is `MISCONFIGURED` and never
counts against anybody.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.core.breaker import Blame, blame
from gateway.core.catalog import ProbeRules
from gateway.core.failure import Failure, FailureKind
from gateway.core.pricing import Price, cost_usd, upper_bound_usd
from gateway.core.usage import Usage
from gateway.formats.wire import PROBE_MAX_TOKENS
from monitor.budget import Purse, affords_routine, affords_trial

PROBE_INPUT_TOKENS = 64  # upper bound of the probe's prompt with the templates that models put around it
PROOF_S = 30.0  # live traffic proves an endpoint for a period of the probes, at least for one of reading the gateways
MISCONFIGURED_PAUSE_S = 3_600.0  # an endpoint that refuses the probe itself is asked again after so long


class Means(StrEnum):
    """How something is probed."""

    MODELS = "models"
    TCP = "tcp"  # and TLS
    COMPLETION = "completion"


class Finding(StrEnum):
    """What a probe says about its target; the words of the metric."""

    OK = "ok"
    FAILED = "failed"
    RATE_LIMITED = "rate_limited"
    REFUSED = "refused"  # our key, our balance, or no such model: no repetition cures it
    MISCONFIGURED = "misconfigured"  # the probe itself was wrong
    VOID = "void"  # says nothing


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """How one probe went. `failure` is None where it was answered well."""

    failure: Failure | None
    total_ms: float
    ttfb_ms: float | None = None  # until the answer's head
    usage: Usage | None = None


def check_means(rules: ProbeRules, lists_models: bool) -> Means:
    """How to check a provider for nothing; its list of models tells more, where we may read it."""
    return Means.MODELS if lists_models and rules.by != "tcp" else Means.TCP


def completion_finding(result: ProbeResult) -> Finding:
    """What a completion says about its endpoint."""
    if result.failure is None:
        return Finding.OK
    match result.failure.kind:
        case FailureKind.REJECTED | FailureKind.CONTEXT_LENGTH | FailureKind.TOO_LARGE:
            return Finding.MISCONFIGURED
        case FailureKind.RATE_LIMITED:
            return Finding.RATE_LIMITED
        case FailureKind.CREDENTIAL | FailureKind.BILLING | FailureKind.NOT_FOUND:
            return Finding.REFUSED
        case kind:
            return Finding.VOID if blame(kind) is Blame.NONE else Finding.FAILED


def check_finding(result: ProbeResult, means: Means) -> Finding:
    """What a free check says about its provider.

    Only 401 says that the key is refused: keys restricted to completions get 403 for the list of models, and some
    servers have no such list at all. A 429 for the list says nothing about completions.
    """
    if result.failure is None:
        return Finding.OK
    match result.failure.kind:
        case FailureKind.CREDENTIAL if result.failure.status == 401:
            return Finding.REFUSED
        case (
            FailureKind.CREDENTIAL
            | FailureKind.NOT_FOUND
            | FailureKind.REJECTED
            | FailureKind.CONTEXT_LENGTH
            | FailureKind.TOO_LARGE
        ):
            return Finding.MISCONFIGURED if means is Means.MODELS else Finding.FAILED
        case FailureKind.BILLING | FailureKind.RATE_LIMITED:
            return Finding.VOID
        case kind:
            return Finding.VOID if blame(kind) is Blame.NONE else Finding.FAILED


class Wanted(StrEnum):
    """Whether an endpoint is probed by a completion now, or why not."""

    YES = "yes"
    PROVEN = "proven"  # live traffic shows that it works
    PAUSED = "paused"  # it refuses the probe itself
    UNPRICED = "unpriced"  # nobody knows what it would cost
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Standing:
    """What speaks for and against probing one endpoint now. Seconds on one clock."""

    now_s: float
    served_s: float | None  # last seen to serve live traffic
    misconfigured_s: float | None  # last refused the probe itself
    trial: bool  # its breaker is open and wants a trial


def wanted(rules: ProbeRules, standing: Standing, bound_usd: float | None, purse: Purse) -> Wanted:
    """Whether to probe an endpoint by a completion; `bound_usd` is the most it can cost, None where unknown.

    With `by: completion` the operator asks for it regardless of price and traffic, though never beyond the budget.
    """
    insisted = rules.by == "completion"
    if standing.misconfigured_s is not None and standing.now_s - standing.misconfigured_s < MISCONFIGURED_PAUSE_S:
        return Wanted.PAUSED
    if not insisted and not standing.trial:
        served_s = standing.served_s
        if served_s is not None and standing.now_s - served_s <= max(rules.every_s, PROOF_S):
            return Wanted.PROVEN
    if bound_usd is None:
        return Wanted.YES if insisted else Wanted.UNPRICED
    affords = affords_trial if standing.trial else affords_routine
    return Wanted.YES if bound_usd == 0 or affords(purse, bound_usd) else Wanted.BUDGET


def bound_usd(price: Price | None, epoch_s: float) -> float | None:
    """The most that one probe costs, where the endpoint takes notice of the cap on its answer."""
    return None if price is None else upper_bound_usd(price, PROBE_INPUT_TOKENS, PROBE_MAX_TOKENS, epoch_s)


def spent_usd(result: ProbeResult, price: Price | None, epoch_s: float) -> float:
    """What a completion cost: by its own usage, and where it told none although answered, the bound."""
    if price is None or result.failure is not None:
        return 0.0
    if result.usage is None:
        return bound_usd(price, epoch_s) or 0.0
    return cost_usd(price, result.usage, epoch_s)
