"""Plain data to the file's model, with every fault in people's words.

Owns the translation of pydantic's findings: where, what was given, what would be valid. Knows nothing of the catalog.
"""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.config.model import File
from gateway.config.problems import Findings, Path, not_one_of, shown
from gateway.config.schema import Schema, json_schema, known_keys

_MAY_BE_EMPTY = frozenset({"providers", "sensitivity"})  # `openai:` with nothing behind it says "as it comes"
_WRONG_TYPE = {
    "string_type": "must be a text",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "finite_number": "must be a finite number",
}
_SENTENCES = {"missing": "is missing", "too_short": "must not be empty; leave the key out instead"}
_PATTERNS = {
    "sha256": "must be the 64 hexadecimal digits of a SHA-256 hash",
    "file": "must be an absolute path",
    "env": "must be the name of an environment variable",
}
_NAME = "must be a name: a letter or digit, then letters, digits, dots, dashes, underscores"
_SECRET_PLACES = frozenset({"key", "sha256"})  # what stands there by mistake may be a key: never shown


def validated(data: dict[str, Any], findings: Findings) -> File | None:
    """The model of `data`, or None with everything that is wrong with it in `findings`."""
    for path in _empty_values(data, ()):
        findings.problem(path, "has no value; write one or leave the key out")
    if findings.problems:
        data = _without_empty(data)
    try:
        return File.model_validate(data)
    except ValidationError as error:
        schema = json_schema()
        for detail in error.errors(include_url=False):
            path = tuple(part for part in detail["loc"] if part != "[key]")
            findings.problem(path, _words(detail, path, schema))
        return None


def without_faults(data: dict[str, Any], faults: Iterable[Path]) -> dict[str, Any] | None:
    """What is left of `data`: a faulty route becomes an empty one, so that the others keep their places.

    None where the fault is in what other sections refer to: nothing can be said about their names then.
    """
    rest = dict(data)
    for path in faults:
        match path:
            case ("auth" | "breaker", *_):
                rest.pop(str(path[0]), None)
            case ("routes", int(index), *_):
                routes = list(rest["routes"])
                routes[index] = {"name": f"faulty-{index}"}
                rest["routes"] = routes
            case (str(key),) if key not in File.model_fields:
                rest.pop(key, None)
            case _:
                return None
    return rest


def _words(detail: ErrorDetails, path: Path, schema: Schema) -> str:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    match kind:
        case "extra_forbidden":
            return not_one_of(path[-1], "a key here", known_keys(schema, path[:-1]))
        case "literal_error":
            return _not_literal(given, context["expected"])
        case "value_error":
            return str(context["error"])
        case "model_type" if path[-1] == "key":
            return "must be {env: NAME}, {file: /path} or {none: true}; a key itself never stands in this file"
        case _ if kind in _SENTENCES:
            return _SENTENCES[kind]
        case _:
            return f"{_shown_at(path, given)}{_must_be(detail, path)}"


def _must_be(detail: ErrorDetails, path: Path) -> str:
    if detail["type"] == "string_pattern_mismatch":
        return _PATTERNS.get(str(path[-1]), _NAME)
    words = detail["msg"].replace("Input should be", "must be").replace("should have", "must have")
    return _WRONG_TYPE.get(detail["type"], f"{words[0].lower()}{words[1:]}")


def _not_literal(given: object, expected: str) -> str:
    words = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    if words in (["True"], ["False"]):
        return f"can only be {words[0].lower()}; leave it out otherwise"
    return not_one_of(given, "valid here", words)


def _shown_at(path: Path, given: object) -> str:
    if isinstance(given, dict | list) or _SECRET_PLACES & set(map(str, path)):
        return ""
    quoted = f'"{shown(given)}"' if isinstance(given, str) else shown(given).lower()
    return f"{quoted} "


def _empty_values(node: Any, path: Path) -> list[Path]:
    if isinstance(node, dict):
        return [place for key, value in node.items() for place in _empty_values(value, (*path, key))]
    if isinstance(node, list):
        return [place for index, item in enumerate(node) for place in _empty_values(item, (*path, index))]
    if node is None and not (len(path) == 2 and path[0] in _MAY_BE_EMPTY):
        return [path]
    return []


def _without_empty(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_empty(value) for key, value in node.items() if value is not None}
    return [_without_empty(item) for item in node] if isinstance(node, list) else node
