"""Small changes to a configuration file's text: every comment, order and habit of its author stays.

Owns where in the text a value stands, or would stand. Each change is proven by reading the new text again: it must say
what the old one said but for the one value, else `CannotEdit` (an alias, say, whose value holds in two places).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

import yaml

from gateway.config.problems import ConfigError
from gateway.config.source import read_document

Place = tuple[str | int, ...]  # names of keys, numbers of rows
BOM = "\ufeff"
NO_LINE_END = "\n\\ No newline at end of file\n"  # as diff and patch write it


class CannotEdit(Exception):
    """The text is written so that the change has no plain place; the message says which."""


@dataclass(frozen=True, slots=True)
class Change:
    """Set the scalar at `place`; mappings on the way are made where they are missing, rows are not."""

    place: Place
    value: str | bool | float

    @property
    def written(self) -> str:
        """As YAML."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, float):
            return f"{self.value:g}"
        return yaml.safe_dump(self.value, default_flow_style=True, width=10_000).removesuffix("\n...\n").strip()


def edited(text: bytes, changes: Sequence[Change], name: str) -> bytes:
    """The text with all changes made.

    Raises:
        ConfigError: the text is no configuration file.
        CannotEdit: a change cannot be made in plain sight.
    """
    for change in changes:
        text = _edited(text, change, name)
    return text


def unified(before: bytes, after: bytes, name: str) -> str:
    """The difference of two texts, as `patch` takes it; empty where there is none."""
    old, new = (text.decode().splitlines(keepends=True) for text in (before, after))
    lines = unified_diff(old, new, name if before else "/dev/null", name)
    return "".join(line if line.endswith("\n") else line + NO_LINE_END for line in lines)


def _edited(text: bytes, change: Change, name: str) -> bytes:
    before = read_document(text, name).data  # bounds what follows
    decoded = text.decode("utf-8-sig")
    bom = BOM if text.startswith(BOM.encode()) else ""
    where = ".".join(map(str, change.place))
    try:
        made = (bom + _Text(decoded).with_change(change)).encode()
        after = read_document(made, name).data
    except (ConfigError, KeyError, IndexError, TypeError, yaml.YAMLError):
        raise CannotEdit(f"{where} has no plain place in {name}: change it by hand") from None
    if after != _changed(before, change):
        raise CannotEdit(f"{where} is written in {name} so that other values would change with it: change it by hand")
    return made


def _changed(data: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """What the file must say afterwards."""
    whole: Any = json.loads(json.dumps(data))  # and not a copy in which aliases are one value still
    at = whole
    for part in change.place[:-1]:
        at = at.setdefault(part, {}) if isinstance(at, dict) else at[part]
    at[change.place[-1]] = change.value
    found: dict[str, Any] = whole
    return found


class _Text:
    """A YAML text and its nodes, with the places they stand at."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line_end = "\r\n" if "\r\n" in text else "\n"
        self._root: Any = yaml.compose(text, Loader=yaml.SafeLoader)  # marks of the C loader count bytes

    def with_change(self, change: Change) -> str:
        node, above = self._root, None
        for depth, part in enumerate(change.place):
            found = _child(node, part)
            if found is None:
                return self._with_new(node, above, change, depth)
            above, node = found
        if not isinstance(node, yaml.ScalarNode):
            raise KeyError(change.place)
        return self._spliced(node.start_mark.index, node.end_mark.index, change.written)

    def _with_new(self, node: Any, above: Any, change: Change, depth: int) -> str:
        """`node` gets the rest of the place; `above` is the key that it belongs to."""
        names = [Change((), str(part)).written for part in change.place[depth:]]
        if node is None:
            return self._appended(_block(names, change.written, 0))
        if not isinstance(node, yaml.MappingNode):
            raise KeyError(change.place)
        if node.flow_style:
            inner = change.written
            for name in reversed(names[1:]):
                inner = f"{{{name}: {inner}}}"
            more = ", " if node.value else ""
            start = node.start_mark.index + self._text[node.start_mark.index :].index("{") + 1
            return self._spliced(start, start, f"{names[0]}: {inner}{more}")
        lines = _block(names, change.written, node.value[0][0].start_mark.column)
        if above is None:
            return self._appended(lines)
        last = node.value[-1][1]
        if isinstance(last, yaml.ScalarNode) and last.style not in ("|", ">"):
            return self._after_line(last.end_mark.index, lines)
        return self._after_line(above.end_mark.index, lines)

    def _appended(self, lines: Sequence[str]) -> str:
        return self._after_line(len(self._text), lines)

    def _after_line(self, index: int, lines: Sequence[str]) -> str:
        """New lines below the one that `index` lies in."""
        end = self._text.find("\n", index)
        place = len(self._text) if end < 0 or index == len(self._text) else end + 1
        before = "" if not place or self._text[place - 1] == "\n" else self._line_end
        return self._spliced(place, place, before + "".join(line + self._line_end for line in lines))

    def _spliced(self, start: int, end: int, new: str) -> str:
        return self._text[:start] + new + self._text[end:]


def _child(node: Any, part: str | int) -> tuple[Any, Any] | None:
    """The key and the value below it; None where there is none yet."""
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return None, node.value[part]
    if node is None:
        return None
    if not isinstance(node, yaml.MappingNode):
        raise KeyError(part)
    return next(((key, value) for key, value in node.value if key.value == part), None)


def _block(names: Sequence[str], value: str, column: int) -> list[str]:
    """Nested keys, one a line."""
    deep = [f"{' ' * (column + 2 * depth)}{name}:" for depth, name in enumerate(names)]
    return [*deep[:-1], f"{deep[-1]} {value}"]
