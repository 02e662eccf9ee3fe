"""Pointsman as deployed for the tests: its start, its addresses, its parts."""

import os
import signal
import string
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.support import kubectl, web
from tests.cluster.support.cgroups import pids
from tests.cluster.support.kubectl import NAMESPACE
from tests.cluster.support.lab import IMAGE
from tests.cluster.support.vendors import KEYED

Json = Any  # a value made of JSON's types

GATEWAY, MONITOR, SERVICE, HEALTH = "pointsman-gateway", "pointsman-monitor", "pointsman", "pointsman-health"
CONFIG, SECRET = "pointsman-config", f"{KEYED}-key"
LEAST, MOST = 2, 4  # gateways, where they are scaled
CLIENT_PORT, ADMIN_PORT, MONITOR_PORT = 8080, 9090, 9091


def install(config: str) -> None:
    kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}])
    write_key("key-one")
    write_config(config)
    text = string.Template((Path(__file__).parent / "plain.yaml").read_text())
    kubectl.apply(yaml.safe_load_all(text.substitute(IMAGE=IMAGE, KEYED=KEYED)))
    kubectl.rolled_out(GATEWAY)


def write_key(value: str) -> None:
    """Put the key of the one provider that is called with one into its Secret."""
    metadata = {"name": SECRET}
    kubectl.apply([{"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"key": value}}])


def write_config(text: str) -> None:
    """Replace the routing configuration, as `kubectl apply` does."""
    data = {"pointsman.yaml": text}
    kubectl.apply([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CONFIG}, "data": data}])


def has_monitor() -> bool:
    return any(each["metadata"]["name"] == MONITOR for each in kubectl.items("deployments"))


def url() -> str:
    """The service that applications use."""
    return f"http://{kubectl.get('service', SERVICE)['spec']['clusterIP']}:{CLIENT_PORT}"


def pods(component: str) -> list[dict[str, Json]]:
    """The running pods of `gateway` or `monitor` that are not about to end."""
    found = kubectl.items("pods", f"app.kubernetes.io/component={component}")
    return [pod for pod in found if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]]


def admin_urls() -> list[str]:
    """The gateways' admin ports, pod by pod."""
    return [f"http://{pod['status']['podIP']}:{ADMIN_PORT}" for pod in pods("gateway")]


def monitor_urls() -> dict[str, str]:
    """The monitors' ports, by pod."""
    return {pod["metadata"]["name"]: f"http://{pod['status']['podIP']}:{MONITOR_PORT}" for pod in pods("monitor")}


def autoscale(what: str) -> None:
    """Scale the gateways by that figure alone, with a target that a test can reach and with little delay."""
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
    inflight = {"type": "Pods", "pods": {"metric": {"name": "pointsman_inflight_requests"},
                                         "target": {"type": "AverageValue", "averageValue": "8"}}}  # fmt: skip
    policies = [{"type": "Pods", "value": 4, "periodSeconds": 5}]
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": GATEWAY},
        "minReplicas": LEAST, "maxReplicas": MOST,
        "metrics": [cpu if what == "processor time" else inflight],
        "behavior": {"scaleUp": {"stabilizationWindowSeconds": 0, "policies": policies},
                     "scaleDown": {"stabilizationWindowSeconds": 10, "policies": policies}},
    }  # fmt: skip
    hpa = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": GATEWAY}}
    kubectl.apply([hpa | {"spec": spec}])


def fixed() -> None:
    """No autoscaler any more."""
    kubectl.kubectl("delete", "horizontalpodautoscaler", GATEWAY)
    kubectl.kubectl("scale", f"deployment/{GATEWAY}", f"--replicas={LEAST}")


def scale_monitor(count: int, *, wait: bool = True) -> None:
    """So many monitors, by hand: no HPA is to have its own mind meanwhile."""
    kubectl.kubectl("scale", f"deployment/{MONITOR}", f"--replicas={count}")
    if wait:
        kubectl.rolled_out(MONITOR)
        kubectl.eventually(f"{count} monitors", lambda: len(pods("monitor")) == count, within_s=60)


def kill_now(pod: str) -> None:
    """As with its node: no signal that it could act on, no time to say farewell, no start of the same container."""
    for pid in pids(pod):
        os.kill(int(pid), signal.SIGKILL)
    kubectl.kubectl("delete", "pod", pod, "--grace-period=0", "--force")


def ask(prompt: str = "hello", model: str = "auto", **body: Json) -> web.Reply:
    """One chat completion through the service."""
    messages = [{"role": "user", "content": prompt}]
    return web.call(f"{url()}/v1/chat/completions", {"model": model, "messages": messages, **body})


def said(component: str) -> str:
    """What the pods of `gateway` or `monitor` logged in the last minute, without decision records."""
    lines = kubectl.kubectl("logs", "-l", f"app.kubernetes.io/component={component}", "--tail=-1", "--since=60s")
    return "\n".join(line for line in lines.splitlines() if not line.startswith("{"))


def restore_health(held: dict[str, Json]) -> None:
    """Make the state's ConfigMap anew, as the chart made it."""
    kept = {key: held["metadata"][key] for key in ("name", "labels", "annotations") if key in held["metadata"]}
    kubectl.apply([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": kept}])
