"""The JSON Schema of `pointsman.yaml`, made from the models (draft 2020-12), and look-ups in it.

Knows nothing of values: what the schema cannot say (whether names exist) is in `compile`.
"""

from functools import cache
from typing import Any

from gateway.config.model import File
from gateway.config.problems import Path

Schema = dict[str, Any]


@cache
def json_schema() -> Schema:
    """The schema of the whole file, without `null` anywhere: an absent value is left out, not written as nothing.

    Made once, since it takes 30 ms and every mistake in a file asks for it; nobody may change it.
    """
    schema: Schema = _tidied(File.model_json_schema(mode="validation"))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "pointsman.yaml",
        "description": "Configuration of the Pointsman gateway and monitor.",
    }


def known_keys(schema: Schema, path: Path) -> tuple[str, ...]:
    """The keys that may stand at `path`; empty where any name may, or none."""
    here = _resolved(schema, schema)
    for part in path:
        here = _resolved(schema, _below(here, part))
    return tuple(here.get("properties", ()))


def _below(here: Schema, part: str | int) -> Schema:
    if isinstance(part, int):
        found = here.get("items")
    else:
        named = here.get("properties", {}).get(part)
        found = named or next(iter(here.get("patternProperties", {}).values()), None)
    return found if isinstance(found, dict) else {}


def _resolved(schema: Schema, here: Schema) -> Schema:
    reference = here.get("$ref")
    return here if reference is None else schema["$defs"][reference.rpartition("/")[2]]


def _tidied(node: Any) -> Any:
    """Without `null` and generated titles; maps closed to wrong names; durations with durations as defaults."""
    if isinstance(node, list):
        return [_tidied(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _tidied(value) for key, value in node.items() if not _is_noise(key, value)}
    if "patternProperties" in node:
        node["additionalProperties"] = False
    if node.get("type") == "string" and isinstance(node.get("default"), float):
        node["default"] = f"{node['default']:g}s"
    variants = [variant for variant in node.get("anyOf", ()) if variant != {"type": "null"}]
    if len(variants) == 1:
        del node["anyOf"]
        return {**variants[0], **node}
    return {**node, "anyOf": variants} if variants else node


def _is_noise(key: str, value: Any) -> bool:
    return (key == "default" and value is None) or (key == "title" and isinstance(value, str))
