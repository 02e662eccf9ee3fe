"""Recording rules and alerts: their form, their runbooks, and what promtool says of each."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.observability import NEEDS_PROMTOOL, RULES, alerts, promtool, rules

Json = Any  # a value made of JSON's types

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks.md"
CASES = sorted(Path(__file__).parent.glob("*_test.yaml"))
ALERTS = {each["alert"]: each for each in alerts()}
TOLD = ("What it means", "How to look", "What to do")
TEMPLATE = re.compile(r"\{\{ (?:\$labels\.([a-z]+)|\$value(?: \| humanize(?:Percentage|Duration)?)?) \}\}")


def sections() -> dict[str, str]:
    """By heading, the text below it."""
    parts = re.split(r"^## (.+)$", RUNBOOKS.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert list(sections()) == list(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_the_runbook_says_what_it_means_how_to_look_and_what_to_do(name: str) -> None:
    assert re.findall(r"^\*\*(.+)\.\*\*", sections()[name], flags=re.MULTILINE) == list(TOLD)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_links_to_its_runbook_and_says_how_grave_it_is(name: str) -> None:
    alert = ALERTS[name]
    assert alert["annotations"]["runbook_url"] == f"docs/runbooks.md#{name.lower()}"
    assert alert["labels"] in ({"severity": "critical"}, {"severity": "warning"})
    assert alert["annotations"]["description"].endswith(".")


@pytest.mark.parametrize("name", ALERTS)
def test_what_an_alert_says_is_made_of_labels_that_it_has(name: str) -> None:
    alert = ALERTS[name]
    text = alert["annotations"]["description"]
    assert "{{" not in TEMPLATE.sub("", text)
    grouped = {label for by in re.findall(r"by \(([^)]*)\)", alert["expr"]) for label in re.split(r",\s*", by)}
    kept = grouped | ({"namespace", "route"} if "pointsman:" in alert["expr"] else set())
    assert {label for label in TEMPLATE.findall(text) if label} <= kept


def test_every_selector_can_be_narrowed_to_a_namespace() -> None:
    for rule in rules():
        selectors = re.findall(r"\{([^}]*)\}", rule["expr"])
        assert selectors
        assert all('namespace=~".*"' in each for each in selectors)


def cases() -> Iterator[Json]:
    for path in CASES:
        yield from yaml.safe_load(path.read_text())["tests"]


def test_every_alert_fires_in_one_case_and_is_quiet_in_another() -> None:
    fires: dict[str, set[bool]] = {name: set() for name in ALERTS}
    for case in cases():
        for asked in case["promql_expr_test"]:
            [name] = re.findall(r'alertname="(\w+)", alertstate="firing"', asked["expr"])
            fires[name].add(bool(asked["exp_samples"]))
    assert fires == {name: {True, False} for name in ALERTS}


@NEEDS_PROMTOOL
def test_prometheus_accepts_the_rules() -> None:
    promtool("check", "rules", "--lint-fatal", *map(str, RULES))


@NEEDS_PROMTOOL
def test_alerts_fire_and_are_quiet_as_the_cases_say() -> None:
    promtool("test", "rules", *map(str, CASES))
