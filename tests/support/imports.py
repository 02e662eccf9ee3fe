"""Imports of other gateways' configurations, on a machine without a key and with the packaged catalog."""

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from gateway.config.compile import Compiled
from gateway.config.here import known_here
from gateway.config.imports.litellm import import_litellm
from gateway.config.imports.notes import Imported
from gateway.config.imports.portkey import import_portkey
from gateway.config.known import Known
from gateway.config.load import ConfigText, load_config

TESTDATA = Path(__file__).parents[1] / "config" / "imports" / "testdata"


@cache
def packaged() -> Known:
    """The packaged catalog on a machine without any key in its environment."""
    return known_here(None, date(2026, 11, 25), {})


def known(**variables: str) -> Known:
    """A machine with these variables, none of which is a key."""
    return replace(packaged(), variable=variables.get)


def from_litellm(source: str, **variables: str) -> Imported:
    return import_litellm(source.encode(), "config.yaml", known(**variables))


def from_portkey(source: str) -> Imported:
    return import_portkey(source.encode(), "config.json", known())


def accepted(imported: Imported) -> Compiled:
    """What the gateway makes of it; fails where it refuses."""
    return load_config(ConfigText(imported.text.encode()), packaged())


def config(imported: Imported) -> dict[str, Any]:
    """The configuration as plain data, after the gateway has accepted it."""
    accepted(imported)
    data: dict[str, Any] = yaml.safe_load(imported.text)
    return data


def told(imported: Imported) -> list[str]:
    return [str(note) for note in imported.notes]
