"""Scenarios 8 and 9: configuration and keys change under traffic, and no pod is restarted for it.

What takes the time is the kubelet, which brings a changed volume to a pod at its next look: within a minute by default.
"""

from concurrent.futures import ThreadPoolExecutor

from tests.cluster.support import kubectl, release, report, vendors, web
from tests.cluster.support.traffic import Rates, Traffic

IN_FORCE_S = 90.0


def test_a_new_configuration_and_a_new_key_are_in_force_everywhere_and_drop_no_request(pointsman: None) -> None:
    renamed = vendors.config(routes=[{"name": "renamed", "match": {"model": "auto"}}, {"name": "default"}])
    before = _restarts()
    vendors.require_key(vendors.KEYED, None)
    with Traffic(release.url(), Rates(requests_per_s=20)) as traffic, ThreadPoolExecutor() as pool:
        release.write_config(renamed)
        release.write_key("key-two")
        configured = pool.submit(kubectl.seconds_until, "in force", lambda: _all_have_route("renamed"), IN_FORCE_S)
        keyed = pool.submit(kubectl.seconds_until, "key used", _all_use_the_new_key, IN_FORCE_S, 1.0)
        configured_s, keyed_s = configured.result(), keyed.result()
    assert traffic.seen.trouble == []
    assert release.ask().headers["x-pointsman-route"] == "renamed"
    vendors.require_key(vendors.KEYED, "key-two")
    assert release.ask(model=f"{vendors.KEYED}/pro-1").status == 200
    assert _restarts() == before
    report.record(8, "Routing ConfigMap changed", f"in force everywhere after {configured_s:.0f} s; 0 requests failed")
    report.record(9, "Provider key rotated in its Secret", f"used by every gateway after {keyed_s:.0f} s, no restart")


def test_a_broken_configuration_is_refused_and_told(pointsman: None) -> None:
    before = [_refused(admin) for admin in release.admin_urls()]
    broken = vendors.config(routes=[{"name": "default", "objectiv": "cost"}])
    with Traffic(release.url(), Rates(requests_per_s=20)) as traffic:
        release.write_config(broken)
        took_s = kubectl.seconds_until("refused", lambda: _all_refused(before), within_s=IN_FORCE_S)
    assert traffic.seen.trouble == []
    told = kubectl.eventually("an Event", lambda: release.event("ConfigRefused"), within_s=IN_FORCE_S)
    assert "objectiv" in release.said("gateway")
    assert "objectiv" in told
    release.write_config(vendors.config())
    report.record(8, "Routing ConfigMap broken", f"refused everywhere after {took_s:.0f} s; 0 requests failed")
    report.record(8, "Event of it", f"`{told[:160]}`")


def _restarts() -> dict[str, int]:
    """How often the container of each gateway was started again."""
    return {pod["metadata"]["name"]: pod["status"]["containerStatuses"][0]["restartCount"]
            for pod in release.pods("gateway")}  # fmt: skip


def _all_have_route(name: str) -> bool:
    return all(name in web.call(f"{admin}/config").text for admin in release.admin_urls())


def _refused(admin: str) -> float:
    return web.total(admin, "pointsman_config_reload_failures_total")


def _all_refused(before: list[float]) -> bool:
    return all(_refused(admin) > count for admin, count in zip(release.admin_urls(), before, strict=True))


def _all_use_the_new_key() -> bool:
    return all(_key_of(pod["status"]["podIP"]) == "Bearer key-two" for pod in release.pods("gateway"))


def _key_of(ip: str) -> str:
    """What that gateway calls the provider with."""
    body = {"model": f"{vendors.KEYED}/pro-1", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 1}
    reply = web.call(f"http://{ip}:{release.CLIENT_PORT}/v1/chat/completions", body)
    assert reply.status == 200, reply.text
    headers = {name.lower(): value for name, value in vendors.requests(vendors.KEYED)[-1]["headers"]}
    return str(headers["authorization"])
