"""The modules that a request passes, compiled to machine code where `POINTSMAN_COMPILE` names a folder to build in.

    POINTSMAN_COMPILE=build/native pip install --no-deps --no-build-isolation --target build/compiled .

The image is made so (Dockerfile), and `make compiled`; every other installation is interpreted, from the same sources.
`pyproject.toml` says all else about the package; docs/performance.md, why it pays and what the compiler forgives not.
"""

import fcntl
import hashlib
import os
import re
import shlex
import shutil
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

FLOORS = ("core", "formats", "flow", "upstream")  # whole
ALSO = (
    "compose",
    "edge/families", "edge/lines", "edge/metrics", "edge/records", "edge/secrets",
    "web/auth", "web/body", "web/counts", "web/desk", "web/guard", "web/lane", "web/lane_head", "web/lane_reply",
    "web/lanes", "web/recent", "web/today", "web/variants",
)  # fmt: skip
PASSED_BY_NONE = (  # of those floors' modules: what replay's sums, the tuner and the monitor's judgements need
    "core/experiment", "core/findings", "core/guarantee", "core/judged", "core/replay", "core/replay_cost",
    "core/replay_sums", "core/signals", "core/task_rules", "core/tuner", "core/tuning",
    "flow/replay_tally",
)  # fmt: skip
HEADER = Path("scripts/compiled/slots.h")
SLICES = "scripts/compiled/slices.c"
INNER = ("-fvisibility=hidden", "-fno-semantic-interposition")  # modules call each other without a detour: 6 of 100 us

# The compiler drops the keywords of a class statement, and the annotations by which msgspec decodes.
_INTERPRETED = re.compile(r"^class \w+\(Struct, |\bmsgspec\.(convert|json)\b", re.MULTILINE)


def compiled_modules(package: Path) -> list[str]:
    """Paths of the modules that are compiled, as they are called from the folder above `package`."""
    floors = [path for floor in FLOORS for path in (package / floor).rglob("*.py") if path.name != "__init__.py"]
    modules = {*floors, *_named(package, ALSO)} - {*_named(package, PASSED_BY_NONE)}
    return sorted(str(path) for path in modules if not _INTERPRETED.search(path.read_text(encoding="utf-8")))


def _named(package: Path, names: tuple[str, ...]) -> list[Path]:
    return [package / f"{name}.py" for name in names]


class SideBySide(build_ext):
    """Compiles files side by side, and those alone that are newer than what was built of them (see `forget_stale`)."""

    def build_extensions(self) -> None:
        self.compiler.compile = self._compile_all
        super().build_extensions()

    def _compile_all(self, sources: list[str], output_dir: str | None = None, **options: Any) -> list[str]:
        compiler = self.compiler
        before, after = options.get("extra_preargs"), options.get("extra_postargs")
        macros, folders, depends = (options.get(name) for name in ("macros", "include_dirs", "depends"))
        _, objects, after, defines, todo = compiler._setup_compile(output_dir, macros, folders, sources, depends, after)
        arguments = compiler._get_cc_args(defines, options.get("debug"), before)

        def compile_one(path: str) -> None:
            source, suffix = todo[path]
            if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(source):
                compiler._compile(path, source, suffix, arguments, after, defines)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(compile_one, objects))
        return list(objects)


def extensions(built: Path) -> list[Extension]:
    from mypyc.build import mypycify  # needed by this way of installing alone

    arguments = ["--config-file", "scripts/compiled/mypy.ini", *compiled_modules(Path("gateway"))]
    made: list[Extension] = mypycify(arguments, opt_level="2", debug_level="0", multi_file=True, target_dir=str(built))
    for extension in made:
        extension.extra_compile_args = [*extension.extra_compile_args, "-include", str(HEADER.resolve()), *INNER]
        if any(Path(source).name.startswith("__native") for source in extension.sources):  # not one that only loads it
            extension.sources = [*extension.sources, SLICES]
            extension.extra_link_args = [*extension.extra_link_args, "-Wl,--wrap=CPyBytes_GetSlice"]
    forget_stale(built)
    return made


def forget_stale(built: Path) -> None:
    """Objects know the layout of other modules' classes from shared headers, so these outlive no change of one.

    What alone may change is the number of constants: nearly every change of a module changes it, and who reads one
    does so by its place, which stands in its own source.
    """
    headers = sorted(built.glob("__native_*.h"))
    text = re.sub(r"CPyStatics\[\d+\]", "", "".join(header.read_text(encoding="utf-8") for header in headers))
    declared, kept = hashlib.sha256(text.encode()).hexdigest(), built / "declared"
    if not kept.exists() or kept.read_text() != declared:
        for stale in built.rglob("*.o"):
            stale.unlink()
    kept.write_text(declared)


def need_compiler() -> None:
    """Ends with what to do where nothing can be compiled, before the minute that it takes to find that out."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        sys.exit(f"compiling needs a C compiler, and there is no {compiler}: apt install gcc libc6-dev")
    header = Path(sysconfig.get_path("include"), "Python.h")
    if not header.exists():
        sys.exit(f"compiling needs Python's own headers, and there is no {header}: apt install python3-dev")


def built_in(folder: str) -> Path:
    """A folder of its own for each Python, compiler and addition of ours to what that writes: of those, an object is
    compared with nothing."""
    ours = [path.read_text(encoding="utf-8") for path in [Path("setup.py"), *sorted(HEADER.parent.glob("*.*"))]]
    made_with = hashlib.sha256("\n".join([sys.version, version("mypy"), *ours]).encode()).hexdigest()[:12]
    path = Path(folder) / made_with
    path.mkdir(parents=True, exist_ok=True)
    return path


def main() -> None:
    folder = os.environ.get("POINTSMAN_COMPILE")
    if not folder or {"dist_info", "egg_info"} & {*sys.argv}:  # metadata is asked for first, in a run of its own
        setup()
        return
    need_compiler()
    built = built_in(folder)
    # Two at a time would mix what they keep. All else is made anew: modules of an earlier build would be packed, too.
    with (built / "lock").open("w") as lock, tempfile.TemporaryDirectory() as fresh:
        fcntl.flock(lock, fcntl.LOCK_EX)
        options = {
            "build": {"build_temp": str(built), "build_lib": f"{fresh}/lib"},
            "bdist_wheel": {"bdist_dir": f"{fresh}/wheel"},
        }
        setup(ext_modules=extensions(built), cmdclass={"build_ext": SideBySide}, options=options)


if __name__ == "__main__":
    main()
