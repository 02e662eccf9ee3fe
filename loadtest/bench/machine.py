"""What the numbers were measured on: a number without its machine says nothing."""

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_LIBRARIES = ("aiohttp", "uvloop", "httptools", "orjson")


@dataclass(frozen=True, slots=True)
class Machine:
    """`load_1m` is the load average before the run: at rest it is near 0, and only then are absolute numbers good."""

    cpu: str
    cores: int
    system: str
    python: str
    libraries: dict[str, str]
    nginx: str
    generator: str
    load_1m: float

    def line(self) -> str:
        libraries = ", ".join(f"{name} {number}" for name, number in self.libraries.items())
        return (
            f"{self.cpu}, {self.cores} cores, {self.system}; Python {self.python}, {libraries}; nginx {self.nginx}; "
            f"load by {self.generator}; load average before the run {self.load_1m:.1f}"
        )


def this_machine(nginx_path: str, generator: str, python: str) -> Machine:
    """`python`: the gateway's interpreter."""
    return Machine(
        cpu=cpu_model(Path("/proc/cpuinfo").read_text()),
        cores=len(os.sched_getaffinity(0)),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=python_name(python),
        libraries={name: version(name) for name in _LIBRARIES},
        nginx=_nginx_version(nginx_path),
        generator=generator,
        load_1m=os.getloadavg()[0],
    )


def python_name(path: str) -> str:
    """The version of an interpreter, and where it is if it is not the one that measures: builds differ in speed."""
    if path == sys.executable:
        return platform.python_version()
    return f"{_said(path, 'import platform; print(platform.python_version())')} ({path})"


def compatible(path: str) -> bool:
    """Whether an interpreter can load libraries that are compiled for this one."""
    return _said(path, "import sys; print(sys.implementation.cache_tag)") == sys.implementation.cache_tag


def _said(path: str, program: str) -> str:
    """What a program prints; nothing where there is no such interpreter."""
    try:
        return subprocess.run([path, "-c", program], capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    except OSError:
        return ""


def cpu_model(cpuinfo: str) -> str:
    """The first `model name` of /proc/cpuinfo; Arm's has none."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return "unknown CPU"


def _nginx_version(path: str) -> str:
    said = subprocess.run([path, "-v"], capture_output=True, text=True, check=False).stderr  # noqa: S603  # found by us
    return said.strip().rpartition("/")[2] or "of unknown version"
