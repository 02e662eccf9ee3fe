"""The JSON Schema, for editors and the chart."""

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from gateway.config.schema import json_schema, known_keys

SCHEMA = json_schema()
EXAMPLE = yaml.safe_load((Path(__file__).parent / "contract_example.yaml").read_text())


def errors(data: object) -> list[str]:
    return [error.json_path for error in Draft202012Validator(SCHEMA).iter_errors(data)]


def test_is_a_valid_schema_of_draft_2020_12() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_accepts_the_example_and_the_empty_file() -> None:
    assert errors(EXAMPLE) == []
    assert errors({}) == []


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"routs": []}, "$"),
        ({"routes": [{"name": "a", "x": 1}]}, "$.routes[0]"),
        ({"routes": [{}]}, "$.routes[0]"),
        ({"providers": {"a b": {}}}, "$.providers"),
        ({"breaker": {"window": 30}}, "$.breaker.window"),
        ({"routes": [{"name": "a", "match": {"model": {}}}]}, "$.routes[0].match.model"),
        ({"auth": None}, "$.auth"),
    ],
)
def test_refuses_what_the_loader_refuses(data: object, path: str) -> None:
    assert errors(data) == [path]


def test_is_closed_everywhere_and_has_no_null() -> None:
    text = str(SCHEMA)
    assert "'null'" not in text
    closed = [definition.get("additionalProperties") for definition in SCHEMA["$defs"].values()]
    assert closed == [False] * len(closed)


def test_shows_durations_as_they_are_written() -> None:
    assert SCHEMA["$defs"]["BreakerRow"]["properties"]["window"]["default"] == "30s"


def test_knows_the_keys_of_every_place() -> None:
    assert known_keys(SCHEMA, ("providers", "x", "key")) == ("env", "file", "none", "identity")
    assert known_keys(SCHEMA, ("routes", 3, "tier")) == ("min", "max")
    assert known_keys(SCHEMA, ("tiers", 0)) == ()
    assert known_keys(SCHEMA, ("nowhere", "at", "all")) == ()
