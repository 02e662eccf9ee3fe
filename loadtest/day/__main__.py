"""`python -m loadtest.day` (`make day`): the whole loop of learning from traffic in some two minutes, with a report.

Exit code 0 only if every step happened in its time. Nothing leaves this machine.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import orjson

from loadtest.client import Client
from loadtest.day.prompts import Prompts
from loadtest.day.report import as_json, as_text
from loadtest.day.script import Script, Step, StepFailedError
from loadtest.day.stage import Stage, StageError, stage
from loadtest.day.traffic import Traffic

Json = Any  # a parsed JSON value

_TTY_EVERY_S, _LINES_EVERY_S = 0.2, 10.0


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="python -m loadtest.day",
        description="A scripted day: evaluation, certificates, cheaper routing, a model that gets worse, the alarm. "
        "Starts gateway, monitor and simulated providers of its own; about two minutes.",
    )
    options.add_argument(
        "--by", choices=("rules", "rules+learned"), default="rules", help="who makes the score (default %(default)s)"
    )
    options.add_argument("--seed", type=int, default=1, help="of the prompts; default %(default)s")
    options.add_argument("--folder", type=Path, help="keep state, logs and records here (default: none are kept)")
    options.add_argument("--json", action="store_true", help="print the report as JSON")
    return options


async def run(arguments: argparse.Namespace, folder: Path) -> dict[str, Json]:
    """The report of one day."""
    async with stage(folder, arguments.by) as running:
        traffic = _traffic(running, arguments.seed)
        script = Script(running, traffic, _tell)
        ticker = asyncio.ensure_future(_show(traffic, time.monotonic()))
        try:
            await script.run()
            failed = None
        except StepFailedError as error:
            failed = str(error)
        finally:
            ticker.cancel()
            await asyncio.gather(ticker, return_exceptions=True)
    return as_json(script.log, traffic.errors, failed)


def _traffic(running: Stage, seed: int) -> Traffic:
    client = Client(running.session, running.url, time.monotonic, model="auto", key=None)
    return Traffic(client, Prompts(seed))


def _tell(step: Step) -> None:
    _print(f"{step.at_s:6.1f} s  {step.name}: {step.told}", "\n")


async def _show(traffic: Traffic, began_s: float) -> None:
    """Progress beside the report, so that `--json > file` stays clean."""
    on_terminal = sys.stderr.isatty()
    while True:
        await asyncio.sleep(_TTY_EVERY_S if on_terminal else _LINES_EVERY_S)
        words = f"{time.monotonic() - began_s:6.1f} s  sent {traffic.sent}  not ok {len(traffic.errors)}"
        _print(words, "" if on_terminal else "\n")


def _print(line: str, end: str) -> None:
    lead = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(f"{lead}{line}", end=end, file=sys.stderr, flush=True)


@contextmanager
def _temporary() -> Any:
    with tempfile.TemporaryDirectory(prefix="pointsman-day-") as folder:
        yield Path(folder)


def main() -> int:
    arguments = parser().parse_args()
    if arguments.folder is not None:
        arguments.folder.mkdir(parents=True, exist_ok=True)
    with _temporary() if arguments.folder is None else nullcontext(arguments.folder) as folder:
        try:
            report = asyncio.run(run(arguments, folder))
        except StageError as error:
            print(error, file=sys.stderr)
            return 2
    print(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode() if arguments.json else as_text(report))
    return 0 if report["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
