"""Providers: the health of each endpoint as probes and as traffic see it, limits, prices, and what probing costs."""

from scripts.observability.panels import BREAKER, PROVIDER, Dashboard, Look, Panel, Query, Row
from scripts.observability.promql import OF_PROVIDER, grown, ill, quantile, rate, ratio, series, total, used, worst
from scripts.observability.promql import PROVIDER as BY_PROVIDER

STATE = worst(series("pointsman_breaker_state", OF_PROVIDER), "endpoint")
FIRST_TOKENS = rate("pointsman_time_to_first_token_seconds_bucket", OF_PROVIDER)
ATTEMPTS = "pointsman_attempts_total"
LIMITED_UNTIL = worst(series("pointsman_rate_limited_until_timestamp_seconds", OF_PROVIDER), "endpoint")


def probed(metric: str, quantile_label: str) -> str:
    return worst(series(metric, OF_PROVIDER, f'quantile="{quantile_label}"'), "endpoint")


def price(kind: str) -> str:
    return worst(series("pointsman_price_usd_per_million_tokens", OF_PROVIDER, f'type="{kind}"'), "endpoint")


FAILED_SHARE = ratio(
    total(grown(ATTEMPTS, OF_PROVIDER, 'outcome!~"ok|cancelled"'), "endpoint"),
    total(grown(ATTEMPTS, OF_PROVIDER), "endpoint"),
)

STATES = Row(
    "Health",
    (
        Panel(
            "Breakers",
            "Endpoints that were not closed at some time of what is shown, by the worst that any process says. "
            "Open ones are skipped.",
            "short",
            (Query(ill(OF_PROVIDER), "{{endpoint}}"),),
            Look.STATES,
            width=24,
            height=7,
            nothing="all closed",
        ),
        Panel(
            "Endpoints",
            "One line each; attempts are those of the time shown.",
            "short",
            (
                Query(STATE, "Breaker", BREAKER),
                Query(total(grown(ATTEMPTS, OF_PROVIDER), "endpoint"), "Attempts"),
                Query(FAILED_SHARE, "Failed", "percentunit"),
                Query(
                    worst(series("pointsman_endpoint_ok_ratio", OF_PROVIDER), "endpoint"),
                    "Probes ok, 5 min",
                    "percentunit",
                ),
                Query(probed("pointsman_endpoint_ttfb_seconds", "0.95"), "First byte p95, probes", "s"),
                Query(f"clamp_min({LIMITED_UNTIL} - time(), 0)", "Limited for another", "s"),
                Query(price("input"), "USD per million in", "currencyUSD"),
                Query(price("output"), "USD per million out", "currencyUSD"),
            ),
            Look.TABLE,
            width=24,
            height=9,
            row_is="endpoint",
        ),
    ),
)

SPEED = Row(
    "Speed: probes beside traffic",
    (
        Panel(
            "First byte, probes",
            "Time to the first byte over five minutes, as the monitor measured it.",
            "s",
            (
                Query(probed("pointsman_endpoint_ttfb_seconds", "0.5"), "{{endpoint}} p50"),
                Query(probed("pointsman_endpoint_ttfb_seconds", "0.95"), "{{endpoint}} p95"),
            ),
        ),
        Panel(
            "First token, traffic",
            "Request to first content of clients' streams; a failover before it counts. Points are traces.",
            "s",
            (
                Query(quantile(0.5, FIRST_TOKENS, "endpoint"), "{{endpoint}} p50"),
                Query(quantile(0.95, FIRST_TOKENS, "endpoint"), "{{endpoint}} p95"),
            ),
        ),
        Panel(
            "Whole answers, probes",
            "Total time over five minutes, as the monitor measured it.",
            "s",
            (
                Query(probed("pointsman_endpoint_total_seconds", "0.5"), "{{endpoint}} p50"),
                Query(probed("pointsman_endpoint_total_seconds", "0.95"), "{{endpoint}} p95"),
            ),
        ),
    ),
)

FAILURES = Row(
    "Failures and limits",
    (
        Panel(
            "Failed attempts",
            "By endpoint and reason. credential: our key; billing: our balance; not_found: our mapping.",
            "reqps",
            (
                Query(
                    total(rate(ATTEMPTS, OF_PROVIDER, 'outcome!~"ok|cancelled|rate_limited"'), "endpoint", "outcome"),
                    "{{endpoint}} {{outcome}}",
                ),
            ),
        ),
        Panel(
            "429 answers",
            "Attempts that a provider refused for its rate limit.",
            "reqps",
            (Query(total(rate(ATTEMPTS, OF_PROVIDER, 'outcome="rate_limited"'), "endpoint"), "{{endpoint}}"),),
        ),
        Panel(
            "Rate-limited for",
            "Until when an endpoint asked to be left alone; it is not tried before.",
            "s",
            (Query(f"clamp_min({LIMITED_UNTIL} - time(), 0)", "{{endpoint}}"),),
        ),
        Panel(
            "Breaker changes",
            "Per second, gateways and monitors together; a breaker that flaps shows here.",
            "ops",
            (
                Query(
                    total(rate("pointsman_breaker_transitions_total", OF_PROVIDER), "endpoint", "from", "to"),
                    "{{endpoint}} {{from}} → {{to}}",
                ),
            ),
        ),
        Panel(
            "Probes by what they found",
            "refused: key, balance or model name; misconfigured: the probe's own fault.",
            "ops",
            (
                Query(
                    total(rate("pointsman_probes_total", BY_PROVIDER), "provider", "means", "finding"),
                    "{{provider}} {{means}} {{finding}}",
                ),
            ),
        ),
        Panel(
            "Traffic by endpoint",
            "Attempts per second, whatever became of them.",
            "reqps",
            (Query(total(rate(ATTEMPTS, OF_PROVIDER), "endpoint"), "{{endpoint}}"),),
            Look.STACKED,
        ),
    ),
)

PRICES = Row(
    "Prices, and the cost of probing",
    (
        Panel(
            "Price of input",
            "USD per million tokens, as the gateways reckon; of endpoints that were tried in the time shown.",
            "currencyUSD",
            (Query(used(price("input")), "{{endpoint}}"),),
        ),
        Panel(
            "Price of output",
            "USD per million tokens, as the gateways reckon; of endpoints that were tried in the time shown.",
            "currencyUSD",
            (Query(used(price("output")), "{{endpoint}}"),),
        ),
        Panel(
            "Age of price sources",
            "Since the last good reading of each live source; they are read hourly.",
            "s",
            (Query(f"time() - {worst(series('pointsman_price_source_timestamp_seconds'), 'source')}", "{{source}}"),),
        ),
        Panel(
            "Prices not believed or not known",
            "Held back: more than three times the catalog's, or less than a third of it.",
            "short",
            (
                Query(worst(series("pointsman_prices_held_back")), "held back"),
                Query(worst(series("pointsman_prices_unknown")), "unknown"),
            ),
        ),
        Panel(
            "Cost of probing, per day",
            "At the present pace, beside what each provider's probes may cost a day.",
            "currencyUSD",
            (
                Query(
                    f"{total(rate('pointsman_probe_cost_usd_total', BY_PROVIDER), 'provider')} * 86400", "{{provider}}"
                ),
                Query(total(series("pointsman_probe_budget_usd", BY_PROVIDER), "provider"), "{{provider}} budget"),
            ),
        ),
        Panel(
            "Tokens per second",
            "Of answers, by endpoint and type.",
            "short",
            (Query(total(rate("pointsman_tokens_total", OF_PROVIDER), "endpoint", "type"), "{{endpoint}} {{type}}"),),
        ),
    ),
)

PROVIDERS = Dashboard(
    "pointsman-providers",
    "Pointsman / Providers",
    "Which provider is ill and why: breakers, speed, limits and prices of every endpoint, as probes and as traffic "
    "see it.",
    (STATES, SPEED, FAILURES, PRICES),
    (PROVIDER,),
)
