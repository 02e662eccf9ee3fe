"""What a run says of the interpreter that the gateway had."""

import platform
import sys
import sysconfig
from pathlib import Path

import pytest

from loadtest.bench.machine import by_profile, compatible, python_name

NAMES = ("CONFIG_ARGS", "PGO_PROF_GEN_FLAG", "PGO_PROF_USE_FLAG")
OWN_SETTINGS = dict(zip(NAMES, sysconfig.get_config_vars(*NAMES), strict=True))


def words(optimised: bool) -> str:
    return "optimised by a profile" if optimised else "not optimised by a profile"


def test_names_another_interpreter_with_its_place(tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.symlink_to(sys.executable)
    number, built = platform.python_version(), words(by_profile(OWN_SETTINGS))
    assert python_name(sys.executable) == f"{number} ({built})"
    assert python_name(str(other)) == f"{number} ({other}, {built})"


def test_says_nothing_of_an_interpreter_that_says_nothing_itself() -> None:
    assert python_name("/no/such/python") == "of unknown version (/no/such/python)"


GCC = {"PGO_PROF_GEN_FLAG": "-fprofile-generate", "PGO_PROF_USE_FLAG": "-fprofile-use -fprofile-correction"}


@pytest.mark.parametrize(
    ("settings", "optimised"),
    [
        (GCC | {"CONFIG_ARGS": "'--prefix=/usr/local' '--enable-optimizations' '--with-lto'"}, True),
        (GCC | {"CONFIG_ARGS": "'--prefix=/usr/local' '--enable-shared'"}, False),
        (GCC | {"CONFIG_ARGS": "'--with-computed-gotos'", "PGO_PROF_USE_FLAG": ""}, True),  # as Debian builds
        ({"CONFIG_ARGS": None, "PGO_PROF_GEN_FLAG": None, "PGO_PROF_USE_FLAG": None}, False),
    ],
)
def test_tells_builds_that_a_profile_optimised(settings: dict[str, str | None], optimised: bool) -> None:
    assert by_profile(settings) is optimised


def test_takes_libraries_along_only_to_the_same_version(tmp_path: Path) -> None:
    older = tmp_path / "python"
    older.write_text("#!/bin/sh\necho cpython-38\n")
    older.chmod(0o755)
    assert compatible(sys.executable)
    assert not compatible(str(older))
