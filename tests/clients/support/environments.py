"""Where the clients are installed: outside the clone, keyed by what their lock files say.

So a second run installs nothing. POINTSMAN_CLIENTS_CACHE says where (default: ~/.cache/pointsman-clients).
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.npm import npm_ci

ROOT = Path(__file__).parents[3]
PACKAGES = ROOT / "tests" / "clients" / "node"
SCRIPTS = ROOT / "tests" / "clients" / "python"
INSIDE = "POINTSMAN_CLIENTS"  # set while `make test-clients` runs: the folder these tests write their results to
_INSTALL = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r")
_CLAUDE = "@anthropic-ai/claude-code"  # its binary is put in place by a script of its own; no other package runs any


@dataclass(frozen=True)
class Environments:
    """Folders of what is installed; `None` and a reason in `absent` where it is not."""

    clients: Path | None
    aider: Path | None
    node: Path | None
    absent: Mapping[str, str]


def environments() -> Environments:
    """As they lie in the cache."""
    absent: dict[str, str] = {}
    found = {name: _found(name, folder(name), absent) for name in ("clients", "aider", "node")}
    return Environments(found["clients"], found["aider"], found["node"], absent)


def lock_of(name: str) -> Path:
    return PACKAGES / "package-lock.json" if name == "node" else ROOT / f"requirements-{name}.lock"


def folder(name: str) -> Path:
    cache = Path(os.environ.get("POINTSMAN_CLIENTS_CACHE") or Path.home() / ".cache" / "pointsman-clients")
    salt = "" if name == "node" else sys.version
    key = hashlib.sha256(lock_of(name).read_bytes() + salt.encode()).hexdigest()[:16]
    return cache / f"{name}-{key}"


def install(name: str) -> str:
    """Install what the lock file names, unless it is there. Returns why it could not, or nothing."""
    place = folder(name)
    if (place / "done").exists():
        return ""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    try:
        _install_node(place) if name == "node" else _install_python(name, place)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"{name} could not be installed: {error}"
    (place / "done").touch()
    return ""


def _install_python(name: str, place: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    subprocess.run([place / "bin" / "python", *_INSTALL, lock_of(name)], check=True)


def _install_node(place: Path) -> None:
    npm_ci(PACKAGES, place)
    subprocess.run(["node", "install.cjs"], cwd=place / "node_modules" / _CLAUDE, check=True)


def _found(name: str, place: Path, absent: dict[str, str]) -> Path | None:
    if (place / "done").exists():
        return place
    absent[name] = f"{name} clients are not installed (make test-clients says why)"
    return None
