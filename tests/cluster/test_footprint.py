"""What a pod costs: processor time from its start until it is ready, and memory at rest."""

import json

from tests.cluster.support import cgroups, kubectl, release, report

CPU_TO_READY_S = 1.5
RSS_AT_REST_MIB = 90.0


def test_a_gateway_is_ready_with_little_work_and_rests_in_little_memory(pointsman: None) -> None:
    kubectl.rolled_out(release.GATEWAY)
    name = release.pods("gateway")[0]["metadata"]["name"]
    before = {pod["metadata"]["name"] for pod in release.pods("gateway")}
    kubectl.kubectl("delete", "pod", name, "--wait=false")
    found = kubectl.eventually("a new gateway ready", lambda: _new_and_ready(before), within_s=120, every_s=0.1)
    cpu_s = cgroups.cpu_s(found)
    rss_mib = max(cgroups.rss_mib(pod) for pod in (*before - {name}, found))
    report.record(0, "Gateway from its start until ready", f"{cpu_s:.2f} s of processor time")
    report.record(0, "Gateway at rest", f"{rss_mib:.0f} MiB resident")
    assert cpu_s < CPU_TO_READY_S
    assert rss_mib < RSS_AT_REST_MIB


def _new_and_ready(before: set[str]) -> str | None:
    for pod in release.pods("gateway"):
        ready = any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"]["conditions"])
        if pod["metadata"]["name"] not in before and ready:
            return str(pod["metadata"]["name"])
    return None


def test_the_image_says_what_is_in_it(pointsman: None) -> None:
    pod = release.pods("gateway")[0]["metadata"]["name"]
    code = "import json,sys; json.dump(json.load(open('/opt/pointsman/sbom.cdx.json')), sys.stdout)"
    bill = json.loads(kubectl.kubectl("exec", pod, "--", "python3", "-c", code))
    assert bill["metadata"]["component"]["name"] == "pointsman"
    assert {"aiohttp", "kubernetes", "uvloop"} <= {each["name"] for each in bill["components"]}
    report.record(0, "Bill of materials in the image", f"{len(bill['components'])} Python packages")
