"""`pointsman`: the command line. Owns what each command puts together; options and help are in `parser`."""

import asyncio
import os
import runpy
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from gateway.cli import decisions, explain, models
from gateway.cli.check import check
from gateway.cli.decision_sources import NoRecords
from gateway.cli.local_http import Unreachable, url_of
from gateway.cli.output import print_json
from gateway.cli.parser import SETTINGS, parser_of_pointsman
from gateway.cli.run import run
from gateway.cli.run_plan import RunError, plan_run
from gateway.config.catalog_file import CatalogFileError
from gateway.config.here import known_here, load_here, read_config
from gateway.config.known import Known
from gateway.config.load import ConfigText
from gateway.config.problems import ConfigError
from gateway.config.schema import json_schema
from gateway.config.source import MAX_BYTES
from gateway.settings import PREFIX, Settings, SettingsError, read_settings


class UsageError(Exception):
    """What was given to a command cannot be used; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    given = parser_of_pointsman().parse_args(arguments)
    try:
        return _COMMANDS[given.command](given)
    except (SettingsError, CatalogFileError, ConfigError, RunError, Unreachable, NoRecords, UsageError) as error:
        print(f"pointsman: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `pointsman models | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _run(given: Namespace) -> int:
    settings = _settings(given)
    known = _known(settings)
    config = settings.config_path()
    load_here(config, known)  # what is wrong with the file is said here, once, rather than by two processes
    return asyncio.run(run(plan_run(settings, known, Path.cwd()), config, as_json=given.as_json))


def _process(given: Namespace) -> int:
    """Gateway or monitor in this very process, as `python -m` would run it."""
    _settings(given)
    for name in SETTINGS:
        value = getattr(given, name)
        if value is not None:
            os.environ[f"{PREFIX}{name.upper()}"] = str(value)
    sys.argv = [f"pointsman {given.command}"]
    runpy.run_module(given.command, run_name="__main__", alter_sys=True)
    return 0


def _evaluations(given: Namespace) -> int:
    """The monitor's own command, which knows its options."""
    sys.argv = ["pointsman evaluations", *given.arguments]
    runpy.run_module("monitor.evaluation", run_name="__main__", alter_sys=True)
    return 0


def _check(given: Namespace) -> int:
    return check(_source(given.file), _known(_settings(given)), as_json=given.as_json)


def _explain(given: Namespace) -> int:
    settings = _settings(given)
    headers = _headers(given.header)
    try:
        body = _stdin() if given.file == "-" else Path(given.file).read_bytes()
    except OSError as error:
        raise UsageError(f"{given.file} cannot be read: {error.strerror}") from None
    if given.url is not None:
        return explain.show(explain.ask(given.url, body, headers), as_json=given.as_json)
    try:
        reply = explain.ask(url_of(settings.host, settings.port), body, headers)
    except Unreachable:
        from gateway.cli.offline import ask_offline  # here, since a whole gateway takes half a second to import

        compiled = load_here(settings.config_path(), _known(settings))
        print("no gateway runs here: explained from the configuration alone, without live health", file=sys.stderr)
        reply = ask_offline(compiled, body, headers)
    return explain.show(reply, as_json=given.as_json)


def _decisions(given: Namespace) -> int:
    return (decisions.tail if given.action == "tail" else decisions.show)(given, _admin_url(given))


def _top(given: Namespace) -> int:
    from gateway.cli.top import top  # here, since it needs a POSIX terminal

    return top(given, _admin_url(given))


def _admin_url(given: Namespace) -> str:
    settings = _settings(given)
    return url_of(settings.host, settings.admin_port)


def _headers(given: Sequence[str]) -> dict[str, str]:
    headers = {}
    for header in given:
        name, colon, value = header.partition(":")
        if not colon:
            raise UsageError(f"--header {header}: write NAME:VALUE")
        headers[name.strip().lower()] = value.strip()
    return headers


def _models(given: Namespace) -> int:
    settings = _settings(given)
    known = _known(settings)
    compiled = load_here(settings.config_path(), known)
    listed = models.effective_models(compiled, known) if given.configured else models.whole_catalog(compiled, known)
    models.print_models(listed, known, as_json=given.as_json)
    return 0


def _import(given: Namespace) -> int:
    from gateway.cli.imports import CannotWrite, import_config  # here, since nothing else needs it

    try:
        output = None if given.output is None else Path(given.output)
        return import_config(given.format, _source(given.file), _known(_settings(given)), output, as_json=given.as_json)
    except CannotWrite as error:
        raise UsageError(str(error)) from None


def _replay(given: Namespace) -> int:
    from gateway.cli.replay import replay  # here, since numpy takes a tenth of a second to import

    settings = _settings(given)
    return replay(given, load_here(settings.config_path(), _known(settings)))


def _tune(given: Namespace) -> int:
    from gateway.cli.tune import tune  # here, since numpy takes a tenth of a second to import

    settings = _settings(given)
    return tune(given, settings.config_path(), _known(settings))


def _experiment(given: Namespace) -> int:
    from gateway.cli.experiment import experiment  # here, since nothing else needs it

    settings = _settings(given)
    routes = load_here(settings.config_path(), _known(settings)).policy.routes
    split = next((route.split for route in routes if route.name == given.route), ())
    weights = {arm.name: arm.weight for arm in split} or None
    return experiment(given, weights, _admin_url(given))


def _source(file: str) -> ConfigText:
    return ConfigText(_stdin(MAX_BYTES + 1), "stdin") if file == "-" else read_config(Path(file))


def _schema(_: Namespace) -> int:
    print_json(json_schema())
    return 0


_COMMANDS: Mapping[str, Callable[[Namespace], int]] = {
    "run": _run,
    "gateway": _process,
    "monitor": _process,
    "check": _check,
    "explain": _explain,
    "decisions": _decisions,
    "top": _top,
    "models": _models,
    "schema": _schema,
    "import": _import,
    "replay": _replay,
    "tune": _tune,
    "experiment": _experiment,
    "evaluations": _evaluations,
}


def _settings(given: Namespace) -> Settings:
    """The environment's settings, under the command line's."""
    said = {name: getattr(given, name, None) for name in SETTINGS}
    return read_settings({name: value for name, value in said.items() if value is not None})


def _known(settings: Settings) -> Known:
    return known_here(settings.catalog, datetime.fromtimestamp(time.time(), UTC).date(), os.environ)


def _stdin(limit: int = -1) -> bytes:
    return sys.stdin.buffer.read(limit)


if __name__ == "__main__":
    sys.exit(main())
