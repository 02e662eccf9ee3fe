"""`make chart`: everything in the tree that is made from the chart and from the gateway's code.

    python -m scripts.chart.made            # write values.schema.json, README.md and deploy/manifests/
    python -m scripts.chart.made --check    # write nothing; exit status 1 where something is out of date
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from scripts.chart.tools import KUBE_VERSION, tool
from scripts.chart.values_schema import values_schema

Json = Any  # a value made of JSON's types

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "pointsman"
MANIFESTS = ROOT / "deploy" / "manifests"
NAMESPACE = "pointsman"
HEAD = (
    "# Made by `make chart` from deploy/helm/pointsman with its default values; "
    "`kubectl apply -k deploy/manifests` installs it.\n"
)
HELMS_OWN = ("helm.sh/chart", "app.kubernetes.io/managed-by")
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}


def rendered(values: Path | None = None, *more: str, kube_version: str = KUBE_VERSION) -> list[Json]:
    """The chart's objects, those of `helm test` included."""
    options = ["-n", NAMESPACE, "--kube-version", kube_version, *more]
    command = [tool("helm"), "template", "pointsman", str(CHART), *options]
    if values is not None:
        command += ["-f", str(values)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def manifests() -> Iterator[tuple[str, str]]:
    """Name and text of each file of deploy/manifests."""
    objects = [each for each in rendered() if "helm.sh/hook" not in each["metadata"].get("annotations", {})]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": RESTRICTED}}
    names = []
    for each in [space, *objects]:
        name = f"{each['metadata']['name']}-{each['kind'].lower()}.yaml"
        names.append(name)
        yield name, HEAD + yaml.safe_dump(_without_helm(each), sort_keys=False, width=120)
    kinds = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    image = {"name": "pointsman", "newName": "pointsman", "newTag": _app_version()}
    whole = {**kinds, "namespace": NAMESPACE, "resources": sorted(names), "images": [image]}
    yield "kustomization.yaml", HEAD + yaml.safe_dump(whole, sort_keys=False, width=120)


def _app_version() -> str:
    return str(yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"])


def _without_helm(node: Json) -> Json:
    if isinstance(node, list):
        return [_without_helm(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {key: _without_helm(value) for key, value in node.items() if key not in HELMS_OWN}


def readme() -> str:
    """README.md of the chart, by helm-docs."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "pointsman"
        shutil.copytree(CHART, copy)
        (copy / "README.md").unlink(missing_ok=True)
        command = [tool("helm-docs"), "--skip-version-footer", "--sort-values-order", "file", "-c", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not (copy / "README.md").exists():
            raise RuntimeError(f"helm-docs: {done.stderr.strip()}")
        return (copy / "README.md").read_text()


def files() -> dict[Path, str]:
    """Every file that is made, with its text."""
    schema = {CHART / "values.schema.json": values_schema(CHART), CHART / "README.md": readme()}
    return schema | {MANIFESTS / name: text for name, text in manifests()}


def stale(made: dict[Path, str]) -> list[Path]:
    """What in the tree is not as it would be made, or would not be made at all."""
    different = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    return sorted([*different, *(path for path in MANIFESTS.glob("*.yaml") if path not in made)])


def main(arguments: list[str]) -> int:
    check = "--check" in arguments
    if not check:
        (CHART / "values.schema.json").write_text(values_schema(CHART))  # helm renders nothing against an old one
    made = files()
    found = stale(made)
    if check:
        for path in found:
            print(f"{path.relative_to(ROOT)} is out of date: run `make chart`", file=sys.stderr)
        return 1 if found else 0
    MANIFESTS.mkdir(exist_ok=True)
    for path in found:
        if path in made:
            path.write_text(made[path])
        else:
            path.unlink()
        print(f"{path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
