"""The smallest plausible JSON value of a JSON Schema, with words and numbers taken from the prompt where they fit.

Covers what applications put into tool declarations and response formats; a keyword it does not know is ignored.
"""

import re
from collections.abc import Mapping
from typing import Any

Json = Any  # a parsed JSON value

_MAX_DEPTH = 12  # a schema that refers to itself ends here, with null
_FORMATS = {
    "date": "2026-11-24",
    "time": "12:00:00Z",
    "date-time": "2026-11-24T12:00:00Z",
    "email": "ada@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "ipv4": "192.0.2.1",
}
_NAME = re.compile(r"(?<=\s)[A-Z][a-z]+(?:\s[A-Z][a-z]+)?")  # capitalised, but not the first word of the prompt
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class Sampler:
    """Makes values of one schema. `prompt` lends names and numbers; `nth` picks the nth name for strings."""

    def __init__(self, schema: Mapping[str, Json], prompt: str = "", nth: int = 0) -> None:
        self._root = schema
        self._names = _NAME.findall(prompt)
        self._numbers = [float(number) for number in _NUMBER.findall(prompt)]
        self._nth = nth

    def value(self) -> Json:
        return self._of(self._root, "value", 0)

    def _of(self, schema: Json, name: str, depth: int) -> Json:
        if not isinstance(schema, Mapping) or depth > _MAX_DEPTH:
            return None
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][0]
        inner = self._inner(schema)
        if inner is not None:
            return self._of(inner, name, depth + 1)
        return self._of_type(_type(schema), schema, name, depth)

    def _inner(self, schema: Mapping[str, Json]) -> Json:
        """The schema that this one only points at."""
        if "$ref" in schema:
            return self._resolve(schema["$ref"])
        for word in ("anyOf", "oneOf"):
            if schema.get(word):
                return schema[word][0]
        if schema.get("allOf"):
            merged: dict[str, Json] = {}
            for part in schema["allOf"]:
                merged |= self._resolve(part["$ref"]) if "$ref" in part else part
            return merged
        return None

    def _resolve(self, ref: str) -> Json:
        found: Json = self._root
        for step in ref.removeprefix("#").split("/")[1:]:
            found = found.get(step.replace("~1", "/").replace("~0", "~"), {})
        return found

    def _of_type(self, kind: str, schema: Mapping[str, Json], name: str, depth: int) -> Json:
        match kind:
            case "object":
                properties = schema.get("properties", {})
                return {key: self._of(inner, key, depth + 1) for key, inner in properties.items()}
            case "array":
                length = max(1, schema.get("minItems", 1)) if schema.get("maxItems", 1) else 0
                return [self._of(schema.get("items", {"type": "string"}), name, depth + 1) for _ in range(length)]
            case "integer" | "number":
                return self._number(kind, schema)
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return self._string(schema, name)

    def _number(self, kind: str, schema: Mapping[str, Json]) -> float | int:
        wanted = self._numbers[self._nth % len(self._numbers)] if self._numbers else 1.0
        step = schema.get("multipleOf", 1)
        lowest = schema.get("minimum", schema.get("exclusiveMinimum", -1e15) + ("exclusiveMinimum" in schema))
        highest = schema.get("maximum", schema.get("exclusiveMaximum", 1e15) - ("exclusiveMaximum" in schema))
        number = min(max(wanted, lowest), highest)
        if kind == "integer" or "multipleOf" in schema:
            number = -(-lowest // step) * step if number // step * step < lowest else number // step * step
        return int(number) if kind == "integer" else number

    def _string(self, schema: Mapping[str, Json], name: str) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        text = self._names[self._nth % len(self._names)] if self._names else name.replace("_", " ")
        text = text.ljust(schema.get("minLength", 0), ".")
        return text[: schema.get("maxLength", len(text))]


def _type(schema: Mapping[str, Json]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        return next((one for one in kind if one != "null"), "null")
    if kind is None:
        return "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(kind)
