"""The compiled gateway of a run: finds `build/compiled`, and refuses one that is not made of the sources beside it.

`python -m loadtest.bench.compiled` has exit status 0 where there is one to be measured; `make bench` makes it else.
"""

import sys
from pathlib import Path

from loadtest.bench.rig import BenchError

ROOT = Path(__file__).parents[2]
BUILT = Path("build", "compiled")
MADE_BY = ("setup.py", "scripts/compiled/*.*")  # not part of what is installed, so their times must do
PACKAGES = ("gateway", "loadtest")


def compiled_gateway(root: Path = ROOT) -> Path | None:
    """The folder that a compiled gateway is imported from; None where nothing is compiled.

    Raises:
        BenchError: it is not made of the sources as they stand; the message says what to type.
    """
    built = root / BUILT
    if not built.exists():
        return None
    changed = _changed(root, built)
    if changed is not None:
        raise BenchError(f"{BUILT} is not made of {changed} as it stands: make compiled, or remove {BUILT}")
    return built


def _changed(root: Path, built: Path) -> Path | None:
    """A source that is not what the build was made of, as it is called from `root`."""
    made_s = min((path.stat().st_mtime for path in built.glob("*.so")), default=0.0)  # 0: it was broken off
    for pattern in MADE_BY:
        for path in sorted(root.glob(pattern)):
            if path.stat().st_mtime > made_s:
                return path.relative_to(root)
    for package in PACKAGES:
        ours, theirs = _sources(root, package), _sources(built, package)
        for name in sorted(ours | theirs):
            if name not in ours & theirs or (root / name).read_bytes() != (built / name).read_bytes():
                return name
    return None


def _sources(folder: Path, package: str) -> set[Path]:
    return {path.relative_to(folder) for path in (folder / package).rglob("*.py")}


def main() -> int:
    try:
        return 1 if compiled_gateway() is None else 0
    except BenchError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
