"""Judged pairs of answers, as the monitor exports them (`pointsman evaluations export`): what the tuner goes by.

Owns the reading of those lines, as far as certification needs them; texts, claims and money are not looked at. What
many judgements amount to is the same as in the monitor: people's mean, else the models'. Nor are pairs from before an
alarm among them, or of another score or other tiers than a route's newest: what withdrew a certificate for the gateways
shall not be proposed to people.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from gateway.core.value import TrackedValue

VERSION = 1
GAINS = {"lower": -1.0, "upper": 1.0, "tie": 0.0, "both_bad": 0.0}  # others, such as `skip`, say nothing
WHOSE = ("same", "people", "model")  # whose judgements count, the first that there are


EVER_S = float("-inf")
CERTIFIER = "certifier"  # the key of the state in which the monitor keeps what pairs count


class JudgedError(Exception):
    """The lines are no export of evaluations; the message says why."""


class JudgedPair(TrackedValue):
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


class _Said(TrackedValue):
    by: str
    verdict: str


class _Line(TrackedValue):
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
    key: str = ""
    value: bytes = b""


class _Series(TrackedValue):
    route: str
    task: str | None
    step: int
    model: str
    after_s: float = 0.0  # requests up to then do not count
    own: bool = False  # of a task: it falls under no other


class _State(TrackedValue):
    series: tuple[_Series, ...] = ()
    models: dict[str, str] = {}  # the fingerprint of each route's newest pair


def read_judged(lines: Iterable[bytes]) -> list[JudgedPair]:
    """The judged pairs among the lines, in the order of their requests. Raises `JudgedError`."""
    decoder, found, state = msgspec.json.Decoder(_Line), [], _State()
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
        if (line.kind, line.key) == ("state", CERTIFIER):
            state = _state(number, line.value)
    return sorted(filter(_counting(state), found), key=lambda pair: pair.time_s)


def _state(number: int, value: bytes) -> _State:
    try:
        return msgspec.json.decode(value, type=_State)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise JudgedError(f"line {number} is no state of certificates: {error}") from None


def _counting(state: _State) -> Callable[[JudgedPair], bool]:
    """Whether a pair still counts, by what the certifier knows."""
    after_s = {(one.route, one.task, one.step, one.model): one.after_s for one in state.series}
    own = {(one.route, one.task, one.step, one.model) for one in state.series if one.own}

    def counts(pair: JudgedPair) -> bool:
        key = (pair.route, pair.task, pair.step, pair.model)
        rest = (pair.route, None, pair.step, pair.model)
        begun_s = max(after_s.get(key, EVER_S), EVER_S if key in own else after_s.get(rest, EVER_S))
        return pair.model == state.models.get(pair.route, pair.model) and pair.time_s > begun_s

    return counts


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
