"""Performs the Dockerfile's stages without a container engine.

The building stage runs on this machine's own system under an overlay that is thrown away, with its Python put where
the official images have it; the last stage may only copy, on a base layer of this machine's Python. Needs root and
namespaces of its own, which `__main__` has made.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.image import oci
from scripts.image.base import copy_python, make_base
from scripts.image.dockerfile import Copy, DockerfileError, Run, Stage, ignores

# How this machine reaches what it installs from is its own affair: that much of the environment passes.
PASSED = ("PIP_", "SSL_CERT", "REQUESTS_CA", "CURL_CA", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True, slots=True)
class Place:
    """`context`: the clone. `cache`: kept between builds. `work`: empty, and thrown away."""

    context: Path
    cache: Path
    work: Path


def build(stages: list[Stage], place: Place) -> tuple[list[bytes], oci.Settings]:
    """The layers, lowest first, and how a container is started."""
    roots: dict[str, Path] = {}
    for stage in stages[:-1]:
        if stage.name is None:
            raise DockerfileError("a stage without a name cannot be copied from")
        roots[stage.name] = _build_stage(stage, place, roots)
    last = stages[-1]
    layers = [_base_layer(place)]
    for step in last.steps:
        if isinstance(step, Run):
            raise DockerfileError("the last stage may only copy: RUN would need a shell in the image")
        layers.append(oci.layer(_pairs(step, place, roots)))
    settings = oci.Settings(
        last.entrypoint, last.cmd, last.env, last.labels, last.user, last.ports, workdir=last.workdir
    )
    return layers, settings


def _base_layer(place: Place) -> bytes:
    root = place.work / "base"
    root.mkdir()
    make_base(root)
    return oci.layer([(each, each.name) for each in sorted(root.iterdir())])


def _build_stage(stage: Stage, place: Place, roots: Mapping[str, Path]) -> Path:
    root = _machine_under(place.work / f"stage-{stage.name}")
    copy_python(root / "usr/local", whole=True)
    (root / stage.workdir.lstrip("/")).mkdir(parents=True, exist_ok=True)
    for step in stage.steps:
        if isinstance(step, Run):
            _run(step, stage, root, place)
        else:
            for source, target in _pairs(step, place, roots, stage.workdir):
                _copy(source, root / target.lstrip("/"))
    return root


def _machine_under(folder: Path) -> Path:
    """The root of a copy of this machine's system whose changes go into `folder`."""
    upper, work, root = (folder / name for name in ("upper", "work", "root"))
    for each in (upper, work, root):
        each.mkdir(parents=True)
    _mount("-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", str(root))
    for name in ("proc", "dev", "sys"):
        _mount("--rbind", f"/{name}", str(root / name))
    for name in ("etc/resolv.conf", "etc/hosts"):  # may be mounts, which an overlay does not see
        if Path("/", name).exists() and (root / name).is_file():
            _mount("--bind", f"/{name}", str(root / name))
    return root


def _run(step: Run, stage: Stage, root: Path, place: Place) -> None:
    with ExitStack() as locks:
        for cache in step.caches:
            kept = place.cache / cache.strip("/").replace("/", "-")
            kept.mkdir(parents=True, exist_ok=True)
            locks.enter_context(_locked(kept))
            inside = root / cache.lstrip("/")
            inside.mkdir(parents=True, exist_ok=True)
            _mount("--bind", str(kept), str(inside))
        _in_shell(step.command, stage, root)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """While the block runs, no other build has that folder."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _in_shell(command: str, stage: Stage, root: Path) -> None:
    passed = {name: value for name, value in os.environ.items() if name.upper().startswith(PASSED)}
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    subprocess.run(
        ["chroot", str(root), "/bin/sh", "-ec", f"cd {stage.workdir}\n{command}"],
        env={"PATH": path, "HOME": "/root"} | passed | stage.env,
        check=True,
    )


def _pairs(step: Copy, place: Place, roots: Mapping[str, Path], workdir: str = "/") -> Iterator[tuple[Path, str]]:
    """(source, its place in the image) for each thing that the step copies, by COPY's own rules."""
    target = os.path.normpath(os.path.join(workdir, step.target))
    for name in step.sources:
        source = _context_copy(place, name) if step.stage is None else roots[step.stage] / name.lstrip("/")
        into_folder = step.target.endswith("/") or step.target in (".", "./") or len(step.sources) > 1
        yield source, os.path.join(target, source.name) if into_folder and source.is_file() else target


def _context_copy(place: Place, name: str) -> Path:
    """That part of the context without what `.dockerignore` leaves out."""
    patterns = (place.context / ".dockerignore").read_text()
    source = place.context / name

    def left_out(folder: str, names: list[str]) -> set[str]:
        inside = Path(folder).relative_to(place.context)
        return {each for each in names if ignores(patterns, (inside / each).as_posix())}

    copy = Path(tempfile.mkdtemp(dir=place.work)) / source.name
    _copy(source, copy, left_out)
    return copy


def _copy(source: Path, target: Path, ignore: Callable[[str, list[str]], set[str]] | None = None) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=ignore, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)
