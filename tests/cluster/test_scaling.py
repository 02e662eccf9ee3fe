"""Scenario 6: load makes Deployments grow, and its end makes them shrink, through HorizontalPodAutoscalers."""

from collections.abc import Callable

import pytest

from tests.cluster.support import kubectl, release, report, vendors
from tests.cluster.support.traffic import Rates, Traffic

UP_WITHIN_S, DOWN_WITHIN_S = 120.0, 240.0


def replicas(deployment: str) -> int:
    return int(kubectl.get("deployment", deployment)["status"].get("readyReplicas", 0))


def reason(deployment: str) -> str:
    """Which figure the autoscaler acted on last, in its own words."""
    conditions = kubectl.get("horizontalpodautoscaler", deployment)["status"].get("conditions", ())
    return "; ".join(each["message"] for each in conditions if each["type"] == "ScalingActive")


@pytest.mark.parametrize(
    ("what", "rates", "tokens_per_s"),
    [
        ("processor time", Rates(requests_per_s=120), 1000.0),
        ("requests in flight", Rates(requests_per_s=0, streams=40), 2.0),
    ],
)
def test_gateways_follow(
    autoscaled: Callable[[str], None], what: str, rates: Rates, tokens_per_s: float
) -> None:  # fmt: skip
    autoscaled(what)
    kubectl.eventually("the least", lambda: replicas(release.GATEWAY) == release.LEAST, within_s=DOWN_WITHIN_S)
    kubectl.eventually("figures", lambda: "successfully calculate" in reason(release.GATEWAY), within_s=90)
    with vendors.slow_streams(tokens_per_s), Traffic(release.url(), rates) as traffic:
        up_s = kubectl.seconds_until(
            "more gateways", lambda: replicas(release.GATEWAY) > release.LEAST, UP_WITHIN_S, every_s=0.5
        )
        most = replicas(release.GATEWAY)
    down_s = kubectl.seconds_until(
        "fewer gateways", lambda: replicas(release.GATEWAY) == release.LEAST, DOWN_WITHIN_S, every_s=0.5
    )
    assert traffic.seen.trouble == [], "\n".join(traffic.seen.trouble)
    report.record(
        6, f"Gateway scaled on {what}",
        f"from {release.LEAST} to {most} after {up_s:.0f} s, back {down_s:.0f} s after the load; "
        f"{traffic.seen.requests + traffic.seen.streams} requests and streams, 0 failed",
    )  # fmt: skip
