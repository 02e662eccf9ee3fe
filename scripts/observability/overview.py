"""Overview: what is routed where, how well and how fast, what it costs and what it saves, and who is ill."""

from scripts.observability.panels import ROUTE, Dashboard, Look, Panel, Query, Row, Steps
from scripts.observability.promql import HOUR_S, ill, joined, quantile, rate, ratio, series, total
from scripts.observability.promql import ROUTE as OF_ROUTE
from scripts.observability.rules import ERRORS, VALID

SUCCESS: Steps = ((None, "red"), (0.99, "yellow"), (0.999, "green"))
FIRST_TOKEN: Steps = ((None, "green"), (3, "yellow"), (5, "red"))
NOTHING_WRONG: Steps = ((None, "green"), (1, "red"))
GAIN: Steps = ((None, "red"), (0, "green"))

REQUESTS = rate("pointsman_requests_total", OF_ROUTE)
COST = f"{total(rate('pointsman_cost_usd_total', OF_ROUTE))} * {HOUR_S}"
BASELINE = f"{total(rate('pointsman_baseline_cost_usd_total', OF_ROUTE))} * {HOUR_S}"
FIRST_TOKENS = rate("pointsman_time_to_first_token_seconds_bucket")
DURATIONS = rate("pointsman_request_duration_seconds_bucket", OF_ROUTE)
ANSWERS = rate("pointsman_attempts_total", 'outcome="ok"')
FIRING = series("ALERTS", 'alertname=~"Pointsman.+"', 'alertstate="firing"')
INFO = series("pointsman_endpoint_info")
QUANTILES = ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))


def saved(*by: str) -> str:
    """USD per second; negative where answers were dearer than what they are compared with."""
    more, less = rate("pointsman_saved_usd_total", OF_ROUTE), rate("pointsman_overspent_usd_total", OF_ROUTE)
    return f"({total(more, *by)} - {total(less, *by)})"


def success(*by: str) -> str:
    bad = total(rate("pointsman_requests_total", OF_ROUTE, ERRORS), *by)
    return f"1 - ({ratio(bad, total(rate('pointsman_requests_total', OF_ROUTE, VALID), *by))})"


def saved_share(*by: str) -> str:
    return f"{saved(*by)} / ({total(rate('pointsman_baseline_cost_usd_total', OF_ROUTE), *by)} > 0)"


def figure(title: str, description: str, unit: str, expr: str, steps: Steps | None = None) -> Panel:
    return Panel(
        title,
        description,
        unit,
        (Query(expr),),
        Look.FIGURE,
        width=3,
        height=4,
        steps=steps or ((None, "blue"),),
        smallest=None,
        nothing="none",
    )


NOW = Row(
    "Now",
    (
        figure("Requests", "Requests per second, all surfaces.", "reqps", total(REQUESTS)),
        figure(
            "Success",
            "Share of requests that were answered whole. Mistakes of clients and clients that left do not count; a "
            "429 that no "
            "failover could cure does.",
            "percentunit",
            success(),
            SUCCESS,
        ),
        figure(
            "First token, p95",
            "From the request to the first content, streams only.",
            "s",
            quantile(0.95, FIRST_TOKENS),
            FIRST_TOKEN,
        ),
        figure("In flight", "Requests being answered.", "short", total(series("pointsman_inflight_requests"))),
        figure("Cost per hour", "What providers charge at the present pace.", "currencyUSD", COST),
        figure(
            "Saved per hour",
            "Cost of the same answers at each route's baseline, less what they cost.",
            "currencyUSD",
            f"{saved()} * {HOUR_S}",
            GAIN,
        ),
        figure("Saved, share", "Saved as a share of the baseline's cost.", "percentunit", saved_share(), GAIN),
        figure(
            "Alerts firing",
            "Alerts of Pointsman that fire now; each links to its runbook.",
            "short",
            f"count({FIRING}) or vector(0)",
            NOTHING_WRONG,
        ),
    ),
)

TRAFFIC = Row(
    "Traffic",
    (
        Panel(
            "Requests by route",
            "Requests per second; without a route are those refused before one was found.",
            "reqps",
            (Query(total(REQUESTS, "route"), "{{route}}"),),
            Look.STACKED,
        ),
        Panel(
            "How requests ended",
            "ok: answered whole; partial: broken after the first content; failed: every attempt failed; rejected: "
            "refused by the "
            "gateway or the provider as a mistake of the client; cancelled: the client left.",
            "reqps",
            (Query(total(REQUESTS, "outcome", "code"), "{{outcome}} {{code}}"),),
        ),
        Panel(
            "Success by route",
            "As the figure above, by route.",
            "percentunit",
            (Query(success("route"), "{{route}}"),),
            largest=1,
            smallest=None,
        ),
    ),
)

SPEED = Row(
    "Speed",
    (
        Panel(
            "First token",
            "From the request to the first content of streams, all routes; failovers included. Points are traces.",
            "s",
            tuple(Query(quantile(share, FIRST_TOKENS), name) for share, name in QUANTILES),
            width=12,
        ),
        Panel(
            "Whole requests",
            "From the request to the last byte; long answers take long. Points are traces.",
            "s",
            tuple(Query(quantile(share, DURATIONS), name) for share, name in QUANTILES),
            width=12,
        ),
    ),
)

MONEY = Row(
    "Money",
    (
        Panel(
            "Cost per hour by route",
            "What providers charge at the present pace.",
            "currencyUSD",
            (Query(f"{total(rate('pointsman_cost_usd_total', OF_ROUTE), 'route')} * {HOUR_S}", "{{route}}"),),
            Look.STACKED,
        ),
        Panel(
            "Cost beside its baseline",
            "Baseline: what the same answers would have cost at each route's baseline.",
            "currencyUSD",
            (Query(BASELINE, "baseline"), Query(COST, "cost"), Query(f"{saved()} * {HOUR_S}", "saved")),
            smallest=None,
        ),
        Panel(
            "Saved by route",
            "Saved as a share of the baseline's cost.",
            "percentunit",
            (Query(saved_share("route"), "{{route}}"),),
            largest=1,
            smallest=None,
        ),
    ),
)

SHARES = Row(
    "Who answers",
    (
        Panel(
            "Share by tier",
            "Answers by the tier of the model that gave them.",
            "reqps",
            (Query(total(joined(ANSWERS, INFO, "tier"), "tier"), "{{tier}}"),),
            Look.SHARES,
        ),
        Panel(
            "Share by model",
            "Answers by model.",
            "reqps",
            (Query(total(joined(ANSWERS, INFO, "model"), "model"), "{{model}}"),),
            Look.SHARES,
        ),
        Panel(
            "Cost by endpoint",
            "Where the money goes, per hour.",
            "currencyUSD",
            (Query(f"{total(rate('pointsman_cost_usd_total', OF_ROUTE), 'endpoint')} * {HOUR_S}", "{{endpoint}}"),),
            Look.STACKED,
        ),
    ),
)

ILL = Row(
    "Who is ill, and why",
    (
        Panel(
            "Breakers",
            "Endpoints that were not closed at some time of what is shown, by the worst that any process says. "
            "Open ones are skipped.",
            "short",
            (Query(ill(), "{{endpoint}}"),),
            Look.STATES,
            width=12,
            height=9,
            nothing="all closed",
        ),
        Panel(
            "Failed attempts",
            "Attempts that did not end well, by endpoint and reason; most of them were cured by a failover.",
            "reqps",
            (
                Query(
                    total(rate("pointsman_attempts_total", 'outcome!~"ok|cancelled"'), "endpoint", "outcome"),
                    "{{endpoint}} {{outcome}}",
                ),
            ),
            width=12,
            height=9,
        ),
    ),
)

OVERVIEW = Dashboard(
    "pointsman-overview",
    "Pointsman / Overview",
    "What is routed where, how well and how fast, what it costs and saves, and which provider is ill.",
    (NOW, TRAFFIC, SPEED, MONEY, SHARES, ILL),
    (ROUTE,),
)
