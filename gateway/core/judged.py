"""Judged pairs of answers, as the monitor exports them (`pointsman evaluations export`): what the tuner goes by.

Owns the reading of those lines, as far as certification needs them; texts, claims and money are not looked at. What
many judgements amount to is the same as in the monitor: people's mean, else the models'.
"""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

VERSION = 1
GAINS = {"lower": -1.0, "upper": 1.0, "tie": 0.0, "both_bad": 0.0}  # others, such as `skip`, say nothing
WHOSE = ("same", "people", "model")  # whose judgements count, the first that there are


class JudgedError(Exception):
    """The lines are no export of evaluations; the message says why."""


class JudgedPair(Struct, frozen=True):
    """`gain` in [-1, 1] is how much better the upper tier's answer was; `step` is the lower tier of the two."""

    time_s: float  # epoch, of the request
    route: str
    task: str
    step: int
    score: float
    model: str  # fingerprint of what made the score
    probability: float  # with which it was drawn
    gain: float
    by: str


class _Said(Struct, frozen=True):
    by: str
    verdict: str


class _Line(Struct, frozen=True):
    kind: str
    version: int = VERSION
    time_s: float = 0.0
    route: str = ""
    task: str = ""
    step: int = 0
    score: float = 0.0
    model: str = ""
    probability: float = 0.0
    judgements: tuple[_Said, ...] = ()


def read_judged(lines: Iterable[bytes]) -> list[JudgedPair]:
    """The judged pairs among the lines, in the order of their requests. Raises `JudgedError`."""
    decoder, found = msgspec.json.Decoder(_Line), []
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            line = decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise JudgedError(f"line {number} is no line of an export of evaluations: {error}") from None
        if line.kind == "evaluations" and line.version != VERSION:
            raise JudgedError(f"the export is of version {line.version}; this program reads {VERSION}")
        pair = _judged(line) if line.kind == "pair" else None
        if pair is not None:
            found.append(pair)
    return sorted(found, key=lambda pair: pair.time_s)


def _judged(line: _Line) -> JudgedPair | None:
    if not 0 < line.probability <= 1:
        raise JudgedError(f"a pair was drawn with the probability {line.probability}: it must lie between 0 and 1")
    gain_by = _gain(line.judgements)
    if gain_by is None:
        return None
    return JudgedPair(
        line.time_s, line.route, line.task, line.step, line.score, line.model, line.probability, *gain_by
    )  # fmt: skip


def _gain(judgements: Iterable[_Said]) -> tuple[float, str] | None:
    said: Mapping[str, list[float]] = {by: [] for by in WHOSE}
    for one in judgements:
        if one.by in said and one.verdict in GAINS:
            said[one.by].append(GAINS[one.verdict])
    return next(((sum(gains) / len(gains), by) for by, gains in said.items() if gains), None)
