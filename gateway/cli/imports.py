"""`pointsman import`: the configuration of another gateway as a `pointsman.yaml`, and what of it has no equivalent.

What was written is checked as `pointsman check` would, so that nobody finds out later.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from gateway.cli.output import print_json
from gateway.config.imports.litellm import import_litellm
from gateway.config.imports.notes import Imported
from gateway.config.imports.portkey import import_portkey
from gateway.config.known import Known
from gateway.config.load import ConfigText, load_config
from gateway.config.problems import ConfigError

FORMATS: Mapping[str, Callable[[bytes, str, Known], Imported]] = {"litellm": import_litellm, "portkey": import_portkey}


class CannotWrite(Exception):
    """The file cannot be written; the message says why."""


def import_config(kind: str, source: ConfigText, known: Known, output: Path | None, *, as_json: bool) -> int:
    """Print or write the configuration, and tell the notes; 0 if the gateway would accept it, else 1.

    Raises:
        ConfigError: the source cannot be read.
        CannotWrite: `output` is there already, or cannot be made.
    """
    made = FORMATS[kind](source.text, source.name, known)
    problems = _problems(made.text, str(output or "pointsman.yaml"), known)
    if output is not None:
        _write(output, made.text)
    if as_json:
        print_json({
            "config": made.text,
            "output": None if output is None else str(output),
            "notes": [asdict(note) for note in made.notes],
            "problems": problems,
        })  # fmt: skip
        return 1 if problems else 0
    if output is None:
        print(made.text, end="")
    _tell(made, source.name, output)
    for problem in problems:
        print(f"refused: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _tell(made: Imported, source: str, output: Path | None) -> None:
    """To standard error, so that standard output is the configuration alone."""
    for note in made.notes:
        print(f"{source}:{note.line}: {note.path}: {note.message}", file=sys.stderr)
    count = len(made.notes)
    words = "everything has its equivalent" if not count else f"{count} note{'s' if count > 1 else ''} on what differs"
    done = "" if output is None else f"; written to {output}"
    print(f"{words}{done}; next: pointsman check {output or 'FILE'}", file=sys.stderr)


def _problems(text: str, name: str, known: Known) -> list[str]:
    try:
        load_config(ConfigText(text.encode(), name), known)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise CannotWrite(f"{path} is there already; name another file, or remove it") from None
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {error.strerror}") from None
