"""Pointsman as deployed for the tests: its start, its addresses, its parts."""

import json
import os
import signal
from collections.abc import Mapping
from typing import Any

from tests.cluster.support import kubectl, web
from tests.cluster.support.cgroups import pids
from tests.cluster.support.kubectl import NAMESPACE
from tests.cluster.support.lab import IMAGE, ROOT
from tests.cluster.support.vendors import KEYED

Json = Any  # a value made of JSON's types

CHART = ROOT / "deploy" / "helm" / "pointsman"

GATEWAY, MONITOR, SERVICE, HEALTH = "pointsman-gateway", "pointsman-monitor", "pointsman", "pointsman-health"
CONFIG, SECRET = "pointsman-config", f"{KEYED}-key"
LEAST, MOST = 2, 4  # gateways, where they are scaled
CLIENT_PORT, ADMIN_PORT, MONITOR_PORT = 8080, 9090, 9091

REGISTRY, _, _TAGGED = IMAGE.partition("/")
SMALL = {"requests": {"cpu": "50m", "memory": "96Mi"}}
# What differs from the chart's defaults: the image, little pods for a little machine, no HPA unless a test is about it,
# a shorter drain, no price sources in a network without a way out.
_BASE: dict[str, Json] = {
    "image": {"registry": REGISTRY, "repository": _TAGGED.partition(":")[0], "tag": _TAGGED.partition(":")[2],
              "pullPolicy": "Never"},
    "providerKeys": {KEYED: {"existingSecret": SECRET, "key": "key"}},
    "gateway": {"resources": SMALL, "autoscaling": {"enabled": False},
                "drain": {"preStopSeconds": 2, "delaySeconds": 5, "streamSeconds": 120}},
    "monitor": {"resources": SMALL, "autoscaling": {"enabled": False},
                "prices": dict.fromkeys(("openrouter", "modelsdev", "litellm", "huggingface"), "")},
}  # fmt: skip


def install(config: dict[str, Json]) -> None:
    """As a user does: the keys' Secret, then `helm install`."""
    kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}])
    write_key("key-one")
    _BASE["config"] = config
    upgrade()


def upgrade(*more: Mapping[str, Json]) -> None:
    """`helm upgrade --install` with the tests' values, and with more laid over them; waits until all is ready."""
    values = _BASE
    for each in more:
        values = _laid_over(values, each)
    command = ("helm", "upgrade", "--install", SERVICE, str(CHART), "--namespace", NAMESPACE, "--values", "-")
    kubectl.run(*command, "--wait", "--timeout", "300s", stdin=json.dumps(values), timeout_s=400)


def roll_back() -> None:
    """To the revision before."""
    command = ("helm", "rollback", SERVICE, "--namespace", NAMESPACE)
    kubectl.run(*command, "--wait", "--timeout", "300s", timeout_s=400)


def _laid_over(below: Mapping[str, Json], above: Mapping[str, Json]) -> dict[str, Json]:
    """`above` wins; maps are merged, lists replaced, as helm does."""
    merged = dict(below)
    for name, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = _laid_over(merged[name], value) if both else value
    return merged


def write_key(value: str) -> None:
    """Put the key of the one provider that is called with one into its Secret."""
    metadata = {"name": SECRET}
    kubectl.apply([{"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"key": value}}])


def write_config(config: Mapping[str, Json]) -> None:
    """Replace the routing configuration, as `kubectl apply` does (JSON is YAML)."""
    data = {"pointsman.yaml": json.dumps(config, indent=1)}
    kubectl.apply([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CONFIG}, "data": data}])


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


def event(reason: str, about: str = "") -> str | None:
    """The message of an Event with that reason, and with those words in it."""
    found = [each for each in kubectl.items("events") if each["reason"] == reason and about in each["message"]]
    return str(found[-1]["message"]) if found else None


def said(component: str) -> str:
    """What the pods of `gateway` or `monitor` logged in the last minute, without decision records."""
    lines = kubectl.kubectl("logs", "-l", f"app.kubernetes.io/component={component}", "--tail=-1", "--since=60s")
    return "\n".join(line for line in lines.splitlines() if not line.startswith("{"))


def restore_health(held: dict[str, Json]) -> None:
    """Make the state's ConfigMap anew, as the chart made it."""
    kept = {key: held["metadata"][key] for key in ("name", "labels", "annotations") if key in held["metadata"]}
    kubectl.apply([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": kept}])
