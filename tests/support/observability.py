"""Dashboards and rules as they lie in the chart, and promtool where it is installed."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import yaml

from scripts.observability.made import FILES

Json = Any  # a value made of JSON's types

RULES = sorted((FILES / "rules").glob("*.yaml"))
DASHBOARDS: dict[str, Json] = {
    path.stem: json.loads(path.read_text()) for path in sorted((FILES / "dashboards").glob("*.json"))
}
METRIC = re.compile(r"\b(?:pointsman|process|kube|ALERTS)[a-zA-Z0-9_:]*")
NEEDS_PROMTOOL = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="needs promtool (Debian package prometheus)"
)


class Expression(NamedTuple):
    """One query of one panel."""

    dashboard: str
    panel: str
    unit: str
    text: str
    instant: bool


def panels(dashboard: Json) -> list[Json]:
    """Without rows."""
    return [each for each in dashboard["panels"] if each["type"] != "row"]


def expressions() -> Iterator[Expression]:
    for name, dashboard in DASHBOARDS.items():
        for panel in panels(dashboard):
            unit = panel["fieldConfig"]["defaults"]["unit"]
            for target in panel["targets"]:
                yield Expression(name, panel["title"], unit, target["expr"], bool(target["instant"]))


def choices() -> dict[str, tuple[str, str]]:
    """By variable, the series and the label that its choice is made of."""
    queries = {
        each["name"]: each["query"]["query"]
        for dashboard in DASHBOARDS.values()
        for each in dashboard["templating"]["list"]
        if each["type"] == "query"
    }
    parts = {name: re.fullmatch(r"label_values\((.+), (\w+)\)", query) for name, query in queries.items()}
    return {name: (without_variables(found[1]), found[2]) for name, found in parts.items() if found}


def rules() -> Iterator[Json]:
    for path in RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def alerts() -> list[Json]:
    return [rule for rule in rules() if "alert" in rule]


def without_variables(expr: str, rate_interval: str = "5m", shown: str = "1h") -> str:
    """As Grafana sends it where everything is chosen."""
    words = {"$__rate_interval": rate_interval, "$__range": shown}
    words |= dict.fromkeys(("$namespace", "$route", "$provider"), ".*")
    for variable, value in words.items():
        expr = expr.replace(variable, value)
    assert "$" not in expr, expr
    return expr


def metrics_of(expr: str) -> set[str]:
    """Names of metrics, without what a histogram appends."""
    plain = re.sub(r'"[^"]*"', '""', expr)
    plain = re.sub(r"\b(by|on|group_left|group_right|unless on|and on) ?\([^)]*\)", "", plain)
    return {re.sub(r"_bucket$|_count$|_sum$", "", name) for name in METRIC.findall(plain)}


def promtool(*arguments: str) -> None:
    """Fails with its words."""
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
