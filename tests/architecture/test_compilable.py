"""Modules that are compiled say nothing that the compiler takes otherwise than the interpreter does.

What else it does not forgive is told in docs/performance.md; no look at a source finds that.
"""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.packaging import ROOT, load_setup

MODULES = [Path(path) for path in load_setup().compiled_modules(ROOT / "gateway")]
KEYWORDS = {"metaclass"}  # of class statements: what the compiler passes on

Function = ast.FunctionDef | ast.AsyncFunctionDef


def dropped_keywords(tree: ast.AST) -> Iterator[str]:
    """Keywords of class statements that the compiled class would not have."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for keyword in node.keywords:
                if keyword.arg not in KEYWORDS:
                    yield f"line {node.lineno}: class {node.name}(..., {keyword.arg or '**'}=...)"


def names_of_two_exceptions(tree: ast.AST) -> Iterator[str]:
    """Caught exceptions whose name another one has in the same function: compiled, a name has the type of the first."""
    for function in [tree, *(node for node in ast.walk(tree) if isinstance(node, Function))]:
        caught: dict[str, str] = {}
        for handler in _own_handlers(function):
            if handler.name is not None and handler.type is not None:
                kind = ast.unparse(handler.type)
                if caught.setdefault(handler.name, kind) != kind:
                    yield f"line {handler.lineno}: except {kind} as {handler.name}, which was {caught[handler.name]}"


def _own_handlers(node: ast.AST) -> Iterator[ast.ExceptHandler]:
    """Handlers of a function, in order, without those of functions in it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Function | ast.Lambda):
            if isinstance(child, ast.ExceptHandler):
                yield child
            yield from _own_handlers(child)


def reads_of_slots(tree: ast.AST) -> Iterator[str]:
    """Where `__slots__` is asked for: a compiled dataclass has none, `dataclasses.fields` tells of both."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr="__slots__", ctx=ast.Load()) | ast.Constant(value="__slots__"):
                yield f"line {node.lineno}: __slots__"


def found(rule: Callable[[ast.AST], Iterator[str]]) -> dict[str, list[str]]:
    """By module, what a rule finds in those that are compiled."""
    each = {str(path): list(rule(ast.parse(path.read_text()))) for path in MODULES}
    return {name: places for name, places in each.items() if places}


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 100


def test_class_statements_have_no_keywords_that_the_compiler_drops() -> None:
    assert found(dropped_keywords) == {}


def test_a_caught_exceptions_name_has_one_type_in_a_function() -> None:
    assert found(names_of_two_exceptions) == {}


def test_slots_are_asked_of_no_class() -> None:
    assert found(reads_of_slots) == {}


@pytest.mark.parametrize(
    ("rule", "text", "told"),
    [
        (dropped_keywords, "class A(Struct, frozen=True): ...", ["line 1: class A(..., frozen=...)"]),
        (dropped_keywords, "class A(**options): ...", ["line 1: class A(..., **=...)"]),
        (dropped_keywords, "class A(Hot, metaclass=Meta): ...", []),
        (
            names_of_two_exceptions,
            "def f():\n try: ...\n except A as error: ...\n if x:\n  try: ...\n  except (A, B) as error: ...",
            ["line 6: except (A, B) as error, which was A"],
        ),
        (
            names_of_two_exceptions,
            "try: ...\nexcept A as e: ...\nexcept B as e: ...",
            ["line 3: except B as e, which was A"],
        ),
        (names_of_two_exceptions, "def f():\n try: ...\n except A as a: ...\n except B as b: ...\n except C: ...", []),
        (
            names_of_two_exceptions,
            "def f():\n def g():\n  try: ...\n  except A as e: ...\n try: ...\n except B as e: ...",
            [],
        ),
        (reads_of_slots, "names = kind.__slots__", ["line 1: __slots__"]),
        (reads_of_slots, "names = getattr(kind, '__slots__')", ["line 1: __slots__"]),
        (reads_of_slots, "class A:\n __slots__ = ('a',)", []),
    ],
)  # fmt: skip
def test_a_break_of_a_rule_is_found(rule: Callable[[ast.AST], Iterator[str]], text: str, told: list[str]) -> None:
    assert list(rule(ast.parse(text))) == told
