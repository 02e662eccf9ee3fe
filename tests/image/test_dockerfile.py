"""The Dockerfile keeps its promises, and is read as Docker would."""

from pathlib import Path

import pytest

from scripts.image.dockerfile import Copy, DockerfileError, Run, Stage, ignores, stages_of

ROOT = Path(__file__).parents[2]
STAGES = stages_of((ROOT / "Dockerfile").read_text(), {"REVISION": "abc"})


def test_installs_from_the_lock_alone_and_by_hash() -> None:
    installs = [line for step in STAGES[0].steps if isinstance(step, Run)
                for line in step.command.split("&&") if "pip install" in line]  # fmt: skip
    assert len(installs) == 3
    for line in installs:
        assert "--no-deps" in line
        assert "--require-hashes" in line or line.strip().endswith("/opt/pointsman/app .")


def test_compiles_with_the_versions_that_the_checks_use() -> None:
    checks, builds = (pinned(ROOT / f"requirements-{name}.lock") for name in ("dev", "build"))
    compiles = pinned(ROOT / "requirements-compile.lock")
    assert {"mypy", "setuptools"} <= compiles.keys()
    assert compiles == {name: (checks | builds)[name] for name in compiles}


def pinned(lock: Path) -> dict[str, str]:
    """Versions by names."""
    lines = [line.split(" ")[0] for line in lock.read_text().splitlines() if not line.startswith(" ")]
    return dict(line.split("==") for line in lines)


def test_compiles_with_the_types_of_what_it_runs_with_and_keeps_what_was_compiled() -> None:
    (install,) = [step for step in STAGES[0].steps if isinstance(step, Run) and "POINTSMAN_COMPILE" in step.command]
    assert install.caches == ("/root/.cache/pointsman",)
    assert "POINTSMAN_COMPILE=/root/.cache/pointsman " in install.command
    assert "PYTHONPATH=/opt/pointsman/lib " in install.command
    assert "PYTHONDONTWRITEBYTECODE=1 " in install.command  # or lib's layer would have bytecode for this alone
    assert "--target /opt/pointsman/app ." in install.command


def test_the_last_stage_only_copies() -> None:
    assert [step for step in STAGES[-1].steps if not isinstance(step, Copy)] == []


def test_runs_one_command_without_shell_and_root() -> None:
    last = STAGES[-1]
    assert (last.entrypoint, last.cmd, last.user) == (["/usr/local/bin/pointsman"], ["gateway"], "65532:65532")
    assert last.ports == ["8080", "9090", "9091"]
    assert last.env["POINTSMAN_HOST"] == "0.0.0.0"
    assert last.env["PYTHONDONTWRITEBYTECODE"] == "1"


def test_says_what_it_is_and_has_no_healthcheck() -> None:
    assert STAGES[-1].labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert STAGES[-1].labels["org.opencontainers.image.revision"] == "abc"
    assert "HEALTHCHECK" not in (ROOT / "Dockerfile").read_text().split()


def test_has_the_version_of_the_package() -> None:
    from gateway import VERSION

    assert STAGES[-1].labels["org.opencontainers.image.version"] == VERSION


def test_builds_with_the_same_python_as_it_runs_on() -> None:
    builds, runs = (stage.base for stage in STAGES)
    assert (builds, runs) == ("python:3.11-bookworm", "python:3.11-slim-bookworm")


def test_everything_copied_from_the_context_is_let_in() -> None:
    patterns = (ROOT / ".dockerignore").read_text()
    copied = [name for stage in STAGES for step in stage.steps if isinstance(step, Copy) and step.stage is None
              for name in step.sources]  # fmt: skip
    assert copied
    assert [name for name in copied if ignores(patterns, name) or not (ROOT / name).exists()] == []
    assert ignores(patterns, "gateway/core/__pycache__/plan.cpython-311.pyc")
    assert ignores(patterns, "tests/conftest.py")
    assert ignores(patterns, ".state/prices.json")


def test_reads_stages_variables_and_continued_lines() -> None:
    text = """
    # a comment
    ARG BASE=one
    FROM ${BASE}:1 AS build
    ARG WORD
    WORKDIR /src
    RUN --mount=type=cache,sharing=locked,target=/cache a && \\
        b $HOME
    FROM two
    ARG WORD=here
    ENV A=1 \\
        B="x $WORD"
    COPY --from=build /x ./y /z/
    ENTRYPOINT ["run", "it"]
    """
    assert stages_of(text, {"WORD": "given"}) == [
        Stage(base="one:1", name="build", workdir="/src", steps=[Run("a && b $HOME", ("/cache",))]),
        Stage(base="two", name=None, env={"A": "1", "B": "x given"}, entrypoint=["run", "it"],
              steps=[Copy(("/x", "./y"), "/z/", "build")]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "RUN x", "FROM a\nHEALTHCHECK x", "FROM a b", "FROM a\nCMD run it", "FROM a\nRUN --mount=type=ssh,target=/x y",
     "FROM a\nRUN --mount=type=cache,target=/x y",
     "FROM a\nCOPY x", "FROM a\nCOPY --chown=1 x y"],
)  # fmt: skip
def test_refuses_what_it_would_do_otherwise_than_docker(text: str) -> None:
    with pytest.raises(DockerfileError):
        stages_of(text, {})
