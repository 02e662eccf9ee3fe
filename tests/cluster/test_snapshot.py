"""Scenario 2: from a monitor's decision through the ConfigMap to every gateway."""

import time

from tests.cluster.support import kubectl, release, report, snapshot, vendors, web

SEEN_WITHIN_S = 2.0
TYPICAL_BYTES = 64 * 1024
OPEN = 2.0  # of pointsman_breaker_state
VICTIM = "sim-claude"  # nobody sends it requests: what gateways know of it comes from the monitor
ENDPOINT = "sim-claude/claude-sim-large"


def test_every_gateway_sees_a_breaker_open_soon_after_the_monitor_decides(pointsman: None) -> None:
    kubectl.eventually("published", lambda: ENDPOINT in snapshot.endpoints(), within_s=90)
    assert not any(_is_open(url) for url in _all())
    monitors, gateways = list(release.monitor_urls().values()), release.admin_urls()
    with vendors.down(VICTIM):
        decided_s = _moment(monitors, within_s=120, enough=any)
        seen_s = _moment(gateways, within_s=30, enough=all)
        published = kubectl.eventually("published", _published_open, within_s=10)
        told = kubectl.eventually("an event", lambda: release.event("BreakerOpened", ENDPOINT), within_s=20)
    took_s = seen_s - decided_s
    report.record(2, "Breaker opened by a monitor", f"seen by every gateway {max(took_s, 0):.2f} s after the decision")
    report.record(2, "Event of it", f"`{told}`")
    assert took_s < SEEN_WITHIN_S
    assert published
    kubectl.eventually("closed again everywhere", lambda: not any(_is_open(url) for url in _all()), within_s=180)


def test_the_snapshot_is_small_and_readable(pointsman: None) -> None:
    kubectl.eventually("published", snapshot.endpoints, within_s=90)
    text = kubectl.kubectl("get", "configmap", release.HEALTH, "-o", "yaml")
    assert "sim-cheap/open-8b" in text
    assert "shard-" in text
    size = snapshot.size_bytes()
    report.record(2, "Size of the snapshot", f"{size / 1024:.1f} KiB for {len(snapshot.endpoints())} endpoints")
    assert size < TYPICAL_BYTES


def _all() -> list[str]:
    return [*release.monitor_urls().values(), *release.admin_urls()]


def _is_open(url: str) -> bool:
    return web.metrics(url).get(f'pointsman_breaker_state{{endpoint="{ENDPOINT}"}}') == OPEN


def _moment(urls: list[str], within_s: float, enough: object) -> float:
    """When any or all of them first showed the breaker open."""
    assert callable(enough)
    kubectl.eventually("breaker open", lambda: enough(_is_open(url) for url in urls), within_s, every_s=0.02)
    return time.monotonic()


def _published_open() -> bool:
    return bool(snapshot.endpoints()[ENDPOINT]["breaker"] == "open")
