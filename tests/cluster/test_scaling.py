"""Scenario 6: load makes Deployments grow, and its end makes them shrink, by the chart's HorizontalPodAutoscalers."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster.support import kubectl, release, report, vendors
from tests.cluster.support.traffic import Rates, Traffic

Json = Any  # a value made of JSON's types

UP_WITHIN_S, DOWN_WITHIN_S = 120.0, 240.0
LEAST, MOST = 2, 4
AT_ONCE = [{"type": "Pods", "value": 4, "periodSeconds": 5}]
SOON = {"scaleUp": {"stabilizationWindowSeconds": 0, "policies": AT_ONCE},
        "scaleDown": {"stabilizationWindowSeconds": 10, "policies": AT_ONCE}}  # fmt: skip
HPA = {"enabled": True, "minReplicas": LEAST, "maxReplicas": MOST, "behavior": SOON}


def replicas(deployment: str) -> int:
    return int(kubectl.get("deployment", deployment)["status"].get("readyReplicas", 0))


def reason(deployment: str) -> str:
    """Which figure the autoscaler acted on last, in its own words."""
    conditions = kubectl.get("horizontalpodautoscaler", deployment)["status"].get("conditions", ())
    return "; ".join(each["message"] for each in conditions if each["type"] == "ScalingActive")


def seconds_until(deployment: str, fits: Callable[[int], bool], within_s: float) -> float:
    what = f"{deployment} has other replicas"
    return kubectl.seconds_until(what, lambda: fits(replicas(deployment)), within_s, every_s=0.5)


@pytest.mark.parametrize(
    ("what", "hpa", "rates", "tokens_per_s"),
    [
        ("processor time", {"cpuUtilization": 60}, Rates(requests_per_s=120), 1000.0),
        ("requests in flight", {"cpuUtilization": 0, "inFlight": {"enabled": True, "perPod": 8}},
         Rates(requests_per_s=0, streams=40), 2.0),
    ],
)  # fmt: skip
def test_gateways_follow(
    changed: Callable[..., None], what: str, hpa: Json, rates: Rates, tokens_per_s: float
) -> None:  # fmt: skip
    changed({"gateway": {"autoscaling": HPA | hpa}})
    seconds_until(release.GATEWAY, lambda count: count == LEAST, DOWN_WITHIN_S)
    kubectl.eventually("figures", lambda: "successfully calculate" in reason(release.GATEWAY), within_s=90)
    with vendors.slow_streams(tokens_per_s), Traffic(release.url(), rates) as traffic:
        up_s = seconds_until(release.GATEWAY, lambda count: count > LEAST, UP_WITHIN_S)
        most = replicas(release.GATEWAY)
    down_s = seconds_until(release.GATEWAY, lambda count: count == LEAST, DOWN_WITHIN_S)
    assert traffic.seen.trouble == [], "\n".join(traffic.seen.trouble)
    report.record(
        6, f"Gateway scaled on {what}",
        f"from {LEAST} to {most} after {up_s:.0f} s, back {down_s:.0f} s after the load; "
        f"{traffic.seen.requests + traffic.seen.streams} requests and streams, 0 failed",
    )  # fmt: skip


def test_monitors_follow_the_endpoints(changed: Callable[..., None]) -> None:
    by_endpoints = HPA | {"cpuUtilization": 0, "endpointsPerReplica": {"enabled": True, "target": 3}}
    changed({"monitor": {"autoscaling": by_endpoints}})
    up_s = seconds_until(release.MONITOR, lambda count: count > LEAST, UP_WITHIN_S)
    most = replicas(release.MONITOR)
    by_endpoints["endpointsPerReplica"] = {"enabled": True, "target": 200}
    changed({"monitor": {"autoscaling": by_endpoints}})
    down_s = seconds_until(release.MONITOR, lambda count: count == LEAST, DOWN_WITHIN_S)
    result = f"from {LEAST} to {most} after {up_s:.0f} s, back after {down_s:.0f} s"
    report.record(6, "Monitor scaled on endpoints per replica", result)
