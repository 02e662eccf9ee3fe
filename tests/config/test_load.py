"""From bytes to a policy or a `ConfigError`, and nothing in between."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.load import ConfigText, load_config
from gateway.config.problems import ConfigError
from gateway.config.schema import json_schema
from gateway.core.policy import Match
from tests.support.configs import known, load

EXAMPLE = Path(__file__).parent / "contract_example.yaml"
KNOWN = known("OPENAI_API_KEY")


def test_takes_the_example_of_the_contract() -> None:
    policy = load(EXAMPLE.read_text()).policy
    assert list(policy.catalog.providers) == ["openai", "deepseek", "openai-eu", "corp-vllm"]
    assert [route.name for route in policy.routes] == ["support-bot", "default"]


def test_names_each_version_by_its_bytes() -> None:
    one, same, other = (load(text).policy.generation for text in ("{}", "{}", "{} "))
    assert one == same != other
    assert re.fullmatch("[0-9a-f]{12}", one)


def keys() -> st.SearchStrategy[str]:
    """Keys of the file, at whatever place, and some that are none."""
    found: set[str] = {"x", ""}
    for definition in [json_schema(), *json_schema()["$defs"].values()]:
        found.update(definition.get("properties", {}))
    return st.sampled_from(sorted(found))


VALUES = st.sampled_from(
    [
        "openai",
        "small",
        "large",
        "auto",
        "a*",
        "30s",
        "1h",
        0,
        1,
        -1,
        1.5,
        True,
        False,
        None,
        "http://h",
        "(a+)+",
        "[",
        "eu",
        "pii",
    ]
) | st.text(max_size=8)
DATA = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys(), inner, max_size=4), max_leaves=25
)


@settings(max_examples=300)
@given(st.dictionaries(keys(), DATA, max_size=5))
def test_raises_nothing_but_config_errors_for_any_data(data: dict[str, object]) -> None:
    attempt(yaml.safe_dump(data, allow_unicode=True).encode())


@given(st.data())
def test_raises_nothing_but_config_errors_for_any_damage_to_a_good_file(data: st.DataObject) -> None:
    text = EXAMPLE.read_bytes()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    attempt(text[:start] + data.draw(st.binary(max_size=12)) + text[end:])


def attempt(text: bytes) -> None:
    try:
        compiled = load_config(ConfigText(text), KNOWN)
    except ConfigError:
        return
    assert compiled.policy.routes[-1].match == Match()


@pytest.mark.parametrize("text", ["a: [", "- 1", "breaker: {failures: x}", "tiers: [a, a]"])
def test_refuses_at_every_stage_by_the_same_error(text: str) -> None:
    with pytest.raises(ConfigError):
        load(text)
