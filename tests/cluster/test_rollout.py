"""Scenario 3: gateways come and go under traffic, and no request fails and no stream is cut."""

import time
from collections.abc import Callable
from functools import partial

import pytest

from tests.cluster.support import kubectl, release, report, vendors
from tests.cluster.support.traffic import Rates, Traffic

RATES = Rates(requests_per_s=20, streams=20)
STREAM_TOKENS_PER_S = 3.0  # so that a stream lasts longer than the drain begins late


def restart() -> None:
    """Rolling update: every pod is replaced"""
    kubectl.kubectl("rollout", "restart", f"deployment/{release.GATEWAY}")
    kubectl.rolled_out(release.GATEWAY, timeout_s=300)


def delete_one() -> None:
    """A pod is deleted, as by hand"""
    kubectl.kubectl("delete", "pod", release.pods("gateway")[0]["metadata"]["name"], "--wait=false")
    kubectl.rolled_out(release.GATEWAY)


def evict_all() -> None:
    """Every pod is evicted, as a drain of its node does"""
    for pod in release.pods("gateway"):
        name = pod["metadata"]["name"]
        kubectl.eventually(f"{name} evicted", partial(kubectl.evicted, name), within_s=120, every_s=1.0)
    kubectl.rolled_out(release.GATEWAY)


@pytest.mark.parametrize("act", [restart, delete_one, evict_all])
def test_no_request_fails_and_no_stream_is_cut(pointsman: None, act: Callable[[], None]) -> None:
    kubectl.rolled_out(release.GATEWAY)
    before = {pod["metadata"]["name"] for pod in release.pods("gateway")}
    with vendors.slow_streams(STREAM_TOKENS_PER_S), Traffic(release.url(), RATES) as traffic:
        kubectl.eventually("all streams open", lambda: traffic.seen.open_streams >= RATES.streams, within_s=20)
        time.sleep(2)
        began = time.monotonic()
        act()
        took_s = time.monotonic() - began
        kubectl.eventually("old pods gone", lambda: _names() - before and len(_all()) == len(before), within_s=180)
    seen = traffic.seen
    assert seen.trouble == [], "\n".join(seen.trouble)
    result = f"{seen.requests} requests, {seen.streams} streams, 0 failed, 0 cut; {took_s:.0f} s"
    report.record(3, act.__doc__ or "", f"{result}; slowest request {seen.slowest_s:.2f} s")


def _names() -> set[str]:
    return {pod["metadata"]["name"] for pod in release.pods("gateway")}


def _all() -> list[object]:
    return list(kubectl.items("pods", "app.kubernetes.io/component=gateway"))
