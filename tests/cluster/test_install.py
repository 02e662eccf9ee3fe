"""Scenario 1: what a user does on the first day, and what they do on the second."""

import json

from tests.cluster.support import kubectl, release, report, snapshot, vendors

# From another pod, as an application would: by the Service's name alone.
ASK = """
import json, urllib.request
body = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}
url = "http://pointsman.pointsman.svc:8080/v1/chat/completions"
request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
print(urllib.request.urlopen(request, timeout=20).read().decode())
"""


def test_a_pod_elsewhere_is_answered_under_the_services_name(pointsman: None) -> None:
    deployment = f"deployment/{vendors.NAMES[0]}"
    answer = json.loads(kubectl.kubectl("exec", deployment, "--", "python3", "-c", ASK, namespace=vendors.NAMESPACE))
    assert answer["choices"][0]["message"]["content"]
    report.record(1, "Request by the Service's name from another namespace's pod", f"answered by {answer['model']}")


def test_helm_test_passes(pointsman: None) -> None:
    said = kubectl.run("helm", "test", release.SERVICE, "--namespace", kubectl.NAMESPACE, "--timeout", "120s")
    assert "Succeeded" in said
    report.record(1, "`helm test`", "passes")


def test_upgrade_and_rollback_keep_the_snapshot(pointsman: None) -> None:
    before = kubectl.eventually("published", _epochs, within_s=90)
    release.upgrade({"logLevel": "debug"})
    upgraded = _epochs()
    release.roll_back()
    back = _epochs()
    for earlier, later in ((before, upgraded), (upgraded, back)):
        assert {key: later.get(key, 0) >= epoch for key, epoch in earlier.items()} == dict.fromkeys(earlier, True)
    report.record(1, "Upgrade and rollback", f"all {len(before)} shards and the price book kept")


def _epochs() -> dict[str, int]:
    return {key: shard["epoch"] for key, shard in snapshot.shards().items()}
