"""What the chart makes of dashboards and rules for one release; skipped where helm was not made yet."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.chart import made
from scripts.chart.tools import NotHere, tool
from tests.support.observability import DASHBOARDS, NEEDS_PROMTOOL, alerts, promtool

Json = Any  # a value made of JSON's types

FULL = made.CHART / "ci" / "full-values.yaml"


@pytest.fixture(scope="module", name="objects")
def _objects() -> list[Json]:
    try:
        tool("helm")
    except NotHere as why:
        pytest.skip(str(why))
    return made.rendered(FULL)


def of_kind(objects: list[Json], kind: str) -> list[Json]:
    return [each for each in objects if each["kind"] == kind]


def test_grafana_gets_the_dashboards_as_they_are(objects: list[Json]) -> None:
    maps = [each for each in of_kind(objects, "ConfigMap") if "grafana_dashboard" in each["metadata"].get("labels", {})]
    got = {name.removesuffix(".json"): json.loads(text) for each in maps for name, text in each["data"].items()}
    assert got == DASHBOARDS
    assert len(maps) == len(DASHBOARDS)


def test_prometheus_gets_every_rule_for_this_namespace_alone(objects: list[Json]) -> None:
    groups = [group for each in of_kind(objects, "PrometheusRule") for group in each["spec"]["groups"]]
    rules = [rule for group in groups for rule in group["rules"]]
    assert [rule["alert"] for rule in rules if "alert" in rule] == [each["alert"] for each in alerts()]
    assert all('namespace="pointsman"' in rule["expr"] and "=~" + '".*"' not in rule["expr"] for rule in rules)


def test_runbooks_are_where_the_values_say(objects: list[Json]) -> None:
    groups = [group for each in of_kind(objects, "PrometheusRule") for group in each["spec"]["groups"]]
    links = [rule["annotations"]["runbook_url"] for group in groups for rule in group["rules"] if "alert" in rule]
    assert links == [f"https://wiki.example.com/pointsman#{each['alert'].lower()}" for each in alerts()]


@NEEDS_PROMTOOL
def test_prometheus_accepts_what_the_chart_made_of_them(objects: list[Json], tmp_path: Path) -> None:
    for each in of_kind(objects, "PrometheusRule"):
        file = tmp_path / f"{each['metadata']['name']}.yaml"
        file.write_text(yaml.safe_dump(each["spec"]))
        promtool("check", "rules", "--lint-fatal", str(file))
