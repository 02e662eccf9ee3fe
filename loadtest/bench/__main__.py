"""`python -m loadtest.bench` (`make bench`): measures, prints the table, and writes the page where asked to."""

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType

import orjson

from loadtest.bench.compiled import compiled_gateway
from loadtest.bench.generators import Generator, Own, best_generator
from loadtest.bench.judging import PROMPT_BYTES
from loadtest.bench.machine import compatible, this_machine
from loadtest.bench.measure import Bench, Memory
from loadtest.bench.page import Measured, Report, as_markdown, as_text, judging_of
from loadtest.bench.rig import BenchError, find_nginx, rig
from loadtest.bench.stand import Stand
from loadtest.bench.workloads import JSON_SMALL, ROWS, SEEING, SOURCES, Row, open_streams

_STREAMS, _LEARNED = "streams", "learned"
_ROW_IDS = (*(row.id for row in ROWS), _STREAMS, _LEARNED)
_GENERATORS = {"best": best_generator, "own": Own}


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="python -m loadtest.bench",
        description="CPU per request and per SSE event of the gateway beside nginx, on loopback. About four minutes.",
    )
    options.add_argument(
        "--rounds", type=_at_least_one, default=5, metavar="N", help="each with new gateways; default %(default)s"
    )
    options.add_argument("--seconds", type=_positive, default=2.0, metavar="S", help="per round; default %(default)s")
    options.add_argument("--quick", action="store_true", help="1 round of 1 second")
    options.add_argument("--only", type=_row_ids, default=_ROW_IDS, metavar="ROW,..", help=f"of {', '.join(_ROW_IDS)}")
    options.add_argument("--streams", type=_at_least_one, default=500, metavar="N", help="open; default %(default)s")
    options.add_argument("--load", choices=_GENERATORS, default="best", help="best: wrk where it is installed")
    options.add_argument(
        "--python", default=sys.executable, metavar="PATH", help="for the gateways: another build of this Python"
    )
    options.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options.add_argument("--write", type=Path, metavar="FILE", help="write the page (docs/performance.md)")
    options.add_argument(
        "--check", type=_positive, metavar="X", help="exit 1 where the small JSON row costs more than X times nginx"
    )
    options.add_argument(
        "--check-seeing", type=_positive, metavar="US", help="exit 1 where what is seen of a request costs more us"
    )
    options.add_argument(
        "--check-learned", type=_positive, nargs=2, metavar=("P50", "P99"), help="exit 1 above so many ms a prompt"
    )
    return options


def main() -> int:
    arguments = parser().parse_args()
    for switch, given, row in (
        ("--check", arguments.check, JSON_SMALL),
        ("--check-seeing", arguments.check_seeing, SEEING),
        ("--check-learned", arguments.check_learned, _LEARNED),
    ):
        if given is not None and row not in arguments.only:
            print(f"{switch} looks at the row {row}, which --only leaves out", file=sys.stderr)
            return 2
    if not compatible(arguments.python):
        print(f"{arguments.python} is no interpreter that can load the libraries of this one", file=sys.stderr)
        return 2
    if sys.platform != "linux":
        print("not measured: CPU times are read from /proc, which only Linux has")
        return 0
    nginx = find_nginx()
    if nginx is None:
        print("not measured: nginx not installed: apt install nginx")
        return 0
    signal.signal(signal.SIGTERM, _leave)
    try:
        report = run(arguments, nginx, _GENERATORS[arguments.load]())
    except BenchError as error:
        print(f"not measured: {error}", file=sys.stderr)
        return 2
    print(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode() if arguments.json else as_text(report))
    if arguments.write is not None:
        arguments.write.write_text(as_markdown(report))
    return 0 if _kept(report, arguments) else 1


def run(arguments: argparse.Namespace, nginx: str, generator: Generator) -> Report:
    """The whole measurement.

    Raises:
        BenchError: a process did not start, a reply was wrong, or what is compiled is not what the sources say.
    """
    rounds, seconds = (1, 1.0) if arguments.quick else (arguments.rounds, arguments.seconds)
    compiled = compiled_gateway()
    machine = replace(this_machine(nginx, generator.name, arguments.python), compiled=compiled is not None)
    with rig(arguments.python, compiled) as parts:
        judging = judging_of(parts.judging_ms(), PROMPT_BYTES) if _LEARNED in arguments.only else None
        if arguments.only == (_LEARNED,):
            return Report(machine, rounds, seconds, (), (), judging)
        upstream = parts.start_upstream()
        bench = Bench(Stand(parts, nginx, upstream.port), upstream, generator, seconds, _say)
        asked = asked_rows(arguments.only, compiled)
        rows = [Measured(row, tuple(bench.costs(row, rounds))) for row in asked]
        memory: list[Memory] = []
        if _STREAMS in arguments.only:
            streams = open_streams(arguments.streams)
            memory = bench.memory(streams)
    _say("")
    return Report(machine, rounds, seconds, tuple(rows), tuple(memory), judging)


def asked_rows(only: Sequence[str], compiled: Path | None) -> list[Row]:
    """Rows by their ids; where nothing is compiled, without the gateway as sources: every other is that one, too."""
    rows = [row for row in ROWS if row.id in only]
    if compiled is not None:
        return rows
    return [replace(row, servers=tuple(name for name in row.servers if name != SOURCES)) for row in rows]


def _kept(report: Report, arguments: argparse.Namespace) -> bool:
    """Whether all limits that were given are kept to; each is said."""
    kept = [
        _within("JSON in units of nginx's CPU", report.json_ratio(), arguments.check),
        _within("What is seen of a request, in us,", report.seeing_us(), arguments.check_seeing),
    ]
    if report.judging is not None and arguments.check_learned is not None:
        p50_ms, p99_ms = arguments.check_learned
        kept.append(_within("The median prompt at the learned classifier, in ms,", report.judging.p50_ms, p50_ms))
        kept.append(_within("One prompt in a hundred there, in ms,", report.judging.p99_ms, p99_ms))
    return all(kept)


def _within(what: str, found: float | None, limit: float | None) -> bool:
    """Say whether a figure keeps to its limit, where there are both."""
    if limit is None or found is None:
        return True
    within = found <= limit
    print(f"{what} costs {found:.2f}, {'within' if within else 'above'} the limit of {limit:g}", file=sys.stderr)
    return within


def _say(words: str) -> None:
    """One line that is written over on a terminal; a line each in a log."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{words}")
        sys.stderr.flush()
    elif words:
        print(words, file=sys.stderr, flush=True)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """As Ctrl-C: what was started is ended on the way out."""
    sys.exit(143)


def _at_least_one(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _positive(text: str) -> float:
    if not (number := float(text)) > 0:
        raise argparse.ArgumentTypeError("must be above 0")
    return number


def _row_ids(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = [name for name in names if name not in _ROW_IDS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no row {', '.join(unknown)}; there are: {', '.join(_ROW_IDS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
