"""The simulated providers as pods: one deployment and one service each, from Pointsman's own image.

Owns their manifests, the `providers:` block that leads to them, and their faults. They sit in a namespace of their own,
as a provider's servers would outside.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from loadtest.vendors import VENDORS, provider_rows
from tests.cluster.support import kubectl, web
from tests.cluster.support.lab import IMAGE

Json = Any  # a value made of JSON's types

NAMESPACE = "vendors"
PORT = 8000
PERIOD_S = 10  # of the monitor's probes
PROBED_BY_COMPLETION = ("sim-private", "sim-claude")  # each endpoint by itself: who probes what is seen at the vendor
KEYED = "sim-pro"  # the one that is called with a key, from a mounted Secret
KEY_FILE = f"/var/run/secrets/pointsman/{KEYED}/key"
NAMES = tuple(vendor.id for vendor in VENDORS)


def start() -> None:
    """Bring all of them up."""
    kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}])
    kubectl.apply([each for name in NAMES for each in _manifests(name)], NAMESPACE)
    for name in NAMES:
        kubectl.rolled_out(name, NAMESPACE)


def providers() -> dict[str, Json]:
    """The `providers:` block, probed often enough for tests."""
    rows = provider_rows({name: f"http://{name}.{NAMESPACE}.svc.cluster.local:{PORT}/v1" for name in NAMES})
    for name, row in rows.items():
        means = "completion" if name in PROBED_BY_COMPLETION else "models"
        row["probe"] = {"by": means, "every": f"{PERIOD_S}s", "timeout": "2s"}
        row["timeouts"] = {"connect": "2s"}
    rows[KEYED]["key"] = {"file": KEY_FILE}
    return rows


def url(name: str) -> str:
    return f"http://{kubectl.get('service', name, NAMESPACE)['spec']['clusterIP']}:{PORT}"


def bill(name: str) -> dict[str, Json]:
    found: dict[str, Json] = web.call(f"{url(name)}/_control/bill").json()
    return found


def requests(name: str) -> list[dict[str, Json]]:
    """The last hundred that it got, oldest first, with their headers."""
    found: list[dict[str, Json]] = web.call(f"{url(name)}/_control/requests").json()
    return found


def require_key(name: str, key: str | None) -> None:
    web.call(f"{url(name)}/_control/key", {"required": key})


def fault(name: str, **values: Json) -> None:
    """Put a fault in force for calls (`path` and `stream` narrow it: see loadtest/faults.py)."""
    match = {each: values.pop(each) for each in ("path", "stream") if each in values}
    reply = web.call(f"{url(name)}/_control/fault", {"fault": values, "match": match})
    assert reply.status == 200, reply.text


def well(name: str) -> None:
    """End its faults and its bill."""
    web.call(f"{url(name)}/_control/reset", {}, method="POST")


@contextmanager
def down(name: str) -> Iterator[None]:
    """While within, it answers everything with 500, probes too."""
    base = url(name)
    for match in ({}, {"path": "/v1/models"}):
        web.call(f"{base}/_control/fault", {"fault": {"status": 500}, "match": match})
    try:
        yield
    finally:
        web.call(f"{base}/_control/fault", method="DELETE")


@contextmanager
def slow_streams(tokens_per_s: float) -> Iterator[None]:
    """While within, every stream of every vendor goes at this pace."""
    for name in NAMES:
        fault(name, tokens_per_s=tokens_per_s, stream=True)
    try:
        yield
    finally:
        for name in NAMES:
            web.call(f"{url(name)}/_control/fault", method="DELETE")


def dies(name: str) -> float:
    """Its pod is taken away; the moment (`time.monotonic`)."""
    kubectl.kubectl("scale", f"deployment/{name}", "--replicas=0", namespace=NAMESPACE)
    return time.monotonic()


def returns(name: str) -> None:
    kubectl.kubectl("scale", f"deployment/{name}", "--replicas=1", namespace=NAMESPACE)
    kubectl.rolled_out(name, NAMESPACE)


def _manifests(name: str) -> list[dict[str, Json]]:
    labels = {"app": name}
    container = {
        "name": "vendor",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["python3", "-m", "loadtest.vendor_process", name, "--host", "0.0.0.0", "--port", str(PORT)],
        "stdin": True,  # it ends when its standard input does
        "readinessProbe": {"httpGet": {"path": "/_control/bill", "port": PORT}, "periodSeconds": 1},
    }
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 1}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
         "spec": {"selector": labels, "ports": [{"port": PORT, "targetPort": PORT}]}},
    ]  # fmt: skip


def config(**more: Json) -> dict[str, Json]:
    """A whole routing configuration over these providers."""
    return {"providers": providers(), **more}
