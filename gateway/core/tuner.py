"""What may be changed in a configuration, and on what evidence.

Four findings, each with its grounds: a whole task that judged pairs let go a tier lower; a route whose certificates
wait for `auto: true`; what escalation by feedback should go by; a task whose answers are found bad, which is observed
and proves nothing. What was not found is told too, with what is missing. Owns the rules for that; money comes from two
replays of one log, proofs from `tuning`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.core.judged import JudgedPair
from gateway.core.policy import Evaluate, Policy, Route
from gateway.core.replay_sums import Sums
from gateway.core.shares import wilson
from gateway.core.tuning import Bound, Threshold, bound, thresholds
from gateway.core.value import TrackedValue

Slices = Mapping[tuple[str, str], Sums]  # by route and task

DAY_S = 86_400.0
LEAST_SPAN_S = 3_600.0  # of a log, below which nothing is said of a day
LEAST_JUDGED = 50  # answers of a task on a route, below which escalation does not go by them
LEAST_BAD = 20  # answers, below which nothing is said of a task
POOR_SHARE = 0.10  # of the answers that somebody or their form judged, surely found bad: that is worth a warning
STEP = 0.02  # shares of bad answers that differ by less are left as they are
BAD_SHARE = 0.05  # of all answers, useless


class Money(TrackedValue):
    """One slice of a log, as it is and as it would be. `priced`: answers whose cost is known both times."""

    requests: int
    priced: int
    now_usd: float
    then_usd: float
    per_day: float | None  # factor from the log to a day; None: the log is too short

    @property
    def saved_usd(self) -> float:
        return self.now_usd - self.then_usd

    @property
    def saved_share(self) -> float | None:
        return self.saved_usd / self.now_usd if self.now_usd > 0 else None

    @property
    def saved_usd_per_day(self) -> float | None:
        return None if self.per_day is None else self.saved_usd * self.per_day


class Lower(TrackedValue):
    """A whole task may go from tier `now` to `then`: certified for every route that it would change."""

    task: str
    now: str
    then: str
    bounds: tuple[Bound, ...]
    confidence: float  # of all of them together
    money: Money


class Automatic(TrackedValue):
    """A route's certificates may be honoured."""

    route: str
    number: int  # of the route in the file
    max_loss: float
    confidence: float
    thresholds: tuple[Threshold, ...]


class Doubt(TrackedValue):
    """A task does badly where it is. `bad` of `of` answers; `surely` the least share of them, with 95 %."""

    task: str
    now: str
    above: str | None  # the next tier; None: it has the highest
    judged: bool  # `of`: those that feedback or their form judged; else all, of which the useless are told
    bad: int
    of: int
    surely: float
    money: Money | None  # of going one tier up


class Steer(TrackedValue):
    """Which requests a route escalates goes by what became of answers to their task. `was` and `will`: shares."""

    route: str
    number: int  # of the route in the file
    task: str
    was: float
    will: float  # the least share of its answers that was surely bad, with 95 %
    bad: int
    of: int  # answers that were not escalated, and that feedback or their form judged


class Missing(TrackedValue):
    """Why something is not proposed, and how the evidence would come about."""

    what: str
    why: str
    how: str


@dataclass(frozen=True, slots=True)
class Findings:
    lower: tuple[Lower, ...]
    automatic: tuple[Automatic, ...]
    steers: tuple[Steer, ...]
    doubts: tuple[Doubt, ...]
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the second replay tries: each task's other tier."""

    lower: frozenset[str]  # tasks that have judged pairs of the step below their tier
    raise_: frozenset[str]  # tasks that do badly

    def applied(self, policy: Policy) -> Policy:
        """The policy with the tasks moved."""
        shift = {**dict.fromkeys(self.lower, -1), **dict.fromkeys(self.raise_, 1)}
        tiers = {task: tier + shift.get(task, 0) for task, tier in policy.task_tiers.items()}
        return replace(policy, task_tiers=tiers)


def wanted(policy: Policy, slices: Slices, pairs: Sequence[JudgedPair]) -> Wanted:
    """What is worth a second replay. Who does badly is not lowered, whatever the pairs say."""
    below = {(pair.task, pair.step) for pair in pairs}
    bad = {doubt.task for doubt in doubts(policy, slices, {}, None) if doubt.above is not None}
    lower = {task for task, tier in policy.task_tiers.items() if (task, tier - 1) in below}
    return Wanted(frozenset(lower - bad), frozenset(bad))


def findings(
    policy: Policy, now: Slices, then: Slices, pairs: Sequence[JudgedPair], span_s: float
) -> Findings:
    """All of it.

    Args:
        policy: in force.
        now: the log under it.
        then: the same log with what is `wanted`.
        pairs: that were judged, in the order of their requests.
        span_s: from the log's first request to its last.
    """
    per_day = DAY_S / span_s if span_s >= LEAST_SPAN_S else None
    tried = sorted(wanted(policy, now, pairs).lower)
    tasks = [_lower(policy, task, _Both(task, now, then, per_day), pairs) for task in tried]
    missing = [one for one in tasks if isinstance(one, Missing)]
    return Findings(
        tuple(one for one in tasks if isinstance(one, Lower)),
        tuple(automatic(policy.routes, pairs)),
        tuple(steers(policy, now)),
        tuple(doubts(policy, now, then, per_day)),
        (*missing, *_unasked(policy, now, pairs)),
    )


class _Both:
    """A task in both replays."""

    def __init__(self, task: str, now: Slices, then: Slices, per_day: float | None) -> None:
        self._now = {route: sums for (route, of), sums in now.items() if of == task}
        self._then = {route: sums for (route, of), sums in then.items() if of == task}
        self._per_day = per_day

    def changed(self) -> list[str]:
        """Routes on which some request would go elsewhere."""
        return sorted(
            route
            for route, sums in self._now.items()
            if (other := self._then.get(route)) is not None
            and (sums.moves != other.moves or sums.moved != other.moved or sums.unserved != other.unserved)
        )

    def money(self) -> Money | None:
        """None: prices are known for other answers then than now, so that sums cannot be compared."""
        now, then = _sum(self._now.values()), _sum(self._then.values())
        if now.priced != then.priced or not now.priced:
            return None
        return Money(now.requests, now.priced, now.replayed_usd, then.replayed_usd, self._per_day)

    def unserved(self) -> int:
        """Requests that would have no endpoint any more."""
        return _sum(self._then.values()).unserved - _sum(self._now.values()).unserved


def _lower(policy: Policy, task: str, both: _Both, pairs: Sequence[JudgedPair]) -> Lower | Missing:
    tier = policy.task_tiers[task]
    now, then = policy.tiers[tier], policy.tiers[tier - 1]
    what = f"{task}: {now} -> {then}"
    routes = both.changed()
    if not routes:
        return Missing(what, "no request of the log would go elsewhere", "nothing to do")
    if both.unserved() > 0:
        return Missing(what, f"{both.unserved():,} requests would have no endpoint", "give the tier more endpoints")
    usual = Evaluate(share=0.02, against=tier)
    told = {route.name: route.evaluate for route in policy.routes}
    rules = {route: told.get(route) or usual for route in routes}
    bounds = grounds(policy, task, rules, pairs)
    if isinstance(bounds, Missing):
        return bounds
    money = both.money()
    if money is None:
        return Missing(what, "the price of some endpoints is unknown", "give their `price:`")
    if money.saved_usd <= 0:
        return Missing(what, "it is certified and would save nothing", "nothing to do")
    confidence = min(rule.confidence for rule in rules.values())
    return Lower(task, now, then, bounds, confidence, money)


def grounds(
    policy: Policy, task: str, rules: Mapping[str, Evaluate], pairs: Sequence[JudgedPair]
) -> tuple[Bound, ...] | Missing:
    """What is sure of the whole task a tier lower, on each of the routes that `rules` are of; else what is missing.

    All of it together holds with the confidence of each rule, which the routes share. The pairs are in the order of
    their requests; those of other tasks, steps and routes are passed over.
    """
    tier, bounds = policy.task_tiers[task], []
    for route, rule in rules.items():
        own = [pair for pair in pairs if (pair.route, pair.task, pair.step) == (route, task, tier - 1)]
        found = bound(own, (1 - rule.confidence) / len(rules))
        lacking = _lacking(route, len(own), found, rule)
        if found is None or lacking is not None:
            what = f"{task}: {policy.tiers[tier]} -> {policy.tiers[tier - 1]}"
            return Missing(what, lacking or "", "judge more pairs: `evaluate:` on that route, the monitor's /evaluate")
        bounds.append(found)
    return tuple(bounds)


def _lacking(route: str, count: int, found: Bound | None, rule: Evaluate) -> str | None:
    """Why the pairs of a route do not suffice; None: they do."""
    if found is None:
        return f"route {route} has {count} judged pairs of it, and 100 are the least that say anything"
    if found.at_most is None or found.at_most > rule.max_loss:
        most = "any loss" if found.at_most is None else f"{found.at_most:.1%} loss"
        return f"on route {route} {found.pairs} judged pairs leave room for {most}; {rule.max_loss:.1%} is allowed"
    return None


def automatic(routes: Sequence[Route], pairs: Sequence[JudgedPair]) -> Iterable[Automatic]:
    """Routes that have certificates by these pairs, and `auto: false`."""
    for number, route in enumerate(routes):
        rule = route.evaluate
        if rule is None or rule.auto:
            continue
        found = thresholds(pairs, route.name, rule.max_loss, 1 - rule.confidence)
        if found:
            yield Automatic(route.name, number, rule.max_loss, rule.confidence, tuple(found))


def steers(policy: Policy, now: Slices) -> Iterable[Steer]:
    """What routes that escalate by feedback should go by. Escalated answers do not count: they are of another tier."""
    for number, route in enumerate(policy.routes):
        if route.escalate is None or route.escalate.by != "feedback":
            continue
        for task in sorted(policy.task_tiers):
            sums = now.get((route.name, task), Sums())
            was = route.escalate.bad.get(task, 0.0)
            will = round(wilson(sums.plain_poor, sums.plain_known)[0], 2)
            if sums.plain_known >= LEAST_JUDGED and abs(will - was) >= STEP:
                yield Steer(route.name, number, task, was, will, sums.plain_poor, sums.plain_known)


def doubts(policy: Policy, now: Slices, then: Slices, per_day: float | None) -> Iterable[Doubt]:
    """Tasks that surely do badly, by what the log tells of answers that would come from the same endpoint today."""
    for task, tier in sorted(policy.task_tiers.items()):
        sums = _sum(one for (_, of), one in now.items() if of == task)
        counted = next(
            (
                (judged, bad, of)
                for judged, bad, of, limit in (
                    (True, sums.poor, sums.known, POOR_SHARE),
                    (False, sums.bad, sums.same, BAD_SHARE),
                )
                if bad >= LEAST_BAD and wilson(bad, of)[0] > limit
            ),
            None,
        )
        if counted is None:
            continue
        above = policy.tiers[tier + 1] if tier + 1 < len(policy.tiers) else None
        money = _Both(task, now, then, per_day).money() if then and above is not None else None
        yield Doubt(task, policy.tiers[tier], above, *counted, wilson(*counted[1:])[0], money)


def _unasked(policy: Policy, now: Slices, pairs: Sequence[JudgedPair]) -> Iterable[Missing]:
    """Evidence that nobody has gathered."""
    if not pairs:
        how = "`evaluate:` on a route, then `pointsman evaluations export > FILE` and `--evaluations FILE`"
        yield Missing("certified changes", "there are no judged pairs", how)
    for doubt in doubts(policy, now, {}, None):
        tier = policy.task_tiers[doubt.task]
        if doubt.above is not None and any((pair.task, pair.step) == (doubt.task, tier - 1) for pair in pairs):
            what = f"{doubt.task}: {doubt.now} -> {policy.tiers[tier - 1]}"
            yield Missing(what, "its answers are found bad where they are", "see to the warning first")
    signals = _sum(now.values()).signals
    if not signals["feedback"] and not signals["malformed"] and not signals["well_formed"]:
        yield Missing(
            "how tasks do at their tiers",
            "the log has no feedback, and no request that asked for JSON",
            "let clients POST /v1/feedback with the id of x-pointsman-decision",
        )
    seen = {pair.task for pair in pairs}
    for task, tier in sorted(policy.task_tiers.items()):
        some = _sum(one for (_, of), one in now.items() if of == task)
        if pairs and tier > 0 and some.requests and task not in seen:
            yield Missing(f"{task}: {policy.tiers[tier]} -> {policy.tiers[tier - 1]}", "none of its pairs is judged",
                          "`evaluate:` on the routes that it comes by")  # fmt: skip


def _sum(slices: Iterable[Sums]) -> Sums:
    whole = Sums()
    for sums in slices:
        whole.add(sums)
    return whole
