"""Alerts: what each means in PromQL, how grave it is, and what it says. What to do is told in docs/runbooks.md.

critical: users are harmed, or will be within the hour: somebody is called. warning: somebody should look today.
"""

from dataclasses import dataclass
from typing import Any

from scripts.observability.rules import AVAILABLE, IN_TIME, SLOW_S, series

Json = Any  # a value made of JSON's types

RUNBOOKS = "docs/runbooks.md"  # the chart puts another address there, if it is given one
ENOUGH = 0.1  # requests per second: with fewer, a single failure would burn the budget
HPA = 'horizontalpodautoscaler=~".+-(gateway|monitor)"'
PROVIDER_OF = '"provider", "$1", "endpoint", "([^/]+)/.+"'


@dataclass(frozen=True, slots=True)
class Alert:
    """`lasting`: how long the expression must hold."""

    name: str
    severity: str
    expr: str
    lasting: str
    summary: str
    description: str

    def rule(self) -> Json:
        return {
            "alert": self.name,
            "expr": self.expr,
            **({"for": self.lasting} if self.lasting != "0m" else {}),
            "labels": {"severity": self.severity},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{RUNBOOKS}#{self.name.lower()}",
            },
        }


def groups() -> list[Json]:
    named = {"service_levels": BURNS, "providers": PROVIDERS, "money": MONEY, "gateway": GATEWAY, "quality": QUALITY}
    return [{"name": f"pointsman.alerts.{name}", "rules": [one.rule() for one in part]} for name, part in named.items()]


def burn(record: str, objective: float, windows: tuple[tuple[float, str, str], ...], traffic: str) -> str:
    """Both windows of a pair burn the budget of 30 days so many times too fast (SRE Workbook, chapter 5)."""
    pairs = [
        f"({series(f'{record}{long}')} > {pace:g} * (1 - {objective:g})\n"
        f"  and {series(f'{record}{short}')} > {pace:g} * (1 - {objective:g}))"
        for pace, long, short in windows
    ]
    either = "\n or ".join(pairs)
    return f"({either})\nand {series(traffic)} > {ENOUGH:g}\n"


def happened(metric: str, window: str, by: str, *matchers: str) -> str:
    """It grew within the window, or was born within it: the first of its kind raises no `increase`."""
    of = series(metric, *matchers)
    return f"sum by ({by}) (increase({of}[{window}])) > 0\nor sum by ({by}) ({of} unless {of} offset {window}) > 0\n"


FAST, SLOW = ((14.4, "1h", "5m"), (6, "6h", "30m")), ((3, "1d", "2h"), (1, "3d", "6h"))
ERRORS, LATE = "pointsman:request_errors:ratio_rate", "pointsman:late_first_tokens:ratio_rate"
ERRORS_SAY = (
    "{{ $value | humanizePercentage }} of the requests of route {{ $labels.route }} in {{ $labels.namespace }} fail; "
)
LATE_SAY = (
    "{{ $value | humanizePercentage }} of the streams in {{ $labels.namespace }} "
    f"begin after more than {SLOW_S} s; "
)

BURNS = (
    Alert(
        "PointsmanErrorBudgetBurnsFast",
        "critical",
        burn(ERRORS, AVAILABLE, FAST, "pointsman:requests:rate1h"),
        "2m",
        "Requests fail",
        f"{ERRORS_SAY}at this pace the error budget of 30 days is gone within two to five days.",
    ),
    Alert(
        "PointsmanErrorBudgetBurnsSlowly",
        "warning",
        burn(ERRORS, AVAILABLE, SLOW, "pointsman:requests:rate1h"),
        "15m",
        "Requests fail more often than agreed",
        f"{ERRORS_SAY}at this pace the error budget of 30 days does not last.",
    ),
    Alert(
        "PointsmanFirstTokenBudgetBurnsFast",
        "critical",
        burn(LATE, IN_TIME, FAST, "pointsman:streams:rate1h"),
        "2m",
        "Streams begin late",
        f"{LATE_SAY}at this pace the budget of 30 days is gone within two to five days.",
    ),
    Alert(
        "PointsmanFirstTokenBudgetBurnsSlowly",
        "warning",
        burn(LATE, IN_TIME, SLOW, "pointsman:streams:rate1h"),
        "15m",
        "Streams begin late more often than agreed",
        f"{LATE_SAY}at this pace the budget of 30 days does not last.",
    ),
)

# What all who tell of an endpoint agree on: a gateway whose own way out is broken must not declare the world down.
AGREED = f"min by (namespace, endpoint) ({series('pointsman_breaker_state')})"

REFUSED = series("pointsman_attempts_total", 'outcome=~"credential|billing"')
PROBES_REFUSED = happened("pointsman_probes_total", "10m", "namespace, provider", 'finding="refused"')

PROVIDERS = (
    Alert(
        "PointsmanRouteWithoutHealthyEndpoint",
        "critical",
        happened("pointsman_panic_requests_total", "5m", "namespace, route"),
        "1m",
        "Every endpoint of a route is open",
        "Every endpoint that may serve route {{ $labels.route }} in {{ $labels.namespace }} is ill; the least bad is "
        "tried.",
    ),
    Alert(
        "PointsmanProviderDown",
        "warning",
        f"min by (namespace, provider) (label_replace({AGREED}, {PROVIDER_OF})) == 2\n",
        "2m",
        "A provider is down",
        "Every endpoint of {{ $labels.provider }} is open in {{ $labels.namespace }}, as all gateways and monitors "
        "see it; "
        "requests go elsewhere.",
    ),
    Alert(
        "PointsmanKeyRejected",
        "critical",
        f"sum by (namespace, provider) (label_replace(increase({REFUSED}[10m]), {PROVIDER_OF})) > 0\n"
        f"or sum by (namespace, provider) (label_replace({REFUSED} unless {REFUSED} offset 10m, {PROVIDER_OF})) > 0\n"
        f"or {PROBES_REFUSED}",
        "0m",
        "A provider refuses our key or account",
        "{{ $labels.provider }} answers that our key is wrong or may not (401, 403), that nothing is left to pay "
        "with (402), or, "
        "to a probe, that there is no such model.",
    ),
    Alert(
        "PointsmanEndpointsUnprobed",
        "warning",
        f"sum by (namespace) ({series('pointsman_unprobed_endpoints')}) > 0\n"
        f"or count by (namespace) (group by (namespace, endpoint) ({series('pointsman_endpoint_info')}))\n"
        f"  unless on (namespace) {series('pointsman_monitor_endpoints')}\n",
        "5m",
        "The health of endpoints is not watched",
        "{{ $value }} endpoints in {{ $labels.namespace }} had neither a probe nor traffic within two periods, or no "
        "monitor runs.",
    ),
    Alert(
        "PointsmanSnapshotStale",
        "warning",
        f"max by (namespace) ({series('pointsman_snapshot_age_seconds')}) > 180\n",
        "1m",
        "Gateways have old news of the providers",
        "The monitor's snapshot is {{ $value | humanizeDuration }} old at a gateway in {{ $labels.namespace }}; "
        "gateways go on by "
        "what they see themselves.",
    ),
)

MONEY = (
    Alert(
        "PointsmanSpendsFasterThanForecast",
        "warning",
        f"{series('pointsman:cost_usd:increase1h')} > 2 * {series('pointsman:cost_usd:forecast1h')}\n"
        f"and {series('pointsman:cost_usd:increase1h')} > 1\n",
        "15m",
        "More money is spent than at this time of other days",
        "The last hour cost {{ $value | humanize }} USD in {{ $labels.namespace }}: more than twice the dearest hour "
        "about this time yesterday and a week ago.",
    ),
    Alert(
        "PointsmanPriceHeldBack",
        "warning",
        f"max by (namespace, endpoint) ({series('pointsman_price_held_back')}) > 0\n",
        "1h",
        "A published price is not believed",
        "The live price of {{ $labels.endpoint }} is more than three times the catalog's, or less than a third; the "
        "old one is used.",
    ),
)

WANTED = series("kube_horizontalpodautoscaler_status_desired_replicas", HPA)
ALLOWED = series("kube_horizontalpodautoscaler_spec_max_replicas", HPA)

GATEWAY = (
    Alert(
        "PointsmanGatewayAbsent",
        "critical",
        f"absent({series('pointsman_inflight_requests')})\n",
        "5m",
        "No gateway is seen",
        "Prometheus reads no gateway: none runs, or none is scraped.",
    ),
    Alert(
        "PointsmanRetryBudgetExhausted",
        "warning",
        f"min by (namespace) (max_over_time({series('pointsman_retry_budget_left')}[2m])) < 1\n",
        "1m",
        "A gateway may not try again",
        "A gateway in {{ $labels.namespace }} has used up its budget of extra tries; a request "
        "gets one failover and no more.",
    ),
    Alert(
        "PointsmanAutoscalerAtMaximum",
        "warning",
        f"max by (namespace, horizontalpodautoscaler) ({WANTED})\n"
        f">= max by (namespace, horizontalpodautoscaler) ({ALLOWED})\n"
        f"and on (namespace) {series('pointsman_build_info')}\n",
        "15m",
        "An autoscaler is at its maximum",
        "{{ $labels.horizontalpodautoscaler }} in {{ $labels.namespace }} has wanted all its {{ $value }} pods for a "
        "quarter of an hour.",
    ),
    Alert(
        "PointsmanConfigRefused",
        "warning",
        happened("pointsman_config_reload_failures_total", "1h", "namespace"),
        "0m",
        "A new configuration was refused",
        "A new version of the configuration in {{ $labels.namespace }} has a mistake; the old one stays in force.",
    ),
    Alert(
        "PointsmanRecordsDropped",
        "warning",
        happened("pointsman_sink_dropped_total", "10m", "namespace, sink"),
        "0m",
        "Records or spans are lost",
        "Sink {{ $labels.sink }} in {{ $labels.namespace }} is dead or too slow: {{ $value | humanize }} records or "
        "spans were lost.",
    ),
    Alert(
        "PointsmanEventLoopLags",
        "warning",
        "histogram_quantile(0.99, sum by (namespace, pod, instance, le) "
        f"(rate({series('pointsman_event_loop_lag_seconds_bucket')}[5m]))) > 0.1\n",
        "10m",
        "A process has more to do than it can",
        "The event loop of {{ $labels.pod }} ({{ $labels.instance }}) is {{ $value | humanizeDuration }} late in one "
        "of a hundred "
        "turns; every stream through it stutters.",
    ),
)

ALARM = series("pointsman_certificate_alarm_timestamp_seconds")

QUALITY = (
    Alert(
        "PointsmanCertificateWithdrawn",
        "warning",
        f"time() - max by (namespace, route, task) ({ALARM}) < 86400\n",
        "0m",
        "Cheaper answers have become worse than was promised",
        "The certificate of route {{ $labels.route }}, task {{ $labels.task }} (no name: all others) in "
        "{{ $labels.namespace }} was withdrawn: these requests go to the dearer tier again.",
    ),
)

ALERTS = (*BURNS, *PROVIDERS, *MONEY, *GATEWAY, *QUALITY)
