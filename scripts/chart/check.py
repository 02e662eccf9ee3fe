"""`make check-chart`: everything that must hold of the chart, for every way of installing in its ci/ folder.

What the checks find is printed one finding a line. Exit status 0: all is well, or the tools cannot be had here (it says
why).
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from scripts.chart import made
from scripts.chart.exemptions import Exemptions
from scripts.chart.opinions import checkov, kube_score
from scripts.chart.tools import CACHE, KUBE_VERSION, MINORS, NotHere, make, tool

WAYS = sorted((made.CHART / "ci").glob("*-values.yaml"))
Findings = Iterator[str]


def lint() -> Findings:
    """helm's own rules, warnings included."""
    for way in WAYS:
        options = ["--strict", "--kube-version", KUBE_VERSION, "-f", str(way)]
        yield from _failed(way.name, [tool("helm"), "lint", *options, str(made.CHART)])


def unit_tests() -> Findings:
    """tests/*_test.yaml of the chart, by helm-unittest."""
    yield from _failed("helm-unittest", [tool("helm-unittest"), "--strict", str(made.CHART)])


def schemas() -> Findings:
    """Kubernetes' schemas of several minors, by kubeconform; kinds of others (monitors, routes) have none here."""
    for way, files in _rendered().items():
        for minor in MINORS:
            where = f"{CACHE}/schemas/{minor}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
            command = [tool("kubeconform"), "-strict", "-ignore-missing-schemas", "-schema-location", where, files]
            yield from _failed(f"{way}, Kubernetes {minor}", command)


def opinions() -> Findings:
    """kube-score and checkov, but for what exemptions.yaml explains."""
    exempt = Exemptions.read(Path(__file__).parent / "exemptions.yaml")
    for way, file in _rendered().items():
        for found in [*kube_score(file), *checkov(file)]:
            if not exempt.covers(found, way):
                yield f"{way}: {found}"
    yield from exempt.unused()


def drift() -> Findings:
    """What is made from the chart is up to date."""
    for path in made.stale(made.files()):
        yield f"{path.relative_to(made.ROOT)} is out of date: run `make chart`"


CHECKS: Sequence[Callable[[], Findings]] = (lint, unit_tests, schemas, opinions, drift)
_folder = TemporaryDirectory()


def _rendered() -> dict[str, str]:
    """By way of installing, the path of what it renders to."""
    paths = {}
    for way in WAYS:
        path = Path(_folder.name) / way.name
        if not path.exists():
            path.write_text(yaml.safe_dump_all(made.rendered(way)))
        paths[way.name] = str(path)
    return paths


def _failed(what: str, command: Sequence[str]) -> Findings:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        yield f"{what}: {(done.stdout + done.stderr).strip()}"


def main() -> int:
    try:
        make()
    except NotHere as why:
        print(f"skipped: {why}")
        return 0
    bad = 0
    for check in CHECKS:
        began = time.monotonic()
        found = list(check())
        bad += len(found)
        print(f"{check.__name__}: {'ok' if not found else 'FAILED'} ({time.monotonic() - began:.0f} s)", flush=True)
        for finding in found:
            print(f"  {finding}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
