"""YAML text as plain data, with the line of every node.

Owns the reading of bytes that nobody has vouched for: it builds the data from the parser's flat event stream (no
recursion, so no depth can exhaust the stack), bounds size, depth and what aliases expand to, and refuses what a reader
would overlook: a key given twice, a second document, a foreign tag. Knows nothing of what the keys mean.

Plain scalars follow YAML 1.2's core schema, not 1.1: `no` and `off` are texts (a region may be `no`), `1:30` is no
number, and a date is a text. `<<` merges as people expect.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from gateway.config.problems import ConfigError, Findings, Path, Problem, render_path, shown

MAX_BYTES = 1 << 20  # a ConfigMap holds no more
MAX_DEPTH = 32  # the schema needs 7
MAX_NODES = 100_000  # with every alias counted as what it stands for

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where the wheel has it: 10 times as fast
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_STR_TAGS = frozenset({"!", "tag:yaml.org,2002:str"})
_CORE_TAGS = _STR_TAGS | {f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null", "map", "seq")}


@dataclass(frozen=True, slots=True)
class Document:
    """`lines` counts from 1; paths below an alias are not in it."""

    data: dict[str, Any]
    lines: dict[Path, int]


def read_document(text: bytes, file: str) -> Document:
    """Parse one YAML mapping; an empty file is an empty mapping.

    Raises:
        ConfigError: the text is no such thing; nothing else is raised, whatever the bytes.
    """
    if len(text) > MAX_BYTES:
        raise ConfigError([Problem(file, 0, "", f"the file is larger than {MAX_BYTES >> 20} MiB")])
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(file, line, "", "the file is not UTF-8 text")]) from None
    build = _Build(file)
    try:
        for event in _events(decoded):
            build.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = " ".join(part for part in (error.context, error.problem) if part)
        raise ConfigError([Problem(file, mark.line + 1 if mark else 0, "", f"not valid YAML: {words}")]) from None
    except yaml.reader.ReaderError as error:
        line = decoded.count("\n", 0, error.position) + 1
        raise ConfigError([Problem(file, line, "", f"not valid YAML: {error.reason}")]) from None
    return build.document()


def _events(text: str) -> Iterator[yaml.Event]:
    yield from yaml.parse(text, Loader=_LOADER)


@dataclass(slots=True)
class _Open:
    """A mapping or sequence whose end was not seen yet."""

    value: dict[str, Any] | list[Any]
    path: Path
    anchor: str | None
    line: int
    nodes_before: int
    key: str | None = None  # of a mapping, waiting for its value
    key_line: int = 0
    merged: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Any
    nodes: int


class _Build:
    """Data under construction."""

    def __init__(self, file: str) -> None:
        self._lines: dict[Path, int] = {}
        self._findings = Findings(file, self._lines)
        self._file = file
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}
        self._nodes = 0
        self._documents = 0
        self._root: Any = None

    def document(self) -> Document:
        if self._root is None and not self._findings.problems:
            self._root = {}
        elif not isinstance(self._root, dict):
            self._problem(1, (), "the file must be a mapping: lines of `key: value` at the left margin")
        self._findings.refuse_if_any()
        return Document(self._root, self._lines)

    def take(self, event: yaml.Event) -> None:
        """Add one event; raises `ConfigError` where going on makes no sense."""
        line = event.start_mark.line + 1 if event.start_mark else 0
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._stop(line, "a second document begins here; one file holds one configuration")
            case yaml.ScalarEvent():
                self._check_tag(event.tag, line)
                self._leaf(event, line)
            case yaml.AliasEvent():
                self._alias(event.anchor or "", line)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._check_tag(event.tag, line)
                self._start({} if isinstance(event, yaml.MappingStartEvent) else [], event.anchor, line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end()
            case _:
                pass  # stream marks and ends of documents say nothing

    def _leaf(self, event: yaml.ScalarEvent, line: int) -> None:
        self._count(1, line)
        if self._expects_key():
            self._key(event.value, line)
            return
        plain = event.tag not in _STR_TAGS if event.tag else event.implicit[0]
        value = plain_scalar(event.value) if plain else event.value
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, 1)
        self._lines.setdefault(self._path(), line)
        self._put(value, line)

    def _alias(self, name: str, line: int) -> None:
        if self._expects_key():
            self._stop(line, f"the alias *{shown(name)} cannot be a key")
        anchored = self._anchors.get(name)
        if anchored is None:
            self._stop(line, f"the alias *{shown(name)} has no anchor before it")
        self._count(anchored.nodes, line)
        self._lines.setdefault(self._path(), line)
        self._put(anchored.value, line)

    def _start(self, value: dict[str, Any] | list[Any], anchor: str | None, line: int) -> None:
        if self._expects_key():
            self._stop(line, "a key must be a simple word (a value with { or [ may need quotes)")
        if len(self._open) >= MAX_DEPTH:
            self._stop(line, f"nested more than {MAX_DEPTH} deep")
        before = self._nodes
        self._count(1, line)
        path = self._path()
        self._lines.setdefault(path, line)
        self._open.append(_Open(value, path, anchor, line, before))

    def _end(self) -> None:
        done = self._open.pop()
        if isinstance(done.value, dict):
            for base in done.merged:
                for key, value in base.items():
                    done.value.setdefault(key, value)
        if done.anchor:
            self._anchors[done.anchor] = _Anchored(done.value, self._nodes - done.nodes_before)
        self._put(done.value, done.line)

    def _expects_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].key is None

    def _key(self, key: str, line: int) -> None:
        top = self._open[-1]
        if key in top.value:
            first = self._lines.get((*top.path, key), 0)
            self._problem(line, (*top.path, key), f"given twice; the first is on line {first}")
        top.key = key
        top.key_line = line
        self._lines.setdefault((*top.path, key), line)

    def _path(self) -> Path:
        """Of the value that comes next."""
        if not self._open:
            return ()
        top = self._open[-1]
        return (*top.path, top.key or "") if isinstance(top.value, dict) else (*top.path, len(top.value))

    def _put(self, value: Any, line: int) -> None:
        if not self._open:
            self._root = value
            return
        top = self._open[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            return
        if top.key == "<<":
            self._merge(top, value, line)
        else:
            top.value.setdefault(top.key or "", value)
        top.key = None

    def _merge(self, top: _Open, value: Any, line: int) -> None:
        bases = value if isinstance(value, list) else [value]
        if all(isinstance(base, dict) for base in bases):
            top.merged.extend(bases)
        else:
            self._problem(line, (*top.path, "<<"), "only mappings can be merged")

    def _check_tag(self, tag: str | None, line: int) -> None:
        if tag and tag not in _CORE_TAGS:
            self._stop(line, f"the tag {shown(tag)} is not supported")

    def _count(self, nodes: int, line: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            self._stop(line, f"more than {MAX_NODES:,} values, aliases counted as what they stand for")

    def _problem(self, line: int, path: Path, message: str) -> None:
        self._findings.problems.append(Problem(self._file, line, render_path(path), message))

    def _stop(self, line: int, message: str) -> NoReturn:
        self._problem(line, self._path() if self._open else (), message)
        raise ConfigError(self._findings.problems)


def plain_scalar(text: str) -> Any:
    """An unquoted scalar by YAML 1.2's core schema; infinities and numbers of absurd length stay texts."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        return value if abs(value) != float("inf") else text
    return text
