"""Rules that say what may differ between a recorded value and what the neutral form made of it, each with its reason.

A rule is data: a name, why the difference is none, and what it does to both sides before they are compared. `compare`
counts for each rule the exchanges that would differ without it, so that a rule nobody needs is found.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Edit = Callable[[Any], Any]


@dataclass(frozen=True)
class Rule:
    name: str
    why: str
    edits: Sequence[Edit]

    def apply(self, value: Any) -> Any:
        for edit in self.edits:
            value = edit(value)
        return value


@dataclass
class Compared:
    number: int = 0
    failures: list[str] = field(default_factory=list)
    needed: Counter[str] = field(default_factory=Counter)  # rule → exchanges that differ without it

    def idle(self) -> list[str]:
        """Rules that nothing needs."""
        return [name for name, count in self.needed.items() if not count]


def compare(pairs: Iterable[tuple[str, Any, Any]], rules: Sequence[Rule]) -> Compared:
    """Pairs are a name, the recorded value, and ours."""
    found = Compared(needed=Counter({rule.name: 0 for rule in rules}))
    for name, wanted, ours in pairs:
        found.number += 1
        if wanted == ours:
            continue
        if normal(wanted, rules) != normal(ours, rules):
            found.failures.append(f"{name}: {first_difference(normal(wanted, rules), normal(ours, rules))}")
            continue
        for left_out in rules:
            others = [rule for rule in rules if rule is not left_out]
            found.needed[left_out.name] += _differ(wanted, ours, others)
    return found


def _differ(wanted: Any, ours: Any, rules: Sequence[Rule]) -> bool:
    try:
        return bool(normal(wanted, rules) != normal(ours, rules))
    except (AttributeError, KeyError, TypeError):  # a rule that builds on the one left out
        return True


def normal(value: Any, rules: Sequence[Rule]) -> Any:
    for rule in rules:
        value = rule.apply(value)
    return value


def first_difference(one: Any, other: Any, path: str = "") -> str:
    """Where two values differ, for people; empty where they do not."""
    if isinstance(one, dict) and isinstance(other, dict):
        absent = object()
        for key in sorted({*one, *other}):
            told = first_difference(one.get(key, absent), other.get(key, absent), f"{path}.{key}")
            if told:
                return told
        return ""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        told_of = (first_difference(a, b, f"{path}[{i}]") for i, (a, b) in enumerate(zip(one, other, strict=True)))
        return next(filter(None, told_of), "")
    return "" if one == other else f"{path}: {str(one)[:150]} != {str(other)[:150]}"


# Edits. A path has names with dots between; `[]` behind a name means each entry of it, `**` anything below.


def at(path: str, edit: Edit) -> Edit:
    """`edit`, done to what is found at the path."""
    first, _, rest = path.partition(".")
    inner = at(rest, edit) if rest else edit
    name = first.removesuffix("[]")

    def within(value: Any) -> Any:
        if not isinstance(value, dict) or name not in value:
            return value
        found = value[name]
        if name == first:
            return {**value, name: inner(found)}
        return {**value, name: [inner(one) for one in found]} if isinstance(found, list) else value

    return within


def _beside(path: str, edit: Callable[[dict[str, Any], str], dict[str, Any]]) -> Edit:
    """`edit`, done to the object that has the path's last name in it."""
    parent, _, name = path.rpartition(".")

    def within(value: Any) -> Any:
        return edit(value, name) if isinstance(value, dict) and name in value else value

    return at(parent, within) if parent else within


def without(path: str, *values: Any) -> Edit:
    """The field is left out: where it has one of the values, or always where none is given."""

    def drop(value: dict[str, Any], name: str) -> dict[str, Any]:
        if values and not any(value[name] == one and type(value[name]) is type(one) for one in values):
            return value
        return {key: one for key, one in value.items() if key != name}

    return _beside(path, drop)


def renamed(path: str, new: str) -> Edit:
    return _beside(path, lambda value, name: {(new if key == name else key): one for key, one in value.items()})


def saying(path: str, same: Mapping[str, Any]) -> Edit:
    """Words at the path, as the word that means the same."""
    return at(path, lambda value: same.get(value, value) if isinstance(value, str) else value)


def everywhere(edit: Edit, but: Iterable[str] = ()) -> Edit:
    """`edit` done to every object, the inner ones first; not below the names in `but`, which are somebody's own."""
    closed = frozenset(but)

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(one) for one in value]
        if not isinstance(value, dict):
            return value
        return edit({key: one if key in closed else walk(one) for key, one in value.items()})

    return walk


def report(rules: Sequence[Rule], found: Compared) -> list[tuple[str, str, int]]:
    """Each rule's name, reason, and how many exchanges need it."""
    return [(rule.name, rule.why, found.needed[rule.name]) for rule in rules]
