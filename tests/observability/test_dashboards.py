"""What every dashboard must be, so that it works in every Grafana and an engineer on call can read it."""

import json
import re
from collections import Counter
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from tests.support.observability import (
    DASHBOARDS,
    METRIC,
    NEEDS_PROMTOOL,
    Expression,
    expressions,
    panels,
    promtool,
    without_variables,
)

Json = Any  # a value made of JSON's types

EXPRESSIONS = list(expressions())
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
SIDECARS_LIMIT_BYTES = 1024 * 1024  # of a ConfigMap


@pytest.fixture(params=DASHBOARDS, name="dashboard")
def _dashboard(request: pytest.FixtureRequest) -> Json:
    return DASHBOARDS[request.param]


def test_there_are_the_four_with_their_uids() -> None:
    assert {name: each["uid"] for name, each in DASHBOARDS.items()} == {
        "internals": "pointsman-internals",
        "overview": "pointsman-overview",
        "providers": "pointsman-providers",
        "routing": "pointsman-routing",
    }


def test_is_whole_as_grafanas_own_models_read_it(dashboard: Json) -> None:
    assert json.loads(json.dumps(models.Dashboard.from_json(dashboard), cls=JSONEncoder)) == dashboard


def test_fits_into_a_config_map(dashboard: Json) -> None:
    assert len(json.dumps(dashboard, indent=2)) < SIDECARS_LIMIT_BYTES


def test_links_to_the_others_and_takes_time_and_variables_along(dashboard: Json) -> None:
    [link] = dashboard["links"]
    assert (link["type"], link["tags"], link["includeVars"], link["keepTime"]) == (
        "dashboards",
        ["pointsman"],
        True,
        True,
    )
    assert dashboard["tags"] == ["pointsman"]


def test_has_variables_for_what_it_shows(dashboard: Json) -> None:
    names = [each["name"] for each in dashboard["templating"]["list"]]
    assert names[:2] == ["datasource", "namespace"]
    used = {word for each in panels(dashboard) for target in each["targets"] for word in variables_in(target["expr"])}
    assert used == set(names[1:])


def variables_in(expr: str) -> set[str]:
    return set(re.findall(r"\$([a-z]+)", expr))


def test_takes_its_data_from_the_source_that_is_chosen(dashboard: Json) -> None:
    parts = [*panels(dashboard), *(target for each in panels(dashboard) for target in each["targets"])]
    parts += [each for each in dashboard["templating"]["list"] if each["type"] == "query"]
    assert [each for each in parts if each["datasource"] != DATASOURCE] == []


def test_all_means_also_what_has_no_such_label(dashboard: Json) -> None:
    queries = [each for each in dashboard["templating"]["list"] if each["type"] == "query"]
    assert {(each["allValue"], each["multi"], each["includeAll"]) for each in queries} == {(".*", True, True)}


def test_every_panel_says_what_it_shows_and_in_which_unit(dashboard: Json) -> None:
    for panel in panels(dashboard):
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["targets"]


def test_panels_have_numbers_and_titles_of_their_own(dashboard: Json) -> None:
    for key in ("id", "title"):
        counted = Counter(each[key] for each in dashboard["panels"])
        assert [value for value, count in counted.items() if count > 1] == []


def test_no_two_panels_share_a_place_on_the_grid(dashboard: Json) -> None:
    taken: Counter[tuple[int, int]] = Counter()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        taken.update((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"]))
    assert [place for place, count in taken.items() if count > 1] == []


def test_queries_of_a_panel_have_letters_of_their_own(dashboard: Json) -> None:
    for panel in panels(dashboard):
        letters = [each["refId"] for each in panel["targets"]]
        assert len(letters) == len(set(letters))


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=lambda each: f"{each.dashboard}: {each.panel}")
def test_every_selector_keeps_to_the_namespace_and_names_no_machine(expression: Expression) -> None:
    selectors = re.findall(r"\{([^}]*)\}", expression.text)
    assert len(selectors) == len(METRIC.findall(re.sub(r'"[^"]*"', "", expression.text)))
    assert all('namespace=~"$namespace"' in each for each in selectors)
    assert not any(re.search(r"\b(instance|pod|node|job)\s*[=!]", each) for each in selectors)


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=lambda each: f"{each.dashboard}: {each.panel}")
def test_rates_fit_the_resolution_and_tables_the_time_shown(expression: Expression) -> None:
    # What chooses series by all that is shown says so by `@ end()`; it is the same at every point of a graph.
    intervals = set(re.findall(r"\[([^\]]*)\](?! @ end)", expression.text))
    assert intervals <= ({"$__range"} if expression.instant else {"$__rate_interval"})


@NEEDS_PROMTOOL
def test_prometheus_understands_every_expression(tmp_path: Any) -> None:
    rules = [
        {"record": f"panel:{place}", "expr": without_variables(each.text)} for place, each in enumerate(EXPRESSIONS)
    ]
    file = tmp_path / "expressions.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", "--lint-fatal", str(file))
