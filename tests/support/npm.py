"""Packages of npm for tests, installed outside the clone and found again by what their lock file says."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

CACHE = "POINTSMAN_CLIENTS_CACHE"  # where (default: ~/.cache/pointsman-clients)


def place_of(name: str, packages: Path) -> Path:
    """The folder of what the lock file in `packages` names."""
    cache = Path(os.environ.get(CACHE) or Path.home() / ".cache" / "pointsman-clients")
    key = hashlib.sha256((packages / "package-lock.json").read_bytes()).hexdigest()[:16]
    return cache / f"{name}-{key}"


def install_once(packages: Path, place: Path) -> None:
    """Install into `place`, unless it is there. Raises as `npm_ci`."""
    if (place / "done").exists():
        return
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    npm_ci(packages, place)
    (place / "done").touch()


def npm_ci(packages: Path, place: Path) -> None:
    """Install what the lock file names into the empty folder `place`; no package runs a script of its own.

    Raises:
        OSError, subprocess.CalledProcessError: it could not be.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise FileNotFoundError("node and npm are not on this machine")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(packages / name, place)
    subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, check=True)
