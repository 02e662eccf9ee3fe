"""The configuration of this very process: its file, its catalog, the keys it can see.

The only place of `gateway.config` that looks at the machine; gateway, monitor and command line all begin here.
"""

from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path

from gateway.config.catalog_file import load_catalog
from gateway.config.compile import Compiled
from gateway.config.keys import key_present
from gateway.config.known import Known
from gateway.config.load import ConfigText, load_config, load_defaults
from gateway.config.problems import ConfigError, Problem
from gateway.config.source import MAX_BYTES
from gateway.formats.registry import wire_formats


def known_here(catalog: Path | None, today: date, environ: Mapping[str, str]) -> Known:
    """What a file is compiled against on this machine; `catalog` None is the one in the package.

    Raises:
        CatalogFileError: the catalog cannot be used.
    """
    return Known.of(load_catalog(catalog), today, wire_formats(), partial(key_present, environ=environ), environ.get)


def read_config(path: Path) -> ConfigText:
    """The file's bytes. Raises `ConfigError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            return ConfigText(file.read(MAX_BYTES + 1), str(path))
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, "", f"cannot be read: {error.strerror or error}")]) from None


def load_here(path: Path | None, known: Known) -> Compiled:
    """The configuration in the file at `path`, or the built-in one. Raises `ConfigError`."""
    return load_defaults(known) if path is None else load_config(read_config(path), known)
