"""Portkey's conditions: does a query hold of a request?

Source: Portkey's documentation, "Conditional routing", and its open gateway's router. Expressions (`$regex`) are
refused: a caller's expression may take for ever on a caller's text, and `$in` says the same of known values.
"""

from collections.abc import Callable, Mapping
from math import nan

from gateway.core.chat import Json
from gateway.core.extras import BadExtra

MAX_DEPTH = 8  # of $and and $or within each other
SOURCES = ("metadata", "params", "url")

Context = Mapping[str, Mapping[str, Json]]
"""What a condition may look at: the request's `metadata`, `params` (its body) and `url`."""


def holds(query: Json, context: Context, param: str, depth: int = 0) -> bool:
    """Whether every entry of `query` fits; a field that is absent fits nothing but `$ne` and `$nin`.

    Raises:
        BadExtra: it is no query.
    """
    if not isinstance(query, dict) or not query or depth > MAX_DEPTH:
        raise BadExtra(param, 'must be an object such as {"metadata.plan": {"$eq": "paid"}}')
    found = [_entry(key, value, context, f"{param}.{key[:64]}", depth) for key, value in query.items()]
    return all(found)  # each was read: a mistake is one whatever the others say


def _entry(key: str, value: Json, context: Context, param: str, depth: int) -> bool:
    if key in ("$and", "$or"):
        if not isinstance(value, list) or not value:
            raise BadExtra(param, "must be a list of queries")
        found = [holds(one, context, f"{param}[{index}]", depth + 1) for index, one in enumerate(value)]
        return all(found) if key == "$and" else any(found)
    source, dot, field = key.partition(".")
    if source not in SOURCES or not dot:
        raise BadExtra(param, f"must be $and, $or or a field of: {', '.join(SOURCES)}")
    given = context.get(source, {}).get(field)
    if not isinstance(value, dict):
        return _equal(given, value)
    operators = [(_operator(name, param), compared) for name, compared in value.items()]
    return all(operator(given, compared) for operator, compared in operators)


def _operator(name: str, param: str) -> Callable[[Json, Json], bool]:
    if name == "$regex":
        raise BadExtra(param, "$regex is not run for callers; use $eq or $in, or configure a route")
    if name not in _OPERATORS:
        raise BadExtra(param, f"unknown operator {name[:32]!r}; valid: {', '.join(_OPERATORS)}")
    return _OPERATORS[name]


def _equal(given: Json, compared: Json) -> bool:
    return given is not None and isinstance(given, bool) == isinstance(compared, bool) and bool(given == compared)


def _among(given: Json, compared: Json) -> bool:
    return isinstance(compared, list) and any(_equal(given, one) for one in compared)


def _number(value: Json) -> float:
    """As the original compares: numbers, and texts that are numbers; all else is smaller and larger than nothing."""
    try:
        return nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return nan


_OPERATORS: Mapping[str, Callable[[Json, Json], bool]] = {
    "$eq": _equal,
    "$ne": lambda given, compared: not _equal(given, compared),
    "$in": _among,
    "$nin": lambda given, compared: isinstance(compared, list) and not _among(given, compared),
    "$gt": lambda given, compared: _number(given) > _number(compared),
    "$gte": lambda given, compared: _number(given) >= _number(compared),
    "$lt": lambda given, compared: _number(given) < _number(compared),
    "$lte": lambda given, compared: _number(given) <= _number(compared),
}
