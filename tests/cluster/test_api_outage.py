"""Scenario 5, first half: the API server is gone, in the middle of traffic and at a gateway's start."""

import time

from tests.cluster.support import controlplane, kubectl, release, report, web
from tests.cluster.support.traffic import Rates, Traffic

OUTAGE_S = 120.0
CALM_S = 30.0  # after its return, in which requests to it are counted
PER_CLIENT = 12  # lists and watches of the ConfigMap by one gateway in that time: a herd would send hundreds


def test_an_outage_in_the_middle_of_traffic_fails_no_request(pointsman: None) -> None:
    kubectl.rolled_out(release.GATEWAY)
    gateways = release.admin_urls()
    before = {admin: _asked(admin) for admin in gateways}
    with Traffic(release.url(), Rates(requests_per_s=20, streams=5)) as traffic:
        kubectl.eventually("traffic", lambda: traffic.seen.requests > 20, within_s=20)
        with controlplane.api_server_down():
            controlplane.wait_s(OUTAGE_S)
            assert traffic.seen.trouble == [], "\n".join(traffic.seen.trouble)
        controlplane.wait_s(CALM_S)
    assert traffic.seen.trouble == [], "\n".join(traffic.seen.trouble)
    asked = [_asked(admin) - before[admin] for admin in gateways]
    report.record(
        5,
        f"API server gone for {OUTAGE_S:.0f} s in the middle of traffic",
        f"{traffic.seen.requests} requests and {traffic.seen.streams} streams, 0 failed; "
        f"lists and watches by each gateway until {CALM_S:.0f} s after its return: {asked}",
    )
    assert max(asked) <= OUTAGE_S / 30 + PER_CLIENT


def test_a_gateway_that_starts_without_the_api_server_serves(pointsman: None) -> None:
    kubectl.rolled_out(release.GATEWAY)
    pod = release.pods("gateway")[0]
    admin = f"http://{pod['status']['podIP']}:{release.ADMIN_PORT}"
    with controlplane.api_server_down_after(pod["metadata"]["name"]) as kill:
        kill()
        began = time.monotonic()
        kubectl.eventually("it is gone", lambda: not _ready(admin), within_s=10, every_s=0.02)
        kubectl.eventually("it is ready", lambda: _ready(admin), within_s=60, every_s=0.05)
        took_s = time.monotonic() - began
        reply = web.call(
            f"http://{pod['status']['podIP']}:{release.CLIENT_PORT}/v1/chat/completions",
            {"model": "auto", "messages": [{"role": "user", "content": "hello"}]},
        )
        assert reply.status == 200, reply.text
    kubectl.rolled_out(release.GATEWAY)
    report.record(5, "Gateway killed and started again while the API server is gone", f"serves after {took_s:.1f} s")


def _ready(admin: str) -> bool:
    try:
        return web.call(f"{admin}/readyz", timeout_s=1).status == 200
    except OSError:
        return False


def _asked(admin: str) -> float:
    """Lists and watches that a gateway has asked of the API server."""
    return web.total(admin, "pointsman_kube_list_total") + web.total(admin, "pointsman_kube_watch_restarts_total")
