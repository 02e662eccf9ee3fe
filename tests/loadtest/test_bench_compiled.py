"""Which gateway a run measures: the compiled one, where it is made of the sources as they stand."""

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from loadtest.bench import compiled as command
from loadtest.bench.compiled import compiled_gateway
from loadtest.bench.rig import BenchError, Rig, Server
from loadtest.bench.workloads import PLAIN, SOURCES, UNSEEN

FILES = ("setup.py", "scripts/compiled/slots.h", "gateway/core/plan.py", "loadtest/bench/unseen.py")
BUILT = Path("build/compiled")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in which everything has been compiled just now."""
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}")
        os.utime(path, (1_000, 1_000))
    for package in ("gateway", "loadtest"):
        shutil.copytree(tmp_path / package, tmp_path / BUILT / package)
    extension = tmp_path / BUILT / "0123__mypyc.so"
    extension.touch()
    os.utime(extension, (2_000, 2_000))
    return tmp_path


def refusal(clone: Path) -> str:
    with pytest.raises(BenchError) as refused:
        compiled_gateway(clone)
    return str(refused.value)


def test_is_the_compiled_one_where_there_is_one(clone: Path) -> None:
    assert compiled_gateway(clone) == clone / BUILT


def test_is_none_where_nothing_is_compiled(clone: Path) -> None:
    shutil.rmtree(clone / "build")
    assert compiled_gateway(clone) is None


@pytest.mark.parametrize("name", FILES)
def test_is_refused_where_a_source_has_changed(clone: Path, name: str) -> None:
    (clone / name).write_text("# other")
    words = f"build/compiled is not made of {name} as it stands: make compiled, or remove build/compiled"
    assert refusal(clone) == words


@pytest.mark.parametrize("folder", [".", BUILT])
def test_is_refused_where_one_side_alone_has_a_module(clone: Path, folder: str) -> None:
    (clone / folder / "gateway/core/more.py").touch()
    assert "gateway/core/more.py" in refusal(clone)


def test_is_refused_where_the_build_was_broken_off(clone: Path) -> None:
    next((clone / BUILT).glob("*.so")).unlink()
    assert "setup.py" in refusal(clone)


def test_tells_whether_compiling_is_needed(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "compiled_gateway", lambda: compiled_gateway(clone))
    assert command.main() == 0
    (clone / "setup.py").write_text("# other")
    assert command.main() == 1
    shutil.rmtree(clone / "build")
    assert command.main() == 1


@dataclass(slots=True)
class Told(Rig):
    """Starts nothing, and keeps where each gateway would import from."""

    told: dict[str, tuple[str, str]] = field(default_factory=dict)

    def _serve(self, name: str, command: list[str], port: int, env: Mapping[str, str] | None = None) -> Server:
        assert env is not None
        self.told[name] = (env["PYTHONPATH"], env["PYTHONSAFEPATH"])
        return Server(name, port, 1)


LIBRARIES = sysconfig.get_path("platlib")


@pytest.mark.parametrize(
    ("python", "compiled", "sources"),
    [
        (sys.executable, "/built", ""),
        ("/usr/bin/python3.11", f"/built:{LIBRARIES}", LIBRARIES),
    ],
)
def test_is_imported_before_the_sources_that_the_run_begins_beside(
    tmp_path: Path, python: str, compiled: str, sources: str
) -> None:
    rig = Told(tmp_path, python, Path("/built"))
    for name in (PLAIN, UNSEEN, SOURCES):
        rig.start_gateway(name, 9)
    assert rig.told == {PLAIN: (compiled, "1"), UNSEEN: (compiled, "1"), SOURCES: (sources, "")}


def test_is_never_compiled_in_a_run_without_one(tmp_path: Path) -> None:
    rig = Told(tmp_path)
    rig.start_gateway(PLAIN, 9)
    assert rig.told == {PLAIN: ("", "")}
