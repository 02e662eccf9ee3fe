"""`pointsman tune`: changes of a configuration that a log and judged pairs speak for, as a diff with its evidence.

It never changes what runs; `--write` changes the file, which the gateways then read as after any other edit.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.cli.decision_sources import NoRecords
from gateway.cli.output import print_json
from gateway.cli.replay import progress, replayed, world_of
from gateway.cli.replay_log import RecordTable
from gateway.cli.replay_story import unread
from gateway.cli.tune_story import story, told
from gateway.config.compile import Compiled
from gateway.config.edit import CannotEdit, Change, edited, unified
from gateway.config.here import read_config
from gateway.config.known import Known
from gateway.config.load import ConfigText, load_config, load_defaults
from gateway.core.judged import JudgedError, JudgedPair, read_judged
from gateway.core.tuner import Findings, findings, wanted

NEW = Path("pointsman.yaml")  # where there is no file yet


@dataclass(frozen=True, slots=True)
class Proposed:
    """The file as it is and as it would be."""

    path: Path
    before: bytes
    after: bytes

    @property
    def diff(self) -> str:
        """Unified; empty where nothing changes."""
        return unified(self.before, self.after, str(self.path))


def tune(given: Namespace, config: Path | None, known: Known) -> int:
    """Read, find, print; write where that was asked for.

    Raises:
        NoRecords: the log or the export cannot be used.
        ConfigError: the configuration is wrong.
    """
    source = None if config is None else read_config(config)
    compiled = load_defaults(known) if source is None else load_config(source, known)
    pairs = _pairs(given.evaluations)
    found = _found(given.logs, compiled, pairs)
    proposed, by_hand = proposal(found, source, config or NEW, known)
    written = given.write and proposed.after != proposed.before
    if written:
        _write(proposed)
    if given.as_json:
        print_json({**told(found, proposed.diff, str(proposed.path)), "by_hand": by_hand, "written": written})
        return 0
    for line in story(found):
        print(line)
    for line in by_hand:
        print(f"By hand: {line}")
    if proposed.diff:
        print(f"\n{proposed.diff}", end="")
        print(f"\n{proposed.path} is changed." if written else "\nNothing is changed; --write would do it.")
    return 0


def _found(logs: Sequence[str], compiled: Compiled, pairs: Sequence[JudgedPair]) -> Findings:
    """Two replays of the log: as it is, and with what is worth a look."""
    say = progress()
    with closing(RecordTable(logs, say)) as table:
        if not table.count:
            raise NoRecords("the log holds no decision records (JSON lines with the fields of a decision)")
        now = replayed(table, world_of(compiled), None, "recorded")
        tried = wanted(compiled.policy, now, pairs).applied(compiled.policy)
        same = tried.task_tiers == compiled.policy.task_tiers
        then = now if same else replayed(table, world_of(replace(compiled, policy=tried)), None, "recorded")
        say("")
        for line in unread(table.unreadable):
            print(line, file=sys.stderr)
        return findings(compiled.policy, now, then, pairs, table.span_s())


def proposal(
    found: Findings, source: ConfigText | None, path: Path, known: Known
) -> tuple[Proposed, list[str]]:
    """The file with every change that has a plain place in it; and in words what has none.

    Every step is loaded as the gateway would: a change that makes a wrong file raises `ConfigError`.
    """
    before = b"" if source is None else source.text
    text, by_hand = before, []
    for change in changes(found):
        try:
            text = edited(text, [change], str(path))
        except CannotEdit as error:
            by_hand.append(f"{error}: {'.'.join(map(str, change.place))}: {change.written}")
    if text != before:
        load_config(ConfigText(text, str(path)), known)
    return Proposed(path, before, text), by_hand


def changes(found: Findings) -> list[Change]:
    """What the findings ask for, in the file's words."""
    tiers = [Change(("classify", "task_tiers", one.task), one.then) for one in found.lower]
    autos = [Change(("routes", one.number, "evaluate", "auto"), value=True) for one in found.automatic]
    bad = ("strategy", "escalate", "bad")
    return [*tiers, *autos, *(Change(("routes", one.number, *bad, one.task), one.will) for one in found.steers)]


def _pairs(path: str | None) -> list[JudgedPair]:
    if path is None:
        return []
    try:
        with Path(path).open("rb") as file:
            return read_judged(file)
    except OSError as error:
        raise NoRecords(f"--evaluations {path} cannot be read: {error.strerror or error}") from None
    except JudgedError as error:
        raise NoRecords(f"--evaluations {path}: {error}") from None


def _write(proposed: Proposed) -> None:
    """All of the new file or none of it; its mode stays. A link keeps pointing where it does."""
    path = proposed.path.resolve()
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("xb") as file:
            file.write(proposed.after)
            if path.exists():
                os.fchmod(file.fileno(), path.stat().st_mode & 0o7777)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise NoRecords(f"{path} cannot be written: {error.strerror or error}") from None
