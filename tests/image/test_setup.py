"""What `setup.py` does where modules are compiled: which ones, what is taken from the last build, what it needs."""

from pathlib import Path

import pytest

from tests.support.packaging import ROOT, load_setup

SETUP = load_setup()


def test_compiles_what_a_request_passes_and_leaves_what_msgspec_decodes_interpreted() -> None:
    modules = SETUP.compiled_modules(ROOT / "gateway")
    names = {Path(path).relative_to(ROOT / "gateway").as_posix() for path in modules}
    assert names >= {"core/plan.py", "flow/answer.py", "formats/openai/stream.py", "web/lane.py", "compose.py"}
    assert not names & {"core/requirement.py", "core/replay.py", "serve.py", "core/__init__.py"}
    assert all(Path(path).is_file() for path in modules)


def declare(folder: Path, fields: str, constants: int) -> None:
    """What all modules are told of a class, as the compiler writes it."""
    text = f"struct plan {{ {fields} }};\nextern PyObject *CPyStatics[{constants}];\n"
    (folder / "__native_abc.h").write_text(text)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """The folder of a build that has ended."""
    declare(tmp_path, "PyObject *steps;", 10)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "plan.o").touch()
    SETUP.forget_stale(tmp_path)
    (tmp_path / "deep" / "plan.o").touch()
    return tmp_path


def test_keeps_objects_while_they_know_the_layout_of_every_class(built: Path) -> None:
    declare(built, "PyObject *steps;", 11)
    SETUP.forget_stale(built)
    assert (built / "deep" / "plan.o").exists()


def test_forgets_every_object_where_a_class_has_another_layout(built: Path) -> None:
    declare(built, "int tier; PyObject *steps;", 10)
    SETUP.forget_stale(built)
    assert not (built / "deep" / "plan.o").exists()


def test_keeps_builds_of_other_headers_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = tmp_path / "slots.h"
    monkeypatch.setattr(SETUP, "HEADER", header)
    header.write_text("one")
    first = SETUP.built_in(str(tmp_path))
    header.write_text("two")
    assert SETUP.built_in(str(tmp_path)) != first
    header.write_text("one")
    assert SETUP.built_in(str(tmp_path)) == first
    assert first.is_dir()


def test_says_what_is_missing_where_there_is_no_c_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-cc -pthread")
    with pytest.raises(SystemExit) as ended:
        SETUP.need_compiler()
    assert ended.value.code == "compiling needs a C compiler, and there is no no-such-cc: apt install gcc libc6-dev"


def test_says_what_is_missing_where_there_are_no_headers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CC", "sh")
    monkeypatch.setattr(SETUP.sysconfig, "get_path", lambda _: str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        SETUP.need_compiler()
    assert f"there is no {tmp_path}/Python.h: apt install" in str(ended.value.code)
