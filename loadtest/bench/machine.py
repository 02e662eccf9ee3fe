"""What the numbers were measured on: a number without its machine says nothing."""

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import orjson

_LIBRARIES = ("aiohttp", "uvloop", "httptools", "orjson")
_ABOUT_ITSELF = """\
import json, platform, sysconfig
names = "CONFIG_ARGS", "PGO_PROF_GEN_FLAG", "PGO_PROF_USE_FLAG"
print(json.dumps([platform.python_version(), dict(zip(names, sysconfig.get_config_vars(*names)))]))
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """`load_1m` is the load average before the run: at rest it is near 0, and only then are absolute numbers good.
    `compiled`: whether the gateways are."""

    cpu: str
    cores: int
    system: str
    python: str
    libraries: dict[str, str]
    nginx: str
    generator: str
    load_1m: float
    compiled: bool = False

    def line(self) -> str:
        how = "compiled" if self.compiled else "interpreted, since nothing is compiled (make compiled)"
        libraries = ", ".join(f"{name} {number}" for name, number in self.libraries.items())
        return (
            f"{self.cpu}, {self.cores} cores, {self.system}; Python {self.python}, {libraries}; nginx {self.nginx}; "
            f"load by {self.generator}; gateways {how}; load average before the run {self.load_1m:.1f}"
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
    """The version of an interpreter, where it is if it is not the one that measures, and how it was built."""
    said = _said(path, _ABOUT_ITSELF)
    if not said:
        return f"of unknown version ({path})"
    number, settings = orjson.loads(said)
    place = "" if path == sys.executable else f"{path}, "
    return f"{number} ({place}{'' if by_profile(settings) else 'not '}optimised by a profile)"


def by_profile(settings: Mapping[str, str | None]) -> bool:
    """Whether an interpreter was built with profile-guided optimisation, by what its sysconfig tells.

    Debian's rules do not use configure's switch: they call `make profile-opt`, and then take the flags that a profile
    is used with out of the settings, which every other build by GCC has.
    """
    if "--enable-optimizations" in (settings["CONFIG_ARGS"] or ""):
        return True
    return bool(settings["PGO_PROF_GEN_FLAG"]) and not settings["PGO_PROF_USE_FLAG"]


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
