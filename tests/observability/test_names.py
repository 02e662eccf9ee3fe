"""Dashboards and rules ask for metrics that there are: those of docs/metrics.md, and a few of others."""

import re
from pathlib import Path

from tests.support.observability import expressions, metrics_of, rules

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
OTHERS = {
    "ALERTS",  # Prometheus itself
    "kube_horizontalpodautoscaler_spec_max_replicas",  # kube-state-metrics
    "kube_horizontalpodautoscaler_status_desired_replicas",
    "kube_pod_container_status_restarts_total",
}


def documented() -> set[str]:
    return set(re.findall(r"^\| `([a-z_]+)` \|", PAGE.read_text(), flags=re.MULTILINE))


def recorded() -> set[str]:
    return {rule["record"] for rule in rules() if "record" in rule}


def test_every_metric_that_a_dashboard_asks_for_is_documented() -> None:
    assert set().union(*(metrics_of(each.text) for each in expressions())) - documented() - OTHERS == set()


def test_every_metric_that_a_rule_asks_for_is_documented_or_recorded() -> None:
    assert set().union(*(metrics_of(rule["expr"]) for rule in rules())) - documented() - recorded() - OTHERS == set()


def test_nothing_is_recorded_that_no_rule_asks_for() -> None:
    assert recorded() - set().union(*(metrics_of(rule["expr"]) for rule in rules())) == set()


def test_names_are_found_beside_labels_and_functions() -> None:
    expr = (
        'sum by (pointsman_like) (rate(pointsman_requests_total{route="pointsman_no"}[5m])) / process_x_bucket{a="b"}'
    )
    assert metrics_of(expr) == {"pointsman_requests_total", "process_x"}
