"""Recording rules: the two service levels over every window that alerts compare, and what an hour costs.

Owns what counts as an error, what as slow, and the objectives. `namespace=~".*"` in every selector matches everything;
the chart puts the release's own namespace there.
"""

from typing import Any

Json = Any  # a value made of JSON's types

SCOPE = 'namespace=~".*"'
# Mistakes of clients (4xx) and clients that left (499) say nothing about us; a 429 that no failover could cure does.
VALID = 'code=~"2..|429|5.."'
ERRORS = f'outcome!="ok", {VALID}'
AVAILABLE = 0.999  # of requests are answered whole, over 30 days
IN_TIME = 0.95  # of streams begin within SLOW_S, over 30 days
SLOW_S = 5  # a bound of the histogram's; it is spelt 5 or 5.0, as the format of the scrape wants
FAST_WINDOWS, SLOW_WINDOWS = ("5m", "30m", "1h", "2h"), ("6h", "1d", "3d")


def series(metric: str, *matchers: str) -> str:
    return f"{metric}{{{', '.join((SCOPE, *matchers))}}}"


def summed(function: str, metric: str, window: str, by: str, *matchers: str) -> str:
    return f"sum by ({by}) ({function}({series(metric, *matchers)}[{window}]))"


def groups() -> list[Json]:
    return [
        {"name": "pointsman.service_levels", "rules": [rule for window in FAST_WINDOWS for rule in levels(window)]},
        {
            "name": "pointsman.service_levels.long",
            "interval": "2m",  # below the five minutes after which Prometheus forgets
            "rules": [rule for window in SLOW_WINDOWS for rule in levels(window)],
        },
        {"name": "pointsman.volumes", "rules": volumes()},
    ]


def levels(window: str) -> list[Json]:
    """Share of requests that failed, by route; share of streams that began late."""
    requests = "pointsman_requests_total"
    valid = summed("rate", requests, window, "namespace, route", VALID)
    errors = summed("rate", requests, window, "namespace, route", ERRORS)
    first_token = "pointsman_time_to_first_token_seconds"  # noqa: S105 - a metric's name
    in_time = summed("rate", f"{first_token}_bucket", window, "namespace", f'le=~"{SLOW_S}([.]0)?"')
    streams = summed("rate", f"{first_token}_count", window, "namespace")
    return [
        {
            "record": f"pointsman:request_errors:ratio_rate{window}",
            "expr": f"({errors} or {valid} * 0)\n/ ({valid} > 0)\n",
        },
        {"record": f"pointsman:late_first_tokens:ratio_rate{window}", "expr": f"1 - {in_time}\n/ ({streams} > 0)\n"},
    ]


def volumes() -> list[Json]:
    cost = summed("increase", "pointsman_cost_usd_total", "1h", "namespace")
    recorded = series("pointsman:cost_usd:increase1h")
    # The dearest hour about this time yesterday or a week ago. Records begin with the rules: at first nothing is known.
    yesterday, last_week = (f"max_over_time({recorded}[2h] offset {hours}h)" for hours in (23, 7 * 24 - 1))
    larger = f"({yesterday} > {last_week})\nor {last_week}\nor {yesterday}\n"
    return [
        {
            "record": "pointsman:requests:rate1h",
            "expr": summed("rate", "pointsman_requests_total", "1h", "namespace, route", VALID),
        },
        {
            "record": "pointsman:streams:rate1h",
            "expr": summed("rate", "pointsman_time_to_first_token_seconds_count", "1h", "namespace"),
        },
        {"record": "pointsman:cost_usd:increase1h", "expr": cost},
        {"record": "pointsman:cost_usd:forecast1h", "expr": larger},
    ]
