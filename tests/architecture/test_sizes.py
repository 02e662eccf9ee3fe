"""Files and functions stay small enough to be read in one go."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("gateway", "monitor", "loadtest", "scripts", "tests")
FILE_LINES = 400
FUNCTION_LINES = 50
PARAMETERS = 6
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_there_are_files_to_look_at() -> None:
    assert len(FILES) > 100


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_is_small(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= FILE_LINES, f"{path} is longer than {FILE_LINES} lines: split it by idea"
    long = {function.name: size for function in _functions(text) if (size := _lines(function)) > FUNCTION_LINES}
    assert long == {}, f"{path} has functions longer than {FUNCTION_LINES} lines"


def _functions(text: str) -> Iterator[Function]:
    return (node for node in ast.walk(ast.parse(text)) if isinstance(node, Function))


def _lines(function: Function) -> int:
    return (function.end_lineno or 0) - function.lineno + 1
