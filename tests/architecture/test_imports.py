"""Every module can be imported alone, importing does no work, and the pure floors stay pure."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Imports each module with nothing else of ours loaded, as a fresh interpreter would find it; libraries stay loaded.
ALONE = """
import importlib, json, sys
failed = {}
for name in json.loads(sys.argv[1]):
    for loaded in [m for m in sys.modules if m.partition(".")[0] in ("gateway", "monitor", "loadtest")]:
        del sys.modules[loaded]
    try:
        importlib.import_module(name)
    except BaseException as error:
        failed[name] = repr(error)
print(json.dumps(failed))
"""
LOADED = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
"""


def python(script: str, modules: list[str]) -> list[str] | dict[str, str]:
    """What the script prints, run in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, json.dumps(modules)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found: list[str] | dict[str, str] = json.loads(done.stdout)
    return found


def modules_of(floor: str) -> list[str]:
    """Modules of a package, or of the one file of that name."""
    folder = ROOT.joinpath(*floor.split("."))
    paths = [*folder.rglob("*.py")] if folder.is_dir() else [folder.with_suffix(".py")]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths if path.name != "__main__.py"]
    return sorted(name.removesuffix(".__init__") for name in names)


@pytest.mark.parametrize("package", ["gateway", "monitor", "loadtest"])
def test_every_module_can_be_imported_alone(package: str) -> None:
    assert python(ALONE, modules_of(package)) == {}


@pytest.mark.parametrize("floor", ["gateway.core", "gateway.formats"])
def test_the_pure_floors_load_nothing_that_does_io(floor: str) -> None:
    loaded = set(python(LOADED, modules_of(floor)))
    assert not loaded & {"aiohttp", "uvloop", "httptools", "kubernetes", "prometheus_client", "yaml", "pydantic"}
    if floor == "gateway.core":
        assert "gateway.formats" not in loaded


def test_the_package_itself_loads_nothing() -> None:
    ours = {name for name in python(LOADED, ["gateway"]) if name.startswith("gateway")}
    assert ours == {"gateway"}
