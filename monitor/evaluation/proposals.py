"""What judged pairs let the monitor propose: that a whole task goes a tier lower, that a route honours certificates.

A task by the proof that `pointsman tune` goes by (`core.tuner.grounds`), a route by the certificates that stand. Where
`tune` replays a log to learn whom a change concerns and what it saves, there is none here: routes that evaluate tell
by their pairs whether they have such requests, the others are named as not known; money is estimated from the pairs.

Pure. Pairs from before an alarm, of another score than the present one, or by which the task loses too much in the mean
of all of them, propose nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.config.edit import Change
from gateway.core.guarantee import LEAST_PAIRS
from gateway.core.judged import JudgedPair
from gateway.core.policy import Evaluate, Policy, Route
from gateway.core.tuner import DAY_S, LEAST_SPAN_S, Missing, grounds
from gateway.core.tuning import Bound
from monitor.evaluation.certify import Series, State
from monitor.evaluation.pairs import Drawn, Judged

MOST = 10  # proposals at a time
MOST_LINES = 12  # of evidence of one
MOST_PAIRS = LEAST_PAIRS << 7  # of one task and route: more prove nothing that these do not
SEEN_S = 7 * DAY_S  # of drawn requests, that money is estimated from
LEAST_PRICED = 20  # pairs with both costs, below which nothing is said of money
LONGEST_NAME = 64

Kind = tuple[str, int]  # task and step


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything there is to go by. `drawn`: of the last `SEEN_S`."""

    policy: Policy
    state: State
    judged: Sequence[Judged]
    drawn: Sequence[Drawn]
    now_s: float


@dataclass(frozen=True, slots=True)
class Saving:
    """An estimate, from so many pairs with both costs; `share` is of what these requests cost now."""

    usd_per_day: float
    share: float | None
    pairs: int


@dataclass(frozen=True, slots=True)
class Proposal:
    title: str
    evidence: tuple[str, ...]
    cautions: tuple[str, ...]
    saving: Saving | None  # None: too little is known
    change: Change


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal, and what it is in the configuration's file: as a diff, else in words."""

    proposal: Proposal
    diff: str
    by_hand: str


def proposals(seen: Seen) -> list[Proposal]:
    """Those that save most first, and no more than `MOST`."""
    found = [*_lower_tasks(seen), *_automatic(seen)]
    found.sort(key=lambda one: (-(0.0 if one.saving is None else one.saving.usd_per_day), one.title))
    return found[:MOST]


def _lower_tasks(seen: Seen) -> Iterator[Proposal]:
    pairs = _usable(seen)
    drawn: dict[Kind, list[Drawn]] = {}
    for one in seen.drawn:
        drawn.setdefault((one.facts.task, one.facts.step), []).append(one)
    for task, tier in sorted(seen.policy.task_tiers.items()):
        kind = (task, tier - 1)
        if kind in pairs:
            yield from _lower_task(seen, task, pairs[kind], drawn.get(kind, []))


def _lower_task(seen: Seen, task: str, pairs: Sequence[JudgedPair], drawn: Sequence[Drawn]) -> Iterator[Proposal]:
    policy, tier = seen.policy, seen.policy.task_tiers[task]
    concerned = [route for route in policy.routes if _concerned(route, tier)]
    met = {pair.route for pair in pairs} | {one.facts.route for one in drawn}
    rules = {route.name: route.evaluate for route in concerned if route.evaluate is not None and route.name in met}
    bounds = grounds(policy, task, rules, _first(pairs)) if rules else ()
    if isinstance(bounds, Missing) or not bounds or any(_loses(pairs, name, rule) for name, rule in rules.items()):
        return
    saving = _saving(seen, [one for one in drawn if one.facts.route in rules])
    if saving is not None and saving.usd_per_day <= 0:
        return
    confidence = min(rule.confidence for rule in rules.values())
    unknown = [route.name for route in concerned if route.evaluate is None]
    now, then = policy.tiers[tier], policy.tiers[tier - 1]
    yield Proposal(
        title=f"{task}: {now} → {then} on {_routes(list(rules))}",
        evidence=tuple(_bound(one, confidence) for one in bounds[:MOST_LINES]),
        cautions=(_not_known(unknown),) if unknown else (),
        saving=saving,
        change=Change(("classify", "task_tiers", task), then),
    )


def _concerned(route: Route, tier: int) -> bool:
    """Whether requests of a task of this tier may go elsewhere on it if the task's tier is one lower."""
    lowest, highest = route.tier_min or 0, tier if route.tier_max is None else route.tier_max
    return not route.models and lowest < tier <= highest


def _usable(seen: Seen) -> dict[Kind, list[JudgedPair]]:
    """Judged pairs by kind, in the order of their requests."""
    models = seen.state.models
    after_s = {one.key: one.after_s for one in seen.state.series}
    own = {one.key for one in seen.state.series if one.own}
    found: dict[Kind, list[JudgedPair]] = {}
    for one in sorted(seen.judged, key=lambda judged: (judged.facts.time_s, judged.facts.decision)):
        facts = one.facts
        if models.get(facts.route) != facts.model or not 0 < facts.probability <= 1:
            continue
        key = (facts.route, facts.task, facts.step, facts.model)
        rest = (facts.route, None, facts.step, facts.model)
        forgotten_s = max(after_s.get(key, 0.0), 0.0 if key in own else after_s.get(rest, 0.0))
        if facts.time_s > forgotten_s:
            found.setdefault((facts.task, facts.step), []).append(_pair(one))
    return found


def _pair(one: Judged) -> JudgedPair:
    facts = one.facts
    return JudgedPair(
        facts.time_s, facts.route, facts.task, facts.step, facts.score, facts.model, facts.probability, one.gain,
        one.by.value,
    )  # fmt: skip


def _first(pairs: Sequence[JudgedPair]) -> list[JudgedPair]:
    """As many of each route as are worth their time."""
    counts: dict[str, int] = {}
    found = []
    for pair in pairs:
        count = counts[pair.route] = counts.get(pair.route, 0) + 1
        if count <= MOST_PAIRS:
            found.append(pair)
    return found


def _loses(pairs: Iterable[JudgedPair], route: str, rule: Evaluate) -> bool:
    """All of them, those that came after the last look too."""
    own = [pair for pair in pairs if pair.route == route]
    lost = sum(pair.gain / pair.probability for pair in own)
    return lost > rule.max_loss * sum(1 / pair.probability for pair in own)


def _automatic(seen: Seen) -> Iterator[Proposal]:
    standing: dict[str, list[Series]] = {}
    for one in seen.state.current():
        if one.certificate is not None and seen.now_s < one.certificate.until_s:
            standing.setdefault(one.route, []).append(one)
    for number, route in enumerate(seen.policy.routes):
        rule = route.evaluate
        if rule is None or rule.auto or route.name not in standing:
            continue
        own = sorted(standing[route.name], key=lambda one: (one.task is None, one.task or "", one.step))
        lines = [_certified(one, seen.policy.tiers) for one in own[:MOST_LINES]]
        more = [f"and {len(own) - MOST_LINES} more"] if len(own) > MOST_LINES else []
        under = [one for one in seen.drawn if any(_speaks_of(series, one) for series in own)]
        yield Proposal(
            title=f"route {route.name}: its certificates are honoured (evaluate.auto: false → true)",
            evidence=(*lines, *more),
            cautions=(),
            saving=_saving(seen, under),
            change=Change(("routes", number, "evaluate", "auto"), value=True),
        )


def _speaks_of(series: Series, one: Drawn) -> bool:
    """Whether the series' certificate would have let it go lower."""
    facts, certificate = one.facts, series.certificate
    if certificate is None or facts.score >= certificate.threshold:
        return False
    if (facts.route, facts.step, facts.model) != (series.route, series.step, series.model):
        return False
    return facts.task == series.task if series.task is not None else facts.task not in series.without


def _saving(seen: Seen, rows: Iterable[Drawn]) -> Saving | None:
    """Of these requests if they went lower; those that do so already save nothing more."""
    begun_s = _begun(seen.drawn)
    a_day = cost_usd = saved_usd = priced = 0.0
    pairs = 0
    for one in rows:
        span_s = seen.now_s - begun_s[one.facts.route]
        if one.lower or span_s < LEAST_SPAN_S or not 0 < one.facts.probability <= 1:
            continue
        weight = DAY_S / span_s / one.facts.probability
        a_day += weight
        if one.costs_usd is not None:
            lower_usd, upper_usd = one.costs_usd
            priced, pairs = priced + weight, pairs + 1
            cost_usd, saved_usd = cost_usd + weight * upper_usd, saved_usd + weight * (upper_usd - lower_usd)
    if pairs < LEAST_PRICED:
        return None
    return Saving(saved_usd * a_day / priced, saved_usd / cost_usd if cost_usd > 0 else None, pairs)


def _begun(drawn: Iterable[Drawn]) -> Mapping[str, float]:
    """Since when requests of each route are known."""
    found: dict[str, float] = {}
    for one in drawn:
        found[one.facts.route] = min(one.facts.time_s, found.get(one.facts.route, one.facts.time_s))
    return found


# In words.


def _bound(one: Bound, confidence: float) -> str:
    most = 0.0 if one.at_most is None else one.at_most  # `grounds` lets none through
    return (
        f"route {one.route}: at most {_percent(most)} worse with {_percent(confidence)} confidence, "
        f"{one.pairs:,} judged pairs ({one.people:,} by people), {_lost(one.loss)}"
    )


def _certified(one: Series, tiers: Sequence[str]) -> str:
    found = one.certificate
    assert found is not None, "only those with one are told"
    rest = "all other tasks" if one.without else "all tasks"
    task = rest if one.task is None else one.task[:LONGEST_NAME]
    low, high = (tiers[place] if place < len(tiers) else str(place) for place in (one.step, one.step + 1))
    return (
        f"{task}, {high} → {low}: the easiest {_percent(found.share)}, at most {_percent(found.alpha)} worse with "
        f"{_percent(1 - found.delta)} confidence, {found.judged:,} judged pairs, {_lost(found.loss)}"
    )


def _lost(loss: float) -> str:
    return f"measured: {_percent(abs(loss))} {'lost' if loss >= 0 else 'gained'}"


def _percent(share: float) -> str:
    return f"{round(100 * share, 1):g} %"


def _routes(names: Sequence[str]) -> str:
    return f"route {names[0]}" if len(names) == 1 else f"routes {_listed(names)}"


def _listed(names: Sequence[str]) -> str:
    """In a sentence, the first few."""
    if len(names) == 1:
        return names[0]
    shown = list(names) if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"]
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def _not_known(names: Sequence[str]) -> str:
    return (
        f"A task has one tier on all routes. Not evaluated: {_listed(names)}. Whether the task comes by there, and "
        "what it would lose, is not known; pointsman tune with a log tells the first."
    )
