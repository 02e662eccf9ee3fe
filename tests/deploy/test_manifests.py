"""The plain manifests as they lie in deploy/manifests, and so the chart's defaults: they are read without any tool."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.settings import PREFIX, Settings
from tests.support.pods import pods, violations

Json = Any  # a value made of JSON's types

FOLDER = Path(__file__).parents[2] / "deploy" / "manifests"
OBJECTS = {path.name: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))}
KUSTOMIZATION = OBJECTS.pop("kustomization.yaml")
PODS = dict(pods(OBJECTS.values()))


def test_the_kustomization_lists_every_file_and_no_other() -> None:
    assert KUSTOMIZATION["resources"] == sorted(OBJECTS)


def test_every_object_is_in_the_namespace_that_refuses_pods_with_rights() -> None:
    space = OBJECTS["pointsman-namespace.yaml"]["metadata"]
    assert space["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    elsewhere = {name for name, each in OBJECTS.items() if each["metadata"].get("namespace") != space["name"]}
    assert elsewhere == {"pointsman-namespace.yaml"}


def test_nothing_claims_to_be_helms() -> None:
    assert [name for name in OBJECTS if "helm" in (FOLDER / name).read_text().split("\n", 1)[1].lower()] == []


@pytest.mark.parametrize("name", PODS)
def test_pods_meet_the_restricted_standard(name: str) -> None:
    assert violations(PODS[name]) == []


@pytest.mark.parametrize("name", PODS)
def test_pods_write_nowhere_but_to_bounded_temporary_volumes(name: str) -> None:
    assert all(each["securityContext"]["readOnlyRootFilesystem"] for each in PODS[name]["containers"])
    assert all("sizeLimit" in each["emptyDir"] for each in PODS[name]["volumes"] if "emptyDir" in each)


@pytest.mark.parametrize("name", PODS)
def test_variables_are_settings_and_their_values_are_understood(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    given = {each["name"]: each.get("value", "from-the-pod") for each in PODS[name]["containers"][0]["env"]}
    fields = {each.removeprefix(PREFIX).lower() for each in given}
    assert fields <= Settings.model_fields.keys()
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    read = Settings()
    assert (read.host, read.kubernetes, read.configmap) == ("0.0.0.0", "on", "pointsman-health")


def test_the_grace_period_covers_what_happens_within_it() -> None:
    pod = PODS["pointsman-gateway"]
    [container] = pod["containers"]
    env = {each["name"]: each.get("value", "") for each in container["env"]}
    needed = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    needed += float(env["POINTSMAN_DRAIN_DELAY_S"]) + float(env["POINTSMAN_DRAIN_S"])
    assert pod["terminationGracePeriodSeconds"] >= needed + 10


def test_the_monitor_finds_the_gateways_by_a_service_that_has_their_admin_port() -> None:
    env = {each["name"]: each.get("value") for each in PODS["pointsman-monitor"]["containers"][0]["env"]}
    service = OBJECTS[f"{env['POINTSMAN_GATEWAY_SERVICE']}-service.yaml"]
    labels = OBJECTS["pointsman-gateway-deployment.yaml"]["spec"]["template"]["metadata"]["labels"]
    assert [port["name"] for port in service["spec"]["ports"]] == ["admin"]
    assert service["spec"]["selector"].items() <= labels.items()


def test_roles_name_the_one_config_map() -> None:
    roles = [each for each in OBJECTS.values() if each["kind"] == "Role"]
    maps = [rule for role in roles for rule in role["rules"] if "configmaps" in rule["resources"]]
    assert len(maps) == 2
    assert all(rule["resourceNames"] == ["pointsman-health"] for rule in maps)
    assert not any("secrets" in rule["resources"] or "*" in rule["verbs"] for role in roles for rule in role["rules"])


def test_the_states_config_map_has_no_data() -> None:
    assert OBJECTS["pointsman-health-configmap.yaml"].keys() == {"apiVersion", "kind", "metadata"}
