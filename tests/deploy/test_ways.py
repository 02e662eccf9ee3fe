"""Every way of installing in the chart's ci/ folder, rendered by helm; skipped where that was not made yet."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.chart import made
from scripts.chart.tools import NotHere, tool
from tests.support.pods import pods, violations

Json = Any  # a value made of JSON's types

WAYS = {path.name.removesuffix("-values.yaml"): path for path in sorted((made.CHART / "ci").glob("*-values.yaml"))}
GIVEN_BY_THE_PLATFORM = {"openshift"}  # user ids


@pytest.fixture(params=WAYS, name="way")
def _way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="objects")
def _objects(way: str) -> list[Json]:
    try:
        tool("helm")
    except NotHere as why:
        pytest.skip(str(why))
    return _rendered(way)


@cache
def _rendered(way: str) -> list[Json]:
    """Once for all tests, which only look."""
    return made.rendered(WAYS[way])


def test_every_pod_meets_the_restricted_standard(objects: list[Json]) -> None:
    assert {name: violations(pod) for name, pod in pods(objects) if violations(pod)} == {}


def test_no_pod_has_a_token_that_it_does_not_use(way: str, objects: list[Json]) -> None:
    for name, pod in pods(objects):
        sources = [each for volume in pod.get("volumes", ()) for each in volume.get("projected", {}).get("sources", ())]
        tokens = [each["serviceAccountToken"] for each in sources if "serviceAccountToken" in each]
        assert pod["automountServiceAccountToken"] is False
        uses_the_api = way != "sidecar" and not name.endswith("-test")
        assert tokens == ([{"path": "token", "expirationSeconds": 3600}] if uses_the_api else [])


def test_no_key_is_in_the_environment_and_no_secret_is_made_but_the_token_of_evaluation(
    way: str, objects: list[Json]
) -> None:
    made_here = [each["metadata"]["name"] for each in objects if each["kind"] == "Secret"]
    assert made_here == (["pointsman-evaluations"] if way == "full" else [])
    for _, pod in pods(objects):
        for container in pod["containers"]:
            assert not any("secretKeyRef" in each.get("valueFrom", {}) for each in container.get("env", ()))
            assert "envFrom" not in container


def test_selectors_find_the_pods_and_hold_nothing_that_changes(objects: list[Json]) -> None:
    made_of = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"]
        for each in objects
        if each["kind"] == "Deployment"
    }
    keys = {f"app.kubernetes.io/{name}" for name in ("name", "instance", "component")}
    for each in objects:
        selector = each.get("spec", {}).get("selector") or {}
        selector = selector.get("matchLabels", selector)
        if each["kind"] in ("Deployment", "PodDisruptionBudget", "Service"):
            assert selector.keys() == keys
            assert any(selector.items() <= labels.items() for labels in made_of.values())


def test_workload_identity_alone_may_reach_the_clouds_metadata(way: str, objects: list[Json]) -> None:
    policies = [each for each in objects if each["kind"] == "NetworkPolicy"]
    blocks = [to["ipBlock"] for each in policies for rule in each["spec"]["egress"] for to in rule.get("to", ())
              if "ipBlock" in to]  # fmt: skip
    everywhere = [block.get("except", ()) for block in blocks if block["cidr"] == "0.0.0.0/0"]
    assert any("169.254.0.0/16" not in each for each in everywhere) is (way == "workload-identity")


def test_the_gateway_accepts_the_routing_configuration(objects: list[Json]) -> None:
    for each in objects:
        if each["kind"] == "ConfigMap" and each["metadata"]["name"] == "pointsman-config":
            command = [sys.executable, "-m", "gateway.cli.main", "check", "-"]
            text = each["data"]["pointsman.yaml"]
            done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=made.ROOT, check=False)
            assert done.returncode == 0, done.stderr


def test_names_fit(objects: list[Json]) -> None:
    assert all(len(each["metadata"]["name"]) <= 63 for each in objects)


def test_there_are_ways_for_every_switch() -> None:
    text = "".join(path.read_text() for path in WAYS.values())
    switches = ("keda", "ingress", "httpRoute", "serviceMonitor", "podMonitor", "sidecar", "existingConfig", "rbac")
    assert [name for name in switches if name not in text] == []


def test_the_readme_tells_every_value() -> None:
    rows = [line.split("|") for line in (made.CHART / "README.md").read_text().splitlines() if line.startswith("| ")]
    told = {row[1].strip() for row in rows if row[4].strip()}
    values = yaml.safe_load((made.CHART / "values.yaml").read_text())
    assert [path for path in _leaves(values, "") if not any(f"{path}.".startswith(f"{each}.") for each in told)] == []


def _leaves(node: Json, path: str) -> list[str]:
    if isinstance(node, dict) and node:
        return [leaf for key, value in node.items() for leaf in _leaves(value, f"{path}.{key}".lstrip("."))]
    return [path]


def test_the_licence_is_the_projects() -> None:
    assert (made.CHART / "LICENSE").read_text() == (Path(made.ROOT) / "LICENSE").read_text()
