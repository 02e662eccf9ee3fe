#!/usr/bin/env python3
"""custom.metrics.k8s.io and external.metrics.k8s.io out of Prometheus: `metrics_adapter.py RULES.json`.

A stand-in for prometheus-adapter, which cannot be built from Go modules: the HPA controller, the aggregation layer and
RBAC are real, only this answerer is ours. Uses the standard library alone.

RULES.json: {"pods": {METRIC: QUERY}, "external": {METRIC: QUERY}}. In a query $namespace is the namespace asked for,
$pods a regular expression of the pods selected, $labels the selector's matches as PromQL matchers; a query for "pods"
keeps the label `pod`. All else comes from the environment: PROMETHEUS_URL, API_URL, ADAPTER_ADDRESS, and PKI (a folder
with ca.crt, front-proxy-ca.crt, metrics-adapter.{crt,key}). Only the API server's aggregation layer is let in.

Also Prometheus' own discovery, on loopback: the running pods annotated prometheus.io/scrape. Debian's Prometheus is
built without Kubernetes discovery.
"""

import datetime
import http.server
import json
import os
import socket
import ssl
import string
import sys
import threading
import urllib.parse
import urllib.request
from pathlib import Path

PKI = os.environ["PKI"]
PROMETHEUS = os.environ.get("PROMETHEUS_URL", "http://127.0.0.1:9090")
API = os.environ["API_URL"]
RULES = json.loads(Path(sys.argv[1]).read_text())
GROUPS = {"custom.metrics.k8s.io": "v1beta2", "external.metrics.k8s.io": "v1beta1"}


class Source:
    """Where the figures and the pods come from."""

    def __init__(self) -> None:
        self._tls = ssl.create_default_context(cafile=f"{PKI}/ca.crt")
        self._tls.load_cert_chain(f"{PKI}/metrics-adapter.crt", f"{PKI}/metrics-adapter.key")

    def pods(self, path: str, **query: str) -> list:
        url = f"{API}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, context=self._tls, timeout=5) as response:
            return json.load(response)["items"]

    def samples(self, query: str, **values: str) -> list:
        """(labels, value) for each series."""
        promql = string.Template(query).safe_substitute(values)
        url = f"{PROMETHEUS}/api/v1/query?" + urllib.parse.urlencode({"query": promql})
        with urllib.request.urlopen(url, timeout=5) as response:
            return [(s["metric"], float(s["value"][1])) for s in json.load(response)["data"]["result"]]


SOURCE = Source()


def answer(path: str, selector: str) -> dict | None:
    """The object at a path of the API server, or None."""
    parts = path.strip("/").split("/")
    if parts in (["healthz"], ["livez"], ["readyz"]):
        return {}
    if len(parts) < 3 or parts[0] != "apis" or GROUPS.get(parts[1]) != parts[2]:
        return None
    group, rest = f"{parts[1]}/{parts[2]}", parts[3:]
    kind = "pods" if parts[1].startswith("custom") else "external"
    if not rest:
        return resources(group, kind)
    if rest[0] != "namespaces" or rest[-1] not in RULES.get(kind, {}):
        return None
    if kind == "external" and len(rest) == 3:
        return external(group, rest[1], rest[2], selector)
    if kind == "pods" and len(rest) == 5 and rest[2] == "pods":
        return of_pods(group, rest, selector)
    return None


def resources(group: str, kind: str) -> dict:
    value, prefix = ("MetricValueList", "pods/") if kind == "pods" else ("ExternalMetricValueList", "")
    listed = [
        {"name": prefix + name, "singularName": "", "namespaced": True, "kind": value, "verbs": ["get"]}
        for name in RULES.get(kind, {})
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": listed}


def external(group: str, namespace: str, metric: str, selector: str) -> dict:
    found = SOURCE.samples(RULES["external"][metric], namespace=namespace, labels=matchers(selector))
    items = [
        {"metricName": metric, "metricLabels": labels, "timestamp": now(), "value": quantity(value)}
        for labels, value in found
    ]
    return {"kind": "ExternalMetricValueList", "apiVersion": group, "metadata": {}, "items": items}


def of_pods(group: str, rest: list[str], selector: str) -> dict:
    namespace, metric = rest[1], rest[4]
    names = [rest[3]]
    if rest[3] == "*":
        selected = SOURCE.pods(f"namespaces/{namespace}/pods", labelSelector=selector)
        names = [pod["metadata"]["name"] for pod in selected]
    found = SOURCE.samples(RULES["pods"][metric], namespace=namespace, pods="|".join(names), labels="")
    values = {labels.get("pod"): value for labels, value in found}
    items = [
        {
            "describedObject": {"kind": "Pod", "namespace": namespace, "name": name, "apiVersion": "/v1"},
            "metric": {"name": metric},
            "timestamp": now(),
            "windowSeconds": 30,
            "value": quantity(values[name]),
        }
        for name in names
        if name in values
    ]
    return {"kind": "MetricValueList", "apiVersion": group, "metadata": {}, "items": items}


def matchers(selector: str) -> str:
    """`a=b,c!=d` as PromQL matchers; set-based selectors are not taken."""
    out = []
    for part in filter(None, selector.split(",")):
        operator = "!=" if "!=" in part else "="
        name, _, value = part.partition(operator)
        out.append(f'{name.strip()}{operator}"{value.lstrip("=").strip()}"')
    return ",".join(out)


def quantity(value: float) -> str:
    return f"{round(value * 1000)}m"


def now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def targets() -> list:
    found = []
    for pod in SOURCE.pods("pods"):
        notes, ip = pod["metadata"].get("annotations", {}), pod["status"].get("podIP")
        if notes.get("prometheus.io/scrape") == "true" and ip and pod["status"]["phase"] == "Running":
            labels = {"namespace": pod["metadata"]["namespace"], "pod": pod["metadata"]["name"]}
            labels["__metrics_path__"] = notes.get("prometheus.io/path", "/metrics")
            found.append({"targets": [f"{ip}:{notes.get('prometheus.io/port', '80')}"], "labels": labels})
    return found


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET with JSON."""

    protocol_version = "HTTP/1.1"

    def found(self, path: str, query: dict[str, list[str]]) -> object | None:
        """The path comes escaped: the API server asks for `pods/%2A/metric`."""
        return answer(urllib.parse.unquote(path), query.get("labelSelector", [""])[0])

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        try:
            code, body = 200, self.found(url.path, urllib.parse.parse_qs(url.query))
        except OSError as error:
            code, body = 503, failure(503, "ServiceUnavailable", str(error))
        if body is None:
            code, body = 404, failure(404, "NotFound", f"no such metric or path: {url.path}")
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def failure(code: int, reason: str, message: str) -> dict:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
    return status | {"reason": reason, "code": code, "message": message}


class TargetsHandler(Handler):
    """Prometheus' http_sd."""

    def found(self, path: str, query: dict[str, list[str]]) -> object | None:
        return targets()

    def log_message(self, *_: object) -> None:
        """It asks every two seconds."""


class Server(http.server.ThreadingHTTPServer):
    """With TLS, whose handshake happens in the connection's own thread."""

    tls: ssl.SSLContext

    def finish_request(self, request: socket.socket, client_address: object) -> None:
        request.settimeout(60)
        super().finish_request(self.tls.wrap_socket(request, server_side=True), client_address)


def main() -> None:
    discovery = http.server.ThreadingHTTPServer(("127.0.0.1", 6445), TargetsHandler)
    threading.Thread(target=discovery.serve_forever, daemon=True).start()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(f"{PKI}/metrics-adapter-tls.crt", f"{PKI}/metrics-adapter-tls.key")
    tls.load_verify_locations(f"{PKI}/front-proxy-ca.crt")
    tls.verify_mode = ssl.CERT_REQUIRED
    host, _, port = os.environ.get("ADAPTER_ADDRESS", "0.0.0.0:6444").rpartition(":")
    server = Server((host, int(port)), Handler)
    server.tls = tls
    server.serve_forever()


if __name__ == "__main__":
    main()
