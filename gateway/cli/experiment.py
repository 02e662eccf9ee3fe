"""`pointsman experiment`: the variants of a route's split beside each other, with intervals that hold at any time."""

import gzip
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from gateway.cli.decision_sources import AdminPort, NoRecords, Row, row_of
from gateway.cli.ink import Ink, Tone, plain, stdout_ink
from gateway.cli.output import print_json
from gateway.cli.words import counted, milliseconds, percent, usd
from gateway.core.experiment import (
    CALIBRATION,
    REFUTED,
    Arm,
    Experiment,
    Seen,
    Verdict,
    imbalance,
    told,
    verdict,
)

DECIDED = frozenset({"ok", "partial", "failed"})  # a client that left, or was refused, says nothing of a variant
SHOWN = {"cost_usd": "cost", "latency_ms": "latency", "ttft_ms": "first token", "failure": "failures",
         "feedback": "feedback"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Findings:
    """What came of the log: the experiment, units by variant, and the evidence against the ratio (None: unknown)."""

    experiment: Experiment
    units: Mapping[str, int]
    ratio: float | None
    verdict: Verdict


def experiment(given: Namespace, weights: Mapping[str, float] | None, admin_url: str) -> int:
    """Read the log and print what it shows. `weights`: of the route's split, where the configuration has it.

    Raises:
        NoRecords: there is nothing to read, or nothing of that route.
    """
    source = _Files(given.logs) if given.logs else _Port(given.url or admin_url)
    found = findings(source, given.route, weights, given.confidence, given.tolerance)
    if given.as_json:
        shown = told(found.experiment, found.units, found.ratio, given.tolerance)
        print_json({"route": given.route, "confidence": given.confidence, **shown})
    else:
        for line in story(given.route, found, given.confidence, stdout_ink()):
            print(line)
    return 0


class _Files:
    """Files of JSON lines, gzipped or not; read twice, since feedback comes after what it judges."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = [Path(path) for path in paths]

    def rows(self) -> Iterator[Row]:
        for path in self._paths:
            try:
                with cast("BinaryIO", gzip.open(path) if path.suffix == ".gz" else path.open("rb")) as file:
                    yield from (row for line in file if (row := row_of(line)) is not None)
            except OSError as error:
                raise NoRecords(f"{path} cannot be read: {error.strerror or error}") from None


class _Port:
    """A gateway's last decisions, the oldest first."""

    def __init__(self, url: str) -> None:
        self._rows = list(AdminPort(url, lambda _: None, lambda: None).newest())[::-1]

    def rows(self) -> Iterator[Row]:
        return iter(self._rows)


def findings(
    source: "_Files | _Port", route: str, weights: Mapping[str, float] | None, confidence: float, tolerance: float
) -> Findings:
    """What the records of `source` show of the route's variants."""
    variants: dict[str, None] = dict.fromkeys(weights or ())
    scores: dict[str, float] = {}
    for row in source.rows():
        if row.get("type") == "feedback":
            scores[str(row.get("decision"))] = float(row.get("score") or 0.0)
        elif row.get("route") == route and row.get("variant"):
            variants.setdefault(row["variant"])
    if not variants:
        raise NoRecords(f"the log has no request of a variant on route {route}: has it a `split`?")
    made = Experiment(list(variants), confidence)
    sessions: dict[str, set[int]] = {name: set() for name in variants}
    for row in source.rows():
        if row.get("route") == route and row.get("variant") and row.get("outcome") in DECIDED:
            made.see(_seen(row, scores))
            sessions[row["variant"]].add(hash(row.get("session_hash") or row.get("id")))
    units = {name: len(seen) for name, seen in sessions.items()}
    ratio = None if weights is None else imbalance(units, weights)
    return Findings(made, units, ratio, verdict(made, tolerance))


def _seen(row: Row, scores: Mapping[str, float]) -> Seen:
    return Seen(
        variant=row["variant"],
        cost_usd=row.get("cost_usd"),
        latency_ms=row.get("latency_ms"),
        ttft_ms=row.get("ttft_ms"),
        failed=row["outcome"] != "ok",
        score=scores.get(str(row.get("id"))),
    )


def story(route: str, found: Findings, confidence: float, ink: Ink) -> Iterator[str]:
    """The lines of the report."""
    yield f"Route {ink(plain(route), Tone.NAME)}; all intervals together hold with {percent(confidence)}, at any time"
    for name, arm in found.experiment.arms.items():
        yield ""
        units = counted(found.units[name], "session")
        yield f"{ink(plain(name), Tone.STRONG)}: {counted(arm.requests, 'request')} of {units}"
        yield from _metrics(arm)
    yield ""
    if found.ratio is not None:
        fine = found.ratio < REFUTED
        words = "as configured" if fine else "NOT as configured: something is wrong with the assignment or the log"
        yield f"Sample ratio: {ink(words, Tone.GOOD if fine else Tone.BAD)} (evidence against it {found.ratio:.3g})"
    stop = found.verdict.better is not None and (found.ratio is None or found.ratio < REFUTED)
    yield f"{ink('Stop', Tone.GOOD) if stop else ink('Go on', Tone.WARN)}: {plain(found.verdict.why)}"
    yield f"The first {CALIBRATION} requests only said how large values are; requests of a session count one by one."


def _metrics(arm: Arm) -> Iterator[str]:
    if not arm.means:
        yield "  too few requests"
    for name, mean in arm.means.items():
        if mean.count:
            cut = f", {counted(mean.cut, 'value')} cut to {_shown(name, mean.most)}" if mean.cut else ""
            low, high = (_shown(name, edge) for edge in mean.interval)
            yield f"  {SHOWN[name]:<12} {_shown(name, mean.mean):>9}  [{low}, {high}]{cut}"


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    match name:
        case "cost_usd":
            return usd(value)
        case "failure":
            return percent(value)
        case "feedback":
            return f"{2 * value - 1:+.2f}"
        case _:
            return milliseconds(value)
