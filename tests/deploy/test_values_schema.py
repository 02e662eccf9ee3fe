"""values.schema.json: up to date with the code, closed, of one mind with the gateway about routing configurations."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from scripts.chart import made
from scripts.chart.values_schema import UnknownPath, values_schema

Json = Any  # a value made of JSON's types

SCHEMA = json.loads((made.CHART / "values.schema.json").read_text())
DEFAULTS = yaml.safe_load((made.CHART / "values.yaml").read_text())
WAYS = sorted((made.CHART / "ci").glob("*-values.yaml"))


def errors(values: Json) -> list[str]:
    found = Draft202012Validator(SCHEMA).iter_errors(values)
    return [f"{'.'.join(map(str, each.absolute_path))}: {each.message}" for each in found]


def test_is_what_the_code_and_the_values_say() -> None:
    assert values_schema(made.CHART) == (made.CHART / "values.schema.json").read_text()


def test_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_accepts_the_defaults() -> None:
    assert errors(DEFAULTS) == []


@pytest.mark.parametrize("way", WAYS, ids=lambda path: path.name)
def test_accepts_every_way_of_installing(way: Path) -> None:
    values = yaml.safe_load(way.read_text())
    # Helm takes away what is null before it looks at the schema.
    assert errors({key: value for key, value in values.items() if key != "podSecurityContext"}) == []


@pytest.mark.parametrize(
    "values",
    [
        {"gatway": {}},
        {"gateway": {"replicaCont": 2}},
        {"gateway": {"replicaCount": 0}},
        {"gateway": {"maxSurge": "0%"}},
        {"monitor": {"mode": "daemonset"}},
        {"image": {"digest": "latest"}},
        {"providerKeys": {"openai": "sk-1"}},
        {"providerKeys": {"openai": {"existingSecret": ""}}},
        {"config": {"provider": {}}},
        {"config": {"routes": [{"name": "a", "limits": {"atempts": 1}}]}},
        {"networkPolicy": {"extraEgressPorts": [70000]}},
        {"monitor": {"prices": {"litelm": ""}}},
    ],
    ids=json.dumps,
)
def test_refuses(values: Json) -> None:
    assert errors(values) != []


def test_lets_a_parent_chart_say_more_to_all_its_parts() -> None:
    assert errors({"global": {"storageClass": "fast"}}) == []


def test_a_rule_for_a_value_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("a: 1\n")
    (tmp_path / "values.schema.yaml").write_text("open: []\nrules: {b: {type: string}}\n")
    with pytest.raises(UnknownPath, match="has no b"):
        values_schema(tmp_path)
