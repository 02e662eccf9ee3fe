"""Portkey's conditional queries as matches of routes.

A query over `params.model` is a match of the model's name. Metadata have no place in a match: a query over
`metadata.KEY` becomes a match of the header `x-KEY`, which the gateway reads off the metadata where it speaks Portkey's
language.
"""

import re
from collections.abc import Iterable
from itertools import product
from typing import Any

from gateway.config.imports.draft import Json, escaped_glob
from gateway.config.imports.notes import Notes
from gateway.config.problems import Path
from gateway.core.compat.names import metadata_header

MOST_ROUTES = 32  # that one condition may become
_PREFIX = re.compile(r"\^?([A-Za-z0-9 _.@:/-]*)(\.\*)?(\$?)")

Match = dict[str, tuple[str, ...]]  # what must fit -> globs, of which one must; "model", or "header NAME"


class Unsayable(Exception):
    """A query that no match can say; the message says why."""


class Conditions:
    """Reads the conditions of one config."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def matches(self, query: Any, at: Path) -> list[dict[str, Json]]:
        """The matches that a query is, of which one must fit; none, with a note, where there are no such."""
        try:
            found = _any_of(query, 0)
        except Unsayable as unsayable:
            self._notes.add(at, f"{unsayable}: the condition was left out")
            return []
        headers = sorted({name.removeprefix("header ") for match in found for name in match if name != "model"})
        if headers:
            words = "metadata are matched as headers, which with compat: [portkey] are read off x-portkey-metadata"
            words = f"{words}: {', '.join(headers)}"
            self._notes.add(at, words)
        return [_written(match) for match in found]


def _written(match: Match) -> dict[str, Json]:
    headers = {name.removeprefix("header "): _one_or_many(globs) for name, globs in match.items() if name != "model"}
    row: dict[str, Json] = {"header": headers} if headers else {}
    return row | ({"model": _one_or_many(match["model"])} if "model" in match else {})


def _one_or_many(globs: tuple[str, ...]) -> str | list[str]:
    return globs[0] if len(globs) == 1 else list(globs)


def _any_of(query: Any, depth: int) -> list[Match]:
    if not isinstance(query, dict) or not query or depth > 8:
        raise Unsayable("is no query")
    every = [_entry(key, value, depth) for key, value in query.items()]
    found = [joined for parts in product(*every) if (joined := _all_of(parts)) is not None]
    if not 0 < len(found) <= MOST_ROUTES:
        raise Unsayable("never holds" if not found else "is too large for routes")
    return found


def _all_of(parts: Iterable[Match]) -> Match | None:
    """Matches joined; None where two of them exclude each other."""
    joined: Match = {}
    for part in parts:
        for name, globs in part.items():
            both = tuple(one for one in joined.get(name, globs) if one in globs)
            if not both:
                return None
            joined[name] = both
    return joined


def _entry(key: str, value: Any, depth: int) -> list[Match]:
    if key == "$and" and isinstance(value, list):
        parts = [_any_of(one, depth + 1) for one in value]
        return [joined for one in product(*parts) if (joined := _all_of(one)) is not None][: MOST_ROUTES + 1]
    if key == "$or" and isinstance(value, list):
        return [match for one in value for match in _any_of(one, depth + 1)]
    source, _, name = key.partition(".")
    if source == "metadata" and name:
        header = metadata_header(name)
        if header is None:
            raise Unsayable(f"metadata.{name[:64]} cannot be a header")
        field = f"header {header}"
    elif key == "params.model":
        field = "model"
    else:
        raise Unsayable(f"only metadata and params.model can be matched, not {key[:64]}")
    return [{field: _globs(value)}]


def _globs(value: Any) -> tuple[str, ...]:
    if not isinstance(value, dict):
        return (_literal(value),)
    if len(value) != 1:
        raise Unsayable("several operators on one field have no equivalent")
    ((operator, compared),) = value.items()
    match operator:
        case "$eq":
            return (_literal(compared),)
        case "$in" if isinstance(compared, list) and compared:
            return tuple(dict.fromkeys(_literal(one) for one in compared))
        case "$regex" if isinstance(compared, str):
            return (_glob_of(compared),)
        case _:
            raise Unsayable(f"{operator[:32]} has no equivalent in a match")


def _literal(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not 0 < len(str(value)) <= 150:
        raise Unsayable("only texts and numbers can be matched")
    return escaped_glob(str(value))


def _glob_of(expression: str) -> str:
    """Expressions that only say how a text begins, ends or what is in it."""
    found = _PREFIX.fullmatch(expression)
    if found is None or "." in found[1] or not found[1]:
        raise Unsayable("such an expression has no equivalent in a match")
    begins, ends = expression.startswith("^"), bool(found[3]) and not found[2]
    return f"{'' if begins else '*'}{found[1]}{'' if ends else '*'}"
