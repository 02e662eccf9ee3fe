"""What a run says of the interpreter that the gateway had."""

import platform
import sys
from pathlib import Path

from loadtest.bench.machine import compatible, python_name


def test_names_another_interpreter_with_its_place(tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.symlink_to(sys.executable)
    assert python_name(sys.executable) == platform.python_version()
    assert python_name(str(other)) == f"{platform.python_version()} ({other})"


def test_takes_libraries_along_only_to_the_same_version(tmp_path: Path) -> None:
    older = tmp_path / "python"
    older.write_text("#!/bin/sh\necho cpython-38\n")
    older.chmod(0o755)
    assert compatible(sys.executable)
    assert not compatible(str(older))
