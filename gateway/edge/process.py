"""What gateway and monitor do alike as processes: begin with a configuration, follow it, log, be told to stop."""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

from gateway.config.catalog_file import CatalogFileError
from gateway.config.compile import Compiled
from gateway.config.here import known_here
from gateway.config.known import Known
from gateway.config.load import ConfigText, load_config, load_defaults
from gateway.config.problems import ConfigError
from gateway.edge.files import Change, FileWatch

CONFIG_LOOK_S = 2.0  # how late a new configuration may be noticed; in a cluster the kubelet needs up to a minute anyway
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

log = logging.getLogger("pointsman")


class StartError(Exception):
    """The process cannot start; the message says what to do."""


def run_process(name: str, log_level: str, serving: Coroutine[object, object, None]) -> int:
    """Run `serving` to its end on a loop of its own; the exit status. A `StartError` is said in one line."""
    import uvloop  # here, since importing the module must not load an event loop

    set_up_logging(log_level)
    try:
        uvloop.run(serving)
    except StartError as error:
        sys.stderr.write(f"pointsman {name}: {error}\n")
        return 1
    return 0


def set_up_logging(level: str) -> None:
    """One line per event to stderr. aiohttp's tracebacks for malformed requests are noise that anyone can cause."""
    logging.basicConfig(level=level.upper(), format=LOG_FORMAT, stream=sys.stderr, force=True)
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)


def stop_signal() -> asyncio.Event:
    """Set by SIGTERM and SIGINT from now on."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


class Owner(Protocol):
    """Who runs under the configuration."""

    def reconfigure(self, compiled: Compiled) -> None:
        """Take over an accepted version."""

    def refused(self, problem: str) -> None:
        """A new version was refused, for what `problem` says; the old one stays in force."""


class Configured:
    """The configuration a process began with, and the file it may come from."""

    def __init__(self, known: Known, path: Path | None) -> None:
        """Raises `ConfigError` and `StartError`."""
        self._known = known
        self._file = None if path is None else (path, FileWatch(path))
        self.compiled = load_defaults(known) if self._file is None else load_config(_first_look(*self._file), known)

    def reloader(self, owner: Owner) -> "Reloader | None":
        """What follows the file, where there is one."""
        return None if self._file is None else Reloader(owner, *self._file, self._known)


def configured(catalog: Path | None, config: Path | None) -> Configured:
    """Read what this process is configured by.

    Args:
        catalog: None for the one in the package.
        config: None for the built-in defaults.

    Raises:
        StartError: one of them cannot be used; every problem is named.
    """
    try:
        configured_here = Configured(known_here(catalog, today(), os.environ), config)
    except (ConfigError, CatalogFileError) as error:
        raise StartError(str(error)) from None
    for warning in configured_here.compiled.warnings:
        log.warning("%s", warning)
    return configured_here


def _first_look(path: Path, watch: FileWatch) -> ConfigText:
    """The file as the watch sees it, so that no version between loading and watching is missed."""
    [change] = watch.look()
    if change.data is None:
        raise StartError(f"{path}: {change.problem or 'cannot be read'}")
    return ConfigText(change.data, str(path))


def today() -> date:
    return datetime.fromtimestamp(time.time(), UTC).date()


class Reloader:
    """Takes over new versions of the configuration file; a bad one is refused whole, and the old one stays."""

    def __init__(self, owner: Owner, path: Path, watch: FileWatch, known: Known) -> None:
        """`watch` has had its first look, which the configuration in force was loaded from."""
        self._owner = owner
        self._path = path
        self._known = known
        self.watch = watch

    def take(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.data is None:
                log.warning("%s: %s; the configuration in force stays", self._path, change.problem)
                continue
            try:
                known = replace(self._known, today=today())  # models retire while a process runs
                compiled = load_config(ConfigText(change.data, str(self._path)), known)
            except ConfigError as error:
                self._owner.refused(str(error))
                log.error("new configuration refused, the old one stays:\n%s", error)
                continue
            self._owner.reconfigure(compiled)
            log.info("configuration %s is in force", compiled.policy.generation)
