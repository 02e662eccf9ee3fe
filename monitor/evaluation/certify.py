"""From judged pairs to certificates: which are in force, when they are looked for again, and which had to go.

Of whom a certificate speaks: of all requests of its route that could have been drawn, whose rules ask for tier
`step` + 1, and

- with a task: that the classifier gave this task;
- without one: whose task has never had a certificate of its own ("the rest"; `Certificate.without` names the others).

So every request is spoken of by one certificate at most, and as each costs no more than alpha of quality on average
over its own requests, all of a route together cost no more than alpha over theirs. Each holds with probability
1 - delta; k of them hold all at once with 1 - k * delta at least. A task leaves the rest only by passing a look of its
own by which no fewer of its requests go lower than by the rest's; few pairs alone certify less than many together. It
stays away when its certificate is withdrawn: the rest's, which was looked for without it, shall not take it over. That
tasks leave which do well makes the rest look worse than it is, never better.

A look is taken at 100 pairs (a task's: at 300), or where that is more at as many as can pass at all (370 for 2 % with
95 %: `core.guarantee.fewest`), then whenever there are twice as many; look number k spends delta / 2^k, so that all of
a series together are wrong with probability delta at most. The newest look decides: what it cannot confirm is no longer
in force. In between a `Sentry` sees every pair whose request came after those that the certificate rests on. When it
goes off, the certificate is withdrawn, and a new series begins with pairs after the one on which it went off; so it
does where a certificate ran out. Other terms (alpha, delta) begin a new series with the same pairs. Another fingerprint
of what makes the scores has series of its own; those of the newest pair's are in force.

What this cannot see: pairs that nobody judged (budget spent, skipped, no second answer) are taken to be like the
others; gains are what judges said, and where models judge besides people, their taste is part of it; conversations
that went on after a cheaper answer are judged from there on.

Pure: pairs, terms, the state before and the time go in, the state after comes out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.core.certificate import Certificate
from gateway.core.guarantee import LEAST_PAIRS, Pair, Sentry, certify, fewest
from gateway.core.policy import Evaluate
from monitor.evaluation.pairs import Judged

VERSION = 1
FIRST_OF_TASK = 300  # pairs: with fewer of one kind a threshold for all kinds together is the better one
VALID_S = 30 * 86_400.0  # after the last look, or after the last time that 20 pairs had been watched
WATCHED = 20
ALARMS_KEPT = 50
LARGEST_SCORE = 1e9
DELTA_DIGITS = 12  # so that 1 - 0.95 is 0.05; of a confidence with more of them, one that can be reckoned with
ID_DIGITS = 12


class Alarm(Struct, frozen=True):
    """A certificate that was withdrawn, since what it promises is no longer so."""

    certificate: Certificate
    time_s: float  # epoch, when it was noticed
    watched: int  # pairs since those that the certificate rested on
    loss: float  # their mean


class Series(Struct, frozen=True):
    """What is being tried to be certified, and what is in force. Counts are of pairs."""

    route: str
    task: str | None  # None: the rest
    step: int
    model: str
    alpha: float
    delta: float
    due: int  # at which the next look is taken
    after_s: float = 0.0  # requests up to then do not count
    looks: int = 0
    own: bool = False  # of a task: it is none of the rest's
    without: tuple[str, ...] = ()  # of the rest: tasks that were none of it at the last look
    certificate: Certificate | None = None
    rests_s: float = 0.0  # the latest request that the certificate rests on
    judged: int = 0  # usable now
    watched: int = 0  # since `rests_s`
    watched_loss: float | None = None  # their mean
    alarms: int = 0

    @property
    def key(self) -> tuple[str, str | None, int, str]:
        return self.route, self.task, self.step, self.model


class State(Struct, frozen=True):
    """Everything that outlives a run."""

    version: int = VERSION
    series: tuple[Series, ...] = ()
    alarms: tuple[Alarm, ...] = ()  # the last ones, oldest first
    models: dict[str, str] = {}  # the fingerprint of each route's newest pair

    def current(self) -> Iterator[Series]:
        """Those of the models that make scores now."""
        return (one for one in self.series if self.models.get(one.route) == one.model)

    def in_force(self, routes: Iterable[str], now_s: float) -> tuple[Certificate, ...]:
        """What may be published of these routes."""
        wanted = frozenset(routes)
        found = (one.certificate for one in self.current() if one.route in wanted)
        return tuple(one for one in found if one is not None and now_s < one.until_s)


class StateError(Exception):
    """The text is no state; the message says why."""


def encode_state(state: State) -> bytes:
    return msgspec.json.encode(state)


def decode_state(data: bytes) -> State:
    """Raises StateError."""
    try:
        state = msgspec.json.decode(data, type=State)
    except msgspec.MsgspecError as error:
        raise StateError(f"is no state of certificates: {error}") from None
    if state.version != VERSION:
        raise StateError(f"is of version {state.version}; this program reads {VERSION}")
    return state


def certified(judged: Sequence[Judged], terms: Mapping[str, Evaluate], before: State, now_s: float) -> State:
    """The state after these pairs, all that there are.

    Args:
        terms: of every route that is evaluated. On others nothing is in force, and nothing is forgotten.
    """
    sound = (one for one in judged if _sound(one, now_s))
    ordered = sorted(sound, key=lambda one: (one.facts.time_s, one.facts.decision))
    models = {one.facts.route: one.facts.model for one in ordered if one.facts.route in terms}
    rows: dict[tuple[str, int], dict[str, list[Judged]]] = {}
    for one in ordered:
        facts = one.facts
        if models.get(facts.route) == facts.model:
            rows.setdefault((facts.route, facts.step), {}).setdefault(facts.task, []).append(one)
    known = {one.key: one if one.route in terms else replace(one, certificate=None) for one in before.series}
    run = _Run(known, now_s)
    for (route, step), by_task in sorted(rows.items()):
        run.step(_begun(route, step, models[route], terms[route]), by_task)
    after = known | {one.key: one for one in run.series}
    alarms = (*before.alarms, *run.alarms)[-ALARMS_KEPT:]
    return State(VERSION, tuple(after.values()), alarms, models)


def _sound(one: Judged, now_s: float) -> bool:
    """Whether it can be reckoned with: halves come over the network, from other clocks, and out of other stores.

    One of next year would have all pairs until then taken for older ones, which the alarm does not look at.
    """
    facts = one.facts
    return 0 < facts.probability <= 1 and abs(facts.score) < LARGEST_SCORE and facts.time_s <= now_s


def _begun(route: str, step: int, model: str, terms: Evaluate) -> Series:
    """The rest's, as it begins."""
    alpha, delta = terms.max_loss, max(round(1 - terms.confidence, DELTA_DIGITS), 10.0**-DELTA_DIGITS)
    return Series(route, None, step, model, alpha, delta, due=_due(None, alpha, delta, looks=0))


def _due(task: str | None, alpha: float, delta: float, looks: int) -> int:
    """Pairs that the next look needs at least, after so many looks."""
    return max(LEAST_PAIRS if task is None else FIRST_OF_TASK, fewest(alpha, delta / 2 ** (looks + 1)))


class _Run:
    """One pass over everything."""

    def __init__(self, known: Mapping[tuple[str, str | None, int, str], Series], now_s: float) -> None:
        self._known = known
        self._now_s = now_s
        self.series: list[Series] = []
        self.alarms: list[Alarm] = []

    def step(self, fresh: Series, by_task: Mapping[str, Sequence[Judged]]) -> None:
        """Every series of one route and step. `fresh`: the rest's, as it begins."""
        own = {
            one.task
            for one in self._known.values()
            if one.task is not None and one.own and replace(one, task=None).key == fresh.key
        }
        before = self._known.get(fresh.key, fresh)
        resting = self._resumed(replace(fresh, without=before.without)).certificate
        for task in sorted(by_task.keys() | own):
            begun = replace(fresh, task=task, due=_due(task, fresh.alpha, fresh.delta, looks=0))
            series = self._advanced(begun, by_task.get(task, ()), None if task in own else resting)
            if series.own:
                own.add(task)
            self.series.append(series)
        others = (one for task, found in by_task.items() if task not in own for one in found)
        rest = sorted(others, key=lambda one: (one.facts.time_s, one.facts.decision))
        self.series.append(self._advanced(replace(fresh, without=tuple(sorted(own))), rest))

    def _advanced(self, fresh: Series, judged: Sequence[Judged], rest: Certificate | None = None) -> Series:
        """`rest`: of a task that falls under it, the rest's certificate."""
        series = self._resumed(fresh)
        series = self._watched(series, judged)
        usable = [one for one in judged if one.facts.time_s > series.after_s]
        series = replace(series, judged=len(usable))
        return self._looked(series, usable, rest) if len(usable) >= series.due else series

    def _resumed(self, fresh: Series) -> Series:
        """As it was left, as far as that still applies."""
        series = self._known.get(fresh.key)
        if series is None:
            return fresh
        if (series.alpha, series.delta) != (fresh.alpha, fresh.delta):
            return replace(fresh, after_s=series.after_s, own=series.own, alarms=series.alarms)
        if series.certificate is not None and self._now_s >= series.certificate.until_s:
            series = _anew(series, series.rests_s)
        if series.without != fresh.without:  # other requests than those it speaks of: looked at anew, and at once
            due = _due(None, series.alpha, series.delta, series.looks)
            return replace(series, without=fresh.without, certificate=None, due=due)
        return series

    def _watched(self, series: Series, judged: Sequence[Judged]) -> Series:
        """With an eye on the pairs that came after its certificate."""
        certificate = series.certificate
        if certificate is None:
            return replace(series, watched=0, watched_loss=None)
        later = [one for one in judged if one.facts.time_s > series.rests_s]
        if not later:
            return replace(series, watched=0, watched_loss=None)
        losses = [one.gain if one.facts.score < certificate.threshold else 0.0 for one in later]
        place = _alarm(certificate, later, losses)
        if place is not None:
            seen = place + 1
            self.alarms.append(Alarm(certificate, self._now_s, seen, _mean(later[:seen], losses[:seen])))
            return replace(_anew(series, later[place].facts.time_s), alarms=series.alarms + 1)
        full = len(later) // WATCHED * WATCHED
        seen_s = max((one.judged_s for one in later[:full]), default=0.0)
        until_s = max(certificate.until_s, seen_s + VALID_S)
        return replace(
            series,
            certificate=replace(certificate, until_s=until_s),
            watched=len(later),
            watched_loss=_mean(later, losses),
        )

    def _looked(self, series: Series, usable: Sequence[Judged], rest: Certificate | None) -> Series:
        """After one more look."""
        looks = series.looks + 1
        pairs = [Pair(one.facts.score, one.gain, 1 / one.facts.probability) for one in usable]
        verdict = certify(pairs, series.alpha, series.delta / 2**looks)
        due = max(2 * len(usable), _due(series.task, series.alpha, series.delta, looks))
        rests_s = usable[-1].facts.time_s
        series = replace(series, looks=looks, due=due, rests_s=rests_s, watched=0, watched_loss=None)
        least = 0.0 if rest is None else _below(rest.threshold, pairs)
        if verdict is None or verdict.share == 0 or verdict.share < least:
            return replace(series, certificate=None)
        certificate = Certificate(
            id="",
            route=series.route,
            task=series.task,
            step=series.step,
            threshold=verdict.threshold,
            alpha=series.alpha,
            delta=series.delta,
            judged=len(usable),
            share=verdict.share,
            loss=verdict.loss,
            model=series.model,
            since_s=self._now_s,
            until_s=self._now_s + VALID_S,
            without=series.without,
        )
        named = replace(certificate, id=sha256(msgspec.json.encode(certificate)).hexdigest()[:ID_DIGITS])
        return replace(series, certificate=named, own=series.task is not None)


def _anew(series: Series, after_s: float) -> Series:
    """A new series of looks, at pairs of later requests alone."""
    due = _due(series.task, series.alpha, series.delta, looks=0)
    return replace(
        series, certificate=None, looks=0, due=due, after_s=after_s, rests_s=0.0, watched=0, watched_loss=None
    )


def _below(threshold: float, pairs: Sequence[Pair]) -> float:
    """Their share, by weight."""
    return sum(one.weight for one in pairs if one.score < threshold) / sum(one.weight for one in pairs)


def _alarm(certificate: Certificate, later: Sequence[Judged], losses: Sequence[float]) -> int | None:
    """The place of the pair on which the alarm goes off, if it does."""
    bound = (certificate.alpha + 1) / 2
    rarest = min(one.facts.probability for one in later)
    sentry = Sentry(bound, certificate.delta)
    for place, (one, loss) in enumerate(zip(later, losses, strict=True)):
        if sentry.see(bound + rarest / one.facts.probability * (loss - certificate.alpha) / 2):
            return place
    return None


def _mean(judged: Sequence[Judged], losses: Sequence[float]) -> float:
    """By weight."""
    weights = [1 / one.facts.probability for one in judged]
    return sum(weight * loss for weight, loss in zip(weights, losses, strict=True)) / sum(weights)
