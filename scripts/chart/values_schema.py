"""Makes the chart's values.schema.json: types of the defaults, rules by path, the routing configuration's own schema.

Every object is closed, so that a misspelt value is an error at install, but for those that are Kubernetes' own.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from gateway.config.schema import json_schema

Json = Any  # a value made of JSON's types

CONFIG = "Config"  # the name among the definitions of the whole file


class UnknownPath(Exception):
    """A rule is about a value that the chart does not have."""


def values_schema(chart: Path) -> str:
    """The text of values.schema.json."""
    defaults = yaml.safe_load((chart / "values.yaml").read_text())
    more = yaml.safe_load((chart / "values.schema.yaml").read_text())
    unused = set(more["rules"]) | set(more["open"])
    schema = _schema(defaults, "", _Rules(more["rules"], frozenset(more["open"]), unused))
    if unused:
        raise UnknownPath(f"values.yaml has no {', '.join(sorted(unused))}")
    config = _for_helm(json_schema())
    definitions = config.pop("$defs")
    draft = config.pop("$schema")
    whole = {"$schema": draft, **schema, "$defs": {CONFIG: config, **definitions}}
    return json.dumps(whole, indent=1, sort_keys=True) + "\n"


def _for_helm(node: Json) -> Json:
    """Helm's regular expressions repeat no more than a thousand times: the rest is left to the gateway's own check."""
    if isinstance(node, list):
        return [_for_helm(each) for each in node]
    if not isinstance(node, dict):
        return node
    node = {key: _for_helm(value) for key, value in node.items()}
    if isinstance(node.get("pattern"), str):
        node["pattern"] = re.sub(r"\{1,\d{4,}\}", "+", node["pattern"])
    return node


class _Rules:
    def __init__(self, rules: Mapping[str, Json], free: frozenset[str], unused: set[str]) -> None:
        self._rules = rules
        self._free = free
        self._unused = unused

    def at(self, path: str) -> Json | None:
        self._unused.discard(path)
        if path in self._free:
            return {"type": "object"}
        return self._rules.get(path)


def _schema(default: Json, path: str, rules: _Rules) -> Json:
    said = rules.at(path)
    if said is not None:
        return said
    match default:
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "integer", "minimum": 0}
        case str():
            return {"type": "string"}
        case list():
            return {"type": "array"}
        case dict() if default:
            below = {key: _schema(value, f"{path}.{key}".lstrip("."), rules) for key, value in default.items()}
            # `global` also has what a parent chart says to all its parts.
            return {"type": "object", "additionalProperties": path == "global", "properties": below}
        case dict():
            return {"type": "object"}
        case _:
            raise UnknownPath(f"{path}: no type is known for {default!r}")
