"""Where the programs that check the chart are; `tools.sh` makes them."""

import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
HOME = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
CACHE = Path(os.environ.get("POINTSMAN_TOOLS_CACHE") or HOME / "pointsman-tools")
KUBE_VERSION = "1.35"  # what the chart is rendered for where nothing else is said
MINORS = ("1.30", "1.35", "1.37")  # whose schemas it must fit; those of tools.sh
NOT_HERE = 3  # exit status of tools.sh where a program cannot be made on this machine


class NotHere(Exception):
    """A program is not there and cannot be made on this machine; the message says why."""


def tool(name: str) -> str:
    """The path of a program that was made; raises `NotHere`."""
    path = CACHE / "bin" / name
    if not path.exists():
        raise NotHere(f"{name} has not been made here: scripts/chart/tools.sh makes it")
    return str(path)


def make(*names: str) -> None:
    """Make those programs (all, where none is named) if they are not there; progress goes to standard error."""
    if shutil.which("bash") is None:
        raise NotHere("there is no bash")
    done = subprocess.run([str(HERE / "tools.sh"), *names], check=False)
    if done.returncode == NOT_HERE:
        raise NotHere("the programs that check the chart are not built yet, and there is no Go here to build them with")
    if done.returncode != 0:
        raise RuntimeError(f"tools.sh ended with {done.returncode}")
