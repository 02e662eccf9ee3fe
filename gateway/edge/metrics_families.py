"""From the rows of finished requests to the families that Prometheus reads. Runs when somebody asks, never per request.

Labels come only from configured names and from words of this program; what a client made up is brought under one
word here (`reason_label`).
"""

from collections.abc import Iterable, Iterator, Sequence

from gateway.core import screen
from gateway.core.catalog import AUDIO, JSON_SCHEMA, PDF, REASONING, TOOLS, TRANSLATION, VISION, Operation
from gateway.core.decision import Outcome
from gateway.edge.families import Family, Labels, counter, histogram
from gateway.edge.metrics_rows import DURATION_BUCKETS_S, TTFT_BUCKETS_S, Answered, Ended, Tried, Varied

EndedKey = tuple[str, str, Outcome, int]  # route, surface, outcome, status
TriedKey = tuple[str, str, str]  # route, endpoint, outcome
RoutedKey = tuple[str, str, str]  # route, task, tier
VariedKey = tuple[str, str, Outcome]  # route, variant, outcome

_CAPABILITIES = (TOOLS, JSON_SCHEMA, VISION, AUDIO, PDF, REASONING, TRANSLATION, "dimensions", "signed_reasoning")
_REASONS = frozenset(
    {
        screen.SENSITIVITY, screen.CONTEXT, screen.TIER, screen.NOT_ALLOWED, screen.PRICE, screen.COST_LIMIT,
        screen.BREAKER_OPEN, screen.RATE_LIMITED, screen.NO_KEY,
        *map(screen.capability, _CAPABILITIES), *(screen.capability(one.value) for one in Operation),
    }
)  # fmt: skip
FIELD = screen.capability("field")


def reason_label(reason: str) -> str:
    """The reason code; that of a field of the request, which may be any word of a client, is one for all fields."""
    return reason if reason in _REASONS else FIELD


def of_requests(rows: Sequence[tuple[EndedKey, Ended]]) -> Iterator[Family]:
    yield counter(
        "pointsman_requests",
        "Requests by how they ended. Worry where outcome failed or partial is more than 1 % of a route: those are "
        "requests that no provider served whole. Outcomes rejected and cancelled are the clients' own.",
        ("route", "surface", "outcome", "code"),
        [((route, surface, outcome.value, str(status)), row.count) for (route, surface, outcome, status), row in rows],
    )
    yield histogram(
        "pointsman_request_duration_seconds",
        "Whole requests from their head to the last byte of the answer, all outcomes, seconds. Long answers take long: "
        "judge providers by the time to the first token.",
        ("route", "surface"), DURATION_BUCKETS_S,
        [((route, surface), row.seconds, row.traced) for (route, surface, *_), row in rows],
    )  # fmt: skip
    yield counter(
        "pointsman_escalated_requests",
        "Requests sent to a higher tier than their task asks for, by the route's `escalate`. Over all requests for "
        "`auto` it should be near the configured share.",
        ("route",),
        [((route,), row.escalated) for (route, *_), row in rows if row.escalated],
    )
    yield counter(
        "pointsman_panic_requests",
        "Requests sent to the least bad endpoint since the breakers of all that may serve them were open. Worry at "
        "once: nothing of the route works as it should.",
        ("route",),
        [((route,), row.panicked) for (route, *_), row in rows if row.panicked],
    )
    yield from _of_savings([((route,), row) for (route, *_), row in rows if row.compared])


def _of_savings(rows: Sequence[tuple[Labels, Ended]]) -> Iterator[Family]:
    """Prometheus counters only rise, so answers dearer than their baseline are a counter of their own."""
    yield counter(
        "pointsman_baseline_cost_usd",
        "What the answers would have cost at their route's baseline, USD; only those whose own cost is known. Saved in "
        "per cent is (saved - overspent) / baseline.",
        ("route",),
        [(labels, row.baseline_usd) for labels, row in rows],
    )
    yield counter(
        "pointsman_saved_usd",
        "Baseline cost less cost, of answers cheaper than their baseline, USD.",
        ("route",),
        [(labels, row.saved_usd) for labels, row in rows],
    )
    yield counter(
        "pointsman_overspent_usd",
        "Cost less baseline cost, of answers dearer than their baseline, USD. Worry where it rises faster than saved: "
        "the baseline is cheaper than what is chosen.",
        ("route",),
        [(labels, row.overspent_usd) for labels, row in rows],
    )


def of_attempts(rows: Sequence[tuple[TriedKey, Tried]]) -> Iterator[Family]:
    yield counter(
        "pointsman_attempts",
        "Attempts at endpoints by how they ended. Worry at once about credential and billing (our key or balance is "
        "refused), and about more than 5 % of server_error, unreachable or a timeout at one endpoint.",
        ("endpoint", "outcome"),
        [((endpoint, outcome), row.count) for (_, endpoint, outcome), row in rows],
    )
    yield counter(
        "pointsman_failovers",
        "Moves to the next candidate within a request, by what the attempt before came to. Clients see nothing of it "
        "but time; worry where it is more than a few per cent of attempts.",
        ("reason",),
        [((outcome,), row.passed_on) for (*_, outcome), row in rows if row.passed_on],
    )
    yield counter(
        "pointsman_cost_usd",
        "What providers charge, USD: usage times price, every attempt that may be billed. Worry where it rises faster "
        "than forecast.",
        ("route", "endpoint"),
        [((route, endpoint), row.cost_usd) for (route, endpoint, _), row in rows if row.cost_usd],
    )
    yield counter(
        "pointsman_unpriced_requests",
        "Attempts whose cost is unknown, since the endpoint has no price or did not tell what it counted. They are "
        "missing from the cost: give the endpoint a price.",
        ("endpoint",),
        [((endpoint,), row.unpriced) for (_, endpoint, _), row in rows if row.unpriced],
    )


def of_answers(rows: Sequence[tuple[str, Answered]]) -> Iterator[Family]:
    tokens: list[tuple[Labels, float]] = []
    for endpoint, row in rows:
        if row.counted:
            tokens += [((endpoint, "input"), row.input), ((endpoint, "output"), row.output)]
        if row.cached_input:
            tokens.append(((endpoint, "cached_input"), row.cached_input))
        if row.reasoning:
            tokens.append(((endpoint, "reasoning"), row.reasoning))
    yield counter(
        "pointsman_tokens",
        "Tokens of answers by type. cached_input is part of input, reasoning is part of output: do not add them up.",
        ("endpoint", "type"),
        tokens,
    )
    yield histogram(
        "pointsman_time_to_first_token_seconds",
        "From the request to the first content that its client got, of streams, seconds; attempts before the one that "
        "answered are in it. Worry where the 95th percentile is above what the route promises.",
        ("endpoint",), TTFT_BUCKETS_S,
        [((endpoint,), row.first_token_s, row.traced) for endpoint, row in rows if row.streams],
    )  # fmt: skip


def of_routing(
    routed: Sequence[tuple[RoutedKey, int]], labelled: Iterable[tuple[str, int]], excluded: Iterable[tuple[str, int]]
) -> Iterator[Family]:
    yield counter(
        "pointsman_routed_requests",
        "Requests that came as far as a plan, by their task and the lowest tier that would do. A share that shifts "
        "with the same traffic means that rules of the configuration changed.",
        ("route", "task", "tier"),
        routed,
    )
    yield counter(
        "pointsman_sensitivity_requests",
        "Requests by sensitivity; one with several labels counts for each.",
        ("label",),
        [((name,), count) for name, count in labelled],
    )
    yield counter(
        "pointsman_exclusions",
        "Endpoints that could not serve a request, by why: one request adds one for every endpoint and reason. Worry "
        "about no_key (a provider is configured without its key), and where breaker_open or rate_limited rises.",
        ("reason",),
        [((reason,), count) for reason, count in excluded],
    )


def of_variants(rows: Sequence[tuple[VariedKey, Varied]]) -> Iterator[Family]:
    yield counter(
        "pointsman_variant_requests",
        "Requests of routes with a `split`, by variant and how they ended. Compare the variants of one route.",
        ("route", "variant", "outcome"),
        [((route, variant, outcome.value), row.count) for (route, variant, outcome), row in rows],
    )
    yield counter(
        "pointsman_variant_cost_usd",
        "What requests of a variant cost, USD, as far as it is known. Divide by its requests to compare.",
        ("route", "variant"),
        [((route, variant), row.cost_usd) for (route, variant, _), row in rows],
    )
    yield histogram(
        "pointsman_variant_duration_seconds",
        "Whole requests of a variant, all outcomes, seconds. Compare the variants of one route.",
        ("route", "variant"), DURATION_BUCKETS_S,
        [((route, variant), row.seconds, {}) for (route, variant, _), row in rows],
    )  # fmt: skip


def of_shed(rows: Sequence[tuple[EndedKey, Ended]], turned_away: int, slow_heads: int) -> Family:
    """What was turned away to protect the rest: the gateway's own refusals, told by outcome and status."""
    reasons = {503: "overloaded", 429: "rate_limited"}
    refused = [
        ((reasons[status],), row.count)
        for (_, _, outcome, status), row in rows
        if outcome is Outcome.REJECTED and status in reasons
    ]
    return counter(
        "pointsman_shed_requests",
        "What was turned away unserved: requests (overloaded: every candidate had as many in flight as its provider's "
        "max_in_flight; rate_limited: the providers' own limits left none) and connections (connections: too many are "
        "open; slow_head: a client took too long to ask). Worry where overloaded or connections rises: add replicas "
        "or raise the limit.",
        ("reason",),
        [(("overloaded",), 0), (("rate_limited",), 0), (("connections",), turned_away), (("slow_head",), slow_heads),
         *refused],
    )  # fmt: skip
