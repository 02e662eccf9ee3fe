"""Scenario 5, second half: the ConfigMap of the monitor's state is deleted, filled with garbage, of a foreign version,
far too large. Gateways go on with what they knew, and say so in their log and metrics."""

import json
from typing import Any

import pytest

from tests.cluster.support import kubectl, release, report, web
from tests.cluster.support.traffic import Rates, Traffic

Json = Any  # a value made of JSON's types

GOOD = {
    "version": 1, "shard": 31, "epoch": 1, "seq": 1, "publisher": "test", "published_at": "2026-01-01T00:00:00Z",
    "period_s": 30, "endpoints": {},
}  # fmt: skip
DAMAGES = {
    "garbage": "{not json",
    "a foreign version": json.dumps(GOOD | {"version": 99}),
    "numbers beyond all bounds": json.dumps(GOOD | {"seq": 10**400}),
    "a nesting without end": "[" * 20_000,
    "almost 1 MiB": json.dumps(GOOD | {"publisher": "x" * 1_000_000}),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_shard_changes_nothing_and_is_told(pointsman: None, damage: str) -> None:
    before = [_errors(admin) for admin in release.admin_urls()]
    with Traffic(release.url(), Rates(requests_per_s=20)) as traffic:
        _write(DAMAGES[damage])
        seconds = kubectl.seconds_until("every gateway counts it", lambda: _all_count(before), within_s=30)
    assert traffic.seen.trouble == []
    assert "not taken over, the last good one stays" in release.said("gateway")
    _write(json.dumps(GOOD))
    report.record(5, f"ConfigMap filled with {damage}", f"0 requests failed; told by every gateway in {seconds:.1f} s")


def test_a_deleted_state_changes_nothing_and_is_told(pointsman: None) -> None:
    held = kubectl.get("configmap", release.HEALTH)
    with Traffic(release.url(), Rates(requests_per_s=20)) as traffic:
        kubectl.kubectl("delete", "configmap", release.HEALTH)
        words = f"no ConfigMap {release.HEALTH}"
        kubectl.eventually("it is told", lambda: words in release.said("gateway"), within_s=30)
        release.restore_health(held)
    assert traffic.seen.trouble == []
    report.record(5, "ConfigMap deleted", "0 requests failed; told in the log; state as before once it is back")


def _write(text: str) -> None:
    kubectl.kubectl(
        "patch", "configmap", release.HEALTH, "--type=merge", "--patch-file=/dev/stdin",
        stdin=json.dumps({"data": {"shard-31.json": text}}),
    )  # fmt: skip


def _errors(admin: str) -> float:
    return web.total(admin, "pointsman_snapshot_errors_total")


def _all_count(before: list[float]) -> bool:
    return all(_errors(admin) > count for admin, count in zip(release.admin_urls(), before, strict=True))
