"""Routing: what requests are, which models may not serve them and why, how the arms of a split compare, and what goes
lower on a certificate."""

from scripts.observability.panels import ROUTE, Dashboard, Look, Panel, Query, Row
from scripts.observability.promql import ROUTE as OF_ROUTE
from scripts.observability.promql import grown, quantile, rate, ratio, series, total, worst

REQUESTS = "pointsman_requests_total"
ROUTED = "pointsman_routed_requests_total"
ARM = "Variant"


def arms(expr: str) -> str:
    """With the name of route and variant in one label, by which tables join."""
    return f'label_join({expr}, "{ARM}", " / ", "route", "variant")'


def by_arm(metric: str, *matchers: str) -> str:
    return total(arms(grown(metric, OF_ROUTE, *matchers)), ARM)


def seconds(share: float) -> str:
    return quantile(share, arms(grown("pointsman_variant_duration_seconds_bucket", OF_ROUTE)), ARM)


ASKED = by_arm("pointsman_variant_requests_total")
GOOD = by_arm("pointsman_variant_requests_total", 'outcome="ok"')
SPENT = by_arm("pointsman_variant_cost_usd_total")
VARIANTS_RATE = rate("pointsman_variant_requests_total", OF_ROUTE)

WHAT = Row(
    "What requests are",
    (
        Panel(
            "Tasks",
            "What the classifier says prompts are about.",
            "reqps",
            (Query(total(rate(ROUTED, OF_ROUTE), "task"), "{{task}}"),),
            Look.STACKED,
        ),
        Panel(
            "Required tier",
            "The least that will do; none: any model may answer, or one was named.",
            "reqps",
            (Query(f'label_replace({total(rate(ROUTED, OF_ROUTE), "tier")}, "tier", "none", "tier", "")', "{{tier}}"),),
            Look.SHARES,
        ),
        Panel(
            "Sensitivity",
            "Requests by label; one may have several.",
            "reqps",
            (Query(total(rate("pointsman_sensitivity_requests_total"), "label"), "{{label}}"),),
        ),
    ),
)

WHO = Row(
    "Who may not answer, and what follows",
    (
        Panel(
            "Exclusions by reason",
            "Candidates removed per second, by reason code: sensitivity, capability, context, tier, not_allowed, "
            "price, cost_limit, "
            "breaker_open, rate_limited, no_key.",
            "ops",
            (Query(total(rate("pointsman_exclusions_total"), "reason"), "{{reason}}"),),
        ),
        Panel(
            "Escalated",
            "Share of requests sent to a higher tier for their difficulty (80/20 mode).",
            "percentunit",
            (
                Query(
                    ratio(
                        total(rate("pointsman_escalated_requests_total", OF_ROUTE), "route"),
                        total(rate(REQUESTS, OF_ROUTE, 'route!=""'), "route"),
                    ),
                    "{{route}}",
                ),
            ),
            largest=1,
        ),
        Panel(
            "Failovers by reason",
            "Moves to the next candidate before the client saw anything.",
            "ops",
            (Query(total(rate("pointsman_failovers_total"), "reason"), "{{reason}}"),),
        ),
        Panel(
            "Panic",
            "Requests that came when every endpoint that may serve them was open: the least bad is tried.",
            "reqps",
            (Query(total(rate("pointsman_panic_requests_total", OF_ROUTE), "route"), "{{route}}"),),
        ),
        Panel(
            "Refused by the gateway or the provider",
            "Mistakes of clients, by route and status.",
            "reqps",
            (Query(total(rate(REQUESTS, OF_ROUTE, 'outcome="rejected"'), "route", "code"), "{{route}} {{code}}"),),
        ),
        Panel(
            "Requests by surface",
            "What clients speak.",
            "reqps",
            (Query(total(rate(REQUESTS, OF_ROUTE), "surface"), "{{surface}}"),),
            Look.STACKED,
        ),
    ),
)

ARMS = Row(
    "Variants side by side",
    (
        Panel(
            "Variants",
            "Each arm of each route's split over the time shown.",
            "short",
            (
                Query(ASKED, "Requests"),
                Query(ratio(GOOD, ASKED), "Answered whole", "percentunit"),
                Query(f"{SPENT} / ({ASKED} > 0) * 1000", "USD per 1,000", "currencyUSD"),
                Query(seconds(0.5), "p50", "s"),
                Query(seconds(0.95), "p95", "s"),
            ),
            Look.TABLE,
            width=24,
            height=6,
            row_is=ARM,
        ),
        Panel(
            "Requests by variant",
            "Per second.",
            "reqps",
            (Query(total(VARIANTS_RATE, "route", "variant"), "{{route}} / {{variant}}"),),
            Look.STACKED,
        ),
        Panel(
            "USD per 1,000 requests",
            "By variant.",
            "currencyUSD",
            (
                Query(
                    f"{total(rate('pointsman_variant_cost_usd_total', OF_ROUTE), 'route', 'variant')} / "
                    f"({total(VARIANTS_RATE, 'route', 'variant')} > 0) * 1000",
                    "{{route}} / {{variant}}",
                ),
            ),
        ),
        Panel(
            "Whole requests, p95",
            "By variant.",
            "s",
            (
                Query(
                    quantile(0.95, rate("pointsman_variant_duration_seconds_bucket", OF_ROUTE), "route", "variant"),
                    "{{route}} / {{variant}}",
                ),
            ),
        ),
    ),
)

OF = ("route", "task", "step")
KIND = "{{route}} / {{task}}"


def named(expr: str) -> str:
    """Certificates without a task are about every other one."""
    return f'label_replace({expr}, "task", "all others", "task", "")'


def certificate(what: str) -> str:
    """As the one replica tells it that keeps certificates."""
    return named(worst(series(f"pointsman_certificate_{what}", OF_ROUTE), *OF))


PAIRS = worst(series("pointsman_evaluation_pairs", OF_ROUTE), "route", "state")

CERTIFIED = Row(
    "Certificates: what goes a tier lower, with a promise",
    (
        Panel(
            "Sent lower on a certificate",
            "Requests per second that went a tier lower than the rules ask. It ends where a certificate is withdrawn.",
            "reqps",
            (Query(total(rate("pointsman_certified_requests_total", OF_ROUTE), "route", "task"), KIND),),
            Look.STACKED,
            nothing="nothing goes lower",
        ),
        Panel(
            "Loss since it was certified",
            "Of the pairs that were judged since, on average over all requests that the certificate speaks of; below 0 "
            "the cheaper answers are the better ones. Where it stays above what was promised, the alarm "
            "goes off.",
            "percentunit",
            (
                Query(certificate("watched_loss"), KIND),
                Query(certificate("max_loss"), f"{KIND}: promised at most"),
            ),
            smallest=None,
            nothing="nothing is certified",
        ),
        Panel(
            "Share that goes lower",
            "Of the requests that each certificate speaks of, as judged.",
            "percentunit",
            (Query(certificate("share"), KIND),),
            largest=1,
            nothing="nothing is certified",
        ),
        Panel(
            "Pairs of answers",
            "By how far they are: waiting for the second answer or for a judgement, judged by people or a model.",
            "short",
            (Query(total(PAIRS, "state"), "{{state}}"),),
            Look.STACKED,
            nothing="nothing is evaluated",
        ),
        Panel(
            "Withdrawn so far",
            "Certificates whose promise no longer held.",
            "short",
            (Query(named(worst(series("pointsman_certificate_alarms_total", OF_ROUTE), "route", "task")), KIND),),
            nothing="nothing is evaluated",
        ),
        Panel(
            "Spent on evaluation",
            "On second answers and judgements, USD since midnight UTC.",
            "currencyUSD",
            (Query(worst(series("pointsman_evaluation_spend_usd_total", OF_ROUTE), "route"), "{{route}}"),),
            nothing="nothing is evaluated",
        ),
    ),
)

ROUTING = Dashboard(
    "pointsman-routing",
    "Pointsman / Routing",
    "What requests are, which models may not serve them and why, how the arms of a split compare, and what goes lower "
    "on a certificate.",
    (WHAT, WHO, ARMS, CERTIFIED),
    (ROUTE,),
)
