"""`pointsman evaluations`: the store of evaluations from a terminal. Owns its options, help, and what it prints."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TextIO

import msgspec

from gateway.config.words import age_s
from gateway.edge.commands import add_command
from gateway.settings import SettingsError, read_settings
from monitor.evaluation.place import FILE, place_of
from monitor.evaluation.progress import Agreement, Progress
from monitor.evaluation.store import RowError, Store, StoreError

PRIVATE = 0o600

Given = argparse.Namespace


class CannotUse(Exception):
    """What was given cannot be used; the message says why."""


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    given = _parser().parse_args(arguments)
    try:
        with closing(_opened(given)) as store:
            _ACTIONS[given.action](given, store)
    except (StoreError, SettingsError, CannotUse) as error:
        sys.stderr.write(f"pointsman: {error}\n")
        return 1
    except BrokenPipeError:  # `pointsman evaluations export | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    where = "They are in POINTSMAN_EVALUATIONS (postgresql://… or a file), else in the state directory."
    about = f"Pairs of answers that are compared blindly, and what was said of them. {where}"
    parser = argparse.ArgumentParser(prog="pointsman evaluations", description=about)
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    example = (
        "pointsman evaluations export pairs.jsonl\n  pointsman evaluations export | jq 'select(.task == \"code\")'"
    )
    export = _action(actions, "export", "everything as JSON lines: prompts, answers, judgements, spending", example)
    export.add_argument("file", metavar="FILE", nargs="?", help="a new file (default: standard output)")
    example = "pointsman evaluations import pairs.jsonl\n  pointsman evaluations import - < pairs.jsonl"
    what = "take over what was exported, all of it or nothing; what is there already stays as it is"
    _action(actions, "import", what, example).add_argument("file", metavar="FILE", help="the file; - is standard input")
    example = (
        "pointsman evaluations purge --older-than 90d\n  pointsman evaluations purge --older-than 1h --route support"
    )
    purge = _action(actions, "purge", "delete pairs for good, with texts and judgements", example)
    purge.add_argument("--older-than", required=True, type=_age, metavar="90d", help="by the time of their request")
    purge.add_argument("--route", metavar="NAME", help="of this route alone")
    example = "pointsman evaluations progress\n  pointsman evaluations progress --json | jq '.[].mean_gain'"
    _action(actions, "progress", "for each route and task: what waits, what was judged, how judges agree", example)
    return parser


def _action(actions: Any, name: str, what: str, example: str) -> argparse.ArgumentParser:
    parser = add_command(actions, name, what, example)
    parser.add_argument("--state-dir", metavar="DIR", help="directory that monitor and gateway share")
    return parser


def _age(text: str) -> float:
    try:
        return age_s(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _opened(given: Given) -> Store:
    settings = read_settings({} if given.state_dir is None else {"state_dir": given.state_dir})
    place = place_of(settings)
    if given.action != "import" and settings.state_dir is not None and not place.used():
        raise CannotUse(f"there are no evaluations in {settings.state_dir / FILE}")
    url = place.url()
    file = _file(url)
    if given.action != "import" and file is not None and not file.is_file():
        raise CannotUse(f"there are no evaluations in {file}")
    return Store.open(url)


def _file(url: str) -> Path | None:
    """None: it is a server's."""
    scheme, mark, path = url.partition("://")
    if not mark:
        return Path(url)
    return Path(path.partition("?")[0].removeprefix("/")) if scheme == "sqlite" else None


def _export(given: Given, store: Store) -> None:
    if given.file is None:
        _write(store.export(), sys.stdout)
        return
    try:
        made = os.open(given.file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE)
    except FileExistsError:
        raise CannotUse(f"{given.file} is there already: name a new file") from None
    except OSError as error:
        raise CannotUse(f"{given.file} cannot be written: {error.strerror}") from None
    try:
        with open(made, "w", encoding="utf-8") as file:
            number = _write(store.export(), file)
    except BaseException as error:
        Path(given.file).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise CannotUse(f"{given.file} cannot be written: {error.strerror}") from None
        raise
    _tell(given, {"exported": number}, f"{_pairs(number)} exported to {given.file}")


def _write(rows: Iterable[Mapping[str, Any]], file: TextIO) -> int:
    """How many pairs."""
    number = 0
    for row in rows:
        file.write(msgspec.json.encode(row).decode() + "\n")
        number += row["kind"] == "pair"
    file.flush()
    return number


def _import(given: Given, store: Store) -> None:
    try:
        if given.file == "-":
            number = store.import_(_rows(sys.stdin.buffer))
        else:
            with open(given.file, "rb") as file:
                number = store.import_(_rows(file))
    except RowError as error:
        raise CannotUse(f"{given.file}: {error}; nothing was imported") from None
    except OSError as error:
        raise CannotUse(f"{given.file} cannot be read: {error.strerror}") from None
    _tell(given, {"imported": number}, f"{_pairs(number)} imported that were not there yet")


def _rows(lines: Iterable[bytes]) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(lines, 1):
        try:
            yield msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise RowError(f"line {number}: the line: must be one JSON object") from None


def _purge(given: Given, store: Store) -> None:
    number = store.purge(time.time() - given.older_than, given.route)
    _tell(given, {"purged": number}, f"{_pairs(number)} deleted")


def _progress(given: Given, store: Store) -> None:
    rows = store.progress()
    told = "\n".join(map(_line, rows)) or "nothing was evaluated yet"
    _tell(given, msgspec.to_builtins(rows), told)


def _line(row: Progress) -> str:
    judged = (
        f"judged: {row.by_people} by people, {row.by_model} by a model, {row.same} by nobody (one endpoint for both)"
    )
    gain = "" if row.mean_gain is None else f"; mean gain of the higher tier {row.mean_gain:+.3f}"
    agree = f"{_agree(row.people_agree, 'people agree')}{_agree(row.model_agrees, 'the model agrees with people')}"
    waiting = f"{row.waiting} wait for a second answer, {row.given_up} never got one"
    return f"{row.route}, {row.task}: {_pairs(row.complete)}; {waiting}\n  {judged}{gain}{agree}"


def _agree(agreement: Agreement, who: str) -> str:
    share = agreement.share
    return "" if share is None else f"; {who} in {100 * share:.0f} % of {agreement.compared}"


def _pairs(number: int) -> str:
    return f"{number:,} pair{'' if number == 1 else 's'}"


def _tell(given: Given, value: Any, words: str) -> None:
    sys.stdout.write(f"{json.dumps(value, ensure_ascii=False) if given.as_json else words}\n")


_ACTIONS: Mapping[str, Callable[[Given, Store], None]] = {
    "export": _export,
    "import": _import,
    "purge": _purge,
    "progress": _progress,
}
