from typing import Any

import jsonschema
import pytest

from loadtest.schemas import Sampler

SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]},
    {
        "type": "object",
        "properties": {"unit": {"enum": ["c", "f"]}, "fixed": {"const": 7}},
        "required": ["unit", "fixed"],
    },
    {"type": "array", "items": {"type": "number", "minimum": 100, "maximum": 101}, "minItems": 2},
    {"type": "integer", "exclusiveMinimum": 3, "multipleOf": 5},
    {"type": "integer", "minimum": 7, "maximum": 10, "multipleOf": 5},
    {"type": "number", "exclusiveMaximum": -4},
    {"type": ["string", "null"], "minLength": 40, "maxLength": 44},
    {"type": "string", "format": "date"},
    {"anyOf": [{"type": "boolean"}, {"type": "string"}]},
    {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"type": "null"}}}]},
    {"$ref": "#/$defs/pair", "$defs": {"pair": {"type": "array", "items": {"type": "boolean"}, "minItems": 2}}},
    {"type": "array", "maxItems": 0},
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_makes_a_value_that_satisfies_the_schema(schema: dict[str, Any]) -> None:
    jsonschema.validate(Sampler(schema, "What is the weather in Paris for 3 days?").value(), schema)


def test_takes_names_and_numbers_from_the_prompt() -> None:
    schema = SCHEMAS[0]
    prompt = "Weather in Paris and Oslo for 3 days"
    assert [Sampler(schema, prompt, nth).value() for nth in (0, 1)] == [
        {"city": "Paris", "days": 3},
        {"city": "Oslo", "days": 3},
    ]


def test_ends_a_schema_that_refers_to_itself() -> None:
    schema = {"$ref": "#/$defs/node", "$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}}}}}
    assert '"next": None' in str(Sampler(schema).value()).replace("'", '"')
