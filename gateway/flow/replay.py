"""Plans of recorded requests under another configuration, many at a time.

A kind of request is planned by the real `Planner`, once for each stretch of sizes within which its plan is the same:
costs are linear in the size, so two endpoints change places once at most, and where both ends of a stretch have the
same order, all between have it. A stretch is halved until that is so. Nothing is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from gateway.core import estimate
from gateway.core.ask import NOTHING, Ask, EmbedRequest, PassedRequest, Surface, Survey
from gateway.core.catalog import PASSED
from gateway.core.chat import ChatRequest
from gateway.core.decision import Considered
from gateway.core.extras import Extras, ProviderRules
from gateway.core.plan import NEAR, Health, Ill, Sizes
from gateway.core.policy import Objective, Route
from gateway.core.refusal import Refused
from gateway.core.replay import Evidence, Kind, Log, evidence_of, route_of
from gateway.core.replay_cost import Bools, Floats, Ints, Regimes, estimates_usd, expected_output, warm_tokens
from gateway.core.value import TrackedValue
from gateway.flow.consider import Planner
from gateway.flow.refuse import Unroutable
from gateway.flow.stage import Client, Moment, Stage
from gateway.flow.world import World


class Plan(TrackedValue):
    """What would have been done with requests of one kind, as far as it is the same for all of them."""

    route: str | None
    order: tuple[str, ...]  # the plan, and the eligible behind it
    favoured: str | None  # the endpoint that answered then: it stays, where it is nearly the cheapest
    baseline: str | None
    excluded: tuple[tuple[str, int], ...]  # reason, endpoints
    refused: str | None = None  # why there is no plan
    partial: bool = False  # candidates are missing whose reasons the record only counts
    rerouted: bool = False  # the recorded route is not there

    @property
    def first(self) -> str | None:
        return self.order[0] if self.order else None


@dataclass(frozen=True, slots=True)
class Recorded:
    """Requests of one kind, one element each. `estimates`: of the kind's `tops`, NaN where there is none."""

    tokens: Floats
    at_s: Floats
    estimates: tuple[Floats, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """The plans that came out, and for each request its plan's number and whether it goes to the favoured one."""

    plans: list[Plan]
    which: Ints
    stays: Bools


class _Fixed(Planner):
    """A planner that is told what a record knows, instead of drawing it from a text."""

    def __init__(self, world: World, health: Health, keyless: frozenset[str], kind: Kind) -> None:
        super().__init__(world, lambda _: health, lambda: keyless)
        self._kind = kind
        self.sizes = Sizes(1, 1, None)

    def _sizes(self, stage: Stage) -> Sizes:
        return self.sizes

    def _escalated(self, route: Route, difficulty: float) -> bool:
        return self._kind.escalated and route.escalate is not None

    def _staged(self, ask: Ask, extras: Extras, client: Client, moment: Moment, personal: bool | None) -> Stage:
        stage = super()._staged(ask, extras, client, moment, personal)
        arm = next((one for one in stage.route.split if one.name == self._kind.variant), None)
        tier = stage.tier - 1 if self._kind.certified and stage.tier else stage.tier
        return replace(stage, variant=arm, tier=tier)


class Replayer:
    """Plans recorded requests in one `World`."""

    def __init__(self, world: World, log: Log, ttft_p95_ms: Mapping[str, float]) -> None:
        """`ttft_p95_ms`: what the log says of endpoints, for routes that go by latency."""
        self.world = world
        self._log = log
        self._ttft_p95_ms = ttft_p95_ms
        days = [row.privacy.expires for row in world.policy.catalog.providers.values() if row.privacy.expires]
        midnights = [float((day.toordinal() - 719_163) * 86_400) for day in days]  # 719,163: the first of 1970
        self._regimes = Regimes.of(world.prices, midnights)

    def planned(self, kind: Kind, rows: Recorded) -> Planned:
        """Plan every request of a kind."""
        one = _OneKind(self.world, self._log, self._ttft_p95_ms, kind)
        output = self._output(kind, rows)
        codes = self._regimes.codes(rows.tokens, rows.at_s)
        which = np.zeros(len(codes), dtype=np.int64)
        plans: dict[Plan, int] = {}
        for group in _groups(np.stack([codes, output.astype(np.int64)])):
            sizes, places = np.unique(rows.tokens[group].astype(np.int64), return_inverse=True)
            at_s, tokens = float(rows.at_s[group[0]]), int(output[group[0]])
            found = _by_size(one, [int(size) for size in sizes], tokens, at_s)
            numbers = np.array([plans.setdefault(plan, len(plans)) for plan in found])
            which[group] = numbers[places]
        made = list(plans)
        return Planned(made, which, self._staying(kind, rows, output, made, which))

    def _output(self, kind: Kind, rows: Recorded) -> Floats:
        """The output that was expected then. A discount for a warm cache only makes it look smaller."""
        best = np.full(len(rows.at_s), -1.0)
        for name, usd in zip(kind.tops, rows.estimates, strict=False):
            price = self.world.prices.get(name)
            if price is not None:
                best = np.fmax(best, expected_output(price, rows.tokens, usd, rows.at_s))
        usual = estimate.EXPECTED_OUTPUT.get(kind.task or "", estimate.EXPECTED_OUTPUT_OTHER)
        talks = Surface(kind.surface).operation not in PASSED and kind.surface != Surface.EMBEDDINGS.value
        return np.where(best >= 0, best, float(usual if talks else 0))

    def _staying(
        self, kind: Kind, rows: Recorded, output: Floats, plans: list[Plan], which: Ints
    ) -> Bools:
        """Whether the request stays where it was: with its warm cache it costs nearly as little as elsewhere."""
        stays = np.zeros(len(which), dtype=np.bool_)
        for number, plan in enumerate(plans):
            if plan.favoured is None or plan.first is None:
                continue
            here, there = self.world.prices.get(plan.favoured), self.world.prices.get(plan.first)
            if here is None or there is None:
                continue
            of = which == number
            tokens, out, at_s = rows.tokens[of], output[of], rows.at_s[of]
            warm = np.zeros(len(tokens))
            if rows.estimates and kind.tops[:1] == (plan.favoured,):
                warm = warm_tokens(here, tokens, out, rows.estimates[0][of], at_s)
            own = estimates_usd(here, tokens, warm, out, at_s)
            stays[of] = own <= estimates_usd(there, tokens, np.zeros(len(tokens)), out, at_s) * NEAR
        return stays


class _OneKind:
    """Plans one kind of request, size by size."""

    def __init__(self, world: World, log: Log, ttft_p95_ms: Mapping[str, float], kind: Kind) -> None:
        policy = world.policy
        self._kind, self._world = kind, world
        self._evidence = evidence_of(kind, log.seen)
        self._route = route_of(kind, policy, log.routes)
        health = Health({name: Ill(why) for name, why in self._evidence.ill.items()}, ttft_p95_ms)
        self._planner = _Fixed(world, health, self._evidence.keyless, kind)
        self._ask = ask_of(kind, self._evidence)
        self._extras = Extras(
            provider=ProviderRules(ignore=tuple(self._evidence.unable)),
            route=None if self._route is None else self._route.name,
            sensitivity=tuple(label for label in kind.labels if label in policy.labels),
            tier=log.asked_tier(kind, policy),
            task=kind.task,
        )

    def at(self, size: int, output: int, at_s: float) -> Plan:
        """The plan of a request of so many input tokens."""
        passed = self._ask.passed is not None
        bound = size * estimate.CHARS_PER_TOKEN + estimate.OVERHEAD_BOUND_TOKENS
        self._planner.sizes = Sizes(size, output, bound, passed=passed)
        client, moment = Client(self._kind.key_id, {}), Moment(at_s, 0.0)
        refused = None
        try:
            considered = self._planner.consider(self._ask, self._extras, client, moment, found=False)
        except Unroutable as none_left:
            considered, refused = none_left.considered, "no_eligible_endpoint"
        except Refused as unheard:
            return Plan(None, (), None, None, (), unheard.refusal.kind.value, rerouted=self._route is None)
        names = [step.endpoint.id for step in (*considered.steps, *considered.others)]
        order = tuple(name for name in names if name not in self._kind.passed_over)  # who failed then would fail now
        sums: dict[str, int] = {}
        for name, reasons in considered.excluded.items():
            for why in (self._evidence.unable[name],) if name in self._evidence.unable else reasons:
                sums[why] = sums.get(why, 0) + 1
        return Plan(
            considered.route.name, order, self._favoured(order, considered.route), self._baseline(considered),
            tuple(sorted(sums.items())), refused, self._evidence.partial, self._route is None,
        )  # fmt: skip

    def _baseline(self, considered: Considered) -> str | None:
        """The recorded one, unless the route names its own: what is saved then and now is counted by one measure."""
        then = self._kind.baseline
        kept = considered.route.baseline is None and then is not None and self._world.prices.get(then) is not None
        return then if kept else considered.baseline

    def _favoured(self, order: tuple[str, ...], route: Route) -> str | None:
        """Who answered then, where only the cost decides between it and the first."""
        then = self._kind.answered if self._kind.passed_over else self._kind.first
        if then not in order or route.objective is not Objective.COST or route.first_token_p95_ms is not None:
            return None
        preferred = any(variant.prefer for variant in route.split if variant.name == self._kind.variant)
        return None if preferred or route.fallbacks else then


def ask_of(kind: Kind, evidence: Evidence) -> Ask:
    """A request without a text that is planned as the recorded one."""
    surface = Surface(kind.surface)
    survey = Survey(
        prompt="", opening="", repeated=(), turns=0, texts=(), chars=0, images=0, media=0, remote=False,
        needs=evidence.needs, prefix_hash="", signed_by=NOTHING, max_tokens=None, reasoning=False, plain=True,
    )  # fmt: skip
    ask = Ask(surface, kind.model, stream=False, body={}, survey=survey)
    if surface is Surface.EMBEDDINGS:
        return replace(ask, embed=EmbedRequest(()))
    if surface.operation in PASSED:
        return replace(ask, passed=PassedRequest(1))
    return replace(ask, chat=ChatRequest(()))


def _by_size(one: _OneKind, sizes: list[int], output: int, at_s: float) -> list[Plan]:
    """The plan of every size, ascending; few of them are made."""
    ends = {0: one.at(sizes[0], output, at_s), len(sizes) - 1: one.at(sizes[-1], output, at_s)}
    found: list[Plan] = [ends[0]] * len(sizes)
    found[-1] = ends[len(sizes) - 1]
    left = [(0, len(sizes) - 1)]
    while left:
        low, high = left.pop()
        if high - low < 2:
            continue
        if found[low] == found[high]:
            found[low + 1 : high] = [found[low]] * (high - low - 1)
            continue
        middle = (low + high) // 2
        found[middle] = one.at(sizes[middle], output, at_s)
        left += [(low, middle), (middle, high)]
    return found


def _groups(keys: Ints) -> list[Ints]:
    """Row numbers by equal columns of `keys`."""
    order = np.lexsort(keys)
    ordered = keys[:, order]
    starts = np.flatnonzero(np.any(ordered[:, 1:] != ordered[:, :-1], axis=0)) + 1
    return list(np.split(order, starts))
