"""Scenario 4: one monitor is lost and the others take over; all are lost and gateways go on by what they see."""

import time

from tests.cluster.support import controlplane, kubectl, release, report, snapshot, vendors, web
from tests.cluster.support.traffic import Rates, Traffic

TWO_PERIODS_S = 2 * vendors.PERIOD_S
SLACK_S = 2.0  # for what it takes to look
AWAY_S = 180.0


def test_a_killed_monitors_endpoints_are_taken_over_within_two_periods(pointsman: None) -> None:
    release.scale_monitor(2)
    kubectl.eventually("both publish", lambda: snapshot.settled_on(2), within_s=120)
    with snapshot.Watch() as log:
        controlplane.wait_s(TWO_PERIODS_S + 5)
        victim = next(iter(release.monitor_urls()))
        killed_s = snapshot.now_s()
        release.kill_now(victim)
        took_s = kubectl.seconds_until("no shard is the dead one's", lambda: _none_by(victim), within_s=120)
        controlplane.wait_s(TWO_PERIODS_S + 5)
    gap_s, endpoint = log.longest_gap_s(killed_s - TWO_PERIODS_S, snapshot.now_s() - SLACK_S)
    report.record(
        4, f"One of two monitors killed (period {vendors.PERIOD_S} s)",
        f"its shards published by the other after {took_s:.1f} s; longest time without a probe {gap_s:.1f} s",
    )  # fmt: skip
    assert gap_s <= TWO_PERIODS_S + SLACK_S, endpoint
    assert took_s <= TWO_PERIODS_S + SLACK_S


def test_scaling_the_monitor_leaves_no_endpoint_unprobed_nor_twice_probed_for_long(pointsman: None) -> None:
    release.scale_monitor(1)
    kubectl.eventually("one publishes", lambda: snapshot.settled_on(1), within_s=120)
    with snapshot.Watch() as log:
        controlplane.wait_s(TWO_PERIODS_S)
        began_s = snapshot.now_s()
        for count in (5, 2):
            release.scale_monitor(count)
            controlplane.wait_s(2 * TWO_PERIODS_S)
    gap_s, hungry = log.longest_gap_s(began_s, snapshot.now_s() - SLACK_S)
    overlap_s, crowded = log.longest_overlap_s(began_s, snapshot.now_s())
    report.record(
        4, f"Monitors scaled 1 → 5 → 2 (period {vendors.PERIOD_S} s)",
        f"longest time without a probe {gap_s:.1f} s, longest time probed by two {overlap_s:.1f} s",
    )  # fmt: skip
    assert gap_s <= TWO_PERIODS_S + SLACK_S, hungry
    assert overlap_s <= TWO_PERIODS_S + SLACK_S, crowded


def test_without_any_monitor_gateways_route_on_and_avoid_a_provider_that_dies(pointsman: None) -> None:
    release.scale_monitor(2)
    for name in release.monitor_urls():
        release.kill_now(name)
    release.scale_monitor(0, wait=False)
    began = time.monotonic()
    with Traffic(release.url(), Rates(requests_per_s=10)) as traffic:
        controlplane.wait_s(AWAY_S / 3)
        usual = max(traffic.seen.endpoints, key=lambda name: traffic.seen.endpoints[name])
        provider = usual.partition("/")[0]
        failed = _failed_attempts(usual)
        died = vendors.dies(provider)
        avoided_s = kubectl.seconds_until("avoided", lambda: _is_open(usual), within_s=60)
        controlplane.wait_s(AWAY_S - (time.monotonic() - began))
        failed = _failed_attempts(usual) - failed
    vendors.returns(provider)
    release.scale_monitor(2)
    assert traffic.seen.trouble == [], "\n".join(traffic.seen.trouble)
    assert died
    report.record(4, f"All monitors gone for {AWAY_S:.0f} s", f"{traffic.seen.requests} requests, 0 failed")
    report.record(
        4, "A provider that dies meanwhile",
        f"avoided by every gateway after {avoided_s:.1f} s; {failed:.0f} attempts at it failed over, 0 requests failed",
    )  # fmt: skip


def _none_by(pod: str) -> bool:
    return not any(pod in publisher for publisher in snapshot.publishers().values())


def _is_open(endpoint: str) -> bool:
    series = f'pointsman_breaker_state{{endpoint="{endpoint}"}}'
    return all(web.metrics(admin).get(series, 0.0) > 0 for admin in release.admin_urls())


def _failed_attempts(endpoint: str) -> float:
    """Attempts at it that did not end well, in all gateways."""
    urls = release.admin_urls()
    every = sum(web.total(url, "pointsman_attempts_total", endpoint=endpoint) for url in urls)
    return every - sum(web.total(url, "pointsman_attempts_total", endpoint=endpoint, outcome="ok") for url in urls)
