"""The list of what is in the image, as CycloneDX JSON: `python3 sbom.py FOLDER... > sbom.cdx.json`.

Owns one component per Python distribution found in the folders, with its version, licence and package URL. The base
layer's own packages are the base's to list. Uses the standard library alone: it runs before anything is installed.
"""

import json
import re
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from typing import Any

Json = Any  # a value made of JSON's types


def bill_of(folders: Iterable[str]) -> Json:
    """The whole document. The same folders give the same bytes: it has no time and no random serial number."""
    found = {_name(each): each for each in distributions(path=list(folders))}
    own = found.pop("pointsman", None)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {} if own is None else {"component": _component(own) | {"type": "application"}},
        "components": [_component(found[name]) for name in sorted(found)],
    }


def _component(distribution: Distribution) -> dict[str, Json]:
    name, version = _name(distribution), distribution.version
    url = f"pkg:pypi/{name}@{version}"
    return {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url} | _licences(distribution)


def _name(distribution: Distribution) -> str:
    return re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()


def _licences(distribution: Distribution) -> dict[str, Json]:
    """An SPDX expression where the distribution gives one, else the words of its classifiers."""
    metadata = distribution.metadata
    if "License-Expression" in metadata:
        return {"licenses": [{"expression": metadata["License-Expression"]}]}
    named = [
        line.rpartition(" :: ")[2] for line in metadata.get_all("Classifier") or () if line.startswith("License :: ")
    ]
    return {"licenses": [{"license": {"name": name}} for name in named]} if named else {}


if __name__ == "__main__":
    print(json.dumps(bill_of(sys.argv[1:]), indent=1))
