"""`setup.py` as a module: it is a program for installers, in no package."""

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]


def load_setup() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pointsman_setup", ROOT / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
