"""What kube-score and checkov say of rendered objects, in one shape."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from scripts.chart.tools import KUBE_VERSION, tool

FINE = 10  # kube-score's best grade; below are warnings and worse


@dataclass(frozen=True, slots=True)
class Opinion:
    """One thing said against one object."""

    check: str  # `tool/id`
    target: str  # `Kind/name`
    words: str

    def __str__(self) -> str:
        return f"{self.target}: {self.words} [{self.check}]"


def kube_score(file: str) -> Iterator[Opinion]:
    command = [tool("kube-score"), "score", "--kubernetes-version", f"v{KUBE_VERSION}", "-o", "json", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    for scored in json.loads(done.stdout):
        target = f"{scored['type_meta']['kind']}/{scored['object_meta']['name']}"
        for check in scored["checks"]:
            if not check["skipped"] and check["grade"] < FINE:
                said = "; ".join(each["summary"] for each in check["comments"] or ())
                yield Opinion(f"kube-score/{check['check']['id']}", target, said)


def checkov(file: str) -> Iterator[Opinion]:
    command = [tool("checkov"), "-f", file, "--framework", "kubernetes", "--compact", "--quiet", "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    for failed in json.loads(done.stdout).get("results", {}).get("failed_checks", ()):
        kind, _, name = failed["resource"].split(".", 2)  # Kind.namespace.name
        yield Opinion(f"checkov/{failed['check_id']}", f"{kind}/{name}", failed["check_name"])
